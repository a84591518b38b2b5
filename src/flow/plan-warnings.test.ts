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
  expect(planWarnings(planWith([source, eventTime("time", true)], 1))).toEqual([])
  expect(planWarnings(planWith([source, filter], 1))).toEqual([])
  const [warning, ...others] = planWarnings(planWith([source, eventTime("rows/eventTime", false)], 1))
  expect(others).toEqual([])
  expect(warning).toMatchObject({ kind: "derived-id", operator: "rows/eventTime" })
  expect(warning!.message).toContain("rows/eventTime")
})

test("what nothing takes is warned about: operators, and inputs", () => {
  const beside = planWarnings(planWith([source, eventTime("time", true)], 0))
  expect(beside.map(({ kind, operator }) => `${kind} ${operator}`)).toEqual(["unused time"])
  const other: PlanNode = { ...source, id: "more", inputName: "more" }
  const input = planWarnings(planWith([source, other], 0))
  expect(input).toMatchObject([{ kind: "unused", operator: "more", hint: "Use the input, or take it away." }])
})
