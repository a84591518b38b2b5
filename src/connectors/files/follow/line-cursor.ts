/**
 * Reads the lines of one file that may grow, be cut, or be something else under the same name.
 *
 * Positions of the partition that it is read for are other numbers than those in the file: both go forward by the same steps.
 *
 * Invariants:
 * - FL1 A record counts when its line has ended. What stands behind the last line end waits.
 * - FL2 A file is read on only behind a line end, and only where it begins with the bytes with which it began, also after it was read:
 *   what was read of it before it was cut is of one file.
 */
import { assert } from "../../../base/assert.ts"
import type { Position } from "../../../batch/position.ts"
import type { ReadLimits, SourceContext } from "../../../connect/source.ts"
import type { DiskFile } from "../../../env/env.ts"
import type { Decoded, OversizedRecord, RecordDecoder } from "../../../formats/decoder.ts"
import type { FileDecoders } from "../file-decoders.ts"
import type { FileFormat } from "../file-format.ts"
import { HEAD_BYTES } from "../file-identity.ts"
import { READ_BYTES } from "../file-window.ts"
import { nameUnreadable } from "../source-errors.ts"
import type { FileSourceStep, FollowStep } from "../steps.ts"
import type { CursorRead, FileCursor } from "./file-cursor.ts"
import { FINGERPRINT_BYTES, fingerprintOf, type KnownFile } from "./followed-files.ts"

const LINE_FEED = 0x0a
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf] as const
const NO_BYTES = new Uint8Array(0)

/** What a cursor is made of. */
export interface LineCursorParts {
  readonly context: SourceContext
  readonly format: FileFormat
  readonly decoders: FileDecoders
  readonly known: KnownFile
  readonly path: string
  /** For errors: `the file "trips/a.csv" of the input trips`. */
  readonly label: string
  /** Becomes `origin.partition`. */
  readonly index: number
}

/** An open file of lines. */
export class LineCursor implements FileCursor {
  readonly #parts: LineCursorParts
  readonly #file: DiskFile
  /** The file's first bytes as they were read, as far as they count for its fingerprint: it may be cut and written anew at any time. */
  readonly #head = new Uint8Array(FINGERPRINT_BYTES)
  #fingerprint: string
  /** Where the next record starts in the file; 0 before the first, header or not. */
  #offset: number
  #ordinal: number
  #decoder: RecordDecoder | undefined
  /** Where the first record starts. */
  #start: Position | undefined
  /** `bytes[from, to)` are those of the file from `#at` on. */
  #bytes: Uint8Array = NO_BYTES
  #from = 0
  #to = 0
  #at = 0
  /** The record that is too long, where it was read in part, and how positions differed then. */
  #oversized: { readonly record: OversizedRecord; readonly base: Position } | undefined
  #partialBytes = 0
  /** Whether the first bytes were compared with what was read, since the file was opened. */
  #isChecked = false

  private constructor(parts: LineCursorParts, file: DiskFile) {
    this.#parts = parts
    this.#file = file
    this.#offset = parts.known.offset
    this.#ordinal = parts.known.ordinal
    this.#fingerprint = parts.known.fingerprint
  }

  /** Opens the file; `undefined` where another one bears its name now, or none. Whether it still is what it was, `check` tells. */
  static async open(parts: LineCursorParts): Promise<LineCursor | undefined> {
    const file = await parts.context.env.disk.open(parts.path, "read", step("source.follow.open"))
    if (file === undefined) return undefined
    try {
      if ((await file.fileId()) === parts.known.fileId) return new LineCursor(parts, file)
    } catch (error) {
      await file.close()
      throw error
    }
    await file.close()
    return undefined
  }

  get partialBytes(): number {
    return this.#partialBytes
  }

  async check(): Promise<number | "cut"> {
    const size = await this.#file.size()
    if (size < this.#offset) return "cut"
    // The beginning of a record that has not ended may be another one by now.
    if (this.#oversized === undefined) this.#to = this.#from
    const wanted = Math.min(this.#offset, FINGERPRINT_BYTES)
    const head = new Uint8Array(wanted)
    const count = await this.#file.read(head, 0, step("source.follow.read-head"))
    if (count < wanted || fingerprintOf(head, this.#offset) !== this.#fingerprint) return "cut"
    this.#head.set(head)
    this.#isChecked = true
    return size
  }

  async size(): Promise<number> {
    return await this.#file.size()
  }

  async read(from: Position, limits: ReadLimits, until: number): Promise<CursorRead | undefined> {
    const { label } = this.#parts
    try {
      // The fingerprint of what is read goes on from the first bytes.
      if (!this.#isChecked && (await this.check()) === "cut") return undefined
      if (!(await this.#begin(until))) return undefined
      return await this.#readOn(from, limits, until)
    } catch (error) {
      throw nameUnreadable(error, label)
    }
  }

  async close(): Promise<void> {
    await this.#file.close()
  }

  /** Finds out how the file is read; `false` as long as its header is not whole. */
  async #begin(until: number): Promise<boolean> {
    if (this.#start !== undefined) return true
    const { format, context, decoders, label } = this.#parts
    const head = new Uint8Array(Math.min(until, HEAD_BYTES))
    const count = await this.#file.read(head, 0, step("source.follow.read-head"))
    const bytes = head.subarray(0, count)
    if (!bytes.includes(LINE_FEED) && count < HEAD_BYTES) {
      this.#partialBytes = count
      return false
    }
    const { spec, start } = format.openFile({ bytes, isWhole: false, label }, context.schema)
    this.#decoder = decoders.of(spec)
    this.#start = start.offset === 0 ? { offset: markBytes(bytes), ordinal: start.ordinal } : start
    if (this.#offset === 0) this.#note(0, bytes.subarray(0, this.#start.offset))
    return true
  }

  async #readOn(from: Position, limits: ReadLimits, until: number): Promise<CursorRead | undefined> {
    // What stands before the first record belongs to it.
    const first = this.#offset < this.#start!.offset ? this.#start! : { offset: this.#offset, ordinal: this.#ordinal }
    const ahead = { offset: first.offset - this.#offset, ordinal: first.ordinal - this.#ordinal }
    let position: Position = { offset: from.offset + ahead.offset, ordinal: from.ordinal + ahead.ordinal }
    const begun = position
    const base = { offset: position.offset - first.offset, ordinal: position.ordinal - first.ordinal }
    this.#goTo(first.offset, base)
    for (let wanted = READ_BYTES; ;) {
      if (!(await this.#fill(wanted, until))) return undefined
      if (this.#from === this.#to && this.#oversized === undefined) break
      const decoded = this.#decode(position, base, limits)
      position = decoded.next
      if (decoded.batch !== undefined || decoded.bad.length > 0) return this.#take(decoded, base, until)
      if (position.offset >= limits.untilOffset) break
      const isAll = this.#at + (this.#to - this.#from) >= until
      if (isAll && (decoded.needsMore || decoded.oversized !== undefined)) break
      if (decoded.needsMore) wanted = Math.max(READ_BYTES, 2 * (this.#to - this.#from))
    }
    this.#partialBytes = until - (position.offset - base.offset)
    const isBehindHeader = ahead.offset > 0 && position.offset >= limits.untilOffset
    if (position.offset === begun.offset && !isBehindHeader) return undefined
    // Lines that are no records, or a header that the limits end at.
    return this.#take({ batch: undefined, bad: [], next: position, release: () => undefined }, base, until)
  }

  /** Makes the bytes from `offset` on those that come next, and keeps what is at hand of them. */
  #goTo(offset: number, base: Position): void {
    const { record, base: before } = this.#oversized ?? {}
    const isResumed = record !== undefined && before!.offset === base.offset && before!.ordinal === base.ordinal
    if (!isResumed) this.#oversized = undefined
    const wanted = isResumed ? record.resumeOffset - base.offset : offset
    const step = wanted - this.#at
    if (step >= 0 && step <= this.#to - this.#from) this.#from += step
    else this.#to = this.#from
    this.#at = wanted
  }

  /** Fetches until so many bytes are at hand, or all before `until`; `false` where they are not those of this file (FL2). */
  async #fill(wanted: number, until: number): Promise<boolean> {
    const kept = this.#to - this.#from
    const more = Math.min(wanted - kept, until - this.#at - kept)
    if (more <= 0) return true
    // The byte before a record is read with it.
    const before = kept === 0 && this.#at > this.#start!.offset && this.#oversized === undefined ? 1 : 0
    const needed = before + kept + more
    const bytes = needed <= this.#bytes.length ? this.#bytes : new Uint8Array(Math.max(needed, READ_BYTES))
    bytes.set(this.#bytes.subarray(this.#from, this.#to), before)
    this.#bytes = bytes
    ;[this.#from, this.#to] = [before, before + kept]
    const target = bytes.subarray(kept, needed)
    const count = await this.#file.read(target, this.#at + kept - before, step("source.read"))
    if (count < target.length || (before === 1 && bytes[0] !== LINE_FEED)) return false
    if (!(await this.#beginsAsBefore(this.#at + kept))) return false
    this.#note(this.#at + kept, bytes.subarray(this.#to, this.#to + more))
    this.#to += more
    return true
  }

  /** Whether the file still has the bytes with which it began, so many of them. */
  async #beginsAsBefore(count: number): Promise<boolean> {
    const head = this.#head.subarray(0, count)
    const now = new Uint8Array(head.length)
    const found = head.length === 0 ? 0 : await this.#file.read(now, 0, step("source.follow.read-head"))
    return found === head.length && head.every((byte, at) => now[at] === byte)
  }

  /** Takes note of bytes that were read. */
  #note(at: number, bytes: Uint8Array): void {
    if (at < FINGERPRINT_BYTES) this.#head.set(bytes.subarray(0, FINGERPRINT_BYTES - at), at)
  }

  #decode(position: Position, base: Position, limits: ReadLimits): Decoded {
    const decoded = this.#decoder!.decode({
      bytes: this.#bytes,
      from: this.#from,
      to: this.#to,
      position,
      atEnd: false,
      maxRows: limits.rows,
      untilOffset: limits.untilOffset,
      partition: this.#parts.index,
      oversized: this.#oversized?.record,
    })
    const { oversized } = decoded
    this.#oversized = oversized && { record: oversized, base }
    const moved = (oversized?.resumeOffset ?? decoded.next.offset) - base.offset - this.#at
    this.#from += moved
    this.#at += moved
    return decoded
  }

  /** Takes note of how far the file was read. */
  #take(some: Pick<Decoded, "batch" | "bad" | "next" | "release">, base: Position, until: number) {
    const { batch, bad, next } = some
    const release = () => some.release()
    const [offset, ordinal] = [next.offset - base.offset, next.ordinal - base.ordinal]
    assert(offset > this.#offset, "a read goes forward")
    ;[this.#offset, this.#ordinal] = [offset, ordinal]
    this.#fingerprint = fingerprintOf(this.#head, offset)
    const isAtEnd = offset === until
    if (isAtEnd) {
      ;[this.#bytes, this.#from, this.#to, this.#at] = [NO_BYTES, 0, 0, offset]
      this.#partialBytes = 0
    }
    const progress = { offset, ordinal, fingerprint: this.#fingerprint, isAtEnd }
    return { batch, bad, next, nextInFile: { offset, ordinal }, progress, release }
  }
}

/** How many bytes of byte order mark a file begins with: only the first of a partition is the decoder's matter. */
function markBytes(bytes: Uint8Array): number {
  return BYTE_ORDER_MARK.every((byte, at) => bytes[at] === byte) ? BYTE_ORDER_MARK.length : 0
}

/** Holds a step's name to the closed list. */
function step<S extends FileSourceStep | FollowStep>(name: S): S {
  return name
}
