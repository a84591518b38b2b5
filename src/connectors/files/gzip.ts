/**
 * gzip (RFC 1952), of one member or more, by Node's zlib: a call decompresses what fits into the target and returns.
 *
 * Node has streams and promises of zlib, which work in other threads and so answer when they like, and calls that take all
 * bytes at once. What is between them, a call for the next bytes, its streams have as `_handle.writeSync`, on which npm's own
 * reader of archives rests, too (minizlib).
 */
import { constants, createGunzip } from "node:zlib"
import { assert } from "../../base/assert.ts"
import { DamagedError, type Decompressor } from "./decompressor.ts"

/** zlib's state behind Node's stream. */
interface Gunzip {
  readonly _handle: {
    onerror: (message: string, errno: number, code: string) => void
    writeSync(
      flush: number,
      input: Uint8Array,
      inputAt: number,
      inputBytes: number,
      output: Uint8Array,
      outputAt: number,
      outputBytes: number,
    ): void
    close(): void
  }
  /** What the last call has left: of the output, and of the input. */
  readonly _writeState: Uint32Array
}

/** zlib's window, and what it needs beside it. */
const HELD_BYTES = 48 * 1024

const NO_BYTES = new Uint8Array(0)

/** Decompresses gzip. */
export class GzipDecompressor implements Decompressor {
  readonly heldBytes = HELD_BYTES
  readonly #gunzip = createGunzip() as unknown as Gunzip
  #input: Uint8Array = NO_BYTES
  #at = 0
  #problem: string | undefined

  constructor() {
    this.#gunzip._handle.onerror = (message) => {
      this.#problem = message
    }
  }

  push(input: Uint8Array): void {
    assert(this.#at === this.#input.length, "bytes go in when those before are used up")
    this.#input = input
    this.#at = 0
  }

  pull(target: Uint8Array): number {
    while (this.#at < this.#input.length) {
      const before = this.#at
      const written = this.#write(constants.Z_NO_FLUSH, target)
      if (written > 0) return written
      // zlib stops before zeros behind a member, with which some writers fill blocks.
      if (this.#at === before) this.#skipZeros()
    }
    return 0
  }

  drain(target: Uint8Array): number {
    return this.#write(constants.Z_FINISH, target)
  }

  close(): void {
    this.#gunzip._handle.close()
  }

  #write(flush: number, target: Uint8Array): number {
    const { _handle, _writeState } = this.#gunzip
    const left = this.#input.length - this.#at
    _handle.writeSync(flush, this.#input, this.#at, left, target, 0, target.length)
    if (this.#problem !== undefined) throw new DamagedError(this.#problem)
    const [outputLeft, inputLeft] = _writeState
    this.#at += left - inputLeft!
    return target.length - outputLeft!
  }

  #skipZeros(): void {
    const first = this.#at
    while (this.#at < this.#input.length && this.#input[this.#at] === 0) this.#at++
    if (this.#at === first) throw new DamagedError("neither its bytes nor its end can be made sense of")
  }
}
