import picocolors from "picocolors"
import { describe, expect, test } from "vitest"
import type { JobStatus } from "../runtime/status.ts"
import { liveLines, plainLine, ratesOf, type Sample } from "./progress.ts"
import { LiveRegion } from "./terminal.ts"

const STATUS: JobStatus = {
  job: "revenue",
  state: "running",
  epoch: 3,
  rowsIn: 1_234_567,
  rowsInByInput: { trips: 1_234_567 },
  rowsOut: { hourly: 1200, late: 7 },
  lateRows: 7,
  badRecords: 2,
  inputGaps: 0,
  watermarkMicros: Date.UTC(2024, 0, 1, 11, 59, 54) * 1000,
  maxEventTimeMicros: Date.UTC(2024, 0, 1, 12) * 1000,
  openWindows: 4,
  holdingBack: [],
  idlePartitions: [],
  eventTimes: [{ id: "at", watermarkMicros: 0, maxEventTimeMicros: 0, isActive: true }],
  pausedPartitions: [],
  waitingOutputs: [],
  rowsInFlight: 0,
  inputRead: 50,
  inputTotal: 200,
  timeShares: [{ on: "input", name: undefined, share: 1 }],
  lastCommitMicros: 1000,
  arenaUsedBytes: 0,
  arenaPeakBytes: 0,
  spilledBytes: 0,
}

const sampleAt = (atMillis: number, change: Partial<JobStatus> = {}): Sample => ({
  atMillis,
  status: { ...STATUS, ...change },
})

describe("rates", () => {
  test("are what happened between the first and the last sample, a second", () => {
    const samples = [sampleAt(1000, { rowsIn: 0, inputRead: 0 }), sampleAt(1500), sampleAt(3000)]
    expect(ratesOf(samples)).toEqual({ rowsIn: 1_234_567 / 2, rowsOut: 0, input: 25 })
  })

  test("are 0 where there is nothing to compare", () => {
    expect(ratesOf([])).toEqual({ rowsIn: 0, rowsOut: 0, input: 0 })
    expect(ratesOf([sampleAt(5)])).toEqual({ rowsIn: 0, rowsOut: 0, input: 0 })
  })
})

describe("CP1 the text of a status", () => {
  const rates = { rowsIn: 1000, rowsOut: 10, input: 15 }

  test("as a line for logs", () => {
    expect(plainLine(sampleAt(0), rates)).toBe(
      "revenue: epoch 3, in 1234567 (1000/s), out hourly=1200 late=7, " +
        "event time 2024-01-01T12:00:00Z, watermark 2024-01-01T11:59:54Z (lag 6s), 4 windows open, " +
        "late 7, bad 2, read 25 %, ETA 10 s",
    )
  })

  test("T13 T14 names partitions that are idle, since when, and those that wait for others", () => {
    const idle = { eventTime: "at", input: "trips", sinceMicros: Date.UTC(2024, 0, 1, 9) * 1000 }
    const status = {
      idlePartitions: ["a", "b"].map((partition) => ({ ...idle, partition })),
      pausedPartitions: [{ input: "trips", partition: "c", aheadMicros: 5 }],
      waitingOutputs: [{ output: "hourly", reason: "connect\u001b ECONNREFUSED" }],
    }
    const says = [
      "a and 1 other idle since 2024-01-01T09:00:00Z",
      "c ahead of the slowest, not read",
      "the output hourly waits for its target: connect\\u001b ECONNREFUSED",
    ]
    expect(plainLine(sampleAt(0, status), rates)).toContain(`, ${says.join(", ")}`)
    const lines = liveLines(sampleAt(0, status), rates, 0, picocolors.createColors(false))
    expect(lines.slice(-3)).toEqual(says.map((each) => `  wait  ${each}`))
    const several = { ...status, rowsInByInput: { trips: 1, fares: 1 } }
    expect(plainLine(sampleAt(0, several), rates)).toContain("c of trips ahead of the slowest")
  })

  test("says where there is no event time yet, and nothing of the end where sizes are unknown", () => {
    const status = { maxEventTimeMicros: undefined, watermarkMicros: undefined, inputTotal: undefined }
    const line = plainLine(sampleAt(0, status), rates)
    expect(line).toContain("event time: none yet")
    expect(plainLine(sampleAt(0, { ...status, eventTimes: [] }), rates)).toContain(", no event time, ")
    expect(line).not.toContain("ETA")
  })

  test("as lines for a terminal", () => {
    const lines = liveLines(sampleAt(0), rates, 65_000, picocolors.createColors(false))
    expect(lines[0]).toBe("revenue  epoch 3  01:05")
    expect(lines[1]).toContain("1,234,567 rows  1,000/s  █████░░░░░░░░░░░░░░░ 25 %  ETA 10 s")
    expect(lines[4]).toContain("2 bad · 7 late · 4 windows open")
  })

  test("names the output, or the disk, for which the job waits most of the time", () => {
    const input = { on: "input", name: undefined, share: 0.1 } as const
    const slow = sampleAt(0, { timeShares: [{ on: "output", name: "hourly", share: 0.874 }, input] })
    expect(plainLine(slow, rates)).toMatch(/ETA 10 s, waits for the output hourly 87 % of the time$/)
    expect(liveLines(slow, rates, 0, picocolors.createColors(false))[5]).toContain("slow  waits for the output hourly")
    const disk = sampleAt(0, { timeShares: [{ on: "log", name: undefined, share: 0.6 }, input] })
    expect(plainLine(disk, rates)).toContain("waits for the disk of the state directory 60 %")
    const busy = sampleAt(0, { timeShares: [{ on: "compute", name: undefined, share: 0.9 }, input] })
    expect(plainLine(busy, rates)).not.toContain("waits")
  })

  test("in the singular where there is one of something", () => {
    const sample = sampleAt(0, { rowsIn: 1, openWindows: 1 })
    const lines = liveLines(sample, rates, 0, picocolors.createColors(false))
    expect(lines[1]).toContain("1 row  1,000/s")
    expect(lines[4]).toContain("1 window open")
    expect(plainLine(sample, rates)).toContain(", 1 window open, ")
  })
})

test("a live region goes back to its first line, and cuts lines to the terminal's width without counting colours", () => {
  const written: string[] = []
  const region = new LiveRegion({ columns: 5, write: (text) => written.push(text) })
  region.draw(["\u001b[1mabcdefgh\u001b[22m", "x"])
  region.draw(["y"])
  region.clear()
  expect(written).toEqual(["\u001b[1mabcde\u001b[22m\nx\n", "\u001b[2A\u001b[0Jy\n", "\u001b[1A\u001b[0J"])
})

test("a terminal that says it has no columns is written to all the same", () => {
  let text = ""
  new LiveRegion({ columns: 0, write: (piece) => void (text += piece) }).draw(["abc"])
  expect(text).toBe("abc\n")
})
