/**
 * A dictionary: distinct texts as UTF-8, numbered in order of arrival; the values of a dictionary column are codes.
 *
 * It grows while batches refer to it (Arrow's delta dictionaries): a code once given keeps its text. Decoders find a
 * code from bytes without making a string; a string is made at most once a code, when somebody asks for it.
 *
 * Invariants:
 * - I1 Codes are 0 … size − 1; equal texts have one code.
 * - I2 `text(code)` and the bytes of a code never change.
 */
import { assert } from "../base/assert.ts"

const encoder = new TextEncoder()
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/** Distinct texts and their codes. */
export class Dictionary {
  /** UTF-8 of all texts, one after the other. */
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(1024)
  /** Text `code` is `bytes[ends[code - 1], ends[code])`. */
  #ends: Uint32Array<ArrayBuffer> = new Uint32Array(64)
  #texts: (string | undefined)[] = []
  /** Open addressing: code + 1, or 0 where free. Its length is a power of two, at most half full. */
  #slots: Int32Array<ArrayBuffer> = new Int32Array(128)
  #hashes: Int32Array<ArrayBuffer> = new Int32Array(64)
  #size = 0

  /** A dictionary whose codes are fixed from the start. */
  static of(texts: readonly string[]): Dictionary {
    const dictionary = new Dictionary()
    for (const text of texts) dictionary.codeOf(text)
    return dictionary
  }

  /** How many texts it holds. */
  get size(): number {
    return this.#size
  }

  /** How many bytes its texts take as UTF-8. */
  get byteLength(): number {
    return this.#size === 0 ? 0 : this.#ends[this.#size - 1]!
  }

  /** The code of the text `source[start, end)`, which must be valid UTF-8; a new one where it is not yet known. */
  codeOfBytes(source: Uint8Array, start: number, end: number): number {
    let hash = 0x811c9dc5
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ source[at]!, 0x01000193)
    hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b)
    hash ^= hash >>> 13
    const mask = this.#slots.length - 1
    let slot = hash & mask
    for (let entry = this.#slots[slot]!; entry !== 0; entry = this.#slots[slot]!) {
      if (this.#hashes[entry - 1] === hash && this.#equals(entry - 1, source, start, end)) return entry - 1
      slot = (slot + 1) & mask
    }
    return this.#insert(source, start, end, hash, slot)
  }

  /** The code of a text; a new one where it is not yet known. A lone surrogate is stored as U+FFFD. */
  codeOf(text: string): number {
    const bytes = encoder.encode(text)
    return this.codeOfBytes(bytes, 0, bytes.length)
  }

  /** The text of a code. */
  text(code: number): string {
    assert(code >= 0 && code < this.#size, "a code comes from its dictionary")
    return (this.#texts[code] ??= decoder.decode(this.bytes(code)))
  }

  /** The UTF-8 bytes of a code: a view, valid until the dictionary grows. */
  bytes(code: number): Uint8Array {
    return this.#bytes.subarray(code === 0 ? 0 : this.#ends[code - 1]!, this.#ends[code]!)
  }

  #equals(code: number, source: Uint8Array, start: number, end: number): boolean {
    const from = code === 0 ? 0 : this.#ends[code - 1]!
    if (this.#ends[code]! - from !== end - start) return false
    const bytes = this.#bytes
    for (let at = start, own = from; at < end; at++, own++) if (bytes[own] !== source[at]) return false
    return true
  }

  #insert(source: Uint8Array, start: number, end: number, hash: number, slot: number): number {
    const code = this.#size
    const from = this.byteLength
    const to = from + (end - start)
    if (to > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(to, this.#bytes.length * 2))
      grown.set(this.#bytes.subarray(0, from))
      this.#bytes = grown
    }
    this.#bytes.set(source.subarray(start, end), from)
    if (code === this.#ends.length) {
      const ends = new Uint32Array(code * 2)
      ends.set(this.#ends)
      this.#ends = ends
      const hashes = new Int32Array(code * 2)
      hashes.set(this.#hashes)
      this.#hashes = hashes
    }
    this.#ends[code] = to
    this.#hashes[code] = hash
    this.#texts.push(undefined)
    this.#size = code + 1
    this.#slots[slot] = code + 1
    if (this.#size * 2 > this.#slots.length) this.#rehash()
    return code
  }

  #rehash(): void {
    const slots = new Int32Array(this.#slots.length * 2)
    const mask = slots.length - 1
    for (let code = 0; code < this.#size; code++) {
      let slot = this.#hashes[code]! & mask
      while (slots[slot] !== 0) slot = (slot + 1) & mask
      slots[slot] = code + 1
    }
    this.#slots = slots
  }
}
