/** Tests of how aggregates are described. */
import { expect, test } from "vitest"
import { t } from "../batch/types.ts"
import { count, first, last, max, mean, min, sum } from "./aggregates.ts"
import { errorOf } from "./trips.fixture.ts"

test("each form says what it reads", () => {
  const lambda = () => 1
  expect(count()).toEqual({ kind: "count", input: { kind: "none" } })
  expect(sum("fare")).toEqual({ kind: "sum", input: { kind: "column", name: "fare" } })
  expect(mean(lambda)).toEqual({ kind: "mean", input: { kind: "lambda", lambda } })
  expect(last(t.float64, lambda)).toEqual({ kind: "last", input: { kind: "typed", type: t.float64, lambda } })
  expect([min("x"), max("x"), first("x")].map(({ kind }) => kind)).toEqual(["min", "max", "first"])
})

test.each<[call: string, make: () => unknown, message: string]>([
  ["count", () => (count as (column: string) => unknown)("fare"), 'count() counts rows and takes nothing: not "fare".'],
  [
    "sum of a column",
    () => (sum as (column: string, options: object) => unknown)("fare", { exact: true }),
    "sum(...) takes no more than what it aggregates: not an object.",
  ],
  [
    "mean of a declared type",
    () => (mean as (...given: unknown[]) => unknown)(t.float64, () => 1, "tip"),
    'mean(...) takes no more than what it aggregates: not "tip".',
  ],
])("what would be ignored is refused: %s", (_call, make, message) => {
  expect(errorOf(make)).toMatchObject({ code: "invalid-options", message })
})

test("what is neither column nor lambda is refused", () => {
  const wrong = [undefined, 7, t.float64, { name: "fare" }]
  for (const value of wrong) {
    const error = errorOf(() => sum(value as unknown as string))
    expect(error.code).toBe("invalid-plan")
    expect(error.message).toBe("sum(...) has nothing that it could aggregate.")
  }
})
