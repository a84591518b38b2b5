/** A growing buffer that encoders write rows to. */
import type { OutputBuffer } from "../../formats/decoder.ts"

const INITIAL_BYTES = 16 * 1024

/** Bytes in memory on their way to a file. */
export class ByteBuffer implements OutputBuffer {
  length = 0
  bytes: Uint8Array = new Uint8Array(INITIAL_BYTES)

  reserve(count: number): void {
    const needed = this.length + count
    if (needed <= this.bytes.length) return
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2))
    grown.set(this.bytes.subarray(0, this.length))
    this.bytes = grown
  }

  /** What was written: a view that the next write may invalidate. */
  view(): Uint8Array {
    return this.bytes.subarray(0, this.length)
  }

  /** Forgets what was written and keeps the memory. */
  clear(): void {
    this.length = 0
  }
}
