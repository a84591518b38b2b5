/**
 * Reads a followed input: all its files, one after the other, again and again as they grow, as one partition that does not end.
 *
 * Positions count what was read of all files together: bytes of lines, or records of containers. Which file those were of is not in them but
 * in the state, which the same commit record has (O6): so a run that follows reads on where the last one committed, whatever the files
 * are called by then.
 *
 * Looks at the disk are made beside reading where nothing is left to be read, at most so often as was asked for, and so seldom that
 * they take a tenth of the time.
 */
import { assert } from "../../../base/assert.ts"
import type { Position } from "../../../batch/position.ts"
import type { PartitionReader, ReadLimits, RecordPlace, SourceBatch } from "../../../connect/source.ts"
import type { Clock, Timers } from "../../../env/env.ts"
import type { FileTracker, ReadableFile } from "./file-tracker.ts"
import type { CursorRead } from "./file-cursor.ts"

/** Of so many stretches of files it is known where they lie. */
const KNOWN_STRETCHES = 1024

/** A look that took so long is followed by a pause of so many times that. */
const PAUSE_PER_LOOK = 10

/** However much there is to read, somebody looks so often. */
const LOOK_WHILE_READING_MICROS = 1_000_000

/** What a reader is made of. */
export interface FollowReaderParts {
  readonly tracker: FileTracker
  readonly clock: Clock
  readonly timers: Timers
  readonly everyMicros: number
}

/** A stretch of the partition that lies in one file. */
interface Stretch {
  readonly id: string
  /** Where it starts, in the partition and in the file. */
  readonly from: Position
  readonly inFile: Position
}

/** See the head of this file. */
export class FollowReader implements PartitionReader {
  readonly #parts: FollowReaderParts
  #position: Position
  #nextLookMicros = 0
  #lastLookMicros = 0
  #look: Promise<void> | undefined
  #failure: { readonly error: unknown } | undefined
  readonly #stretches: Stretch[] = []

  constructor(parts: FollowReaderParts, position: Position) {
    this.#parts = parts
    this.#position = position
  }

  whenReadable(signal: AbortSignal): Promise<void> | undefined {
    if (this.#isReadable) return undefined
    this.#lookWhereDue()
    return this.#isReadable ? undefined : this.#wait(signal)
  }

  async read(limits: ReadLimits): Promise<SourceBatch> {
    await this.#look
    const { tracker, clock } = this.#parts
    if (!tracker.isReadable && !tracker.hasNotices) this.#lookWhereDue()
    else if (clock.monotonicMicros() - this.#lastLookMicros > LOOK_WHILE_READING_MICROS) this.#startLook()
    await this.#look
    if (this.#failure !== undefined) throw this.#failure.error
    for (let file = await tracker.next(); file !== undefined; file = await tracker.next()) {
      const read = await file.cursor.read(this.#position, limits, file.until)
      tracker.took(file, read?.progress)
      if (read !== undefined && read.next.offset > this.#position.offset) return this.#take(file, read)
      read?.release()
    }
    return this.#batch({ batch: undefined, bad: [], release: () => undefined })
  }

  placeOf({ offset, ordinal }: Position): RecordPlace | undefined {
    const stretch = this.#stretches.findLast(({ from }) => from.offset <= offset)
    if (stretch === undefined) return undefined
    const { id, from, inFile } = stretch
    return { id, offset: offset - from.offset + inFile.offset, ordinal: ordinal - from.ordinal + inFile.ordinal }
  }

  async close(): Promise<void> {
    await this.#look
    await this.#parts.tracker.close()
  }

  get #isReadable(): boolean {
    const { tracker } = this.#parts
    return this.#look === undefined && (tracker.isReadable || tracker.hasNotices || this.#failure !== undefined)
  }

  /** Looks every now and then until there is something to read. */
  async #wait(signal: AbortSignal): Promise<void> {
    const { clock, timers } = this.#parts
    while (!this.#isReadable) {
      await this.#look
      if (signal.aborted || this.#isReadable) return
      const rest = this.#nextLookMicros - clock.monotonicMicros()
      if (rest > 0) await timers.sleep(Math.ceil(rest), signal)
      if (signal.aborted) return
      this.#lookWhereDue()
    }
  }

  #lookWhereDue(): void {
    if (this.#parts.clock.monotonicMicros() >= this.#nextLookMicros) this.#startLook()
  }

  #startLook(): void {
    if (this.#look !== undefined || this.#failure !== undefined) return
    const { tracker, clock, everyMicros } = this.#parts
    const start = clock.monotonicMicros()
    this.#look = tracker.look().then(
      () => this.#looked(start, clock, everyMicros),
      (error: unknown) => {
        this.#failure = { error }
        this.#look = undefined
      },
    )
  }

  #looked(start: number, clock: Clock, everyMicros: number): void {
    const end = clock.monotonicMicros()
    this.#lastLookMicros = end
    this.#nextLookMicros = Math.max(start + everyMicros, end + PAUSE_PER_LOOK * (end - start))
    this.#look = undefined
  }

  #take({ known }: ReadableFile, read: CursorRead): SourceBatch {
    const { next, nextInFile } = read
    const last = this.#stretches.at(-1)
    const from = this.#position
    const ends = {
      offset: nextInFile.offset - (next.offset - from.offset),
      ordinal: nextInFile.ordinal - (next.ordinal - from.ordinal),
    }
    assert(ends.offset >= 0, "a file was read as far as the partition")
    const isNew = last?.id !== known.id || ends.offset - last.inFile.offset !== from.offset - last.from.offset
    if (isNew) this.#stretches.push({ id: known.id, from, inFile: ends })
    if (this.#stretches.length > KNOWN_STRETCHES) this.#stretches.shift()
    this.#position = next
    return this.#batch(read)
  }

  #batch({ batch, bad, release }: Pick<SourceBatch, "batch" | "bad" | "release">): SourceBatch {
    const { tracker } = this.#parts
    const notices = tracker.hasNotices ? { notices: tracker.takeNotices() } : {}
    return { batch, bad, next: this.#position, end: false, ...notices, release: () => release() }
  }
}
