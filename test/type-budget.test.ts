/**
 * The budget of type-checking: jobs of 100 operators over 300 columns, against the counts in `type-budget.json`.
 *
 * What is counted is the compiler's instantiations of types, which depend on nothing but the program and the compiler;
 * the time is printed. `UPDATE=1 npx vitest run test/type-budget` writes the counts anew: review the diff.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { performance } from "node:perf_hooks"
import { expect, test } from "vitest"
import { programOf, virtualPath } from "./types/snippet-compiler.ts"

const COLUMNS = 300
const OPERATORS = 100
const BASELINE = new URL("type-budget.json", import.meta.url)

/** How far a count may go above its baseline. */
const TOLERANCE = 1.1

const TYPES = ["t.float64", "t.string", "t.int53", "t.float64.nullable()"]

/** The name of column `index` of the kind: 0 float64, 1 string, 2 int53, 3 float64 or null. */
function column(index: number, kind: number): string {
  return `c${(index * 4 + kind) % COLUMNS}`
}

/** A job over all columns with this flow. */
function jobWith(flow: string): string {
  const columns = Array.from({ length: COLUMNS }, (_, index) => `  c${index}: ${TYPES[index % 4]},`)
  return `
import { count, first, job, max, mean, schema, sum, t, tumbling } from "tidemark"
const Wide = schema({
  at: t.timestamp(),
${columns.join("\n")}
})
export const wide = job({
  name: "wide",
  params: schema({ limit: t.float64 }),
  inputs: { rows: Wide },
  flow: ({ rows }) => {
    ${flow}
  },
})
void [count, first, max, mean, sum, t, tumbling]
`
}

function chainOf(operator: (index: number) => string): string {
  const calls = Array.from({ length: OPERATORS }, (_, index) => operator(index))
  return jobWith(`return { out: rows${calls.join("\n      ")} }`)
}

const filter = (index: number) => `.filter((r, p) => r.${column(index, 0)} > p.limit)`
const derive = (index: number) => `.derive({ d${index}: t.float64 }, (r) => ({ d${index}: r.${column(index, 0)} }))`
const narrow = (index: number) =>
  `.derive({ ${column(index, 3)}: t.float64 }, (r) => ({ ${column(index, 3)}: r.${column(index, 3)} ?? 0 }))`
const retype = (index: number) =>
  `.derive({ ${column(index, 1)}: t.int32 }, (r) => ({ ${column(index, 1)}: r.${column(index, 1)}.length }))`
const notNull = (index: number) => `.notNull("${column(index, 3)}")`

function windowOf(index: number): string {
  const aggregates = [
    "n: count()",
    `s: sum((r, p) => r.${column(index, 0)} * p.limit)`,
    `m: mean("${column(index, 2)}")`,
    `x: max("${column(index, 3)}")`,
    `f: first("${column(index, 1)}")`,
  ]
  return `.keyBy("${column(index, 1)}").window(tumbling("1h")).aggregate({ ${aggregates.join(", ")} })`
}

const SCENARIOS: Readonly<Record<string, string>> = {
  "no operators": jobWith("return { out: rows }"),
  filters: chainOf(filter),
  "new columns": chainOf(derive),
  "required columns": chainOf(notNull),
  "a mixture": chainOf((index) => {
    if (index % 20 === 7) return retype(index)
    return [filter, derive, filter, narrow, notNull][index % 5]!(index)
  }),
  windows: jobWith(`const timed = rows.eventTime("at", { outOfOrder: "5s" })
    return {
${Array.from({ length: OPERATORS }, (_, index) => `      w${index}: timed${windowOf(index)},`).join("\n")}
    }`),
}

interface Cost {
  readonly instantiations: number
  readonly millis: number
}

function costOf(source: string): Cost {
  const path = virtualPath("type-budget")
  const program = programOf(new Map([[path, source]]))
  program.getSyntacticDiagnostics()
  const before = performance.now()
  const problems = program.getSemanticDiagnostics(program.getSourceFile(path))
  const millis = performance.now() - before
  expect(problems.map(({ messageText }) => messageText)).toEqual([])
  return { instantiations: program.getInstantiationCount(), millis }
}

test("type-checking 100 operators over 300 columns stays within its budget", { timeout: 120_000 }, () => {
  const costs = Object.entries(SCENARIOS).map(([name, source]): [string, Cost] => [name, costOf(source)])
  for (const [name, { instantiations, millis }] of costs) {
    process.stdout.write(`${name}: ${instantiations} instantiations, checked in ${millis.toFixed(0)} ms\n`)
  }
  const counts = Object.fromEntries(costs.map(([name, { instantiations }]) => [name, instantiations]))
  if (process.env["UPDATE"] === "1") writeFileSync(BASELINE, `${JSON.stringify(counts, null, 2)}\n`)
  const baseline = JSON.parse(readFileSync(BASELINE, "utf8")) as Record<string, number>
  expect(Object.keys(baseline)).toEqual(Object.keys(counts))
  for (const [name, count] of Object.entries(counts)) {
    expect(count, `instantiations of ${name}`).toBeLessThanOrEqual(baseline[name]! * TOLERANCE)
  }
})
