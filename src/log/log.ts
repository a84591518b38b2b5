/**
 * The log: records appended in order, made durable together, read back after a crash.
 *
 * It is a chain of generations. Opening a log begins a new generation, which fences whoever wrote the one before: the
 * new generation's name is taken before the end of the old one is looked for, and a writer whose generation is no
 * longer the newest finds that out after its sync and before anybody hears of it.
 *
 * What a dead process wrote may be readable without being durable, and a sync of its file proves nothing once one has
 * failed. So the records that no later record says were synced are written again, into the new generation.
 * A segment is made as a draft and renamed when it is durable: it is empty (a name taken and never used), or whole.
 * What records mean is not the log's business; see `state/epoch-store.ts`.
 *
 * Invariants:
 * - G3 When `sync` has returned, every record appended before it is read back by every later `open`, in order.
 * - G4 Records that were not synced are read back as a prefix of what was appended, perhaps none.
 * - G5 A writer that was fenced gets `state-fenced` from `sync`: what it appended since is void.
 * - G6 After a failed write or sync the log refuses everything: nothing is retried on the same file.
 */
import { assert } from "../base/assert.ts"
import { ByteWriter } from "../base/bytes.ts"
import { TidemarkError } from "../base/errors.ts"
import type { Disk, DiskFile } from "../env/env.ts"
import {
  decodeRecord,
  decodeSegmentHeader,
  encodeRecord,
  encodeSegmentHeader,
  LOG_FORMAT_VERSION,
  RECORD_HEADER_BYTES,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
} from "./record.ts"
import { wasSyncedBeyond } from "./later-sync.ts"
import { chainOf, parseSegmentName, segmentName, type ChainLink, type Segment, type SegmentName } from "./segment.ts"
import { step, type LogStep, type SegmentPurpose, type SyncPurpose } from "./steps.ts"

/** A place in a log: offsets count bytes of records within a generation. */
export interface Lsn {
  readonly generation: number
  readonly offset: number
}

/** A record and its place. */
export interface LogRecord {
  readonly lsn: Lsn
  readonly type: number
  /** A view that is valid until the visitor returns. */
  readonly payload: Uint8Array
}

/** Takes what a log holds when it is opened. */
export interface LogVisitor {
  /** Called first. `isComplete` is whether the log still has its very first record, so that nothing was trimmed. */
  begin(isComplete: boolean): void
  /** Called with every durable record, oldest first. */
  record(record: LogRecord): void
}

/** A record as it was read: with what it says of the log when it was written. */
interface ReadLogRecord extends LogRecord {
  readonly syncedThrough: number
}

/** Bytes that are gathered in memory before they are written, unless told otherwise. */
const WRITE_BUFFER_BYTES = 1 << 20
const READ_CHUNK_BYTES = 1 << 20
const DRAFT = ".draft"

interface OpenSegment {
  readonly file: DiskFile
  readonly path: string
  readonly startOffset: number
}

/** An open log, held by one writer. */
export class Log {
  readonly generation: number
  readonly #disk: Disk
  readonly #directory: string
  readonly #bufferBytes: number
  #segment: OpenSegment
  /** Encoded records not yet handed to the disk. */
  readonly #buffer = new ByteWriter(4096)
  #writtenOffset: number
  #syncedOffset: number
  #failure: { readonly error: unknown } | undefined

  private constructor(parts: {
    disk: Disk
    directory: string
    generation: number
    segment: OpenSegment
    offset: number
    bufferBytes: number
  }) {
    this.#disk = parts.disk
    this.#directory = parts.directory
    this.#bufferBytes = parts.bufferBytes
    this.generation = parts.generation
    this.#segment = parts.segment
    this.#writtenOffset = parts.offset
    this.#syncedOffset = parts.offset
  }

  /**
   * Opens the log of a directory, shows `visitor` every durable record, oldest first, and begins a generation.
   *
   * @param directory is made where it is missing; the one above it exists and is durable.
   * @param bufferBytes how much is gathered in memory before it is written without waiting for a sync.
   * @throws TidemarkError `state-corrupt` where something that was durable does not read back, `state-newer-format`
   * where a newer Tidemark wrote it, `state-fenced` where another process opened it at the same moment.
   */
  static async open(
    disk: Disk,
    directory: string,
    visitor: LogVisitor,
    bufferBytes = WRITE_BUFFER_BYTES,
  ): Promise<Log> {
    await disk.makeDirectory(directory, step("log.make-directory"))
    await disk.syncDirectory(directory.slice(0, directory.lastIndexOf("/")) || "/", step("log.sync-parent"))
    const names = segmentNames(await disk.list(directory))
    const generation = (names.at(-1)?.generation ?? 0) + 1
    await takeName(disk, directory, generation)

    const segments = await readSegments(disk, directory, names)
    const chain = segments.length === 0 ? [] : chainOf(segments)
    const first = chain.at(0)?.segment
    visitor.begin(first === undefined || (first.startOffset === 0 && first.previousGeneration === 0))
    const tail = new UnsyncedTail()
    const read = (record: ReadLogRecord): void => {
      tail.add(record)
      visitor.record(record)
    }
    for (const link of chain) await readSegment(disk, link, read)

    const previousGeneration = segments.at(-1)?.generation ?? 0
    const { offset: previousEnd, records } = tail.of(previousGeneration)
    const content = new ByteWriter(4096)
    for (const { type, payload } of records) {
      encodeRecord(content, { generation, offset: content.length, syncedThrough: 0 }, type, payload)
    }
    const header = { generation, startOffset: 0, previousGeneration, previousEnd }
    const segment = await createSegment({ disk, directory, purpose: "open" }, header, content.view())
    return new Log({ disk, directory, generation, segment, offset: content.length, bufferBytes })
  }

  /** Where the next record will lie. */
  get end(): Lsn {
    return { generation: this.generation, offset: this.#writtenOffset + this.#buffer.length }
  }

  /** Appends a record. It is durable after the next `sync`, and may be before. */
  async append(type: number, payload: Uint8Array): Promise<Lsn> {
    this.#refuseAfterFailure()
    assert(type > 0 && type < 256, "a record's type is one byte and not 0")
    const lsn = this.end
    const place = { generation: this.generation, offset: lsn.offset, syncedThrough: this.#syncedOffset }
    encodeRecord(this.#buffer, place, type, payload)
    if (this.#buffer.length >= this.#bufferBytes) await this.#guard(() => this.#writeBuffer(step("log.append.write")))
    return lsn
  }

  /**
   * Returns when everything appended is durable (G3).
   *
   * @param purpose names the steps under which the disk is called.
   */
  async sync(purpose: SyncPurpose): Promise<void> {
    this.#refuseAfterFailure()
    await this.#guard(async () => {
      await this.#writeBuffer(step(`log.${purpose}.write`))
      await this.#segment.file.sync(step(`log.${purpose}.sync`))
      const names = segmentNames(await this.#disk.list(this.#directory))
      if (names.some((name) => name.generation > this.generation)) throw fenced(this.#segment.path)
      // What was synced to a file without a name is read back by nobody (G3).
      const { path, startOffset } = this.#segment
      const isOwn = (name: SegmentName) => name.generation === this.generation && name.startOffset === startOffset
      if (!names.some(isOwn)) throw vanished(path)
      this.#syncedOffset = this.#writtenOffset
    })
  }

  /** Goes on in a new segment, so that older ones can be trimmed. Everything appended must be synced. */
  async roll(): Promise<void> {
    this.#refuseAfterFailure()
    assert(this.#syncedOffset === this.end.offset, "a log is synced before it rolls")
    await this.#guard(async () => {
      const startOffset = this.#writtenOffset
      // A segment that holds no record yet is as good as a new one.
      if (startOffset === this.#segment.startOffset) return
      const header = { generation: this.generation, startOffset, previousGeneration: 0, previousEnd: 0 }
      const place = { disk: this.#disk, directory: this.#directory, purpose: "roll" } as const
      const segment = await createSegment(place, header, new Uint8Array(0))
      await this.#segment.file.close()
      this.#segment = segment
    })
  }

  /** Removes the segments whose records all lie before `lsn`, and what was never finished; gives how many segments. */
  async trim(lsn: Lsn): Promise<number> {
    this.#refuseAfterFailure()
    return await this.#guard(async () => {
      const names = await this.#disk.list(this.#directory)
      // A process died while it made a segment. Nobody reads drafts, so it is all the same when they go.
      const drafts = names.filter((name) => name.endsWith(DRAFT))
      for (const name of drafts) await this.#disk.remove(`${this.#directory}/${name}`, step("log.trim.remove"))
      const segments = segmentNames(names)
      const old = segments.filter((segment, index) => {
        const next = segments[index + 1]
        if (segment.generation !== lsn.generation) return segment.generation < lsn.generation
        return next !== undefined && next.generation === lsn.generation && next.startOffset <= lsn.offset
      })
      // Oldest first, each gone for good before the next one goes: whatever a crash leaves is a suffix of the chain.
      // The last may come back; the directory is synced again before anything else is removed.
      for (const [index, { name }] of old.entries()) {
        if (index > 0) await this.#disk.syncDirectory(this.#directory, step("log.trim.sync-directory"))
        await this.#disk.remove(`${this.#directory}/${name}`, step("log.trim.remove"))
      }
      return old.length
    })
  }

  /** Closes the file. What was not synced may be lost. */
  async close(): Promise<void> {
    await this.#segment.file.close()
  }

  async #writeBuffer(at: LogStep): Promise<void> {
    if (this.#buffer.length === 0) return
    const position = SEGMENT_HEADER_BYTES + this.#writtenOffset - this.#segment.startOffset
    const bytes = this.#buffer.view()
    await this.#segment.file.write(bytes, position, at)
    this.#writtenOffset += bytes.length
    this.#buffer.clear()
  }

  async #guard<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      this.#failure = { error }
      throw error
    }
  }

  #refuseAfterFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }
}

interface TailRecord {
  readonly type: number
  readonly payload: Uint8Array
  readonly offset: number
}

/** The records read so far that no later record of their generation says were synced. */
class UnsyncedTail {
  #records: TailRecord[] = []
  #generation = 0

  add({ lsn, type, payload, syncedThrough }: ReadLogRecord): void {
    // What is read of an older generation lies before its end, which the newer one knew to be durable.
    if (lsn.generation !== this.#generation) this.#records = []
    this.#generation = lsn.generation
    while (this.#records.length > 0 && this.#records[0]!.offset < syncedThrough) this.#records.shift()
    this.#records.push({ type, payload: payload.slice(), offset: lsn.offset })
  }

  /** The tail of the newest generation, and where it begins there. */
  of(generation: number): { offset: number; records: readonly TailRecord[] } {
    if (generation !== this.#generation || this.#records.length === 0) return { offset: 0, records: [] }
    return { offset: this.#records[0]!.offset, records: this.#records }
  }
}

/**
 * Takes the name of a generation's first segment: whoever comes second is told. Whatever names a process before this one
 * has left are durable afterwards, so that the new generation refers to nothing that a crash can still undo.
 */
async function takeName(disk: Disk, directory: string, generation: number): Promise<void> {
  const path = `${directory}/${segmentName(generation, 0)}`
  const file = await disk.open(path, "create", step("log.fence.create"))
  if (file === undefined) throw fenced(path)
  await file.close()
  await disk.syncDirectory(directory, step("log.fence.sync-directory"))
}

/** Makes a segment durable with its header and first records, then gives it its name. */
async function createSegment(
  place: { disk: Disk; directory: string; purpose: SegmentPurpose },
  header: SegmentHeader,
  content: Uint8Array,
): Promise<OpenSegment> {
  const { disk, directory, purpose } = place
  const path = `${directory}/${segmentName(header.generation, header.startOffset)}`
  const draft = `${path}${DRAFT}`
  const file = await disk.open(draft, "create", step(`log.${purpose}.create`))
  if (file === undefined) throw fenced(draft)
  const bytes = new ByteWriter(SEGMENT_HEADER_BYTES + content.length)
  bytes.raw(encodeSegmentHeader(header))
  bytes.raw(content)
  try {
    await file.write(bytes.view(), 0, step(`log.${purpose}.write`))
    await file.sync(step(`log.${purpose}.sync`))
    await disk.rename(draft, path, step(`log.${purpose}.rename`))
    await disk.syncDirectory(directory, step(`log.${purpose}.sync-directory`))
  } catch (error) {
    await file.close()
    throw error
  }
  return { file, path, startOffset: header.startOffset }
}

function segmentNames(names: readonly string[]): SegmentName[] {
  return names.map(parseSegmentName).filter((name) => name !== undefined)
}

async function readSegments(disk: Disk, directory: string, names: readonly SegmentName[]): Promise<Segment[]> {
  const segments: Segment[] = []
  for (const [index, { generation, startOffset, name }] of names.entries()) {
    const path = `${directory}/${name}`
    const file = await disk.open(path, "read", step("log.recover.read"))
    if (file === undefined) throw new TidemarkError("state-corrupt", `The log's segment ${path} has vanished.`)
    try {
      const size = await file.size()
      const bytes = new Uint8Array(SEGMENT_HEADER_BYTES)
      const count = await file.read(bytes, 0, step("log.recover.read"))
      const reading = decodeSegmentHeader(bytes.subarray(0, count))
      if (reading.kind === "newer") {
        throw new TidemarkError(
          "state-newer-format",
          `${path} has format version ${reading.version}; this Tidemark reads up to ${LOG_FORMAT_VERSION}.`,
          { hint: "Run the job with the newer Tidemark, or start anew with --reset." },
        )
      }
      if (reading.kind === "header") {
        checkHeader(path, reading.header, generation, startOffset)
        segments.push({ ...reading.header, path, size })
        continue
      }
      // A name that was taken and never used; everything else got its name with a durable header.
      const isUnused = size === 0 && names[index + 1]?.generation !== generation
      if (!isUnused) throw corrupt(path, 0, "the header does not check")
    } finally {
      await file.close()
    }
  }
  return segments
}

function checkHeader(path: string, header: SegmentHeader, generation: number, startOffset: number): void {
  if (header.generation === generation && header.startOffset === startOffset) return
  throw corrupt(path, 0, "the header belongs to another segment")
}

/** Visits a segment's records up to where they end. */
async function readSegment(disk: Disk, link: ChainLink, visit: (record: ReadLogRecord) => void): Promise<void> {
  const { segment, endOffset } = link
  const file = await disk.open(segment.path, "read", step("log.recover.read"))
  if (file === undefined) throw new TidemarkError("state-corrupt", `The log's segment ${segment.path} has vanished.`)
  try {
    const stop = endOffset ?? segment.startOffset + segment.size - SEGMENT_HEADER_BYTES
    let offset = segment.startOffset
    let chunk: Uint8Array<ArrayBuffer> = new Uint8Array(0)
    while (offset < stop) {
      chunk = await readAt(file, segment, offset, Math.min(READ_CHUNK_BYTES, stop - offset))
      let at = 0
      let record = decodeRecord(chunk, at, segment.generation, offset)
      if (record === undefined) {
        // Either it is longer than the chunk, or it is the end of what checks.
        chunk = await readAt(file, segment, offset, stop - offset)
        record = decodeRecord(chunk, at, segment.generation, offset)
        if (record === undefined) break
      }
      for (; record !== undefined; record = decodeRecord(chunk, at, segment.generation, offset)) {
        visit({ lsn: { generation: segment.generation, offset }, ...record })
        at += record.bytes
        offset += record.bytes
      }
    }
    if (offset === stop) return
    // The loop broke off at a record that does not check; `chunk` holds all that follows.
    if (endOffset !== undefined || wasSyncedBeyond(chunk, segment.generation, offset)) {
      const filePosition = SEGMENT_HEADER_BYTES + offset - segment.startOffset
      throw corrupt(segment.path, filePosition, "a record that was durable does not check")
    }
  } finally {
    await file.close()
  }
}

async function readAt(
  file: DiskFile,
  segment: Segment,
  offset: number,
  count: number,
): Promise<Uint8Array<ArrayBuffer>> {
  assert(count >= 0 && offset >= segment.startOffset, "records are read within their segment")
  const bytes = new Uint8Array(Math.max(count, RECORD_HEADER_BYTES))
  const position = SEGMENT_HEADER_BYTES + offset - segment.startOffset
  const got = await file.read(bytes.subarray(0, count), position, step("log.recover.read"))
  return bytes.subarray(0, got)
}

function corrupt(path: string, position: number, what: string): TidemarkError {
  return new TidemarkError("state-corrupt", `${path} is damaged at byte ${position}: ${what}.`, {
    hint: "The disk or somebody changed the file. Restore it from a copy, or start anew with --reset.",
  })
}

function vanished(path: string): TidemarkError {
  return new TidemarkError("state-corrupt", `The log's segment ${path} has vanished while the job ran.`, {
    hint: "Somebody removed it or the directory. Nothing of this epoch counts; restore the directory from a copy, or start anew with --reset.",
  })
}

function fenced(path: string): TidemarkError {
  return new TidemarkError("state-fenced", `Another process has taken over the log (${path}).`, {
    hint: "Only one process may run a job on a directory. This one has stopped; nothing it had not committed counts.",
  })
}
