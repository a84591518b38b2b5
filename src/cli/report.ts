/** Tells how a run goes and ends: live on a terminal, as lines in a log, or as JSON for machines. */
import { relative } from "node:path"
import { fileURLToPath } from "node:url"
import picocolors from "picocolors"
import { counted, grouped, plural } from "../base/counted.ts"
import { TidemarkError, type ErrorCode } from "../base/errors.ts"
import type { JobHandle } from "../runtime/run-job.ts"
import type { JobResult } from "../runtime/status.ts"
import type { JobEvent } from "../trace/events.ts"
import { printable } from "./printable.ts"
import { liveLines, plainLine, ratesOf, type Sample } from "./progress.ts"
import { isTold, type LogLevel } from "./log-level.ts"
import { LiveRegion, type TextStream } from "./terminal.ts"

/** How progress is shown. */
export type ReportMode = "live" | "plain" | "json"

const INTERVAL_MILLIS = { live: 100, plain: 2000, json: 1000 } as const
/** Rates are taken over this time. */
const RATE_WINDOW_MILLIS = 3000
/** So many dead letters are shown one by one; the rest are counted. */
const SHOWN_DEAD_LETTERS = 3

/** An output, and where it goes. */
export interface OutputTarget {
  readonly name: string
  readonly target: string
}

/** Who is told of a run. */
export interface RunReport {
  /** Takes what the job tells of itself. */
  onEvent(event: JobEvent): void
  /** Begins to look at the job every now and then. */
  follow(handle: JobHandle): void
  /** Says that the job was asked to stop. */
  stopping(signal: string): void
  /** Tells how the job ended. */
  end(result: JobResult, outputs: readonly OutputTarget[], deadLetters: string): void
  /** Tells why the job failed. */
  fail(error: unknown): void
}

/** Shows one run. */
export class Report implements RunReport {
  readonly #mode: ReportMode
  readonly #stream: TextStream
  readonly #level: LogLevel
  readonly #region: LiveRegion
  readonly #startMillis = performance.now()
  #samples: Sample[] = []
  #deadLetters = 0
  #timer: NodeJS.Timeout | undefined

  /** @param level how much is shown as text; of JSON all is. */
  constructor(mode: ReportMode, stream: TextStream, level: LogLevel = "info") {
    this.#mode = mode
    this.#level = level
    this.#stream = stream
    this.#region = new LiveRegion(stream)
  }

  onEvent(event: JobEvent): void {
    if (this.#mode === "json") {
      this.#json({ type: "event", ...event })
      return
    }
    if (event.kind === "warning" || event.kind === "input-gap")
      this.#say(`${picocolors.yellow(`warning: ${event.message}`)}\n  ${event.hint}`, "warn")
    else if (event.kind === "recovered" && event.isSavepoint === true)
      this.#say(
        `beginning from the savepoint, which shows epoch ${event.epoch}${event.isReset ? "; what was published is moved aside" : ""}`,
      )
    else if (event.kind === "recovered" && event.isReset)
      this.#say("starting anew: what was published before is moved aside")
    else if (event.kind === "recovered" && event.epoch > 0) this.#say(`going on behind epoch ${event.epoch}`)
    else if (event.kind === "serving") this.#say(`health, status and metrics at ${event.url}`)
    else if (event.kind === "plan-changed")
      this.#say("the plan has changed since the last run; the state fits and is kept")
    else if (event.kind === "state-migrated")
      this.#say(`the state of ${event.operator} has gone over to this version: ${event.changes.join("; ")}`)
    else if (event.kind === "output-changed")
      this.#say(
        `the output ${event.output} has other columns than before, or is written otherwise: what was begun is published as it is`,
      )
    else if (event.kind === "thread-died") this.#say(picocolors.yellow(deadThreadText(event)), "warn")
    else if (event.kind === "threads-lost")
      this.#say(printable(`threads cannot compute (${event.reason}): going on behind the last commit with one`), "warn")
    else if (event.kind === "params-changed") this.#say(changedParamsText(event.changes))
    else if (event.kind === "output-waiting" || event.kind === "output-resumed" || event.kind === "rows-refused")
      this.#say(...outputText(event))
    else if (event.kind === "dead-letter" && ++this.#deadLetters <= SHOWN_DEAD_LETTERS) {
      this.#say(picocolors.yellow(deadLetterText(event)), "warn")
    }
  }

  follow(handle: JobHandle): void {
    if (this.#mode !== "json" && !isTold("info", this.#level)) return
    const tick = () => {
      const sample = this.#sample(handle)
      const rates = ratesOf(this.#samples)
      if (this.#mode === "live") {
        this.#region.draw(liveLines(sample, rates, sample.atMillis - this.#startMillis, picocolors))
      } else if (this.#mode === "plain") this.#stream.write(`${plainLine(sample, rates)}\n`)
      else this.#json({ type: "status", ...sample.status })
    }
    // The first line already has a rate: over the time since the start.
    this.#sample(handle)
    this.#timer = setInterval(tick, INTERVAL_MILLIS[this.#mode])
  }

  stopping(): void {
    if (this.#mode === "json") return
    this.#say("stopping: the job commits what it has read; a second Ctrl-C ends it at once, which loses nothing")
  }

  end(result: JobResult, outputs: readonly OutputTarget[], deadLetters: string): void {
    this.#halt()
    if (this.#mode === "json") {
      this.#json({ type: "result", ...result })
      return
    }
    const { status, outcome, isNothingNew } = result
    const elapsed = ((performance.now() - this.#startMillis) / 1000).toFixed(1)
    const { green, bold, yellow, dim } = picocolors
    if (isNothingNew) {
      this.#say(`${green("✔")} ${bold(status.job)} had finished, and there is nothing new to read`)
    } else if (outcome === "finished") {
      const work = `${counted(status.rowsIn, "row")}, ${counted(status.epoch, "epoch")}, ${elapsed} s`
      this.#say(`${green("✔")} ${bold(status.job)} finished: ${work}`)
    } else {
      this.#say(`${yellow("■")} ${bold(status.job)} stopped after epoch ${status.epoch}; run it again to go on`)
    }
    for (const { name, target } of outputs) {
      const rows = status.rowsOut[name] ?? 0
      this.#say(`  ${name.padEnd(12)} ${grouped(rows).padStart(12)} ${plural(rows, "row").padEnd(4)}  ${dim(target)}`)
    }
    const { lateRows, badRecords, inputGaps, openWindows } = status
    if (lateRows > 0) {
      const windows = plural(lateRows, "its window", "their windows")
      this.#say(yellow(`  ${counted(lateRows, "row")} came too late for ${windows}`), "warn")
    }
    if (badRecords > 0) {
      const where = dim(`, with reason and place in ${deadLetters}`)
      this.#say(yellow(`  ${counted(badRecords, "bad record")}`) + where, "warn")
    }
    if (inputGaps > 0)
      this.#say(yellow(`  ${counted(inputGaps, "gap")} in the inputs, where records may have been lost`), "warn")
    if (openWindows > 0) {
      const them = plural(openWindows, "it", "them")
      const open = counted(openWindows, "window is", "windows are")
      const later = `later records complete ${them}, or a run without --no-drain fires ${them}`
      this.#say(`  ${open} open; ${outcome === "finished" ? later : `the next run goes on with ${them}`}`)
    }
  }

  fail(error: unknown): void {
    this.#halt()
    if (this.#mode === "json") {
      const known = error instanceof TidemarkError
      this.#json({
        type: "error",
        code: known ? error.code : "unexpected",
        message: error instanceof Error ? error.message : String(error),
        ...(known && error.hint !== undefined && { hint: error.hint }),
      })
      return
    }
    this.#stream.write(errorText(error))
  }

  #halt(): void {
    clearInterval(this.#timer)
    if (this.#mode === "live") this.#region.clear()
  }

  #sample(handle: JobHandle): Sample {
    const sample = { atMillis: performance.now(), status: handle.status() }
    const oldest = sample.atMillis - RATE_WINDOW_MILLIS
    this.#samples = [...this.#samples.filter(({ atMillis }) => atMillis >= oldest), sample]
    return sample
  }

  #say(line: string, level: LogLevel = "info"): void {
    if (!isTold(level, this.#level)) return
    if (this.#mode === "live") this.#region.clear()
    this.#stream.write(`${line}\n`)
  }

  #json(value: Readonly<Record<string, unknown>>): void {
    const write = (_key: string, part: unknown) => (typeof part === "bigint" ? String(part) : part)
    this.#stream.write(`${JSON.stringify(value, write)}\n`)
  }
}

function changedParamsText(changes: Extract<JobEvent, { kind: "params-changed" }>["changes"]): string {
  const texts = changes.map(({ name, before, now }) => {
    if (before === null) return `${name} is new`
    return now === null ? `${name} is gone` : `${name} was ${before} and is now ${now}`
  })
  return `parameters have changed since the last run: ${texts.join("; ")}. What was read before stays as it was computed`
}

/** A thread's death in plain words. */
function deadThreadText({ reason, isReplaced }: Extract<JobEvent, { kind: "thread-died" }>): string {
  const after = isReplaced ? "another takes its place" : "the job goes on without it"
  return printable(`a thread that decodes has died (${reason}): ${after}`)
}

type OutputEvent = Extract<JobEvent, { kind: "output-waiting" | "output-resumed" | "rows-refused" }>

/** What an output's target does, in plain words, and how loud that is said. */
function outputText(event: OutputEvent): [text: string, level: LogLevel] {
  const { output } = event
  if (event.kind === "output-resumed") {
    const seconds = (event.waitedMicros / 1_000_000).toFixed(1)
    return [printable(`the output ${output} goes on, after ${seconds} s`), "info"]
  }
  const text =
    event.kind === "output-waiting"
      ? `the output ${output} waits for its target: ${event.reason}`
      : `${counted(event.rows, "row")} of the output ${output} refused and kept as dead letters. The first: ${event.reason}`
  return [picocolors.yellow(printable(text)), "warn"]
}

/** A dead letter in plain words. Rows that the job made itself, such as those of windows, have no place in an input. */
function deadLetterText(letter: Extract<JobEvent, { kind: "dead-letter" }>): string {
  const { partition, record, operator, reason } = letter
  if (partition === null) return printable(`bad row (operator ${operator}): ${reason}`)
  const from = operator === null ? "" : ` (operator ${operator})`
  return printable(`bad record: ${partition}, record ${record}${from}: ${reason}`)
}

/** Where the page of an error lies: within the working directory, as a path relative to it. */
function pageOf(code: ErrorCode): string {
  const path = fileURLToPath(new URL(`../../docs/errors/${code}.md`, import.meta.url))
  const fromHere = relative(process.cwd(), path)
  return fromHere.startsWith("..") ? path : fromHere
}

/** An error in plain words: what happened, what to do, where to read more. A defect shows its stack. */
export function errorText(error: unknown): string {
  const { red, dim } = picocolors
  if (!(error instanceof TidemarkError)) {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return `${red("error")} (unexpected): ${stack}\n`
  }
  const hint = error.hint === undefined ? "" : `  ${printable(error.hint, "\n\t")}\n`
  return `${red("error")} ${error.code}: ${printable(error.message, "\n\t")}\n${hint}${dim(`  ${pageOf(error.code)}`)}\n`
}
