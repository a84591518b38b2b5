import { expect, test } from "vitest"
import { shownValue } from "./shown-value.ts"

test.each<[unknown, string]>([
  ["5s", '"5s"'],
  ["a\nb", '"a\\nb"'],
  ["x".repeat(200), `"${"x".repeat(79)}…`],
  [NaN, "NaN"],
  [-0, "-0"],
  [2.5, "2.5"],
  [3n, "3n"],
  [true, "true"],
  [undefined, "undefined"],
  [null, "null"],
  [[1], "an array"],
  [{ toString: null }, "an object"],
  [() => 1, "a function"],
  [Symbol("s"), "a symbol"],
])("a value is shown in words: %#", (value, words) => {
  expect(shownValue(value)).toBe(words)
})
