/**
 * The bytes of a column chunk that are at hand: a window that moves forward over it, filled on request.
 *
 * Invariant:
 * - PW1 `bytes[from, to)` are the bytes of the file from `offset` on, and at least `SLACK_BYTES` more bytes lie behind.
 */
import { assert } from "../../base/assert.ts"
import type { WantedBytes } from "../container.ts"
import { SLACK_BYTES } from "./hybrid.ts"

/** How much is asked for at a time: bytes. Each question waits for the disk, so it is what most pages have. */
const FETCH_BYTES = 1024 * 1024

/** A window on one chunk after the other. */
export class PageWindow {
  bytes: Uint8Array = new Uint8Array(0)
  from = 0
  to = 0
  /** Where in the file `bytes[from]` lies. */
  offset = 0
  /** Where in the file the chunk ends. */
  end = 0
  #wantedBytes = 0

  /** Begins with the chunk that lies at [offset, end). */
  reset(offset: number, end: number): void {
    this.from = this.to = 0
    this.offset = offset
    this.end = end
  }

  /** How many bytes are at hand. */
  get length(): number {
    return this.to - this.from
  }

  /** How many bytes of the chunk are left, at hand or not. */
  get left(): number {
    return this.end - this.offset
  }

  /** Lets go of the next `count` bytes, at hand or not. */
  advance(count: number): void {
    assert(count <= this.left, "a window stays within its chunk")
    this.offset += count
    if (count < this.length) this.from += count
    else this.from = this.to = 0
  }

  /** What to read so that `count` bytes are at hand, and more where it costs little. */
  want(count: number): WantedBytes {
    assert(count > this.length && count <= this.left, "what is wanted is not at hand, and within the chunk")
    const length = Math.min(this.left, Math.max(count, FETCH_BYTES))
    if (length + SLACK_BYTES > this.bytes.length) {
      const grown = new Uint8Array(length + SLACK_BYTES)
      grown.set(this.bytes.subarray(this.from, this.to))
      this.bytes = grown
    } else this.bytes.copyWithin(0, this.from, this.to)
    this.to -= this.from
    this.from = 0
    this.#wantedBytes = length - this.to
    return { offset: this.offset + this.to, target: this.bytes.subarray(this.to, length) }
  }

  /** The bytes wanted are there. */
  supplied(): void {
    this.to += this.#wantedBytes
    this.#wantedBytes = 0
  }
}
