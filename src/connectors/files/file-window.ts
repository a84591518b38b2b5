/**
 * A window that moves forward over a file: the bytes at hand, and the next ones already on their way.
 *
 * Memory is two buffers: the window, which grows only where a record does not fit it, and one read ahead. The next bytes
 * are asked for as soon as the last ones have come, so that the disk works while the caller decodes.
 *
 * Invariants:
 * - R1 `bytes[from, to)` are the bytes of the file from `offset` on.
 * - R2 At most one read is under way.
 * - R3 `isAtEnd` only after the file was seen to end at the window's end.
 */
import { assert } from "../../base/assert.ts"
import type { DiskFile } from "../../env/env.ts"
import type { FileSourceStep } from "./steps.ts"

/** How much is read at a time: bytes. */
export const READ_BYTES = 256 * 1024

const READ_STEP: FileSourceStep = "source.read"

/** What became of a read ahead. It is asked later, so a failure waits in a value. */
type ReadOutcome = { readonly count: number } | { readonly error: unknown }

/** A file, as far as windows read it. */
export type ReadableFile = Pick<DiskFile, "read" | "size" | "close">

/** The bytes of a file from some offset on. */
export class FileWindow {
  readonly #file: ReadableFile
  #bytes: Uint8Array
  #from = 0
  #to = 0
  #offset: number
  /** The file's size when last asked. */
  #size: number
  #isAtEnd = false
  #aheadBytes: Uint8Array | undefined
  #ahead: Promise<ReadOutcome> | undefined

  /** A window that begins at `offset`; `size` is the file's size as just seen. */
  constructor(file: ReadableFile, offset: number, size: number) {
    assert(offset <= size, "a window begins within its file")
    this.#file = file
    this.#offset = offset
    this.#size = size
    this.#bytes = new Uint8Array(Math.min(READ_BYTES, Math.max(1, size - offset)))
  }

  get bytes(): Uint8Array {
    return this.#bytes
  }

  /** How many bytes its buffers have. */
  get heldBytes(): number {
    return this.#bytes.length + (this.#aheadBytes?.length ?? 0)
  }

  /** The index of the first byte at hand. */
  get from(): number {
    return this.#from
  }

  /** One past the last byte at hand. */
  get to(): number {
    return this.#to
  }

  /** The offset of `bytes[from]` in the file. */
  get offset(): number {
    return this.#offset
  }

  /** Whether the file ends with the bytes at hand. */
  get isAtEnd(): boolean {
    return this.#isAtEnd
  }

  /** Lets go of the bytes before `offset`. */
  moveTo(offset: number): void {
    const step = offset - this.#offset
    assert(step >= 0 && step <= this.#to - this.#from, "a window moves forward over the bytes at hand")
    this.#from += step
    this.#offset = offset
  }

  /**
   * Adds the next bytes of the file to those at hand, or finds out that there are none.
   *
   * @returns `false` where the file has become shorter than it was: then nothing at hand is to be trusted.
   */
  async fetch(): Promise<boolean> {
    assert(!this.#isAtEnd, "nothing is fetched behind the end")
    if (this.#ahead === undefined && this.#nextOffset === this.#size) {
      this.#size = await this.#file.size()
      if (this.#size < this.#nextOffset) return false
      if (this.#size === this.#nextOffset) {
        this.#isAtEnd = true
        return true
      }
    }
    const expected = this.#expectedBytes
    this.#ahead ??= this.#readAhead()
    const outcome = await this.#ahead
    this.#ahead = undefined
    if ("error" in outcome) throw outcome.error
    if (outcome.count < expected) return false
    this.#append(this.#aheadBytes!.subarray(0, expected))
    if (this.#nextOffset < this.#size) this.#ahead = this.#readAhead()
    return true
  }

  /** Waits for the read under way, so that the file may be closed. */
  async settle(): Promise<void> {
    await this.#ahead
  }

  get #nextOffset(): number {
    return this.#offset + (this.#to - this.#from)
  }

  get #expectedBytes(): number {
    return Math.min(READ_BYTES, this.#size - this.#nextOffset)
  }

  #readAhead(): Promise<ReadOutcome> {
    const expected = this.#expectedBytes
    if ((this.#aheadBytes?.length ?? 0) < expected) this.#aheadBytes = new Uint8Array(expected)
    const target = this.#aheadBytes!.subarray(0, expected)
    return this.#file.read(target, this.#nextOffset, READ_STEP).then(
      (count) => ({ count }),
      (error: unknown) => ({ error }),
    )
  }

  #append(next: Uint8Array): void {
    const kept = this.#to - this.#from
    if (this.#to + next.length > this.#bytes.length) {
      const needed = kept + next.length
      const target = needed <= this.#bytes.length ? this.#bytes : new Uint8Array(grownSize(this.#bytes.length, needed))
      if (target === this.#bytes) target.copyWithin(0, this.#from, this.#to)
      else target.set(this.#bytes.subarray(this.#from, this.#to))
      this.#bytes = target
      this.#from = 0
      this.#to = kept
    }
    this.#bytes.set(next, this.#to)
    this.#to += next.length
  }
}

/** Grown by half at least, so that a record much longer than the window is not copied too often. */
function grownSize(size: number, needed: number): number {
  return Math.max(needed, Math.ceil(size * 1.5))
}
