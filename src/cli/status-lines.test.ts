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
        pausedPartitions: [{ input: "web", partition: "followed files", aheadMicros: SECOND }],
      },
    ],
    windows: [{ id: "hourly", eventTimes: ["view-time"], lateRows: 0, openWindows: 1, nextDueMicros: SECOND - 1 }],
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
