import { expect, test } from "vitest"
import { directoryKey, isWithin } from "./target-key.ts"

test.each([
  ["/work/out", "/work/out", true],
  ["/work/out/late", "/work/out", true],
  ["/work/out", "/work/out/late", false],
  ["/work/output", "/work/out", false],
  ["/work", "/", true],
  ["/", "/", true],
])("whether %s lies within %s: %s", (inner, outer, expected) => {
  expect(isWithin(directoryKey(inner), directoryKey(outer))).toBe(expected)
})

test("places of different schemes lie in no other", () => {
  expect(isWithin("topic:/work/out/x", directoryKey("/work/out"))).toBe(false)
})
