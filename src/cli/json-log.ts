/**
 * A run as structured logs: one JSON object a line, with `time`, `level`, `event`, `job` and the event's own fields.
 * docs/cli.md lists the events.
 *
 * Invariants:
 * - JL1 What happens often is told seldom: of commits a line each interval, of bad records a few lines and then how many
 *   there were. So logging costs a job nothing that grows with its rows.
 * - JL2 Every commit and bad record is in the counts of some line, also where the run ends before an interval does.
 */
import { TidemarkError } from "../base/errors.ts"
import type { Timestamp } from "../time/timestamp.ts"
import { formatTimestamp } from "../time/iso.ts"
import type { JobHandle } from "../runtime/run-job.ts"
import type { JobResult, JobStatus } from "../runtime/status.ts"
import { VERSION } from "../runtime/version.ts"
import type { JobEvent } from "../trace/events.ts"
import { isTold, type LogLevel } from "./log-level.ts"
import type { Notices } from "./notices.ts"
import type { OutputTarget, RunReport } from "./report.ts"
import type { TextStream } from "./terminal.ts"

/** Of commits there is a line each so often, and of bad records so many. */
const INTERVAL_MILLIS = 5000
const SHOWN_BAD_RECORDS = 5

const LEVELS: Readonly<Record<JobEvent["kind"], LogLevel>> = {
  recovered: "info",
  warning: "warn",
  "input-gap": "warn",
  "plan-changed": "info",
  "state-migrated": "info",
  "output-changed": "info",
  "params-changed": "info",
  serving: "info",
  committed: "info",
  "thread-died": "warn",
  "threads-compute": "info",
  "threads-lost": "warn",
  snapshot: "debug",
  "output-waiting": "warn",
  "output-resumed": "info",
  "rows-refused": "warn",
  "dead-letter": "warn",
}

/** Logs one run. */
export class JsonLog implements RunReport, Notices {
  readonly #stream: TextStream
  readonly #level: LogLevel
  readonly #nowMillis: () => number
  #job: string | undefined
  #handle: JobHandle | undefined
  #timer: NodeJS.Timeout | undefined
  /** Commits that no line has told yet. */
  #commits = { epochs: 0, epoch: 0, rows: 0, commitMillisMax: 0 }
  #commitsToldMillis = -Infinity
  /** Bad records since the interval began, and how many of all late rows are told. */
  #badRecords = 0
  #lateRows: number | undefined

  constructor(stream: TextStream, level: LogLevel, nowMillis: () => number = Date.now) {
    this.#stream = stream
    this.#level = level
    this.#nowMillis = nowMillis
  }

  /** The job is known, and is about to take its directory. */
  begin(job: string, directory: string): void {
    this.#job = job
    this.#write("info", "started", { directory, version: VERSION, pid: process.pid })
  }

  onEvent(event: JobEvent): void {
    const { kind, ...fields } = event
    if (event.kind === "committed") this.#onCommit(event)
    else if (event.kind === "dead-letter") {
      if (++this.#badRecords <= SHOWN_BAD_RECORDS) this.#write("warn", "bad-record", fields)
    } else this.#write(LEVELS[kind], kind, fields)
  }

  follow(handle: JobHandle): void {
    this.#handle = handle
    this.#lateRows = handle.status().lateRows
    this.#timer = setInterval(() => this.interval(), INTERVAL_MILLIS)
  }

  stopping(signal: string): void {
    this.#write("info", "stopping", { signal })
  }

  end({ outcome, isNothingNew, status }: JobResult, outputs: readonly OutputTarget[], deadLetters: string): void {
    this.#halt(status)
    const { epoch, badRecords, inputGaps } = status
    const targets = Object.fromEntries(outputs.map(({ name, target }) => [name, target]))
    const fields = { ...progressOf(status), badRecords, inputGaps, outputs: targets, deadLetters }
    this.#write("info", outcome, { epoch, isNothingNew, ...fields })
  }

  fail(error: unknown): void {
    this.#halt(undefined)
    const known = error instanceof TidemarkError
    const message = error instanceof Error ? error.message : String(error)
    const about = known ? { hint: error.hint } : { stack: error instanceof Error ? error.stack : undefined }
    this.#write("error", "failed", { code: known ? error.code : "unexpected", message, ...about })
  }

  warn(event: string, message: string, hint?: string): void {
    this.#write("warn", event, { message, hint })
  }

  /** Tells what has come together since the interval began. */
  interval(status = this.#handle?.status()): void {
    this.#tellCommits(status)
    const hidden = this.#badRecords - SHOWN_BAD_RECORDS
    if (hidden > 0) this.#write("warn", "bad-records", { count: hidden })
    this.#badRecords = 0
    if (status === undefined || this.#lateRows === undefined || status.lateRows === this.#lateRows) return
    this.#write("warn", "late-rows", { count: status.lateRows - this.#lateRows, total: status.lateRows })
    this.#lateRows = status.lateRows
  }

  #onCommit({ epoch, rows, commitMicros }: Extract<JobEvent, { kind: "committed" }>): void {
    const { epochs, rows: before, commitMillisMax } = this.#commits
    this.#commits = {
      epochs: epochs + 1,
      epoch,
      rows: before + rows,
      commitMillisMax: Math.max(commitMillisMax, commitMicros / 1000),
    }
    if (this.#nowMillis() - this.#commitsToldMillis >= INTERVAL_MILLIS) this.#tellCommits(this.#handle?.status())
  }

  #tellCommits(status: JobStatus | undefined): void {
    if (this.#commits.epochs === 0) return
    this.#commitsToldMillis = this.#nowMillis()
    this.#write("info", "committed", { ...this.#commits, ...(status === undefined ? {} : progressOf(status)) })
    this.#commits = { epochs: 0, epoch: 0, rows: 0, commitMillisMax: 0 }
  }

  #halt(status: JobStatus | undefined): void {
    clearInterval(this.#timer)
    this.interval(status)
  }

  #write(level: LogLevel, event: string, fields: Readonly<Record<string, unknown>>): void {
    if (!isTold(level, this.#level)) return
    const time = new Date(this.#nowMillis()).toISOString()
    const line = { time, level, event, job: this.#job, ...fields }
    this.#stream.write(
      `${JSON.stringify(line, (_key, part: unknown) => (typeof part === "bigint" ? String(part) : part))}\n`,
    )
  }
}

function progressOf({ rowsIn, rowsOut, lateRows, openWindows, watermarkMicros }: JobStatus) {
  const hasWatermark = watermarkMicros !== undefined && Number.isFinite(watermarkMicros)
  return {
    rowsIn,
    rowsOut,
    lateRows,
    openWindows,
    watermark: hasWatermark ? formatTimestamp(watermarkMicros as Timestamp) : undefined,
  }
}
