import { describe, expect, it } from "vitest"
import { TidemarkError } from "../base/errors.ts"
import { formatIso, formatTimestamp, fromIso, parseIso } from "./iso.ts"
import type { Timestamp } from "./timestamp.ts"
import { TimeZone } from "./zone.ts"

const UTC = TimeZone.of("UTC")
const at = (millis: number, micros = 0) => millis * 1000 + micros

describe("ISO 8601 text", () => {
  it.each([
    ["2024-03-10T14:30:00Z", Date.UTC(2024, 2, 10, 14, 30), 0],
    ["2024-03-10 14:30:00Z", Date.UTC(2024, 2, 10, 14, 30), 0],
    ["2024/03/10 14:30Z", Date.UTC(2024, 2, 10, 14, 30), 0],
    ["2024-03-10T14:30:00+01:00", Date.UTC(2024, 2, 10, 13, 30), 0],
    ["2024-03-10T14:30:00-0530", Date.UTC(2024, 2, 10, 20), 0],
    ["2024-03-10T14:30:00+14", Date.UTC(2024, 2, 10, 0, 30), 0],
    ["2024-02-29T23:59:59.999999Z", Date.UTC(2024, 1, 29, 23, 59, 59, 999), 999],
    ["1969-12-31T23:59:59.9Z", -100, 0],
    ["1970-01-01T00:00:00-00:00", 0, 0],
  ])("TY10 reads %s", (text, millis, micros) => {
    expect(parseIso(text, undefined)).toBe(at(millis, micros))
  })

  it.each([
    ["", "not a time as ISO 8601 text"],
    ["now", "not a time as ISO 8601 text"],
    ["2024-3-10T14:30:00Z", "not a time as ISO 8601 text"],
    ["24-03-10T14:30:00Z", "not a time as ISO 8601 text"],
    ["+002024-03-10T14:30:00Z", "not a time as ISO 8601 text"],
    ["2024-03/10T14:30:00Z", "not a time as ISO 8601 text"],
    ["10/03/2024", "not a time as ISO 8601 text"],
    ["2024-03-10t14:30:00z", "not a time as ISO 8601 text"],
    ["2024-03-10T14:30:00 Z", "not a time as ISO 8601 text"],
    [" 2024-03-10T14:30:00Z", "not a time as ISO 8601 text"],
    ["2024-03-10T14:30:00Z ", "not a time as ISO 8601 text"],
    ["2024-03-10T14Z", "not a time as ISO 8601 text"],
    ["2024-03-10T14:30:00.Z", "not a time as ISO 8601 text"],
    ["2024-03-10T14:30:00,5Z", "not a time as ISO 8601 text"],
    ["2024-03-10T14:30:00+1", "not a time as ISO 8601 text"],
    ["2024-03-10T14:30:00+01:0", "not a time as ISO 8601 text"],
    ["2024-03-10Z", "not a time as ISO 8601 text"],
    ["2024-03-10+01:00", "not a time as ISO 8601 text"],
    ["2024-03-10T", "not a time as ISO 8601 text"],
    ["٢٠٢٤-03-10T14:30:00Z", "not a time as ISO 8601 text"],
    ["2024-02-30T00:00:00Z", "a date that does not exist"],
    ["2023-02-29T00:00:00Z", "a date that does not exist"],
    ["2024-00-10T00:00:00Z", "a date that does not exist"],
    ["2024-13-10T00:00:00Z", "a date that does not exist"],
    ["2024-01-00T00:00:00Z", "a date that does not exist"],
    ["2024-03-10T24:00:00Z", "a time of day that does not exist"],
    ["2024-03-10T14:60:00Z", "a time of day that does not exist"],
    ["2024-03-10T14:30:61Z", "a time of day that does not exist"],
    ["2016-12-31T23:59:60Z", "a leap second, which timestamps do not have"],
    ["2024-03-10T14:30:00+24:00", "an offset from UTC that does not exist"],
    ["2024-03-10T14:30:00+01:60", "an offset from UTC that does not exist"],
  ])("TY10 refuses %j: it is %s", (text, reason) => {
    expect(parseIso(text, UTC)).toBe(reason)
  })

  it.each([
    ["2024-03-10", "2024-03-10T00:00"],
    ["2024-03-10T14:30", "2024-03-10T14:30"],
    ["2024-03-10 14:30:00.5", "2024-03-10T14:30:00.5"],
  ])("TY11 refuses %j without a zone", (text, time) => {
    expect(parseIso(text, undefined)).toMatch(/^without an offset/)
    expect(parseIso(text, UTC)).toBe(fromIso(`${time}Z`))
    expect(parseIso(text, TimeZone.of("+02:00"))).toBe(fromIso(`${time}+02:00`))
  })

  it("TY11 reads an offset as it stands, whatever the zone", () => {
    expect(parseIso("2024-03-10T14:30:00+09:00", TimeZone.of("America/New_York"))).toBe(fromIso("2024-03-10T05:30:00Z"))
  })

  it("TY12 cuts digits below a microsecond towards the past", () => {
    expect(fromIso("2024-01-01T00:00:00.0000019Z")).toBe(at(Date.UTC(2024, 0, 1), 1))
    expect(fromIso("1969-12-31T23:59:59.9999999Z")).toBe(-1)
    expect(fromIso(`2024-01-01T00:00:00.${"9".repeat(40)}Z`)).toBe(at(Date.UTC(2024, 0, 1, 0, 0, 0, 999), 999))
  })

  it.each([
    ["2255-06-05T23:47:34.740991Z", Number.MAX_SAFE_INTEGER],
    ["1684-07-28T00:12:25.259009Z", -Number.MAX_SAFE_INTEGER],
  ])("TY18 %s is an edge of the range", (text, edge) => {
    expect(parseIso(text, undefined)).toBe(edge)
    expect(formatIso(edge as Timestamp)).toBe(text)
  })

  it.each(["2255-06-05T23:47:34.740992Z", "1684-07-28T00:12:25.259008Z", "0000-01-01T00:00:00Z", "9999-12-31"])(
    "TY18 refuses %s as out of range",
    (text) => {
      expect(parseIso(text, UTC)).toBe("outside the years 1684 to 2255")
      expect(parseIso(text, TimeZone.of("America/New_York"))).toBe("outside the years 1684 to 2255")
    },
  )

  it.each([
    [0, "1970-01-01T00:00:00Z"],
    [1, "1970-01-01T00:00:00.000001Z"],
    [1000, "1970-01-01T00:00:00.001Z"],
    [-1, "1969-12-31T23:59:59.999999Z"],
    [at(Date.UTC(2024, 1, 29, 3, 4, 5)), "2024-02-29T03:04:05Z"],
    [at(Date.UTC(2024, 1, 29, 3, 4, 5, 120)), "2024-02-29T03:04:05.120Z"],
  ])("TY17 writes %d as %s", (micros, text) => {
    expect(formatTimestamp(micros as Timestamp)).toBe(text)
  })

  it("refuses to format what is no timestamp, and to make one of other text", () => {
    expect(() => formatTimestamp(0.5 as Timestamp)).toThrow(TidemarkError)
    expect(() => formatTimestamp(NaN as Timestamp)).toThrow(TidemarkError)
    expect(() => fromIso("2024-03-10")).toThrow('"2024-03-10" is without an offset from UTC')
  })
})
