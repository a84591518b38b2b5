import picocolors from "picocolors"
import { expect, test } from "vitest"
import type { StoredStatus } from "../observe/stored-status.ts"
import { statusLines } from "./status-lines.ts"

const inputOf = (name: string) => ({ name, rows: 1, openPartitions: 1, endedPartitions: 0 })
const SECOND = 1_000_000
const colors = picocolors.createColors(false)

function statusOf(inputs: readonly string[]): StoredStatus {
  return {
    job: "visits",
    epoch: 1,
    committedMicros: 0,
    hasFinished: false,
    rowsIn: 3,
    inputs: inputs.map(inputOf),
    outputs: [],
    badRecords: 0,
    inputGaps: 0,
    deadLetters: undefined,
    lateRows: 0,
    openWindows: 1,
    eventTimes: [
      {
        id: "view-time",
        watermarkMicros: undefined,
        maxEventTimeMicros: undefined,
        outOfOrderMicros: 0,
        openPartitions: 3,
        holdingBack: {
          input: "app",
          partition: "followed files",
          watermarkMicros: undefined,
          behindMicros: undefined,
          others: 0,
          sinceEpoch: 1,
          sinceMicros: 0,
          isAtLeast: false,
        },
        idlePartitions: [{ input: "mail", partition: "followed files", sinceMicros: 0 }],
      },
    ],
    pausedPartitions: [{ input: "web", partition: "followed files", aheadMicros: SECOND }],
    operators: [
      {
        id: "hourly",
        kind: "window",
        eventTimes: ["view-time"],
        lateRows: 0,
        openWindows: 1,
        nextDueMicros: SECOND - 1,
        keys: undefined,
        timers: undefined,
        spilledBytes: undefined,
        rowsInFlight: undefined,
      },
    ],
  }
}

test("where there are several inputs, says of which a partition is", () => {
  const lines = statusLines({ state: "running", status: statusOf(["web", "app", "mail"]), nowMicros: SECOND }, colors)
  const text = lines.join("\n")
  expect(text).toContain("  followed files of app holds it: no record of it has come yet")
  expect(text).toContain("  followed files of mail is idle: nothing of it since")
  expect(text).toContain("  followed files of web is 1s ahead of the slowest")
  expect(text).toContain("later records of followed files of app come")
})

test("where there is one input, its partitions are called by their names alone", () => {
  const lines = statusLines({ state: "stopped", status: statusOf(["app"]), nowMicros: SECOND }, colors)
  expect(lines.join("\n")).toContain("  followed files holds it: no record of it has come yet")
})

test("T8 where two event times meet, what follows both is told of under the one that it waits for", () => {
  const status = statusOf(["web", "app"])
  const [viewTime] = status.eventTimes
  const [hourly] = status.operators
  const hold = { ...viewTime!.holdingBack!, watermarkMicros: 3 * SECOND, behindMicros: 0 }
  const shown: StoredStatus = {
    ...status,
    pausedPartitions: [],
    eventTimes: [
      {
        ...viewTime!,
        watermarkMicros: 3 * SECOND,
        maxEventTimeMicros: 3 * SECOND,
        openPartitions: 1,
        holdingBack: hold,
        idlePartitions: [],
      },
      {
        ...viewTime!,
        id: "click-time",
        watermarkMicros: SECOND,
        openPartitions: 1,
        holdingBack: { ...hold, input: "web", watermarkMicros: SECOND, behindMicros: 2 * SECOND },
        idlePartitions: [],
      },
    ],
    operators: [
      { ...hourly!, eventTimes: ["view-time", "click-time"], nextDueMicros: 10 * SECOND - 1 },
      { ...hourly!, id: "ends", kind: "process", openWindows: 0, keys: 1200, timers: 1, nextDueMicros: 9 * SECOND },
      {
        ...hourly!,
        id: "prices",
        kind: "asyncMap",
        eventTimes: [],
        openWindows: 0,
        nextDueMicros: undefined,
        rowsInFlight: 2,
      },
    ],
  }
  const lines = statusLines({ state: "running", status: shown, nowMicros: SECOND }, colors)
  const at = lines.findIndex((line) => line.startsWith("event time view-time"))
  expect(lines.slice(at)).toEqual([
    "event time view-time  watermark 1970-01-01T00:00:03Z",
    "  followed files of app holds it at 1970-01-01T00:00:03Z, its latest event; the only open partition of view-time; since epoch 1, 1s ago",
    "  hourly waits for the event time click-time, which it follows, too",
    "  ends: 1,200 keys have state, 1 timer is set; the next fires when the watermark has come to 1970-01-01T00:00:09Z, 6s to go",
    "  They fire when later records of followed files of app come, or when it ends.",
    "",
    "event time click-time  watermark 1970-01-01T00:00:01Z",
    "  followed files of web holds it at 1970-01-01T00:00:01Z, 2s behind the furthest; since epoch 1, 1s ago",
    "  hourly: 1 window is open; the next fires when the watermark has come to 1970-01-01T00:00:10Z, 9s to go",
    "  They fire when later records of followed files of web come, or when it ends.",
    "",
    "prices: 2 rows wait for the answer to their call",
  ])
  const allIdle = shown.eventTimes.map((each, index) => (index === 1 ? { ...each, holdingBack: undefined } : each))
  const text = statusLines(
    { state: "running", status: { ...shown, eventTimes: allIdle }, nowMicros: SECOND },
    colors,
  ).join("\n")
  expect(text).toContain(
    "hourly: 1 window is open; the next fires when the watermark has come to 1970-01-01T00:00:10Z, 7s to go",
  )
  expect(text).toContain("hourly waits for the event time view-time, which it follows, too")
})
