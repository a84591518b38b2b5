import { describe, expect, it } from "vitest"
import {
  dateFromIso,
  dateText,
  DATE_RANGE,
  formatDate,
  isCalendarDate,
  parseDate,
  type CalendarDate,
} from "./calendar-date.ts"

describe("calendar dates", () => {
  it("TY25 read and write ISO 8601 text", () => {
    expect(["1970-01-01", "1969-12-31", "2024/02/29", "0000-01-01", "9999-12-31"].map(parseDate)).toEqual([
      0,
      -1,
      19_782,
      DATE_RANGE.least,
      DATE_RANGE.greatest,
    ])
    expect(formatDate(dateFromIso("2024/02/29"))).toBe("2024-02-29")
    expect(dateText(DATE_RANGE.least as CalendarDate)).toBe("0000-01-01")
  })

  it("TY25 refuse other text, and days that there are not", () => {
    for (const text of [
      "2024-3-1",
      "2024-03-10T00:00:00Z",
      " 2024-03-10",
      "2024-03/10",
      "10.03.2024",
      "-2024-03-10",
      "",
    ]) {
      expect(parseDate(text), text).toBe("not a date as ISO 8601 text (YYYY-MM-DD)")
    }
    for (const text of ["2023-02-29", "2024-13-01", "2024-00-10", "2024-01-00", "2024-04-31"]) {
      expect(parseDate(text), text).toBe("a date that does not exist")
    }
    expect(() => dateFromIso("2023-02-29")).toThrow(expect.objectContaining({ code: "invalid-timestamp" }))
    expect(() => formatDate(0.5 as CalendarDate)).toThrow(expect.objectContaining({ code: "invalid-timestamp" }))
  })

  it("CD1 are whole days within the years 0000 to 9999", () => {
    const { least, greatest } = DATE_RANGE
    expect([least, greatest, 0].every(isCalendarDate)).toBe(true)
    expect([least - 1, greatest + 1, 0.5, NaN, "2024-03-10", null].some(isCalendarDate)).toBe(false)
  })
})
