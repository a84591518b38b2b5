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
 * - G7 The records that a segment begins with are read back all, or none of them and no segment.
 * - G6 After a failed write or sync the log refuses everything: nothing is retried on the same file.
 */
import { assert } from "../base/assert.ts"
import { ByteWriter } from "../base/bytes.ts"
import { TidemarkError } from "../base/errors.ts"
import type { Disk } from "../env/env.ts"
import { isFromTheStart, readSegment, readSegments, type LogVisitor, type LogPlace } from "./log-reader.ts"
import { COMMIT_LOG as kind } from "./log-kind.ts"
import { encodeRecord, SEGMENT_HEADER_BYTES } from "./record.ts"
import type { RecordScan } from "./record-scan.ts"
import { chainOf, type ChainLink, segmentNames, type SegmentName } from "./segment.ts"
import { createSegment, removeDrafts, removeSegments, takeName, type OpenSegment } from "./segment-files.ts"
import { SeenRecords } from "./seen-records.ts"
import { step, type LogStep, type SyncPurpose } from "./steps.ts"

/** A record to be appended. */
export interface AppendedRecord {
  readonly type: number
  readonly payload: Uint8Array
}

/** Bytes that are gathered in memory before they are written, unless told otherwise. */
const WRITE_BUFFER_BYTES = 1 << 20

/** An open log, held by one writer. */
export class Log {
  readonly generation: number
  readonly #disk: Disk
  readonly #directory: string
  readonly #bufferBytes: number
  /** What there was when it was opened. */
  readonly #chain: readonly ChainLink[]
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
    chain: readonly ChainLink[]
  }) {
    this.#disk = parts.disk
    this.#directory = parts.directory
    this.#bufferBytes = parts.bufferBytes
    this.#chain = parts.chain
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
    await takeName({ disk, directory, kind }, generation)

    const segments = await readSegments({ disk, directory, kind }, names)
    const chain = segments.length === 0 ? [] : chainOf(segments)
    visitor.begin(isFromTheStart(chain))
    const tail = new UnsyncedTail()
    const read = (record: RecordScan): void => {
      tail.add(record)
      visitor.record(record)
    }
    for (const link of chain) await readSegment({ disk, kind }, link, read)

    const previousGeneration = segments.at(-1)?.generation ?? 0
    const { offset: previousEnd, records } = tail.of(previousGeneration)
    const content = new ByteWriter(4096)
    for (const { type, payload } of records) {
      encodeRecord(content, { generation, offset: content.length, syncedThrough: 0 }, type, payload)
    }
    const header = { generation, startOffset: 0, previousGeneration, previousEnd, lastMicros: 0 }
    const place = { disk, directory, kind, purpose: "open" } as const
    const segment = await createSegment(place, header, async (write) => {
      if (content.length > 0) await write(content.view())
    })
    return new Log({ disk, directory, generation, segment, offset: content.length, bufferBytes, chain })
  }

  /** To read again what was shown when it was opened, as long as nothing of it is trimmed. */
  seenRecords(): SeenRecords {
    return new SeenRecords({ disk: this.#disk, kind }, this.#chain)
  }

  /** Where the next record will lie. */
  get end(): LogPlace {
    return { generation: this.generation, offset: this.#writtenOffset + this.#buffer.length }
  }

  /** Appends a record. It is durable after the next `sync`, and may be before. */
  async append(type: number, payload: Uint8Array): Promise<LogPlace> {
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
      await this.#expectOwnership()
      this.#syncedOffset = this.#writtenOffset
    })
  }

  /**
   * Goes on in a new segment that begins with some records, so that older ones can be trimmed. It returns when they are
   * durable, and gives where they begin. Everything appended must be synced, and nothing be appended meanwhile.
   */
  async roll(records: Iterable<AppendedRecord>): Promise<LogPlace> {
    this.#refuseAfterFailure()
    const start = this.end
    assert(this.#syncedOffset === start.offset, "a log is synced before it rolls")
    assert(start.offset > this.#segment.startOffset, "a log rolls behind a record")
    await this.#guard(async () => {
      const { generation, offset: startOffset } = start
      const header = { generation, startOffset, previousGeneration: 0, previousEnd: 0, lastMicros: 0 }
      const place = { disk: this.#disk, directory: this.#directory, kind, purpose: "roll" } as const
      const segment = await createSegment(place, header, (write) => this.#writeAll(records, write))
      assert(this.#writtenOffset === start.offset && this.#buffer.length === 0, "nobody appends while a log rolls")
      await this.#segment.file.close()
      this.#segment = segment
      this.#writtenOffset = this.#syncedOffset = start.offset + segment.bytes
      await this.#expectOwnership()
    })
    return start
  }

  /** Writes records as they will lie behind the end of the log. */
  async #writeAll(records: Iterable<AppendedRecord>, write: (bytes: Uint8Array) => Promise<void>): Promise<void> {
    const buffer = new ByteWriter(4096)
    let offset = this.#writtenOffset
    const flush = async (): Promise<void> => {
      await write(buffer.view())
      offset += buffer.length
      buffer.clear()
    }
    for (const { type, payload } of records) {
      const place = { generation: this.generation, offset: offset + buffer.length, syncedThrough: this.#syncedOffset }
      encodeRecord(buffer, place, type, payload)
      if (buffer.length >= this.#bufferBytes) await flush()
    }
    if (buffer.length > 0) await flush()
  }

  /** Finds out whether another process has begun a generation, or somebody has removed the segment. */
  async #expectOwnership(): Promise<void> {
    const { path, startOffset } = this.#segment
    const names = segmentNames(await this.#disk.list(this.#directory))
    if (names.some((name) => name.generation > this.generation)) throw kind.fenced(path)
    // What was synced to a file without a name is read back by nobody (G3).
    const isOwn = (name: SegmentName) => name.generation === this.generation && name.startOffset === startOffset
    if (!names.some(isOwn)) throw vanished(path)
  }

  /**
   * Removes the segments whose records all lie before `lsn`, and what was never finished; gives how many segments.
   * Records may be appended meanwhile, but the log must not roll.
   */
  async trim(lsn: LogPlace): Promise<number> {
    this.#refuseAfterFailure()
    return await this.#guard(async () => {
      const place = { disk: this.#disk, directory: this.#directory, kind }
      const names = await this.#disk.list(this.#directory)
      await removeDrafts(place, names)
      const segments = segmentNames(names)
      const old = segments.filter((segment, index) => {
        const next = segments[index + 1]
        if (segment.generation !== lsn.generation) return segment.generation < lsn.generation
        return next !== undefined && next.generation === lsn.generation && next.startOffset <= lsn.offset
      })
      await removeSegments(place, old)
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
    this.#buffer.recycle()
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
  /** So many of them are known to be durable by now. */
  #synced = 0
  #generation = 0

  add({ lsn, type, payload, syncedThrough }: RecordScan): void {
    // What is read of an older generation lies before its end, which the newer one knew to be durable.
    if (lsn.generation !== this.#generation) {
      this.#records = []
      this.#synced = 0
    }
    this.#generation = lsn.generation
    while (this.#synced < this.#records.length && this.#records[this.#synced]!.offset < syncedThrough) this.#synced++
    // Not one by one: there may be tens of thousands.
    if (this.#synced * 2 > this.#records.length) {
      this.#records.splice(0, this.#synced)
      this.#synced = 0
    }
    this.#records.push({ type, payload, offset: lsn.offset })
  }

  /** The tail of the newest generation, and where it begins there. */
  of(generation: number): { offset: number; records: readonly TailRecord[] } {
    const records = generation === this.#generation ? this.#records.slice(this.#synced) : []
    return { offset: records[0]?.offset ?? 0, records }
  }
}

function vanished(path: string): TidemarkError {
  return new TidemarkError("state-corrupt", `The log's segment ${path} has vanished while the job ran.`, {
    hint: "Somebody removed it or the directory. Nothing of this epoch counts; restore the directory from a copy, or start anew with --reset.",
  })
}
