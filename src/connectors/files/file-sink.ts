/**
 * The file sink: rows become bytes of numbered parts, which are published by rename (Flink's FileSink is the model).
 *
 * A part grows over epochs in a hidden in-progress file. What an epoch adds to it is staged in one of two ways: a little
 * goes into the commit record itself and is written to the file, without a sync, by `apply`; much is written to the file
 * and synced before `stage` returns. When a part is large or old enough, the commit record of an epoch says so, and
 * `apply` publishes it. The decision is in the record, so that applying it again does not ask the clock.
 *
 * Calls of the disk are made one after the other, in the order in which the methods were called; the rows of an epoch
 * are those written before the call of `stage`, whenever it gets its turn. Only the sync of a checkpoint runs beside
 * others: it may take long, and nobody waits for it. After a failed call the sink is good for nothing but `close`: what
 * the disk holds after a failed sync is unknown (E8).
 *
 * Invariants, beside K1 to K5 of `connect/sink.ts`:
 * - K8 Bytes of a part below its committed length never change; every byte of it is in the file and durable, or in a
 *   commit record that is not behind a checkpoint yet.
 * - K9 A part holds whole records only, behind the format's header. What stands at its end, where the format has that, is made
 *   of them by `apply`, and is the same whenever it is made.
 * - K10 A part is published when it is old enough, also where no epoch has anything to say: the sink tells when one should end.
 */
import { assert } from "../../base/assert.ts"
import { RecentNeed } from "../../base/recent-need.ts"
import type { Batch } from "../../batch/batch.ts"
import type { Sink } from "../../connect/sink.ts"
import type { Clock, DirectoryLock } from "../../env/env.ts"
import { ByteOutput } from "../../formats/byte-output.ts"
import type { RecordEncoder } from "../../formats/decoder.ts"
import { PartFile, type PartPlace, type Trailer } from "./part-file.ts"
import { decodeStagedPart, encodeCursor, encodeStagedPart, NOTHING_STAGED, type SinkCursor } from "./staged-part.ts"
import type { RecoveredSink } from "./sink-recovery.ts"
import type { SinkTurns } from "../../connect/sink-turns.ts"

/** An epoch of at most so many bytes travels in the commit record, which saves it a sync of its own. */
export const INLINE_BYTES_MAX = 256 * 1024

/** When a part is published, checked at each epoch. */
export interface RollingPolicy {
  readonly rollBytes: number
  readonly rollAfterMicros: number
}

/** What a file sink is made of. */
export interface FileSinkParts {
  readonly recovered: RecoveredSink
  readonly encoder: RecordEncoder
  readonly policy: RollingPolicy
  readonly clock: Clock
  readonly turns: SinkTurns
  /** Ended with the sink. */
  readonly lock?: DirectoryLock
}

/** An open file sink. */
export class FileSink implements Sink {
  readonly #place: PartPlace
  readonly #encoder: RecordEncoder
  readonly #trailer: Trailer | undefined
  readonly #policy: RollingPolicy
  readonly #clock: Clock
  readonly #lock: DirectoryLock | undefined
  readonly #turns: SinkTurns
  /** Rows written since the last `stage` or `flush`. */
  #rows = new ByteOutput()
  /** An emptied buffer, to be used again. */
  #spare: ByteOutput | undefined
  readonly #need = new RecentNeed()
  /** Where the last `stage` has left off. */
  #staged: SinkCursor
  /** Where the rows that were flushed since then end, in the staged part. */
  #flushedEnd: number
  /** The in-progress file of the staged part, once it exists. */
  #file: PartFile | undefined
  /** A part whose publication is staged and not yet applied. */
  #closing: PartFile | undefined
  #isClosed = false

  constructor(parts: FileSinkParts) {
    this.#place = parts.recovered.place
    this.#staged = parts.recovered.cursor
    this.#flushedEnd = this.#staged.length
    this.#file = parts.recovered.file
    this.#encoder = parts.encoder
    this.#trailer = trailerOf(parts.encoder)
    this.#policy = parts.policy
    this.#clock = parts.clock
    this.#lock = parts.lock
    this.#turns = parts.turns
  }

  /** How many bytes of the part there are by now, about. */
  get partBytes(): number {
    return this.#flushedEnd + this.bufferedBytes
  }

  /** When the part's first row was staged, in µs since 1970; `Infinity` where none was. */
  get openedAtMicros(): number {
    return this.#staged.length === 0 ? Infinity : this.#staged.openedAtMicros
  }

  get bufferedBytes(): number {
    return this.#rows.length + (this.#encoder.heldBytes ?? 0)
  }

  write(batch: Batch): void {
    assert(!this.#isClosed, "a closed sink is not written to")
    const before = this.#rows.length
    try {
      this.#encoder.encode(batch, this.#rows)
    } catch (error) {
      // Half a row must not be staged, should anybody go on after this (K9).
      this.#rows.length = before
      throw error
    }
  }

  flush(): Promise<void> {
    const rows = this.#takeRows()
    return this.#inTurn(async () => {
      await this.#append(viewOf(rows), "sink.flush.write")
      this.#giveBack(rows)
    })
  }

  stage(final: boolean): Promise<Uint8Array> {
    const rows = this.#takeRows()
    return this.#inTurn(async () => {
      const staged = this.#commitText(await this.#stageRows(viewOf(rows)), final)
      this.#giveBack(rows)
      return staged
    })
  }

  apply(staged: Uint8Array): Promise<void> {
    return this.#inTurn(async () => {
      const record = decodeStagedPart(staged)
      if (record === undefined) return
      assert(record.token === this.#place.token, "a sink applies its own records")
      const file = [this.#closing, this.#file].find((candidate) => candidate?.part === record.part)
      // Without a file the part was published by an earlier `apply` of this record or a later one.
      if (file === undefined) return
      if (record.inline !== undefined) await file.write(record.inline, record.start, "sink.apply.write")
      if (!record.publish) return
      const length = this.#trailer ? await file.writeTrailer(this.#trailer, record.end, "publish") : record.end
      await file.publish(length, "publish")
      this.#closing = undefined
    })
  }

  async checkpoint(): Promise<Uint8Array> {
    const { cursor, file } = await this.#inTurn(() => {
      assert(this.#closing === undefined, "a checkpoint follows the last stage's apply")
      return Promise.resolve({ cursor: encodeCursor(this.#staged), file: this.#file })
    })
    try {
      await file?.sync("sink.checkpoint.sync")
    } catch (error) {
      this.#turns.fail(error)
      throw error
    }
    return cursor
  }

  untilDue(wallMicros: number): number {
    const { length, openedAtMicros } = this.#staged
    if (length === 0) return Infinity
    const { rollAfterMicros } = this.#policy
    // A clock that was set back must not keep a part open for long.
    return Math.max(0, Math.min(rollAfterMicros, openedAtMicros + rollAfterMicros - wallMicros))
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await this.#turns.settled()
    try {
      await this.#closing?.close()
      await this.#file?.close()
    } finally {
      await this.#lock?.release()
    }
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    assert(!this.#isClosed, "a closed sink does nothing")
    return this.#turns.take(task)
  }

  #takeRows(): ByteOutput {
    this.#encoder.finish?.(this.#rows)
    const rows = this.#rows
    this.#rows = this.#spare ?? new ByteOutput()
    this.#spare = undefined
    return rows
  }

  #giveBack(rows: ByteOutput): void {
    if (this.#need.keeps(rows.bytes.length, rows.length)) this.#spare = rows
    rows.length = 0
  }

  /** What stands in a part before the bytes that go to `end` of it. */
  #headerAt(end: number): Uint8Array {
    return end === 0 ? this.#encoder.header : NOTHING_STAGED
  }

  /** Writes rows to the in-progress file, behind what is there. */
  async #append(rows: Uint8Array, at: "sink.flush.write" | "sink.stage.write"): Promise<void> {
    if (rows.length === 0) return
    const file = await this.#fileOfPart()
    const header = this.#headerAt(this.#flushedEnd)
    if (header.length > 0) await file.write(header, 0, at)
    await file.write(rows, this.#flushedEnd + header.length, at)
    this.#flushedEnd += header.length + rows.length
  }

  async #fileOfPart(): Promise<PartFile> {
    this.#file ??= await PartFile.create(this.#place, this.#staged.part)
    assert(this.#file.part === this.#staged.part, "the open file is that of the part being written")
    return this.#file
  }

  /** Makes an epoch's last rows safe; gives the bytes that the commit record must carry, where they are few: maybe a view. */
  async #stageRows(rows: Uint8Array): Promise<Uint8Array | undefined> {
    const start = this.#staged.length
    const isFlushed = this.#flushedEnd > start
    if (!isFlushed && rows.length === 0) return undefined
    const header = this.#headerAt(start)
    if (!isFlushed && header.length + rows.length <= INLINE_BYTES_MAX) {
      await this.#fileOfPart()
      this.#flushedEnd = start + header.length + rows.length
      if (header.length === 0) return rows
      const inline = new Uint8Array(header.length + rows.length)
      inline.set(header)
      inline.set(rows, header.length)
      return inline
    }
    await this.#append(rows, "sink.stage.write")
    await this.#file!.sync("sink.stage.sync")
    return undefined
  }

  /** Decides whether the part is complete, moves on, and gives what the commit record says about the epoch. */
  #commitText(inline: Uint8Array | undefined, final: boolean): Uint8Array {
    const { token, part, length: start } = this.#staged
    const end = this.#flushedEnd
    if (end === 0) return NOTHING_STAGED
    const now = this.#clock.wallMicros()
    // A clock that was set back must not keep a part open for long.
    const openedAtMicros = start === 0 ? now : Math.min(this.#staged.openedAtMicros, now)
    const { rollBytes, rollAfterMicros } = this.#policy
    const publish = final || end >= rollBytes || now - openedAtMicros >= rollAfterMicros
    if (end === start && !publish) {
      this.#staged = { token, part, length: end, openedAtMicros }
      return NOTHING_STAGED
    }
    const record = encodeStagedPart({ token, part, start, end, openedAtMicros, publish, inline })
    if (!publish) {
      this.#staged = { token, part, length: end, openedAtMicros }
      return record
    }
    assert(this.#closing === undefined, "a stage follows the last stage's apply")
    this.#closing = this.#file
    this.#file = undefined
    this.#staged = { token, part: part + 1, length: 0, openedAtMicros: 0 }
    this.#flushedEnd = 0
    return record
  }
}

/** What stands at the end of an encoder's files, where something does. */
export function trailerOf(encoder: RecordEncoder): Trailer | undefined {
  return encoder.trailer && ((end) => encoder.trailer!(end))
}

/** What was written: a view that the next write may invalidate. */
function viewOf({ bytes, length }: ByteOutput): Uint8Array {
  return bytes.subarray(0, length)
}
