/**
 * A log that a program keeps: records are appended at its end, many in one sync, and read from any place on.
 *
 * It is a chain of generations, as the log of commits is (`../log.ts`), but no record ever gets another place (`take-over.ts`).
 *
 * One sync is under way at a time. What is appended meanwhile is gathered, and goes with the next: so the more wait, the more a sync
 * carries. Where the segment is full the batch ends with its index; the next segment begins with the log's state.
 *
 * Invariants:
 * - RL1 What an append has resolved for is read back, under its LSN, by every later reader until it is trimmed.
 * - RL2 LSNs follow the order of calls. No LSN is ever given to two records.
 * - RL3 What was not resolved for is read back as a prefix, perhaps none of it.
 * - RL4 A writer that was fenced resolves for nothing more.
 * - RL5 After a failed write or sync nothing more is appended: nothing is retried on the same file.
 * - RL6 Readers are shown what is durable, and nothing else.
 */
import { assert } from "../../base/assert.ts"
import { ByteWriter } from "../../base/bytes.ts"
import { makeDurableDirectory } from "../../env/durable-directory.ts"
import type { DirectoryLock, DiskFile, Env } from "../../env/env.ts"
import { readSegments, type LogPlace } from "../log-reader.ts"
import { encodeRecord, SEGMENT_HEADER_BYTES } from "../record.ts"
import { segmentName, segmentNames } from "../segment.ts"
import {
  createSegment,
  removeDrafts,
  removeSegments,
  takeName,
  type OpenSegment,
  type SegmentPlace,
} from "../segment-files.ts"
import { encodeMark, openMark } from "./durable-mark.ts"
import { Growth } from "./growth.ts"
import { closedError, lockedError, sealedError, tooLongError, tooManyGenerationsError } from "./log-errors.ts"
import type { LogSettings } from "./log-options.ts"
import type { LogState } from "./log-state.ts"
import { encodeConsumer, encodeTime, encodeTrim, ENTRY } from "./log-state.ts"
import { GENERATIONS_MAX, isBefore } from "./lsn.ts"
import type { ReadableLink, ReadableLog, ReadableState } from "./readable-log.ts"
import { RECORD_LOG as kind, step } from "./record-log-kind.ts"
import { countOfExpired } from "./retention.ts"
import { SegmentIndex } from "./segment-index.ts"
import { closedLink, stateWriter, takeOver, type ClosedLink } from "./take-over.ts"

/** So many bytes are gathered for the next sync; what is appended beyond that waits. */
const BATCH_BYTES = 4 << 20

/** A file grows by zeros in such steps, so that a small sync need not write down a new length. */
const GROWTH_BYTES = 1 << 20
/** Where more than that is written at once, the file grows by that alone. */
const SMALL_BYTES = 64 * 1024

const APPEND_STEPS = { write: step("records.append.write"), sync: step("records.append.sync") }

/** The longest record. */
const RECORD_BYTES_MAX = 64 * 2 ** 20

/** The world, as a log needs it. */
export type LogEnv = Pick<Env, "clock" | "disk" | "lockDirectory">

/** What is appended. */
interface Entry {
  readonly type: number
  readonly payload: Uint8Array
}

/** Entries that are appended together, and who waits for them. */
class PendingAppend {
  readonly entries: readonly Entry[]
  /** Where those lie that are in a batch. */
  readonly places: LogPlace[] = []
  readonly done: Promise<readonly LogPlace[]>
  resolve!: (places: readonly LogPlace[]) => void
  reject!: (error: unknown) => void

  constructor(entries: readonly Entry[]) {
    this.entries = entries
    this.done = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
  }
}

/** Encoded entries, and whose last one is among them. */
class Batch {
  readonly bytes = new ByteWriter(4096)
  readonly complete: PendingAppend[] = []

  clear(): void {
    this.bytes.recycle()
    this.complete.length = 0
  }
}

/** A log that is open for appending. */
export class RecordLog implements ReadableLog {
  readonly #env: LogEnv
  readonly #place: SegmentPlace
  readonly #settings: LogSettings
  readonly #lock: DirectoryLock
  readonly #mark: DiskFile
  /** What the log knows of itself behind everything gathered. */
  readonly #state: LogState
  readonly #queue: PendingAppend[] = []
  readonly #growth = new Growth()
  #generation: number
  #closed: readonly ClosedLink[]
  #segment: OpenSegment
  #index: SegmentIndex
  #batches = { gathered: new Batch(), flushed: new Batch() }
  /** Where the next entry will lie. */
  #end: number
  /** What lies before is durable, and what readers may know with it. */
  #durable: number
  #shown: Pick<ReadableState, "trimmed" | "isSealed">
  /** The time of the last record before the segment. */
  #startMicros: number
  /** Up to where the segment's file has bytes. */
  #allocated: number
  /** The batch that is gathered ends the segment. */
  #isFull = false
  #flushing: Promise<void> | undefined
  #failure: { readonly error: unknown } | undefined
  #isClosed = false

  private constructor(parts: {
    env: LogEnv
    place: SegmentPlace
    settings: LogSettings
    lock: DirectoryLock
    generation: number
    state: LogState
    mark: DiskFile
    closed: readonly ClosedLink[]
    segment: OpenSegment & { readonly bytes: number }
  }) {
    this.#env = parts.env
    this.#place = parts.place
    this.#settings = parts.settings
    this.#lock = parts.lock
    this.#generation = parts.generation
    this.#state = parts.state
    this.#mark = parts.mark
    this.#closed = parts.closed
    this.#segment = parts.segment
    this.#index = new SegmentIndex(parts.segment.startOffset)
    this.#startMicros = parts.state.lastMicros
    this.#end = this.#durable = this.#allocated = parts.segment.startOffset + parts.segment.bytes
    this.#shown = { trimmed: parts.state.trimmed, isSealed: parts.state.isSealed }
  }

  /**
   * Opens the log of a directory for appending, and makes it where there is none.
   *
   * @param directory absolute.
   * @throws TidemarkError `log-locked` where another process has it open, `log-corrupt` where something that was durable does not read
   * back, `log-newer-format` where a newer Tidemark wrote it.
   */
  static async open(env: LogEnv, directory: string, settings: LogSettings): Promise<RecordLog> {
    const { disk } = env
    await makeDurableDirectory(disk, directory, {
      syncExisting: step("records.sync-existing"),
      make: step("records.make-directory"),
      sync: step("records.sync-parent"),
    })
    const lock = await env.lockDirectory(directory)
    if (lock === undefined) throw lockedError(directory)
    try {
      const place: SegmentPlace = { disk, directory, kind }
      const entries = await disk.list(directory)
      await removeDrafts(place, entries)
      const names = segmentNames(entries)
      const generation = (names.at(-1)?.generation ?? 0) + 1
      if (generation > GENERATIONS_MAX) throw tooManyGenerationsError(directory)
      await takeName(place, generation)
      const { end, state, closed } = await takeOver(place, await readSegments(place, names))
      const { lastMicros } = state
      const header = {
        generation,
        startOffset: 0,
        previousGeneration: end.generation,
        previousEnd: end.offset,
        lastMicros,
      }
      const write = stateWriter({ generation, offset: 0 }, 0, state)
      const segment = await createSegment({ ...place, purpose: "open" }, header, write)
      const mark = await openMark(disk, directory)
      const log = new RecordLog({ env, place, settings, lock, generation, state, mark, closed, segment })
      log.#setMark()
      await log.#tidyUp()
      return log
    } catch (error) {
      await lock.release()
      throw error
    }
  }

  /** Whether nothing is appended any more. */
  get isSealed(): boolean {
    return this.#state.isSealed
  }

  /** How far each consumer has come, by name. */
  get consumers(): ReadonlyMap<string, LogPlace> {
    return this.#state.consumers
  }

  /** Appends records, in this order, one behind the other; resolves with their places when all are durable. */
  async append(payloads: readonly Uint8Array[]): Promise<readonly LogPlace[]> {
    if (this.#state.isSealed) throw sealedError(this.#place.directory)
    for (const { length } of payloads) if (length > RECORD_BYTES_MAX) throw tooLongError(length, RECORD_BYTES_MAX)
    return await this.#append(payloads.map((payload) => ({ type: ENTRY.record, payload })))
  }

  /** A consumer has come to a place, or is gone. Resolves when that is durable. */
  async moveConsumer(name: string, to: LogPlace | undefined): Promise<void> {
    const type = to === undefined ? ENTRY.consumerGone : ENTRY.consumer
    await this.#append([{ type, payload: encodeConsumer(name, to) }])
  }

  /** Lets go what lies before a place. Resolves when nobody is shown it any more; its segments go when all in them may. */
  async trim(before: LogPlace): Promise<void> {
    const end = { generation: this.#generation, offset: this.#durable }
    const place = isBefore(end, before) ? end : before
    if (isBefore(this.#shown.trimmed, place)) await this.#append([{ type: ENTRY.trim, payload: encodeTrim(place) }])
  }

  /** Ends the log: nothing is appended any more, by nobody. */
  async seal(): Promise<void> {
    if (!this.#shown.isSealed) await this.#append([{ type: ENTRY.seal, payload: new Uint8Array(0) }])
  }

  look(): Promise<ReadableState> {
    const { path, startOffset } = this.#segment
    const place = { path, generation: this.#generation, startOffset, endOffset: this.#durable }
    const lastMicros = this.#startMicros
    const current: ReadableLink = { ...place, lastMicros, isClosed: false, index: this.#index }
    return Promise.resolve({ links: [...this.#closed.map(({ link }) => link), current], ...this.#shown })
  }

  async grown(since: ReadableState, signal: AbortSignal | undefined): Promise<void> {
    const { path, endOffset } = since.links.at(-1)!
    const isMore = path !== this.#segment.path || endOffset < this.#durable || since.isSealed !== this.#shown.isSealed
    if (!isMore && !this.#isClosed && this.#failure === undefined) await this.#growth.next(signal)
    if (signal?.aborted === true) return
    this.#refuse()
  }

  /** Waits until what was appended is durable, and lets others open the log. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    try {
      await this.#flushing
      if (this.#failure === undefined) await this.#endSegment()
    } finally {
      this.#growth.announce()
      await this.#segment.file.close()
      await this.#mark.close()
      await this.#lock.release()
    }
  }

  #append(entries: readonly Entry[]): Promise<readonly LogPlace[]> {
    this.#refuse()
    if (entries.length === 0) return Promise.resolve([])
    const pending = new PendingAppend(entries)
    this.#queue.push(pending)
    this.#gather()
    this.#flushing ??= this.#flush()
    return pending.done
  }

  /** Moves what waits into the batch that goes with the next sync, as far as there is room. */
  #gather(): void {
    if (this.#queue.length === 0) return
    const { gathered } = this.#batches
    const micros = Math.max(this.#env.clock.wallMicros(), this.#state.lastMicros)
    const time = encodeTime(micros)
    while (this.#queue.length > 0 && !this.#isFull && gathered.bytes.length < BATCH_BYTES) {
      const pending = this.#queue[0]!
      const { type, payload } = pending.entries[pending.places.length]!
      pending.places.push({ generation: this.#generation, offset: this.#end })
      if (type === ENTRY.record) {
        this.#index.add(this.#end, micros)
        this.#state.lastMicros = micros
        this.#encode(type, time, payload)
      } else {
        this.#state.apply(type, payload)
        this.#encode(type, payload)
      }
      if (pending.places.length === pending.entries.length) gathered.complete.push(this.#queue.shift()!)
      if (this.#end - this.#segment.startOffset >= this.#settings.segmentBytes) this.#fill()
    }
  }

  /** Ends the segment with its index. */
  #fill(): void {
    this.#isFull = true
    this.#encode(ENTRY.index, this.#index.encode())
  }

  #encode(type: number, ...pieces: readonly Uint8Array[]): void {
    const { bytes } = this.#batches.gathered
    const before = bytes.length
    encodeRecord(
      bytes,
      { generation: this.#generation, offset: this.#end, syncedThrough: this.#durable },
      type,
      ...pieces,
    )
    this.#end += bytes.length - before
  }

  /** Makes batch after batch durable until nothing waits. */
  async #flush(): Promise<void> {
    // What is appended in the same breath goes together.
    await Promise.resolve()
    try {
      while (this.#batches.gathered.bytes.length > 0) {
        await this.#makeDurable()
        if (this.#isFull && this.#durable === this.#end) await this.#roll()
        await this.#tidyUp()
        this.#gather()
      }
    } catch (error) {
      this.#fail(error)
    }
    this.#flushing = undefined
  }

  /** Writes and syncs what is gathered, and tells those who wait for it. */
  async #makeDurable(): Promise<void> {
    const { gathered: batch, flushed: spare } = this.#batches
    this.#batches = { gathered: spare, flushed: batch }
    const { trimmed, isSealed } = this.#state
    const { file, startOffset } = this.#segment
    const from = this.#durable
    const end = from + batch.bytes.length
    if (end > this.#allocated) this.#allocate(batch, end)
    await file.writeDurably(batch.bytes.view(), SEGMENT_HEADER_BYTES + from - startOffset, APPEND_STEPS)
    this.#expectOwnership()
    this.#durable = end
    this.#shown = { trimmed, isSealed }
    this.#setMark()
    for (const { resolve, places } of batch.complete) resolve(places)
    batch.clear()
    this.#growth.announce()
  }

  /** Lets the file grow behind a batch that ends at an offset. */
  #allocate({ bytes }: Batch, end: number): void {
    const isLast = this.#isFull && end === this.#end
    const length = end - this.#segment.startOffset
    const rest = isLast || bytes.length > SMALL_BYTES ? 0 : Math.ceil(length / GROWTH_BYTES) * GROWTH_BYTES - length
    bytes.raw(new Uint8Array(rest))
    this.#allocated = end + rest
  }

  /** Finds out whether another process has begun a generation, or somebody has removed the segment. */
  #expectOwnership(): void {
    const { disk, directory } = this.#place
    const { path } = this.#segment
    // Segments go oldest first: while this one is there, so is the name of the next generation, if it was ever taken. So this one is asked for last.
    if (disk.isThereNow(`${directory}/${segmentName(this.#generation + 1, 0)}`)) throw kind.fenced(path)
    if (!disk.isThereNow(path)) throw kind.vanished(path)
  }

  /** Goes on in a new segment; the one before ends with its index. */
  async #roll(): Promise<void> {
    const { file, path, startOffset } = this.#segment
    const end = { generation: this.#generation, offset: this.#durable }
    const isGenerationFull = end.offset >= this.#settings.generationBytes
    const start = isGenerationFull ? { generation: end.generation + 1, offset: 0 } : end
    if (isGenerationFull) {
      if (start.generation > GENERATIONS_MAX) throw tooManyGenerationsError(this.#place.directory)
      await takeName(this.#place, start.generation)
    }
    const previous = isGenerationFull
      ? { previousGeneration: end.generation, previousEnd: end.offset }
      : { previousGeneration: 0, previousEnd: 0 }
    const { lastMicros } = this.#state
    const header = { generation: start.generation, startOffset: start.offset, ...previous, lastMicros }
    const write = stateWriter(start, start.offset, this.#state)
    const segment = await createSegment({ ...this.#place, purpose: "roll" }, header, write)
    await file.close()
    const link = {
      path,
      generation: end.generation,
      startOffset,
      endOffset: end.offset,
      lastMicros: this.#startMicros,
      isClosed: true,
    }
    this.#closed = [...this.#closed, closedLink(link, lastMicros)]
    this.#startMicros = lastMicros
    this.#generation = start.generation
    this.#segment = segment
    this.#index = new SegmentIndex(start.offset)
    this.#end = this.#durable = this.#allocated = start.offset + segment.bytes
    this.#isFull = false
    this.#expectOwnership()
  }

  /** Removes what nobody is shown any more, and lets go what the log's retention does not keep. */
  async #tidyUp(): Promise<void> {
    const kept = this.#closed.findIndex(({ end }) => isBefore(this.#shown.trimmed, end))
    const removed = kept < 0 ? this.#closed.length : kept
    if (removed > 0) {
      this.#closed = this.#closed.slice(removed)
      await this.#removeBefore(this.#closed[0]?.link.path ?? this.#segment.path)
    }
    const openBytes = this.#durable - this.#segment.startOffset
    const { consumers } = this.#state
    const nowMicros = this.#env.clock.wallMicros()
    const count = countOfExpired(this.#closed, openBytes, consumers.values(), this.#settings.retention, nowMicros)
    const end = this.#closed[count - 1]?.end
    // Readers are told before anything goes. Nobody waits for it.
    if (end !== undefined && !this.#isClosed && isBefore(this.#state.trimmed, end)) {
      this.#append([{ type: ENTRY.trim, payload: encodeTrim(end) }]).catch(() => undefined)
    }
  }

  async #removeBefore(firstPath: string): Promise<void> {
    const { disk, directory } = this.#place
    const names = segmentNames(await disk.list(directory))
    const first = names.findIndex(({ name }) => firstPath.endsWith(`/${name}`))
    assert(first >= 0, "the first segment that is kept is there")
    await removeSegments(this.#place, names.slice(0, first))
  }

  /** Ends a segment that is not full, as nothing comes any more. */
  async #endSegment(): Promise<void> {
    this.#fill()
    await this.#makeDurable()
  }

  /** Sets the mark for readers in other processes: a write of some bytes to memory of the system, which takes less than to wait for it. */
  #setMark(): void {
    const durable = { generation: this.#generation, offset: this.#durable }
    this.#mark.writeNow(encodeMark({ durable, ...this.#shown }), 0, step("records.mark.write"))
  }

  #fail(error: unknown): void {
    this.#failure ??= { error }
    const { gathered, flushed } = this.#batches
    for (const { reject } of [...flushed.complete, ...gathered.complete, ...this.#queue]) reject(error)
    this.#queue.length = 0
    gathered.clear()
    flushed.clear()
    this.#growth.announce()
  }

  #refuse(): void {
    if (this.#failure !== undefined) throw this.#failure.error
    if (this.#isClosed) throw closedError(this.#place.directory)
  }
}
