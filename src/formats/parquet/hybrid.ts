/**
 * The hybrid of run lengths and bit packing in which Parquet writes levels, dictionary indexes and booleans.
 *
 *   header: a varint h
 *   h even: h / 2 times the value that follows in ⌈width / 8⌉ bytes
 *   h odd: (h − 1) / 2 groups of eight values, `width` bits each, from the lowest bit of each byte on
 *
 * Invariant:
 * - HY1 Values are read in any numbers at a time with the same result; what the bytes do not hold is refused.
 */
import { CutShort, demand } from "./malformed.ts"

/** Reads values of a fixed width, one after the other. */
export class HybridReader {
  readonly #bytes: Uint8Array
  readonly #end: number
  readonly #width: number
  #at: number
  /** How many values are left of all, and of the current run. */
  #remaining: number
  #left = 0
  /** The value of a run of equal ones; -1 in a run of packed ones. */
  #value = -1
  /** Where the next packed value starts: bits from `#at`, which is where the packed run starts. */
  #bit = 0
  /** Where the next run starts. */
  #next: number

  /**
   * @param width of a value in bits, 0 to 32.
   * @param count how many values there are.
   */
  constructor(bytes: Uint8Array, at: number, end: number, width: number, count: number) {
    demand(width <= 32, "packed values have more than 32 bits")
    this.#bytes = bytes
    this.#at = at
    this.#next = at
    this.#end = end
    this.#width = width
    this.#remaining = count
  }

  /** Reads `count` values to `target[0, count)`; those of 32 bits as int32. */
  read(count: number, target: Int32Array): void {
    for (let done = 0; done < count;) {
      if (this.#left === 0) this.#beginRun()
      const some = Math.min(this.#left, count - done)
      if (this.#value >= 0 || this.#width === 0) target.fill(Math.max(0, this.#value), done, done + some)
      else this.#unpack(some, target, done)
      this.#left -= some
      this.#remaining -= some
      done += some
    }
  }

  /** Reads `count` values of one bit to bits [0, count) of `target`, which are clear. */
  readBits(count: number, target: Uint8Array): void {
    for (let done = 0; done < count;) {
      if (this.#left === 0) this.#beginRun()
      const some = Math.min(this.#left, count - done)
      if (this.#value === 1) setBits(target, done, some)
      else if (this.#value < 0) {
        this.#demandPacked(some)
        orBits(this.#bytes, this.#at * 8 + this.#bit, target, done, some)
        this.#bit += some
      }
      this.#left -= some
      this.#remaining -= some
      done += some
    }
  }

  /** Passes over `count` values. */
  skip(count: number): void {
    for (let done = 0; done < count;) {
      if (this.#left === 0) this.#beginRun()
      const some = Math.min(this.#left, count - done)
      if (this.#value < 0) {
        this.#demandPacked(some)
        this.#bit += some * this.#width
      }
      this.#left -= some
      this.#remaining -= some
      done += some
    }
  }

  #beginRun(): void {
    this.#at = this.#next
    let header = 0
    for (let factor = 1, count = 0; ; factor *= 128, count++) {
      if (this.#at >= this.#end) throw new CutShort("a run of values")
      const byte = this.#bytes[this.#at++]!
      header += (byte & 0x7f) * factor
      if (byte < 0x80) break
      demand(count < 4, "a run of values has too long a header")
    }
    demand(header > 1, "a run of values is empty")
    if (header % 2 === 0) this.#beginEqual(header / 2)
    else {
      this.#value = -1
      this.#bit = 0
      this.#left = ((header - 1) / 2) * 8
      this.#next = this.#at + ((header - 1) / 2) * this.#width
    }
  }

  #beginEqual(count: number): void {
    const byteCount = (this.#width + 7) >> 3
    if (this.#at + byteCount > this.#end) throw new CutShort("a run of values")
    let value = 0
    for (let index = 0; index < byteCount; index++) value += this.#bytes[this.#at + index]! * 2 ** (8 * index)
    demand(value < 2 ** Math.min(31, this.#width), "a run has a value that does not fit its width")
    demand(count <= this.#remaining, "a run is longer than what it is a part of")
    this.#left = count
    this.#value = value
    this.#next = this.#at + byteCount
  }

  /** The last group of a page may be cut behind the last value that counts. */
  #demandPacked(count: number): void {
    if (this.#at * 8 + this.#bit + count * this.#width > this.#end * 8) throw new CutShort("a run of packed values")
  }

  #unpack(count: number, target: Int32Array, to: number): void {
    this.#demandPacked(count)
    unpack(this.#bytes, this.#at * 8 + this.#bit, this.#width, count, target, to)
    this.#bit += count * this.#width
  }
}

/** How many bytes may be read behind the last packed value: whoever unpacks, has them behind its bytes. */
export const SLACK_BYTES = 8

/**
 * Unpacks `count` values of `width` bits from bit `from` of `bytes` on to `target[to, to + count)`. It may read, and not
 * use, `SLACK_BYTES` behind the last.
 */
export function unpack(
  bytes: Uint8Array,
  from: number,
  width: number,
  count: number,
  target: Int32Array,
  to: number,
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const mask = width === 32 ? -1 : 2 ** width - 1
  let bit = from
  if (width <= 25) {
    // Four bytes hold a value, wherever within its first byte it starts.
    for (let index = to, end = to + count; index < end; index++, bit += width) {
      target[index] = (view.getUint32(Math.floor(bit / 8), true) >>> (bit % 8)) & mask
    }
    return
  }
  for (let index = to, end = to + count; index < end; index++, bit += width) {
    const at = Math.floor(bit / 8)
    const shift = bit % 8
    const low = view.getUint32(at, true) >>> shift
    target[index] = (shift === 0 ? low : low | (view.getUint8(at + 4) << (32 - shift))) & mask
  }
}

/** Sets bits [from, from + count) of `target`. */
function setBits(target: Uint8Array, from: number, count: number): void {
  const end = from + count
  let bit = from
  for (; bit < end && (bit & 7) !== 0; bit++) target[bit >> 3]! |= 1 << (bit & 7)
  if (end - bit >= 8) {
    target.fill(0xff, bit >> 3, end >> 3)
    bit = end & ~7
  }
  for (; bit < end; bit++) target[bit >> 3]! |= 1 << (bit & 7)
}

/** Copies `count` bits from bit `from` of `source` on to bit `to` of `target` and on, which are clear. */
export function orBits(source: Uint8Array, from: number, target: Uint8Array, to: number, count: number): void {
  const end = to + count
  let bit = to
  let own = from
  for (; bit < end && (bit & 7) !== 0; bit++, own++) {
    target[bit >> 3]! |= ((source[Math.floor(own / 8)]! >> (own % 8)) & 1) << (bit & 7)
  }
  const shift = own % 8
  let at = Math.floor(own / 8)
  const wholeEnd = bit + ((end - bit) & ~7)
  if (shift === 0) target.set(source.subarray(at, at + ((wholeEnd - bit) >> 3)), bit >> 3)
  else {
    for (let byte = bit >> 3, last = wholeEnd >> 3; byte < last; byte++, at++) {
      target[byte] = (source[at]! >> shift) | (source[at + 1]! << (8 - shift))
    }
  }
  own += wholeEnd - bit
  for (bit = wholeEnd; bit < end; bit++, own++) {
    target[bit >> 3]! |= ((source[Math.floor(own / 8)]! >> (own % 8)) & 1) << (bit & 7)
  }
}

/** How many of the bits [from, from + count) are set. */
export function countBits(bits: Uint8Array, from: number, count: number): number {
  const end = from + count
  let set = 0
  let bit = from
  for (; bit < end && (bit & 7) !== 0; bit++) set += (bits[bit >> 3]! >> (bit & 7)) & 1
  for (; bit + 8 <= end; bit += 8) set += ONES[bits[bit >> 3]!]!
  for (; bit < end; bit++) set += (bits[bit >> 3]! >> (bit & 7)) & 1
  return set
}

/** How many bits of a byte are set. */
const ONES = Uint8Array.from({ length: 256 }, (_, byte) => {
  let ones = 0
  for (let rest = byte; rest > 0; rest >>= 1) ones += rest & 1
  return ones
})
