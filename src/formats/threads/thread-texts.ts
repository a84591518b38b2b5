/**
 * The texts of a column as one thread numbers them, and what their codes are in the dictionary of whoever reads the
 * thread's batches: so that a column has one dictionary, however many threads decode it.
 */
import type { Dictionary } from "../../batch/dictionary.ts"
import type { NewTexts } from "./decode-messages.ts"

const UNKNOWN = -1

/** See the head of this file. */
export class ThreadTexts {
  #bytes = new Uint8Array(0)
  /** Text `code` is `bytes[ends[code - 1], ends[code])`. */
  #ends = new Uint32Array(0)
  #size = 0
  /** By the thread's code: that in `target`. */
  #codes = new Int32Array(0)
  #target: Dictionary | undefined

  /** Takes what the thread has told. */
  take({ isAnother, bytes, ends }: NewTexts): void {
    if (isAnother) this.#size = 0
    const { length } = ends
    if (length === 0) return
    const from = this.#size === 0 ? 0 : this.#ends[this.#size - 1]!
    const size = this.#size + length
    if (size > this.#ends.length) {
      const room = Math.max(size, this.#ends.length * 2, 64)
      const [longerEnds, longerCodes] = [new Uint32Array(room), new Int32Array(room)]
      longerEnds.set(this.#ends)
      longerCodes.set(this.#codes)
      this.#ends = longerEnds
      this.#codes = longerCodes
    }
    if (from + bytes.length > this.#bytes.length) {
      const longer = new Uint8Array(Math.max(from + bytes.length, this.#bytes.length * 2))
      longer.set(this.#bytes.subarray(0, from))
      this.#bytes = longer
    }
    this.#bytes.set(bytes, from)
    for (let place = 0; place < length; place++) this.#ends[this.#size + place] = from + ends[place]!
    this.#codes.fill(UNKNOWN, this.#size, size)
    this.#size = size
  }

  /** Turns the thread's codes into those of a dictionary, which gets the texts that it lacks. */
  translate(codes: Int32Array, target: Dictionary): void {
    // Without texts every value is null, and its code means nothing.
    if (this.#size === 0) return
    if (target !== this.#target) {
      this.#target = target
      this.#codes.fill(UNKNOWN)
    }
    const known = this.#codes
    for (let row = 0; row < codes.length; row++) {
      const code = codes[row]!
      const translated = known[code]!
      codes[row] = translated === UNKNOWN ? this.#add(code, target) : translated
    }
  }

  #add(code: number, target: Dictionary): number {
    const start = code === 0 ? 0 : this.#ends[code - 1]!
    return (this.#codes[code] = target.codeOfBytes(this.#bytes, start, this.#ends[code]!))
  }
}
