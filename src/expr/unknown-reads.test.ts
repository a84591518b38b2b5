import { expect, test } from "vitest"
import { schema } from "../batch/schema.ts"
import { t } from "../batch/types.ts"
import type { RowFunction } from "./lambda.ts"
import { unknownReads } from "./unknown-reads.ts"

const ROWS = schema({ fare: t.float64, zone: t.string, place: t.object({ x: t.float64 }).nullable() })
const PARAMS = schema({ maxFare: t.float64 })

/** A function as a program without types has it. */
function told(source: string): string[] {
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the subject of this test is source text
  const lambda = new Function(`return (${source})`)() as RowFunction
  return unknownReads(lambda, ROWS, PARAMS).map(({ text, what }) => `${what} ${text}`)
}

test("UR1 tells each name once, as it stands there, and which was meant", () => {
  const lambda = ((row: { fair: number }, params: { maxFair: number }) =>
    row.fair > 0 && row.fair < params.maxFair) as RowFunction
  expect(unknownReads(lambda, ROWS, PARAMS)).toEqual([
    { text: "row.fair", what: "column", hint: expect.stringContaining('Did you mean "fare"?') as string },
    { text: "params.maxFair", what: "parameter", hint: 'Did you mean "maxFare"? The parameters are "maxFare".' },
  ])
})

test.each<[source: string, found: readonly string[]]>([
  ["(r) => r.fare > 0", []],
  ["(r, p) => r.fare < p.maxFare && r.zone.length > 0", []],
  ['(r) => r["fair"]', ['column r["fair"]']],
  ["(r) => r?.fair", ["column r?.fair"]],
  ["(r) => ({ a: r.a, b: r.b })", ["column r.a", "column r.b"]],
  ["function (r) { const x = r.fair; return x }", ["column r.fair"]],
  ["(r) => { const { fare, fair } = r; return fare + fair }", ["column r.fair"]],
  ["(r) => { const { x, y } = r.place; return x + y }", ["field r.place.y"]],
  ["({ fare, fair }) => fare + fair", ["column row.fair"]],
  ["({ fair = 0 }) => fair", ["column row.fair"]],
  ["({ place: { x, y } }) => x + y", ["field row.place.y"]],
  ["(r, { maxFair }) => r.fare < maxFair", ["parameter params.maxFair"]],
  ["(r) => r.place?.z", ["field r.place?.z"]],
  ["(r) => r.place.x + r.place.X", ["field r.place.X"]],
  // The row is also used as a whole: what is read by name is told all the same.
  ["(r) => JSON.stringify(r) !== '' && r.fair", ["column r.fair"]],
  ["(r) => [1].some((x) => x > r.fair)", ["column r.fair"]],
])("UR1 %s", (source, found) => {
  expect(told(source)).toEqual(found)
})

test.each([
  ["a row of its own name within", "(r) => [{ fair: 1 }].some((r) => r.fair)"],
  ["a variable of the row's name", "(r) => { if (r.fare) { const r = { fair: 1 }; return r.fair } }"],
  ["a row that is replaced", "(r) => { r = { fair: 1 }; return r.fair }"],
  ["an error of the row's name", "(r) => { try { return r.fare } catch (r) { return r.fair } }"],
  ["a name that is computed", "(r) => r['fa' + 'ir']"],
  ["another object", "(r) => other.fair > r.fare"],
])("UR1 passes over %s", (_, source) => {
  expect(told(source)).toEqual([])
})

test.each([
  ["names that it sets", "(r) => { r.fair = r.fare * 2; return r.fair > 1 }"],
  ["names that it asks for", '(r) => ("fair" in r ? r.fair : r.fare)'],
  ["what every object has", '(r) => r.hasOwnProperty("fair") && r.toString() !== ""'],
])("UR2 passes over %s", (_, source) => {
  expect(told(source)).toEqual([])
})

test("what has no source text of its own is passed over", () => {
  expect(unknownReads(Math.max, ROWS, PARAMS)).toEqual([])
  expect(unknownReads(((row: { fair: number }) => row.fair).bind(undefined), ROWS, PARAMS)).toEqual([])
})
