import { expect, test } from "vitest"
import { counted, grouped, plural } from "./counted.ts"

test("counts have a comma between groups of three digits", () => {
  expect([0, 999, 1000, 1234567].map(grouped)).toEqual(["0", "999", "1,000", "1,234,567"])
})

test("words go with their counts", () => {
  expect([0, 1, 2, 1000].map((count) => counted(count, "row"))).toEqual(["0 rows", "1 row", "2 rows", "1,000 rows"])
  expect(counted(1, "window is", "windows are")).toBe("1 window is")
  expect(counted(3, "window is", "windows are")).toBe("3 windows are")
  expect([0, 1].map((count) => plural(count, "directory", "directories"))).toEqual(["directories", "directory"])
})
