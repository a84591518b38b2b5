import { expect, it } from "vitest"
import { civilFromDays, daysFromCivil, daysInMonth } from "./civil.ts"

it("G1 counts every day of the years 0 to 9999 in order, both ways", () => {
  let day = daysFromCivil(0, 1, 1)
  expect(day).toBe(-719_528)
  let mismatches = 0
  for (let year = 0; year <= 9999; year++) {
    for (let month = 1; month <= 12; month++) {
      for (let dayOfMonth = 1; dayOfMonth <= daysInMonth(year, month); dayOfMonth++, day++) {
        if (daysFromCivil(year, month, dayOfMonth) !== day) mismatches++
        if (civilFromDays(day) !== year * 10_000 + month * 100 + dayOfMonth) mismatches++
      }
    }
  }
  expect(mismatches).toBe(0)
  expect(day).toBe(Date.UTC(10_000, 0, 1) / 86_400_000)
})

it("knows leap years", () => {
  const years = [1900, 2000, 2023, 2024, 2100, 2400]
  expect(years.map((year) => daysInMonth(year, 2))).toEqual([28, 29, 28, 29, 28, 29])
})
