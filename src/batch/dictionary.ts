/**
 * A dictionary: distinct texts as UTF-8, numbered in order of arrival; the values of a dictionary column are codes.
 *
 * It grows while batches refer to it (Arrow's delta dictionaries): a code once given keeps its text. Decoders find a
 * code from bytes without making a string; a string is made at most once a code, when somebody asks for it. How large
 * a dictionary may become is the business of whoever fills it: it looks at `size` and `byteLength` and starts another.
 *
 * The codes of a column lie in the arena; the texts lie on the garbage-collected heap, because batches share a
 * dictionary and whoever drops the last of them does not know it.
 *
 * Invariants:
 * - I1 Codes are 0 … size − 1; equal texts have one code.
 * - I2 `text(code)` and the bytes of a code never change.
 * - I3 A fixed dictionary takes no new text after those of its list.
 */
import { assert } from "../base/assert.ts"

const encoder = new TextEncoder()
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/** The seed and the factor of FNV-1a, as int32. */
export const FOLD_SEED = 0x811c9dc5 | 0
export const FOLD_PRIME = 0x01000193

const NO_BYTES = new Uint8Array(0)
/** One free slot that is never written: the table of an empty dictionary, so that making one costs next to nothing. */
const NO_SLOTS = new Int32Array(1)
/** Shorter texts are moved byte by byte where they are ASCII: the platform's coders cost more than that to call. */
const SHORT_BYTES = 24
/** Where short texts are encoded. */
const scratch = new Uint8Array(SHORT_BYTES)

const fixedDictionaries = new WeakMap<readonly string[], Dictionary>()

/** Distinct texts and their codes. */
export class Dictionary {
  /** UTF-8 of all texts, one after the other. */
  #bytes: Uint8Array<ArrayBuffer> = NO_BYTES
  /** Text `code` is `bytes[ends[code - 1], ends[code])`. */
  #ends = new Uint32Array(0)
  #texts: (string | undefined)[] = []
  /** Open addressing: code + 1, or 0 where free. Its length is a power of two, at most half full. */
  #slots: Int32Array<ArrayBuffer> = NO_SLOTS
  #hashes = new Int32Array(0)
  #size = 0
  #isFixed = false

  /** A dictionary that starts with some distinct texts, so that their codes are their places. */
  static of(texts: readonly string[]): Dictionary {
    const dictionary = new Dictionary()
    for (const text of texts) dictionary.codeOf(text)
    assert(dictionary.size === texts.length, "the first texts of a dictionary are distinct")
    return dictionary
  }

  /** The fixed dictionary of a closed list: one for all that ask with the same array, as it never changes. */
  static fixed(texts: readonly string[]): Dictionary {
    let dictionary = fixedDictionaries.get(texts)
    if (dictionary === undefined) {
      dictionary = Dictionary.of(texts)
      dictionary.#isFixed = true
      fixedDictionaries.set(texts, dictionary)
    }
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
    return this.codeOfHashedBytes(source, start, end, foldOf(source, start, end))
  }

  /**
   * The same for scanners that look at each byte anyway: `fold` starts as `FOLD_SEED` and is
   * `Math.imul(fold ^ byte, FOLD_PRIME)` after each byte of the text.
   */
  codeOfHashedBytes(source: Uint8Array, start: number, end: number, fold: number): number {
    const hash = finishHash(fold)
    const code = this.#find(source, start, end, hash)
    return code >= 0 ? code : this.#insert(source, start, end, hash)
  }

  /** The code of the text `source[start, end)`, or -1 where it is not known. */
  findBytes(source: Uint8Array, start: number, end: number): number {
    return this.#find(source, start, end, finishHash(foldOf(source, start, end)))
  }

  /** The code of a text; a new one where it is not yet known. A lone surrogate is stored as U+FFFD. */
  codeOf(text: string): number {
    const { length } = text
    if (length <= SHORT_BYTES) {
      let at = 0
      for (let unit = 0; at < length && (unit = text.charCodeAt(at)) < 0x80; at++) scratch[at] = unit
      if (at === length) return this.codeOfBytes(scratch, 0, length)
    }
    const bytes = encoder.encode(text)
    return this.codeOfBytes(bytes, 0, bytes.length)
  }

  /** The code of a text, or -1 where it is not known. A text with a lone surrogate is in no dictionary. */
  find(text: string): number {
    const bytes = encoder.encode(text)
    const code = this.findBytes(bytes, 0, bytes.length)
    return code >= 0 && this.text(code) === text ? code : -1
  }

  /** The text of a code. */
  text(code: number): string {
    assert(code >= 0 && code < this.#size, "a code comes from its dictionary")
    return this.#texts[code] ?? this.#decode(code)
  }

  /** The UTF-8 bytes of a code: a view, valid until the dictionary grows. */
  bytes(code: number): Uint8Array {
    assert(code >= 0 && code < this.#size, "a code comes from its dictionary")
    return this.#bytes.subarray(this.#startOf(code), this.#ends[code]!)
  }

  /** A copy of the UTF-8 of all texts from a code on, one after the other, and where each of them ends in it. */
  textsFrom(code: number): { readonly bytes: Uint8Array; readonly ends: Uint32Array } {
    const start = this.#startOf(code)
    const ends = this.#ends.slice(code, this.#size)
    for (let place = 0; place < ends.length; place++) ends[place]! -= start
    return { bytes: this.#bytes.slice(start, this.byteLength), ends }
  }

  /** Copies the UTF-8 bytes of a code to `target[at]`, and gives where they end; -1 where they do not fit. */
  copyText(code: number, target: Uint8Array, at: number): number {
    assert(code >= 0 && code < this.#size, "a code comes from its dictionary")
    const source = this.#bytes
    const end = this.#ends[code]!
    let from = this.#startOf(code)
    if (end - from > target.length - at) return -1
    let to = at
    while (from < end) target[to++] = source[from++]!
    return to
  }

  /**
   * Copies the texts of the codes from `first` to `last`, one behind the other, and where in `bytes` each starts, with the
   * end of the last one behind. There must be room.
   */
  copyTexts(first: number, last: number, bytes: Uint8Array, starts: Int32Array): void {
    assert(first >= 0 && first <= last && last < this.#size, "a code comes from its dictionary")
    const from = this.#startOf(first)
    bytes.set(this.#bytes.subarray(from, this.#ends[last]!))
    for (let code = first; code <= last; code++) starts[code - first + 1] = this.#ends[code]! - from
    starts[0] = 0
  }

  /** How many bytes the texts of the codes from `first` to `last` have. */
  bytesOfRange(first: number, last: number): number {
    return this.#ends[last]! - this.#startOf(first)
  }

  #startOf(code: number): number {
    return code === 0 ? 0 : this.#ends[code - 1]!
  }

  #decode(code: number): string {
    const text = textOf(this.#bytes, this.#startOf(code), this.#ends[code]!)
    this.#texts[code] = text
    return text
  }

  #find(source: Uint8Array, start: number, end: number, hash: number): number {
    const slots = this.#slots
    const mask = slots.length - 1
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const code = slots[slot]! - 1
      if (code < 0 || (this.#hashes[code] === hash && this.#equals(code, source, start, end))) return code
    }
  }

  #equals(code: number, source: Uint8Array, start: number, end: number): boolean {
    const from = this.#startOf(code)
    if (this.#ends[code]! - from !== end - start) return false
    const bytes = this.#bytes
    for (let at = start, own = from; at < end; at++, own++) if (bytes[own] !== source[at]) return false
    return true
  }

  #insert(source: Uint8Array, start: number, end: number, hash: number): number {
    assert(!this.#isFixed, "a fixed dictionary takes no new text")
    const code = this.#size
    const from = this.byteLength
    const to = from + (end - start)
    if (to > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(to, this.#bytes.length * 2, 256))
      grown.set(this.#bytes.subarray(0, from))
      this.#bytes = grown
    }
    const bytes = this.#bytes
    for (let at = start, own = from; at < end; at++, own++) bytes[own] = source[at]!
    if ((code + 1) * 2 > this.#slots.length) this.#growTables()
    this.#ends[code] = to
    this.#hashes[code] = hash
    this.#texts.push(undefined)
    this.#size = code + 1
    this.#place(code, hash)
    return code
  }

  #place(code: number, hash: number): void {
    const slots = this.#slots
    const mask = slots.length - 1
    let slot = hash & mask
    while (slots[slot] !== 0) slot = (slot + 1) & mask
    slots[slot] = code + 1
  }

  /** Doubles the slots, and makes room for as many codes as half of them. */
  #growTables(): void {
    const slotCount = Math.max(32, this.#slots.length * 2)
    const ends = new Uint32Array(slotCount / 2)
    ends.set(this.#ends)
    this.#ends = ends
    const hashes = new Int32Array(slotCount / 2)
    hashes.set(this.#hashes)
    this.#hashes = hashes
    this.#slots = new Int32Array(slotCount)
    for (let code = 0; code < this.#size; code++) this.#place(code, hashes[code]!)
  }
}

function foldOf(source: Uint8Array, start: number, end: number): number {
  let fold = FOLD_SEED
  for (let at = start; at < end; at++) fold = Math.imul(fold ^ source[at]!, FOLD_PRIME)
  return fold
}

/** FNV-1a needs a finaliser, because the table looks at the lowest bits only. */
function finishHash(fold: number): number {
  const hash = Math.imul(fold ^ (fold >>> 15), 0x85ebca6b)
  return hash ^ (hash >>> 13)
}

function textOf(bytes: Uint8Array, start: number, end: number): string {
  if (end - start <= SHORT_BYTES) {
    let text = ""
    let at = start
    for (; at < end && bytes[at]! < 0x80; at++) text += String.fromCharCode(bytes[at]!)
    if (at === end) return text
  }
  return decoder.decode(bytes.subarray(start, end))
}
