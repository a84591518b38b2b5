/** How rows that differ are shown, and that all that differ are. */
import { expect, test } from "vitest"
import fc from "fast-check"
import { propertyCases } from "../../test/seeds.ts"
import { schema } from "../batch/schema.ts"
import { t } from "../batch/types.ts"
import { checkExpected, rowsDiff } from "./rows-diff.ts"

const Result = schema({ zone: t.string, at: t.timestamp(), sum: t.float64, id: t.int64.nullable() })
const row = (zone: string, minute: number, sum: number, id: bigint | null = null) => {
  return { zone, at: minute * 60e6, sum, id }
}

test("rows are shown as they are written, with the columns that differ, and few of those that do not", () => {
  const same = Array.from({ length: 9 }, (_, index) => row("A", index, 1))
  const actual = [...same, row("B", 9, 7, 2n ** 60n), row("C", 10, 1), ...same]
  const expected = [...same, row("B", 9, 8, 1n), row("C", 10, 1), row("D", 11, 1), ...same]
  expect(rowsDiff(Result, actual, expected).join("\n")).toBe(`\
  (7 rows that agree)
  {"zone":"A","at":"1970-01-01T00:07:00Z","sum":1,"id":null}
  {"zone":"A","at":"1970-01-01T00:08:00Z","sum":1,"id":null}
- {"zone":"B","at":"1970-01-01T00:09:00Z","sum":8,"id":"1"}
+ {"zone":"B","at":"1970-01-01T00:09:00Z","sum":7,"id":"1152921504606846976"}
    sum is 7, not 8; id is "1152921504606846976", not "1"
  {"zone":"C","at":"1970-01-01T00:10:00Z","sum":1,"id":null}
- {"zone":"D","at":"1970-01-01T00:11:00Z","sum":1,"id":null}
  {"zone":"A","at":"1970-01-01T00:00:00Z","sum":1,"id":null}
  {"zone":"A","at":"1970-01-01T00:01:00Z","sum":1,"id":null}
  (7 rows that agree)`)
})

test("RD1 values that are written alike and are not the same differ", () => {
  expect(rowsDiff(Result, [row("A", 0, 0)], [row("A", 0, 0)])).toEqual([])
  expect(rowsDiff(Result, [row("A", 0, -0)], [row("A", 0, 0)]).at(-1)).toContain("sum is")
})

test("RD1 the lines are a way from the expected rows to those that came, with as many that agree as there can be", () => {
  const texts = fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 8 })
  const rowsOf = (zones: readonly string[]) => zones.map((zone) => row(zone, 0, 0))
  fc.assert(
    fc.property(texts, texts, (actual, expected) => {
      const lines = rowsDiff(Result, rowsOf(actual), rowsOf(expected)).filter((line) => !line.startsWith("    "))
      const isSame = actual.join() === expected.join()
      expect(lines.length === 0).toBe(isSame)
      // Rows that are left out do not differ; without them the rest is the same way between shorter lists.
      if (isSame || lines.some((line) => line.includes("that agree"))) return
      const zones = (marks: string) =>
        lines
          .filter((line) => marks.includes(line[0]!))
          .map((line) => (JSON.parse(line.slice(2)) as { zone: string }).zone)
      expect([...zones(" -")].sort()).toEqual([...expected].sort())
      expect([...zones(" +")].sort()).toEqual([...actual].sort())
      expect(zones(" ")).toHaveLength(longestCommon(actual, expected))
    }),
    propertyCases(),
  )
})

/** The slow twin: of the beginnings without the last of one, or of both. */
function longestCommon(one: readonly string[], other: readonly string[]): number {
  if (one.length === 0 || other.length === 0) return 0
  if (one.at(-1) === other.at(-1)) return longestCommon(one.slice(0, -1), other.slice(0, -1)) + 1
  return Math.max(longestCommon(one.slice(0, -1), other), longestCommon(one, other.slice(0, -1)))
}

test("expected rows that could not be are refused", () => {
  const check = (given: object) => () => checkExpected("hourly", Result, [given as never])
  expect(check(row("A", 0, 0))).not.toThrow()
  expect(check({ ...row("A", 0, 0), sums: 1 })).toThrow('expect(...): row [0] of hourly has no column "sums".')
  expect(check({ ...row("A", 0, 0), sum: "1" })).toThrow('expect(...): row [0] of hourly has a column "sum" that is')
})
