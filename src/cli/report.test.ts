/** What is told at the end of a run, and on its way, as plain text. */
import { stripVTControlCharacters } from "node:util"
import { expect, test } from "vitest"
import { TidemarkError } from "../base/errors.ts"
import type { JobResult, JobStatus } from "../runtime/status.ts"
import { Report, type ReportMode } from "./report.ts"

const STATUS: JobStatus = {
  job: "revenue",
  state: "finished",
  epoch: 1,
  rowsIn: 1,
  rowsInByInput: { trips: 1 },
  rowsOut: { hourly: 1, late: 1200 },
  lateRows: 1,
  badRecords: 1,
  inputGaps: 0,
  watermarkMicros: undefined,
  maxEventTimeMicros: undefined,
  openWindows: 1,
  holdingBack: [],
  idlePartitions: [],
  eventTimes: [],
  pausedPartitions: [],
  waitingOutputs: [],
  rowsInFlight: 0,
  inputRead: 1,
  inputTotal: 1,
  timeShares: [],
  lastCommitMicros: 0,
  arenaUsedBytes: 0,
  arenaPeakBytes: 0,
  spilledBytes: 0,
}

const OUTPUTS = [
  { name: "hourly", target: 'jsonl("out/hourly")' },
  { name: "late", target: 'jsonl("out/late")' },
]

/** What a report tells, without colours and times. */
function told(mode: ReportMode, tell: (report: Report) => void): string[] {
  let text = ""
  tell(new Report(mode, { write: (piece) => void (text += piece) }))
  return stripVTControlCharacters(text)
    .replace(/\d+\.\d s/, "- s")
    .split("\n")
    .slice(0, -1)
}

const end = (change: Partial<JobStatus> = {}, outcome: JobResult["outcome"] = "finished") =>
  told("plain", (report) => {
    report.end({ outcome, isNothingNew: false, status: { ...STATUS, ...change } }, OUTPUTS, "out/bad")
  })

test("one of something is told in the singular", () => {
  expect(end()).toEqual([
    "✔ revenue finished: 1 row, 1 epoch, - s",
    '  hourly                  1 row   jsonl("out/hourly")',
    '  late                1,200 rows  jsonl("out/late")',
    "  1 row came too late for its window",
    "  1 bad record, with reason and place in out/bad",
    "  1 window is open; later records complete it, or a run without --no-drain fires it",
  ])
})

test("several of something are told in the plural", () => {
  const many = { rowsIn: 1_000, epoch: 2, lateRows: 3, badRecords: 4, openWindows: 5, rowsOut: {} }
  expect(end(many, "stopped")).toEqual([
    "■ revenue stopped after epoch 2; run it again to go on",
    '  hourly                  0 rows  jsonl("out/hourly")',
    '  late                    0 rows  jsonl("out/late")',
    "  3 rows came too late for their windows",
    "  4 bad records, with reason and place in out/bad",
    "  5 windows are open; the next run goes on with them",
  ])
})

test("events are told in words", () => {
  const lines = told("plain", (report) => {
    report.onEvent({ kind: "warning", about: "f", message: "f reads r.fair.", hint: 'Did you mean "fare"?' })
    report.onEvent({ kind: "recovered", epoch: 7, isReset: false })
    const changes = [
      { name: "least", before: "0", now: "5" },
      { name: "zone", before: null, now: '"JFK"' },
      { name: "most", before: "9", now: null },
    ]
    report.onEvent({ kind: "output-changed", output: "totals", before: "n int32", now: "n int64" })
    report.onEvent({ kind: "params-changed", changes })
    const place = { input: null, partition: null, record: null }
    report.onEvent({ kind: "dead-letter", ...place, operator: "totals/filter", reason: "the lambda threw Error: no" })
  })
  expect(lines).toEqual([
    "warning: f reads r.fair.",
    '  Did you mean "fare"?',
    "going on behind epoch 7",
    "the output totals has other columns than before, or is written otherwise: what was begun is published as it is",
    "parameters have changed since the last run: least was 0 and is now 5; zone is new; most is gone. What was read before stays as it was computed",
    "bad row (operator totals/filter): the lambda threw Error: no",
  ])
})

test("what data holds does nothing to the terminal", () => {
  const letter = { kind: "dead-letter", input: "in", partition: "a\nb.csv", record: 1, operator: null } as const
  const error = new TidemarkError("lambda-failed", "It failed:\n  at \u001b[2Jx", { hint: "The row was \u0007." })
  let text = ""
  const report = new Report("plain", { write: (piece) => void (text += piece) })
  report.onEvent({ ...letter, reason: "it has \u001b[2J in it" })
  report.fail(error)
  expect(text).toContain("bad record: a\\u000ab.csv, record 1: it has \\u001b[2J in it")
  expect(text).toContain("It failed:\n  at \\u001b[2Jx\n  The row was \\u0007.\n")
})

test("a stop is told, but not to machines", () => {
  expect(told("plain", (report) => report.stopping())).toEqual([expect.stringMatching(/^stopping: the job commits/)])
  expect(told("json", (report) => report.stopping())).toEqual([])
})

test("an error is told with its hint and its page", () => {
  const error = new TidemarkError("state-locked", "Another process runs.", { hint: "Wait." })
  expect(told("plain", (report) => report.fail(error))).toEqual([
    "error state-locked: Another process runs.",
    "  Wait.",
    "  docs/errors/state-locked.md",
  ])
  expect(told("json", (report) => report.fail(error))).toEqual([
    '{"type":"error","code":"state-locked","message":"Another process runs.","hint":"Wait."}',
  ])
})
