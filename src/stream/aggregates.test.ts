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

test("what is neither column nor lambda is refused", () => {
  const wrong = [undefined, 7, t.float64, { name: "fare" }]
  for (const value of wrong) {
    const error = errorOf(() => sum(value as unknown as string))
    expect(error.code).toBe("invalid-plan")
    expect(error.message).toBe("sum(...) has nothing that it could aggregate.")
  }
})
