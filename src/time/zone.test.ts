import { afterEach, describe, expect, it } from "vitest"
import { TidemarkError } from "../base/errors.ts"
import { fromIso, parseIso } from "./iso.ts"
import { TimeZone } from "./zone.ts"

const newYork = TimeZone.of("America/New_York")
const read = (text: string, zone = newYork) => parseIso(text, zone)

describe("time zones", () => {
  const processZone = process.env["TZ"]
  afterEach(() => {
    if (processZone === undefined) delete process.env["TZ"]
    else process.env["TZ"] = processZone
  })

  it("TY14 moves a time that clocks skip forward by what they skip", () => {
    expect(read("2024-03-10 01:59:59.999999")).toBe(fromIso("2024-03-10T06:59:59.999999Z"))
    expect(read("2024-03-10 02:00")).toBe(fromIso("2024-03-10T03:00:00-04:00"))
    expect(read("2024-03-10 02:30")).toBe(fromIso("2024-03-10T03:30:00-04:00"))
    expect(read("2024-03-10 03:00")).toBe(fromIso("2024-03-10T03:00:00-04:00"))
  })

  it("TY15 takes the earlier of a time that clocks show twice", () => {
    expect(read("2024-11-03 00:59:59")).toBe(fromIso("2024-11-03T00:59:59-04:00"))
    expect(read("2024-11-03 01:00")).toBe(fromIso("2024-11-03T01:00:00-04:00"))
    expect(read("2024-11-03 01:59:59.999999")).toBe(fromIso("2024-11-03T01:59:59.999999-04:00"))
    expect(read("2024-11-03 02:00")).toBe(fromIso("2024-11-03T02:00:00-05:00"))
  })

  it("TY14 knows a day that a zone left out, and offsets of half an hour", () => {
    expect(read("2011-12-30 12:00", TimeZone.of("Pacific/Apia"))).toBe(fromIso("2011-12-31T12:00:00+14:00"))
    expect(read("2024-10-06 02:10", TimeZone.of("Australia/Lord_Howe"))).toBe(fromIso("2024-10-06T02:40:00+11:00"))
  })

  it("TY14 knows a change that lies in one span of UTC and another of local time", () => {
    // A span begins at 1999-10-10T02:54:56; clocks in Santiago went forward at 04:00 UTC, which was midnight there.
    const santiago = TimeZone.of("America/Santiago")
    expect(read("1999-10-09 23:59:59", santiago)).toBe(fromIso("1999-10-09T23:59:59-04:00"))
    expect(read("1999-10-10 01:30", santiago)).toBe(fromIso("1999-10-10T01:30:00-03:00"))
    expect(read("1999-10-10 02:30", santiago)).toBe(fromIso("1999-10-10T02:30:00-03:00"))
  })

  it("TY13 knows ancient offsets to the second", () => {
    expect(newYork.offsetAt(Date.UTC(1850, 0, 1) * 1000)).toBe(-(4 * 3600 + 56 * 60 + 2) * 1_000_000)
  })

  it("TY13 takes IANA names, UTC and fixed offsets", () => {
    const noon = "2024-07-01 12:00"
    expect(read(noon, TimeZone.of("UTC"))).toBe(fromIso("2024-07-01T12:00:00Z"))
    expect(read(noon, TimeZone.of("+05:30"))).toBe(fromIso("2024-07-01T12:00:00+05:30"))
    expect(read(noon, TimeZone.of("-03:00"))).toBe(fromIso("2024-07-01T12:00:00-03:00"))
    expect(read(noon, TimeZone.of("Europe/London"))).toBe(fromIso("2024-07-01T12:00:00+01:00"))
  })

  it.each(["", "Mars/Olympus", "+5:30", "+24:00", "05:30", "New York"])("TY13 refuses the zone %j", (name) => {
    expect(() => TimeZone.of(name)).toThrow(TidemarkError)
  })

  it.each(["Asia/Tokyo", "America/Los_Angeles", "UTC"])(
    "TY11 gives the same where the process is in %s",
    (processZone) => {
      const hourHere = () => new Date(Date.UTC(2024, 2, 10)).getHours()
      process.env["TZ"] = "Africa/Nairobi"
      const before = hourHere()
      process.env["TZ"] = processZone
      expect(hourHere()).not.toBe(before)
      const zone = TimeZone.of("America/New_York")
      expect(read("2024-03-10 01:30", zone)).toBe(1_710_052_200_000_000)
      expect(read("2024-03-10 03:30", zone)).toBe(1_710_055_800_000_000)
      expect(read("2024-11-03 01:30", zone)).toBe(1_730_611_800_000_000)
      expect(fromIso("2024-03-10T01:30:00Z")).toBe(1_710_034_200_000_000)
    },
  )

  it("Z1 holds at both ends of the range of timestamps, and utcOfLocal leaves what is far outside it there", () => {
    for (const edge of [Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER]) {
      const offset = newYork.offsetAt(edge)
      expect(Math.abs(newYork.utcOfLocal(edge + offset) - edge)).toBeLessThan(2)
      expect(newYork.utcOfLocal(edge * 4)).toBe(edge * 4)
    }
  })
})
