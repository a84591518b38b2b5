/**
 * A place in a log that moves on as entries are read.
 *
 * Invariants:
 * - LC1 Entries come in the order of their LSNs, and each begins where the one before ended or behind that; between them lie only the
 *   log's own entries, and records that the filter has left out.
 * - LC2 Only what is durable is given.
 */
import type { Disk } from "../../env/env.ts"
import type { LogPlace } from "../log-reader.ts"
import { SEGMENT_HEADER_BYTES } from "../record.ts"
import type { RecordScan } from "../record-scan.ts"
import { LinkFile } from "./link-file.ts"
import type { LogEntry, LogGap, LogRecord, ReadLogOptions } from "./log-entry.ts"
import { ENTRY, TIME_BYTES } from "./log-state.ts"
import { FIRST_PLACE, isBefore, lsnAt, lsnOf, placeOf } from "./lsn.ts"
import { endOf, endOfLog, startOf, type ReadableLink, type ReadableLog, type ReadableState } from "./readable-log.ts"
import { RECORD_LOG } from "./record-log-kind.ts"

/** What a step has brought. */
export interface CursorStep {
  readonly entries: readonly LogEntry[]
  /** What may be read is read: what may be read was this. */
  readonly atEndOf: ReadableState | undefined
  /** There will be no more. */
  readonly isDone: boolean
}

/** A reader's place. */
export class LogCursor {
  readonly #log: ReadableLog
  readonly #disk: Disk
  readonly #options: ReadLogOptions
  #place: LogPlace
  /** Records before it are passed over: the reader began where none begins. */
  #givenFrom: LogPlace
  readonly #until: LogPlace | undefined
  #file: LinkFile | undefined

  private constructor(log: ReadableLog, disk: Disk, options: ReadLogOptions, from: LogPlace, until?: LogPlace) {
    this.#log = log
    this.#disk = disk
    this.#options = options
    this.#place = this.#givenFrom = from
    this.#until = until
  }

  /** A cursor at the first place that the options name. */
  static async open(log: ReadableLog, disk: Disk, options: ReadLogOptions): Promise<LogCursor> {
    const { from = "start", until, follow = false } = options
    const state = await log.look()
    const end = endOfLog(state)
    const start = from === "start" ? firstOf(state) : from === "end" ? end : placeOf(from)
    const limit = until === undefined ? undefined : placeOf(until)
    const isBounded = limit !== undefined && (follow || isBefore(limit, end))
    const cursor = new LogCursor(log, disk, options, start, isBounded ? limit : follow ? undefined : end)
    if (typeof from === "bigint") await cursor.#seek(state)
    return cursor
  }

  /** Goes on by some entries. */
  async next(): Promise<CursorStep> {
    if (this.#isPastUntil()) return { entries: [], atEndOf: undefined, isDone: true }
    const state = await this.#log.look()
    if (isBefore(this.#place, state.trimmed)) return await this.#passTrimmed(state)
    const link = state.links.find((each) => isBefore(this.#place, endOf(each)))
    if (link === undefined) return { entries: [], atEndOf: state, isDone: state.isSealed }
    const start = startOf(link)
    if (isBefore(this.#place, start)) return this.#passTo(start, "bridge")
    const file = await this.#fileOf(link)
    // It went while it was looked for: what is there now is looked at again.
    if (file === undefined) return { entries: [], atEndOf: undefined, isDone: false }
    const scan = await file.read(link, this.#place.offset)
    if (!scan.next()) return await this.#passDamage(file, link)
    return { entries: this.#entriesOf(link, scan), atEndOf: undefined, isDone: false }
  }

  async close(): Promise<void> {
    await this.#file?.close()
    this.#file = undefined
  }

  /** Begins at a record at or before the first place, where none begins there. */
  async #seek(state: ReadableState): Promise<void> {
    const link = state.links.find((each) => isBefore(this.#place, endOf(each)))
    if (link === undefined || !isBefore(startOf(link), this.#place)) return
    const file = await this.#fileOf(link)
    if (file === undefined || (await file.isBoundary(link, this.#place.offset))) return
    const index = link.index ?? (link.isClosed ? await file.index(link) : undefined)
    this.#place = { generation: link.generation, offset: index?.floor(this.#place.offset) ?? link.startOffset }
  }

  /** The entries from where a scan is, as far as they may be given; the place is behind them. */
  #entriesOf({ generation }: ReadableLink, scan: RecordScan): LogEntry[] {
    const entries: LogEntry[] = []
    const { filter } = this.#options
    const from = offsetIn(generation, this.#givenFrom)
    const until = this.#until === undefined ? Infinity : offsetIn(generation, this.#until)
    let lsn = lsnAt(generation, scan.offset)
    let endOffset = scan.offset
    do {
      if (scan.offset >= until) break
      endOffset = scan.endOffset
      const next = lsnAt(generation, endOffset)
      if (scan.type === ENTRY.record && scan.offset >= from) {
        const payload = scan.payloadFrom(TIME_BYTES)
        const record: LogRecord = { kind: "record", lsn, next, timeMicros: scan.leadingInt64, payload }
        if (filter === undefined || filter(record)) entries.push(record)
      }
      lsn = next
    } while (scan.next())
    this.#place = scan.endOffset >= until ? this.#until! : { generation, offset: endOffset }
    return entries
  }

  async #passTrimmed(state: ReadableState): Promise<CursorStep> {
    const passed = this.#passTo(state.trimmed, "trimmed")
    this.#givenFrom = this.#place
    await this.#seek(state)
    return passed
  }

  #passTo(place: LogPlace, reason: LogGap["reason"]): CursorStep {
    const to = this.#until !== undefined && isBefore(this.#until, place) ? this.#until : place
    const gap: LogGap = { kind: "gap", reason, lsn: lsnOf(this.#place), next: lsnOf(to) }
    // Who starts before everything there ever was has missed nothing.
    const isNothing = this.#place.generation === FIRST_PLACE.generation && reason === "bridge"
    this.#place = to
    return { entries: isNothing ? [] : [gap], atEndOf: undefined, isDone: false }
  }

  /** What was durable does not check: that is an error, unless it was trimmed meanwhile or the reader goes around it. */
  async #passDamage(file: LinkFile, link: ReadableLink): Promise<CursorStep> {
    const { generation, startOffset } = link
    if (isBefore(this.#place, (await this.#log.look()).trimmed))
      return { entries: [], atEndOf: undefined, isDone: false }
    const { offset } = this.#place
    if (this.#options.onDamage !== "gap") {
      const position = SEGMENT_HEADER_BYTES + offset - startOffset
      throw RECORD_LOG.corrupt(link.path, position, "a record that was durable does not check")
    }
    return this.#passTo({ generation, offset: await file.nextBoundary(link, offset) }, "lost")
  }

  async #fileOf(link: ReadableLink): Promise<LinkFile | undefined> {
    if (this.#file?.path === link.path) return this.#file
    await this.close()
    this.#file = await LinkFile.open(this.#disk, link.path)
    if (this.#file !== undefined) return this.#file
    const { links } = await this.#log.look()
    if (links.some(({ path }) => path === link.path)) throw RECORD_LOG.vanished(link.path)
    return undefined
  }

  #isPastUntil(): boolean {
    return this.#until !== undefined && !isBefore(this.#place, this.#until)
  }
}

/** Where a place lies as seen from a generation: before or behind all of it where it is of another one. */
function offsetIn(generation: number, place: LogPlace): number {
  if (place.generation === generation) return place.offset
  return place.generation < generation ? 0 : Infinity
}

/** Where the oldest record that may be read lies, or might lie. */
function firstOf({ links, trimmed }: ReadableState): LogPlace {
  const first = links[0]
  return first === undefined || isBefore(startOf(first), trimmed) ? trimmed : startOf(first)
}

/** Reads a log from where the options say, some entries at a time. */
export async function* readEntries(
  log: ReadableLog,
  disk: Disk,
  options: ReadLogOptions,
): AsyncGenerator<readonly LogEntry[], void, undefined> {
  const { follow = false, signal } = options
  const cursor = await LogCursor.open(log, disk, options)
  try {
    while (signal?.aborted !== true) {
      const { entries, atEndOf, isDone } = await cursor.next()
      if (entries.length > 0) yield entries
      if (isDone) return
      if (atEndOf === undefined) continue
      if (!follow) return
      await log.grown(atEndOf, signal)
    }
  } finally {
    await cursor.close()
  }
}
