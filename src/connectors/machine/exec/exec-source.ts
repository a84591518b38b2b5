/**
 * A command's lines as a source: one partition, which ends with the command, unless that is begun again.
 *
 * Invariants:
 * - EX1 Each line that a command writes counts at most once; while the process lives, exactly once.
 * - EX2 That a command was begun again, so that lines may be missing or come anew, is told as a gap.
 */
import { formatDuration } from "../../../base/duration.ts"
import { TidemarkError } from "../../../base/errors.ts"
import type { Position } from "../../../batch/position.ts"
import type {
  Partition,
  PartitionReader,
  ReadLimits,
  Source,
  SourceBatch,
  SourceContext,
  SourceNotice,
} from "../../../connect/source.ts"
import { CommandLines, type LineFormat } from "./command-lines.ts"
import { CommandProcess, type CommandEnd, type CommandLine } from "./command-process.ts"

/** When a command that has ended is begun again. */
export type RestartPolicy = "never" | "on-failure" | "always"

/** What a source is made of. */
export interface ExecParts extends LineFormat {
  readonly line: CommandLine
  readonly restart: RestartPolicy
  /** How long after its end, in µs; twice as long each time that it has written nothing, up to a minute. */
  readonly restartAfterMicros: number
}

const RESTART_AFTER_MAX_MICROS = 60_000_000

/** See the head of this file. */
export class ExecSource implements Source {
  readonly #context: SourceContext
  readonly #parts: ExecParts
  readonly #id: string

  constructor(context: SourceContext, parts: ExecParts) {
    this.#context = context
    this.#parts = parts
    this.#id = [parts.line.command, ...parts.line.args].join(" ")
  }

  async partitions(): Promise<readonly Partition[]> {
    const { command, args } = this.#parts.line
    const identity = JSON.stringify([command, ...args])
    return [{ id: this.#id, tieBreak: identity, identity, size: undefined, isWholeInput: true }]
  }

  async open(_partition: Partition, index: number, position: Position): Promise<PartitionReader> {
    return new ExecReader(this.#context, this.#parts, this.#id, index, position)
  }

  async close(): Promise<void> {}
}

class ExecReader implements PartitionReader {
  readonly #context: SourceContext
  readonly #parts: ExecParts
  readonly #label: string
  readonly #index: number
  #position: Position
  #process: CommandProcess | undefined
  #lines: CommandLines
  #hasWritten = false
  #wake: (() => void) | undefined
  /** When the command is to be begun again. */
  #beginMicros = 0
  #delayMicros: number
  readonly #notices: SourceNotice[] = []

  constructor(context: SourceContext, parts: ExecParts, id: string, index: number, position: Position) {
    this.#context = context
    this.#parts = parts
    this.#label = `the command ${JSON.stringify(id)} of the input ${context.input}`
    this.#index = index
    this.#position = position
    this.#lines = new CommandLines(context, parts, this.#label, index)
    this.#delayMicros = parts.restartAfterMicros
    if (position.offset > 0) this.#tellAnew("as the job was begun again")
  }

  whenReadable(signal: AbortSignal): Promise<void> | undefined {
    this.#beginWhereDue()
    return this.#isReadable ? undefined : this.#wait(signal)
  }

  async read(limits: ReadLimits): Promise<SourceBatch> {
    this.#beginWhereDue()
    this.#pull()
    const process = this.#process
    const hasEnded = process?.end !== undefined && process.heldBytes === 0
    const decoded = process && this.#lines.decode(this.#position, limits, hasEnded)
    if (decoded !== undefined) {
      if (decoded.next.offset > this.#position.offset) this.#hasWritten = true
      this.#position = decoded.next
    }
    const isOver = hasEnded && this.#lines.heldBytes === 0
    if (decoded?.batch === undefined && (decoded?.bad.length ?? 0) === 0) {
      decoded?.release()
      return this.#batch(isOver && this.#finish(process.end!))
    }
    const { batch, bad } = decoded!
    return { ...this.#batch(false), batch, bad, release: () => decoded!.release() }
  }

  async close(): Promise<void> {
    await this.#process?.stop(this.#context.env.timers)
  }

  get #isReadable(): boolean {
    if (this.#notices.length > 0) return true
    if (this.#process === undefined) return false
    return this.#lines.mayHaveRecord || this.#process.heldBytes > 0 || this.#process.end !== undefined
  }

  async #wait(signal: AbortSignal): Promise<void> {
    const { clock, timers } = this.#context.env
    while (!signal.aborted && !this.#isReadable) {
      if (this.#process === undefined) {
        await timers.sleep(Math.max(0, Math.ceil(this.#beginMicros - clock.monotonicMicros())), signal)
        if (!signal.aborted) this.#beginWhereDue()
        continue
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve
        signal.addEventListener("abort", () => resolve(), { once: true })
      })
    }
  }

  #beginWhereDue(): void {
    if (this.#process !== undefined || this.#context.env.clock.monotonicMicros() < this.#beginMicros) return
    this.#lines = new CommandLines(this.#context, this.#parts, this.#label, this.#index)
    this.#hasWritten = false
    try {
      this.#process = new CommandProcess(this.#parts.line, () => this.#wake?.())
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause)
      throw new TidemarkError("source-unreadable", `${this.#sentence} cannot be begun: ${why}.`, {
        hint: "Arguments have no null bytes, and the operating system bounds how long they may be: give what is long in a file.",
        cause,
      })
    }
  }

  /** Takes what the command has written, unless much is waiting already. */
  #pull(): void {
    const process = this.#process
    if (process === undefined || (this.#lines.mayHaveRecord && process.end === undefined)) return
    const chunks = process.take()
    if (chunks.length > 0 || process.end !== undefined) this.#lines.add(chunks, process.end !== undefined)
  }

  /** The command has ended, and all of it was read. Tells whether the partition has ended with it. */
  #finish({ code, errors }: CommandEnd): boolean {
    const { restart } = this.#parts
    if (restart !== "always" && code === 0) return true
    const said = errors === "" ? "" : ` It wrote to standard error: ${errors.split("\n").slice(-5).join(" / ")}`
    if (restart === "never") {
      throw new TidemarkError("source-unreadable", `${this.#sentence} has ended with exit code ${code}.${said}`, {
        hint: 'Run it by hand to see why. With restart: "on-failure" it is begun again, and lines may be missing.',
      })
    }
    const { clock } = this.#context.env
    this.#delayMicros = this.#hasWritten
      ? this.#parts.restartAfterMicros
      : Math.min(RESTART_AFTER_MAX_MICROS, this.#delayMicros * 2)
    this.#beginMicros = clock.monotonicMicros() + this.#delayMicros
    this.#process = undefined
    this.#tellAnew(`in ${formatDuration(this.#delayMicros)}, as it has ended with exit code ${code}.${said}`)
    return false
  }

  #tellAnew(why: string): void {
    const message = `${this.#sentence} is begun anew ${why}${why.endsWith(".") || why.includes(": ") ? "" : "."}`
    const hint = "What it has written meanwhile is lost, and what it writes from its beginning comes again."
    this.#notices.push({ message, hint, isGap: true })
  }

  get #sentence(): string {
    return this.#label.charAt(0).toUpperCase() + this.#label.slice(1)
  }

  #batch(end: boolean): SourceBatch {
    const notices = this.#notices.splice(0)
    const some = notices.length > 0 ? { notices } : {}
    return { batch: undefined, bad: [], next: this.#position, end, ...some, release: () => undefined }
  }
}
