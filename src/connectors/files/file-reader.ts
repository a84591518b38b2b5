/**
 * Reads the records of one file forward (`PartitionReader`).
 *
 * A reader can be parked: it closes its file and drops its buffers, and opens the file again when it is asked for more.
 * What the file is gets checked at every opening: its head against the identity, its size against the position, and
 * that a line ends where the position says that a record has ended.
 *
 * Invariants, beside O1 to O4 of `connect/source.ts`:
 * - O6 `next` is always the start of a record or the end of the file.
 * - O7 A parked reader goes on with the same bytes, or is refused.
 */
import { assert } from "../../base/assert.ts"
import { counted } from "../../base/counted.ts"
import type { BadRecord, Position } from "../../batch/position.ts"
import type { PartitionReader, ReadLimits, SourceBatch, SourceContext } from "../../connect/source.ts"
import type { DiskFile } from "../../env/env.ts"
import type { Decoded, OversizedRecord, RecordDecoder } from "../../formats/decoder.ts"
import { DecompressedFile } from "./decompressed-file.ts"
import { compressionOf, type Compression } from "./decompressor.ts"
import type { FileDecoders } from "./file-decoders.ts"
import type { FileDecoding, FileFormat, FileHead } from "./file-format.ts"
import { HEAD_BYTES, hasIdentity, type FileIdentity } from "./file-identity.ts"
import { FileWindow, READ_BYTES, type ReadableFile } from "./file-window.ts"
import { ReadAhead } from "./read-ahead.ts"
import type { PooledReader, ReaderPool } from "./reader-pool.ts"
import { ReaderTurn } from "./reader-turn.ts"
import { changed, missing } from "./source-errors.ts"
import type { FileSourceStep } from "./steps.ts"

/** So much is at hand behind the last record wanted, so that one more read is seldom needed for its end: bytes. */
const SLACK_BYTES = 4 * 1024

const BECAME_SHORTER = "it became shorter while it was read"

const LINE_FEED = 0x0a
const CARRIAGE_RETURN = 0x0d

/** The file that a reader reads. */
export interface ReadTarget {
  readonly context: SourceContext
  readonly format: FileFormat
  readonly decoders: FileDecoders
  /** The absolute path. */
  readonly path: string
  /** For errors: `the file "trips/a.csv" of the input trips`. */
  readonly label: string
  readonly identity: FileIdentity
  /** Becomes `origin.partition`. */
  readonly index: number
}

interface OpenFile {
  readonly file: ReadableFile
  /** The same, where it is compressed. */
  readonly packed?: DecompressedFile
  window: FileWindow
  /** Where threads decode ahead. */
  readonly ahead: ReadAhead | undefined
}

/** Reads one file forward. */
export class FileReader implements PartitionReader, PooledReader {
  readonly #target: ReadTarget
  readonly #turn: ReaderTurn
  readonly #pool: ReaderPool
  #position: Position
  #decoding: FileDecoding | undefined
  #decoder: RecordDecoder | undefined
  #open: OpenFile | undefined
  /** The record at the position, where it is too long and was read in part: the window has moved into it. */
  #oversized: OversizedRecord | undefined

  constructor(target: ReadTarget, pool: ReaderPool, position: Position) {
    this.#target = target
    this.#turn = new ReaderTurn(target.label)
    this.#pool = pool
    this.#position = position
  }

  /** Whether a read is under way, so that the reader cannot be parked. */
  get isBusy(): boolean {
    return this.#turn.isBusy
  }

  get heldBytes(): number {
    return this.#open === undefined ? 0 : this.#open.window.heldBytes + (this.#open.packed?.heldBytes ?? 0)
  }

  /** Opens the file and checks that it is the one that the position belongs to (O4). */
  async start(): Promise<void> {
    await this.#turn.take(async () => void (await this.#openFile()))
  }

  async read(limits: ReadLimits): Promise<SourceBatch> {
    assert(limits.rows >= 1, "a read may take at least one record")
    return this.#turn.take(async () => {
      const open = await this.#openFile()
      const ahead = await this.#readAhead(open, limits)
      if (ahead !== undefined) return ahead
      const window = await this.#windowAtPosition(open)
      for (;;) {
        const offset = this.#position.offset
        if (offset >= limits.untilOffset) return this.#nothing(false)
        await this.#fillUpTo(window, Math.min(limits.untilOffset - offset, READ_BYTES) + SLACK_BYTES)
        if (this.#hasEnded(window)) return this.#nothing(true)
        const decoded = this.#decode(window, limits)
        if (decoded.batch !== undefined || decoded.bad.length > 0) return await this.#take(window, decoded, limits)
        // Twice as much at a time: a decoder begins a record anew that it could not finish.
        assert(!(decoded.needsMore && window.isAtEnd), "the last record of a file is complete")
        if (decoded.needsMore) await this.#fillUpTo(window, 2 * (window.to - window.from) + 1)
        else assert(decoded.next.offset > offset, "a decoder goes forward")
      }
    })
  }

  /** What other threads have decoded of the records asked for, if they have. */
  async #readAhead({ ahead }: OpenFile, limits: ReadLimits): Promise<SourceBatch | undefined> {
    if (ahead === undefined || this.#oversized !== undefined) return undefined
    const taken = await ahead.read(this.#position, limits, this.#pool.depth())
    if (taken !== undefined) this.#position = taken.next
    else await this.#target.context.decoders?.leaving
    return taken
  }

  /** The window, which stays behind while other threads decode. */
  async #windowAtPosition(open: OpenFile): Promise<FileWindow> {
    const { file, window } = open
    const offset = this.#oversized?.resumeOffset ?? this.#position.offset
    if (window.offset === offset) return window
    await window.settle()
    const size = await file.size()
    if (size < offset) throw changed(this.#target.label, BECAME_SHORTER)
    open.window = new FileWindow(file, offset, size)
    return open.window
  }

  /** Closes the file until the next read. */
  async park(): Promise<void> {
    const open = this.#open
    if (open === undefined) return
    this.#open = undefined
    this.#oversized = undefined
    this.#pool.leave(this)
    await open.ahead?.settle()
    await open.window.settle()
    await open.file.close()
  }

  async close(): Promise<void> {
    this.#turn.close()
    this.#pool.retire(this)
    await this.park()
  }

  async #openFile(): Promise<OpenFile> {
    await this.#pool.enter(this)
    if (this.#open !== undefined) return this.#open
    const { context, path, label } = this.#target
    const file = await context.env.disk.open(path, "read", step("source.open"))
    if (file === undefined) {
      this.#pool.leave(this)
      throw missing(label)
    }
    try {
      const size = await file.size()
      const head = await this.#checkedHead(file, size)
      const compression = compressionOf(path, this.#target.format.compression)
      this.#open =
        compression === "none" ? await this.#openPlain(file, size, head) : await this.#openCompressed(file, compression)
      return this.#open
    } catch (error) {
      this.#pool.leave(this)
      await file.close()
      throw error
    }
  }

  async #openPlain(file: DiskFile, size: number, head: Uint8Array): Promise<OpenFile> {
    const { context, label, index: partition } = this.#target
    const { offset } = this.#position
    if (offset > size) throw changed(label, fewerBytes(size, offset))
    const { start, spec } = this.#decodingOf({ bytes: head, isWhole: head.length === size, label })
    this.#position = await this.#checkedPosition(file, size)
    if (this.#position.offset < start.offset) this.#position = start
    const decoder = context.decoders?.decoder(spec)
    const ahead = decoder && new ReadAhead({ file, size, decoder, arena: context.arena, partition })
    return { file, window: new FileWindow(file, this.#position.offset, size), ahead }
  }

  /** How the file is read, which is found out from its head once. */
  #decodingOf(head: FileHead): FileDecoding {
    const { context, decoders, format } = this.#target
    this.#decoding ??= format.openFile(head, context.schema)
    this.#decoder ??= decoders.of(this.#decoding.spec)
    return this.#decoding
  }

  /** Decompresses the file's head, and then all before the position. Threads cannot begin in the middle. */
  async #openCompressed(packed: DiskFile, compression: Exclude<Compression, "none">): Promise<OpenFile> {
    const file = await DecompressedFile.open(packed, compression, this.#target.label)
    try {
      return await this.#goTo(file)
    } catch (error) {
      file.discard()
      throw error
    }
  }

  async #goTo(file: DecompressedFile): Promise<OpenFile> {
    const { label } = this.#target
    const { offset } = this.#position
    if (this.#decoding === undefined) {
      const head = new Uint8Array(HEAD_BYTES)
      const count = await file.read(head, 0)
      this.#decodingOf({ bytes: head.subarray(0, count), isWhole: count < HEAD_BYTES, label })
    }
    if (!(await file.reaches(offset))) throw changed(label, `decompressed, ${fewerBytes(await file.size(), offset)}`)
    this.#position = await this.#checkedPosition(file, await file.sizeFrom(offset))
    const { start } = this.#decoding!
    if (this.#position.offset < start.offset) this.#position = start
    const from = this.#position.offset
    return { file, packed: file, window: new FileWindow(file, from, await file.sizeFrom(from)), ahead: undefined }
  }

  /** The file's first bytes, once they are as they must be. */
  async #checkedHead(file: DiskFile, size: number): Promise<Uint8Array> {
    const { identity, label } = this.#target
    const head = new Uint8Array(Math.min(size, HEAD_BYTES))
    const count = await file.read(head, 0, step("source.open.read-head"))
    if (count < head.length) throw changed(label, "it became shorter while it was opened")
    if (!hasIdentity(head, identity)) {
      const reason = size < identity.headBytes ? "it is shorter than it was" : "it begins with other bytes than it did"
      throw changed(label, reason)
    }
    return head
  }

  /**
   * Where the next record starts, with a file that may have grown behind the position: a record that ended with the file
   * may have got its line end since, and nothing else.
   */
  async #checkedPosition(file: ReadableFile, size: number): Promise<Position> {
    const { offset, ordinal } = this.#position
    if (offset === 0 || offset === size) return this.#position
    const around = new Uint8Array(3)
    await file.read(around, offset - 1, step("source.open.read-boundary"))
    const [before, first, second] = around
    if (before === LINE_FEED) return this.#position
    if (first === LINE_FEED) return { offset: offset + 1, ordinal }
    if (first === CARRIAGE_RETURN && second === LINE_FEED) return { offset: offset + 2, ordinal }
    const reason = `at byte ${offset}, where a record ended with the file, more has been appended without a line end`
    throw changed(this.#target.label, reason)
  }

  /** Fetches until so many bytes are at hand, or the file's last ones. */
  async #fillUpTo(window: FileWindow, wanted: number): Promise<void> {
    while (window.to - window.from < wanted && !window.isAtEnd) await this.#fetch(window)
  }

  async #fetch(window: FileWindow): Promise<void> {
    assert(!window.isAtEnd, "a decoder that needs more is not at the end")
    if (await window.fetch()) return
    throw changed(this.#target.label, BECAME_SHORTER)
  }

  #decode(window: FileWindow, limits: ReadLimits): Decoded {
    const { bytes, from, to } = window
    const decoded = this.#decoder!.decode({
      bytes,
      from,
      to,
      position: this.#position,
      atEnd: window.isAtEnd,
      maxRows: limits.rows,
      untilOffset: limits.untilOffset,
      partition: this.#target.index,
      oversized: this.#oversized,
    })
    this.#position = decoded.next
    this.#oversized = decoded.oversized
    window.moveTo(decoded.oversized?.resumeOffset ?? decoded.next.offset)
    return decoded
  }

  #hasEnded(window: FileWindow): boolean {
    return window.isAtEnd && window.from === window.to && this.#oversized === undefined
  }

  /** Hands over what was decoded, with the news whether it was the last. */
  async #take(window: FileWindow, decoded: Decoded, limits: ReadLimits): Promise<SourceBatch> {
    const { batch, bad, next } = decoded
    try {
      const mayHaveEnded = window.from === window.to && this.#oversized === undefined
      if (mayHaveEnded && !window.isAtEnd && next.offset < limits.untilOffset) await this.#fetch(window)
    } catch (error) {
      decoded.release()
      throw error
    }
    const end = this.#hasEnded(window)
    return { batch, bad, next, end, release: () => decoded.release() }
  }

  #nothing(end: boolean): SourceBatch {
    const bad: readonly BadRecord[] = []
    return { batch: undefined, bad, next: this.#position, end, release: () => undefined }
  }
}

/** Why a file is not what it was that is shorter than what was read of it. */
function fewerBytes(size: number, read: number): string {
  return `it has ${counted(size, "byte")}, but ${counted(read, "byte of it was", "bytes of it were")} read`
}

/** Holds a step's name to the closed list. */
function step(name: FileSourceStep): FileSourceStep {
  return name
}
