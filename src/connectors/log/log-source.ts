/**
 * The records of a log as a source: one partition, which ends where the log is sealed, or, unless it is followed, where the log ends
 * when the job begins.
 *
 * Invariants (rules of docs/spec/log.md):
 * - L15 Each record counts once, over restarts, in the order of the log. One that is no JSON object of the schema's columns is a bad record.
 * - L16 Where records were trimmed that had not been read, that is a gap.
 * - L17 A log that is not the one that was read is refused.
 */
import { TidemarkError } from "../../base/errors.ts"
import { START, type Position } from "../../batch/position.ts"
import type {
  Partition,
  PartitionReader,
  ReadLimits,
  RecordPlace,
  Source,
  SourceBatch,
  SourceContext,
  SourceNotice,
} from "../../connect/source.ts"
import type { LogPlace } from "../../log/log-reader.ts"
import { LogCursor } from "../../log/records/log-cursor.ts"
import type { LogEntry, LogGap, LogRecord } from "../../log/records/log-entry.ts"
import { readableOf, type LogReader } from "../../log/records/log.ts"
import { formatLsn, isBefore, lsnOf, placeOf, type Lsn } from "../../log/records/lsn.ts"
import type { ReadableLog, ReadableState } from "../../log/records/readable-log.ts"
import { KnownPlaces } from "./known-places.ts"
import { LogPosition } from "./log-position.ts"
import { RecordLines } from "./record-lines.ts"

/** What a source is made of. */
export interface LogSourceParts {
  /** What the log is called, for people. */
  readonly id: string
  readonly reader: LogReader
  /** Whether records are waited for that come. */
  readonly isFollowed: boolean
  /** Where a job begins that has read nothing yet. */
  readonly begin: (reader: LogReader) => Promise<Lsn | "start" | "end">
  readonly maxRecordBytes: number
  /** The records within a record of the log, at least one; without it, it is one. */
  readonly piecesOf?: (payload: Uint8Array) => readonly Uint8Array[]
  /** Told where the job would go on, when that is committed. */
  readonly onCommitted?: (next: LogPlace) => void
  /** The log as people know it who are told that it is another one, and what they can do; without it, it is one that they have named. */
  readonly kept?: { readonly label: string; readonly hint: string }
  /** Called when the source is closed. */
  readonly onClose: () => Promise<void>
}

/** A log is known by what is in it (L17): it may be called otherwise in another run, and be opened or named by its directory. */
const PARTITION = "log"

/** See the head of this file. */
export class LogSource implements Source {
  readonly state = new LogPosition()
  readonly #context: SourceContext
  readonly #parts: LogSourceParts

  constructor(context: SourceContext, parts: LogSourceParts) {
    this.#context = context
    this.#parts = parts
  }

  async partitions(): Promise<readonly Partition[]> {
    // It grows with the log, so that one which was read to its end is read on.
    const identity = formatLsn(await this.#parts.reader.end())
    return [{ id: PARTITION, tieBreak: PARTITION, identity, size: undefined, isWholeInput: true }]
  }

  async open(_partition: Partition, index: number, position: Position): Promise<PartitionReader> {
    const { last } = this.state
    if (last !== undefined) await this.#expectSame(last)
    this.committed()
    const { reader } = this.#parts
    const from = last === undefined ? await this.#parts.begin(reader) : lsnOf(last.next)
    const { log, disk } = readableOf(reader)
    const cursor = await LogCursor.open(log, disk, { from, follow: this.#parts.isFollowed })
    const { arena, schema } = this.#context
    const lines = new RecordLines({ arena, schema, maxRecordBytes: this.#parts.maxRecordBytes, partition: index })
    const label = `The log ${this.#parts.id} of the input ${this.#context.input}`
    return new LogSourceReader({ ...this.#parts, log, cursor, lines, label, state: this.state }, position)
  }

  committed(): void {
    const { last } = this.state
    if (last !== undefined) this.#parts.onCommitted?.(last.next)
  }

  async close(): Promise<void> {
    await this.#parts.onClose()
  }

  /** L17: the last record that was read is there; where it was let go, what is behind it can be what came later. */
  async #expectSame({ place, next, timeMicros }: NonNullable<LogPosition["last"]>): Promise<void> {
    const { reader } = this.#parts
    const from = lsnOf(place)
    if (isBefore(placeOf(await reader.end()), next)) throw this.#changed(`it ends before ${formatLsn(lsnOf(next))}`)
    let isTrimmed = isBefore(place, placeOf(await reader.trimmed()))
    for await (const entry of reader.read({ from })) {
      if (entry.kind === "gap") {
        isTrimmed ||= entry.reason === "trimmed"
        if (isTrimmed) continue
        break
      }
      if (isTrimmed) {
        // L8: times do not go back.
        if (entry.timeMicros >= timeMicros) return
        throw this.#changed(`what it has behind ${formatLsn(from)} is older than what was read there`)
      }
      if (entry.lsn === from && entry.timeMicros === timeMicros) return
      break
    }
    if (!isTrimmed) throw this.#changed(`it has no such record at ${formatLsn(from)}`)
  }

  #changed(why: string): TidemarkError {
    const { id, kept } = this.#parts
    const { label, hint } = kept ?? {
      label: `The log ${id} of the input ${this.#context.input}`,
      hint: "Put the log back that was read, or start anew with --reset.",
    }
    return new TidemarkError("source-changed", `${label} is not the one that was read: ${why}.`, { hint })
  }
}

/** A record to be decoded: one of the log, or one within that. */
interface Piece {
  readonly record: LogRecord
  readonly index: number
  readonly isLast: boolean
  readonly bytes: Uint8Array
}

/** What a reader is made of. */
interface LogReaderParts extends LogSourceParts {
  readonly log: ReadableLog
  readonly cursor: LogCursor
  readonly lines: RecordLines
  /** The log in sentences. */
  readonly label: string
  readonly state: LogPosition
}

class LogSourceReader implements PartitionReader {
  readonly whenReadable?: (signal: AbortSignal) => Promise<void> | undefined
  readonly #parts: LogReaderParts
  #position: Position
  /** The records whose lines are not decoded yet, in order. */
  #waiting: readonly Piece[] = []
  /** How many of them are. */
  #decoded = 0
  readonly #places = new KnownPlaces()
  readonly #notices: SourceNotice[] = []
  /** What the log was when all that may be read was read. */
  #atEndOf: ReadableState | undefined
  #isDone = false
  #advancing: Promise<void> | undefined

  constructor(parts: LogReaderParts, position: Position) {
    this.#parts = parts
    this.#position = position
    if (parts.isFollowed) this.whenReadable = (signal) => this.#whenReadable(signal)
  }

  async read(limits: ReadLimits): Promise<SourceBatch> {
    const { lines, isFollowed } = this.#parts
    // One look where records come with time; to the next record, or the end, where all are there.
    do await this.#advance()
    while (lines.isEmpty && !this.#isDone && !isFollowed)
    const notices = this.#notices.splice(0)
    const some = notices.length > 0 ? { notices } : {}
    if (lines.isEmpty) {
      return { batch: undefined, bad: [], next: this.#position, end: this.#isDone, ...some, release: () => undefined }
    }
    const decoded = lines.decode(this.#position, limits)
    this.#take(decoded.next)
    const { batch, bad, next } = decoded
    return { batch, bad, next, end: this.#isDone && lines.isEmpty, ...some, release: () => decoded.release() }
  }

  placeOf({ offset, ordinal }: Position): RecordPlace | undefined {
    const place = this.#places.find(ordinal)
    return place === undefined ? undefined : { id: `${this.#parts.id} ${formatLsn(lsnOf(place))}`, offset, ordinal }
  }

  async close(): Promise<void> {
    await this.#advancing?.catch(() => undefined)
    await this.#parts.cursor.close()
  }

  get #isReadable(): boolean {
    return !this.#parts.lines.isEmpty || this.#notices.length > 0 || this.#isDone
  }

  #whenReadable(signal: AbortSignal): Promise<void> | undefined {
    if (this.#isReadable) return undefined
    const waiting = this.#wait(signal)
    // Who only wanted to know whether there is something does not look at what becomes of it; the next read tells the same.
    waiting.catch(() => undefined)
    return waiting
  }

  async #wait(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#advance()
      if (this.#isReadable || signal.aborted) return
      if (this.#atEndOf !== undefined) await this.#parts.log.grown(this.#atEndOf, signal)
    }
  }

  /** Fetches what comes next, unless something waits: once, however many ask. */
  async #advance(): Promise<void> {
    if (!this.#parts.lines.isEmpty || this.#isDone) return
    this.#advancing ??= this.#fetch().finally(() => (this.#advancing = undefined))
    await this.#advancing
  }

  async #fetch(): Promise<void> {
    const { cursor, lines } = this.#parts
    const { entries, atEndOf, isDone } = await cursor.next()
    this.#atEndOf = atEndOf
    this.#isDone = isDone
    for (const entry of entries) if (entry.kind === "gap") this.#tell(entry)
    this.#waiting = entries.filter(isRecord).flatMap((record) => this.#piecesOf(record))
    this.#decoded = 0
    if (this.#waiting.length > 0) lines.add(this.#waiting.map(({ bytes }) => bytes))
  }

  /** The records within a record, without those that an earlier run has read. */
  #piecesOf(record: LogRecord): readonly Piece[] {
    const { piecesOf, state } = this.#parts
    if (piecesOf === undefined) return [{ record, index: 0, isLast: true, bytes: record.payload }]
    const { last } = state
    const read = last !== undefined && lsnOf(last.next) === record.lsn ? last.pieces : 0
    const pieces = piecesOf(record.payload)
    return pieces.map((bytes, index) => ({ record, index, isLast: index === pieces.length - 1, bytes })).slice(read)
  }

  /** Takes note that the records up to a position are read. */
  #take(next: Position): void {
    const count = next.ordinal - this.#position.ordinal
    const taken = this.#waiting.slice(this.#decoded, this.#decoded + count)
    // They were fetched together, so they are of one generation.
    const places = taken.map(({ record }) => placeOf(record.lsn))
    this.#places.add(this.#position.ordinal, places)
    this.#decoded += count
    this.#position = next
    const last = taken.at(-1)
    if (last === undefined) return
    const { record, index, isLast } = last
    const place = places.at(-1)!
    const behind = isLast ? { next: placeOf(record.next), pieces: 0 } : { next: place, pieces: index + 1 }
    this.#parts.state.move({ place, timeMicros: record.timeMicros, ...behind })
  }

  /** L16. A job that has read nothing has lost nothing. */
  #tell({ reason, lsn, next }: LogGap): void {
    if (reason === "bridge" || this.#position.ordinal === START.ordinal) return
    const message = `${this.#parts.label} was trimmed from ${formatLsn(lsn)} up to ${formatLsn(next)} before that was read.`
    const hint = "Records in between are lost to this job. Trim what it has committed, or let retention keep more."
    this.#notices.push({ message, hint, isGap: true })
  }
}

function isRecord(entry: LogEntry): entry is LogRecord {
  return entry.kind === "record"
}
