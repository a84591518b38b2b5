import { readFileSync } from "node:fs"
import { expect, test, vi } from "vitest"
import { TidemarkError } from "../base/errors.ts"
import type { JobHandle } from "../runtime/run-job.ts"
import type { JobStatus } from "../runtime/status.ts"
import type { JobEvent } from "../trace/events.ts"
import { JsonLog } from "./json-log.ts"
import type { LogLevel } from "./log-level.ts"

const STATUS: JobStatus = {
  job: "revenue",
  state: "running",
  epoch: 1,
  rowsIn: 0,
  rowsInByInput: {},
  rowsOut: { hourly: 0 },
  lateRows: 7,
  badRecords: 0,
  inputGaps: 0,
  watermarkMicros: undefined,
  maxEventTimeMicros: undefined,
  openWindows: 0,
  holdingBack: [],
  idlePartitions: [],
  eventTimes: [],
  pausedPartitions: [],
  waitingOutputs: [],
  rowsInFlight: 0,
  inputRead: 0,
  inputTotal: undefined,
  timeShares: [],
  lastCommitMicros: 0,
  arenaUsedBytes: 0,
  arenaPeakBytes: 0,
  spilledBytes: 0,
}

const committed = (epoch: number, commitMicros = 1000): JobEvent => ({
  kind: "committed",
  epoch,
  rows: 10,
  commitMicros,
})
const badRecord = (record: number): JobEvent => {
  return { kind: "dead-letter", input: "trips", partition: "a.csv", record, operator: null, reason: "is no number" }
}

/** A log with a clock of its own, and its lines. */
function logAt(level: LogLevel = "info") {
  const lines: Record<string, unknown>[] = []
  const clock = { millis: 0 }
  const write = (text: string) => {
    expect(text).toMatch(/^[^\n]*\n$/)
    lines.push(JSON.parse(text) as Record<string, unknown>)
  }
  return { log: new JsonLog({ write }, level, () => clock.millis), lines, clock }
}

const of = (lines: readonly Record<string, unknown>[], event: string) => lines.filter((line) => line["event"] === event)
const sum = (lines: readonly Record<string, unknown>[], field: string) =>
  lines.reduce((total, line) => total + Number(line[field]), 0)

test("JL1 commits have a line each interval, with what they have together", () => {
  const { log, lines, clock } = logAt()
  for (let epoch = 1; epoch <= 1000; epoch++) {
    clock.millis = epoch * 11
    log.onEvent(committed(epoch, epoch === 500 ? 90_000 : 1000))
  }
  expect(lines).toMatchObject([
    { event: "committed", epoch: 1, epochs: 1, rows: 10, commitMillisMax: 1 },
    { event: "committed", epoch: 456, epochs: 455, rows: 4550, commitMillisMax: 1 },
    { event: "committed", epoch: 911, epochs: 455, commitMillisMax: 90 },
  ])
})

test("JL1 bad records are told one by one, and then counted", () => {
  const { log, lines } = logAt()
  for (let record = 1; record <= 100; record++) log.onEvent(badRecord(record))
  expect(lines.map((line) => line["record"])).toEqual([1, 2, 3, 4, 5])
  log.interval()
  expect(lines.at(-1)).toMatchObject({ level: "warn", event: "bad-records", count: 95 })
  log.onEvent(badRecord(101))
  expect(lines.at(-1)).toMatchObject({ event: "bad-record", partition: "a.csv", record: 101, reason: "is no number" })
})

test.each(["end", "fail"] as const)(
  "JL2 all commits and bad records are counted though the run has come to its %s",
  (how) => {
    const { log, lines } = logAt()
    for (let epoch = 1; epoch <= 30; epoch++) log.onEvent(committed(epoch))
    for (let record = 1; record <= 30; record++) log.onEvent(badRecord(record))
    if (how === "end") log.end({ outcome: "finished", isNothingNew: false, status: STATUS }, [], "bad")
    else log.fail(new TidemarkError("disk-full", "No room.", { hint: "Make some." }))
    expect(sum(of(lines, "committed"), "epochs")).toBe(30)
    expect(sum(of(lines, "committed"), "rows")).toBe(300)
    expect(of(lines, "bad-record").length + sum(of(lines, "bad-records"), "count")).toBe(30)
  },
)

test("late rows of this run are told once an interval", () => {
  vi.useFakeTimers()
  try {
    const { log, lines } = logAt()
    const status = { ...STATUS }
    log.follow({ status: () => ({ ...status }) } as unknown as JobHandle)
    vi.advanceTimersByTime(5000)
    expect(lines).toEqual([])
    status.lateRows = 10
    vi.advanceTimersByTime(15_000)
    expect(lines).toMatchObject([{ level: "warn", event: "late-rows", count: 3, total: 10 }])
    log.end({ outcome: "stopped", isNothingNew: false, status: { ...status, lateRows: 11 } }, [], "bad")
    expect(lines.slice(1)).toMatchObject([
      { event: "late-rows", count: 1, total: 11 },
      { event: "stopped", lateRows: 11 },
    ])
    expect(vi.getTimerCount()).toBe(0)
  } finally {
    vi.useRealTimers()
  }
})

test.each([
  ["error", ["failed"]],
  ["warn", ["warning", "failed"]],
  ["info", ["recovered", "warning", "failed"]],
  ["debug", ["recovered", "snapshot", "warning", "failed"]],
] as const)("the level %s tells %s", (level, events) => {
  const { log, lines } = logAt(level)
  log.onEvent({ kind: "recovered", epoch: 3, isReset: false })
  log.onEvent({ kind: "snapshot", epoch: 3 })
  log.onEvent({ kind: "warning", about: "trips", message: "odd\nline", hint: "mend" })
  log.fail(new Error("oh"))
  expect(lines.map((line) => line["event"])).toEqual(events)
})

test("what is no error of ours has its stack, and one of ours its code and hint", () => {
  const { log, lines } = logAt()
  log.fail(new RangeError("odd"))
  log.fail(new TidemarkError("disk-full", "No room.", { hint: "Make some." }))
  expect(lines).toMatchObject([
    { code: "unexpected", message: "odd", stack: expect.stringContaining("RangeError: odd\n") as string },
    { code: "disk-full", message: "No room.", hint: "Make some." },
  ])
})

test("docs/cli.md has each event that there is", () => {
  const page = readFileSync("docs/cli.md", "utf8")
  const source = readFileSync("src/cli/json-log.ts", "utf8")
  const kinds = [.../^const LEVELS[^{]*{([^}]*)}/m.exec(source)![1]!.matchAll(/^ {2}"?([\w-]+)"?: /gm)].map(
    ([, kind]) => kind!,
  )
  const own = [...source.matchAll(/#write\("\w+", "([\w-]+)"/g)].map(([, event]) => event!)
  const events = new Set([...kinds, ...own, "finished", "stopped", "output-lost", "process-ended"])
  events.delete("dead-letter")
  expect(events.size).toBeGreaterThan(18)
  for (const event of events) expect(page).toMatch(new RegExp(`^\\| .*\`${event}\``, "m"))
})
