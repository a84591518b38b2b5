import { expect, test } from "vitest"
import { compareKeys } from "./key-id.ts"

test("keys are shown in an order that does not depend on when they came", () => {
  const keys = [
    [null, 1n],
    [-2, 5n],
    [-2, 10n],
    [3, 0n],
    [10, 0n],
    [NaN, 0n],
  ]
  const shuffled = [3, 0, 5, 2, 4, 1].map((index) => keys[index]!)
  expect(shuffled.sort(compareKeys)).toEqual(keys)
  expect([["b"], ["a"], ["A"]].sort(compareKeys)).toEqual([["A"], ["a"], ["b"]])
  expect(compareKeys([true, NaN], [true, NaN])).toBe(0)
})
