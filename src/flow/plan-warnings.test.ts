/** Tests of the warnings about a plan. */
import { expect, test } from "vitest"
import { schema } from "../batch/schema.ts"
import { t } from "../batch/types.ts"
import type { Plan, PlanNode } from "./plan.ts"
import { planWarnings } from "./plan-warnings.ts"

const rows = schema({ at: t.timestamp() })
const source: PlanNode = { kind: "source", id: "rows", isIdGiven: true, schema: rows, inputName: "rows" }

function eventTime(id: string, isIdGiven: boolean): PlanNode {
  return {
    kind: "eventTime",
    id,
    isIdGiven,
    schema: rows,
    input: 0,
    inputPort: "main",
    column: "at",
    outOfOrderMicros: 0,
  }
}

function planWith(nodes: readonly PlanNode[], output: number): Plan {
  return { jobName: "j", nodes, outputs: [{ name: "out", node: output, port: "main" }] }
}

const warningsOf = (plan: Plan) => planWarnings(plan, schema({ least: t.float64 }))

test("state under a derived id is warned about, and filters are not", () => {
  const filter: PlanNode = {
    kind: "filter",
    id: "rows/filter",
    isIdGiven: false,
    schema: rows,
    input: 0,
    inputPort: "main",
    predicate: () => true,
  }
  expect(warningsOf(planWith([source, eventTime("time", true)], 1))).toEqual([])
  expect(warningsOf(planWith([source, filter], 1))).toEqual([])
  const [warning, ...others] = warningsOf(planWith([source, eventTime("rows/eventTime", false)], 1))
  expect(others).toEqual([])
  expect(warning).toMatchObject({ kind: "derived-id", operator: "rows/eventTime" })
  expect(warning!.message).toContain("rows/eventTime")
})

test("what nothing takes is warned about: operators, and inputs", () => {
  const beside = warningsOf(planWith([source, eventTime("time", true)], 0))
  expect(beside.map(({ kind, operator }) => `${kind} ${operator}`)).toEqual(["unused time"])
  const other: PlanNode = { ...source, id: "more", inputName: "more" }
  const input = warningsOf(planWith([source, other], 0))
  expect(input).toMatchObject([{ kind: "unused", operator: "more", hint: "Use the input, or take it away." }])
})

test("a lambda that reads what there is not is warned about, also one of an aggregate", () => {
  const input = { input: 0, inputPort: "main", isIdGiven: true, schema: rows } as const
  const filter: PlanNode = { ...input, kind: "filter", id: "late", predicate: (r: { att: number }) => r.att > 0 }
  const lambda = (_row: unknown, p: { last: number }) => p.last
  const aggregates = [
    { name: "n", kind: "sum", input: { kind: "lambda", lambda, type: t.float64 }, resultType: t.float64 },
  ] as const
  const window = { kind: "tumbling", sizeMicros: 1, offsetMicros: 0 } as const
  const totals: PlanNode = {
    ...input,
    kind: "windowAggregate",
    id: "totals",
    keys: [],
    timeColumn: "at",
    window,
    aggregates,
  }
  const warnings = warningsOf({
    ...planWith([source, filter, totals], 1),
    outputs: [1, 2].map((node) => ({ name: "o", node, port: "main" })),
  })
  expect(warnings).toEqual([
    {
      kind: "unknown-name",
      operator: "late",
      message: "late reads r.att, which is no column of its rows: it is always undefined.",
      hint: 'Did you mean "at"? The columns are "at".',
    },
    {
      kind: "unknown-name",
      operator: "totals",
      message: "totals reads p.last, which is no parameter of the job: it is always undefined.",
      hint: 'Did you mean "least"? The parameters are "least".',
    },
  ])
})
