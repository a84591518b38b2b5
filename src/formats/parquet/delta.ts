/**
 * DELTA_BINARY_PACKED: whole numbers as differences from the one before, packed in blocks
 * (https://github.com/apache/parquet-format/blob/master/Encodings.md).
 *
 *   header: block size, miniblocks a block, number of values (varints), first value (zigzag varint)
 *   block: the least difference (zigzag varint), a byte a miniblock with its width in bits, the miniblocks: for each value
 *     its difference less the least one, in so many bits
 *
 * Sums wrap around at the type's width, in 64 bits as pairs of words: no bigint is made. Writers may reckon the differences of
 * values of 32 bits in more, and then a difference has up to 33: its low word is what counts.
 */
import { CutShort, demand } from "./malformed.ts"
import { unpack } from "./hybrid.ts"

/** Blocks of more values are refused; writers use 128 or 256. */
const BLOCK_VALUES_MAX = 1 << 20

/** Reads the numbers of a page, one after the other. */
export class DeltaReader {
  readonly #bytes: Uint8Array
  readonly #end: number
  #at: number
  /** How many words of 32 bits a value has. */
  readonly #words: 1 | 2
  readonly #miniblocks: number
  readonly #miniblockValues: number
  /** How many values there are, as the header says, and how many are left. */
  readonly count: number
  #left: number
  /** The value before the next; at first the first value itself. */
  #low = 0
  #high = 0
  #isFirst = true
  #leastLow = 0
  #leastHigh = 0
  /** The current miniblock: how many values are left in it, their width, and where the next one starts, in bits. */
  #miniLeft = 0
  #width = 0
  #bit = 0
  #miniIndex = 0
  /** Where the widths of the current block stand, and where the next miniblock starts. */
  #widthsAt = 0
  #varintLow = 0
  #varintHigh = 0
  #unpacked = new Int32Array(0)

  /** @param words 1 for values of 32 bits, 2 for those of 64. */
  constructor(bytes: Uint8Array, at: number, end: number, words: 1 | 2) {
    this.#bytes = bytes
    this.#at = at
    this.#end = end
    this.#words = words
    const blockValues = this.#small("block size")
    this.#miniblocks = this.#small("number of miniblocks")
    this.count = this.#small("number of values")
    this.#left = this.count
    demand(
      blockValues > 0 && blockValues <= BLOCK_VALUES_MAX && blockValues % 128 === 0,
      "blocks of deltas have no size",
    )
    demand(this.#miniblocks > 0 && blockValues % this.#miniblocks === 0, "blocks of deltas have no miniblocks")
    this.#miniblockValues = blockValues / this.#miniblocks
    demand(this.#miniblockValues % 32 === 0, "miniblocks of deltas have an odd size")
    this.#miniIndex = this.#miniblocks
    this.#zigzag()
    this.#low = this.#varintLow
    this.#high = this.#varintHigh
    demand(words === 2 || this.#high === this.#low >> 31, "the first of a page's numbers has more bits than its type")
  }

  /** Where the numbers end; to be asked when all were read. */
  get end(): number {
    return this.#at
  }

  /** Reads `count` values to `target[0, …)`, a word or two each. */
  read(count: number, target: Int32Array): void {
    demand(count <= this.#left, "a page has fewer numbers than rows")
    this.#left -= count
    let done = 0
    if (this.#isFirst && count > 0) {
      this.#isFirst = false
      this.#put(target, done++)
    }
    while (done < count) {
      if (this.#miniLeft === 0) this.#beginMiniblock()
      const some = Math.min(this.#miniLeft, count - done)
      if (this.#words === 1) this.#add32(some, target, done)
      else this.#add64(some, target, done)
      this.#miniLeft -= some
      done += some
    }
  }

  /** Passes over `count` values. */
  skip(count: number): void {
    const scratch = new Int32Array(Math.min(count, 1024) * this.#words)
    for (let left = count; left > 0; left -= 1024) this.read(Math.min(left, 1024), scratch)
  }

  #put(target: Int32Array, index: number): void {
    if (this.#words === 1) target[index] = this.#low
    else {
      target[2 * index] = this.#low
      target[2 * index + 1] = this.#high
    }
  }

  #add32(count: number, target: Int32Array, to: number): void {
    const width = this.#width
    if (width <= 32) unpack(this.#bytes, this.#bit, width, count, target, to)
    else unpackLows(this.#bytes, this.#bit, width, count, target, to)
    this.#bit += count * width
    const least = this.#leastLow
    let value = this.#low
    for (let index = to, end = to + count; index < end; index++) {
      value = (value + least + target[index]!) | 0
      target[index] = value
    }
    this.#low = value
  }

  #add64(count: number, target: Int32Array, to: number): void {
    const width = this.#width
    if (this.#unpacked.length < this.#miniblockValues * 2) this.#unpacked = new Int32Array(this.#miniblockValues * 2)
    const deltas = this.#unpacked
    if (width <= 32) unpack(this.#bytes, this.#bit, width, count, deltas, 0)
    else unpackPairs(this.#bytes, this.#bit, width, count, deltas)
    this.#bit += count * width
    const [leastLow, leastHigh] = [this.#leastLow, this.#leastHigh]
    let low = this.#low
    let high = this.#high
    for (let index = 0; index < count; index++) {
      const deltaLow = width <= 32 ? deltas[index]! : deltas[2 * index]!
      const deltaHigh = width <= 32 ? 0 : deltas[2 * index + 1]!
      // The words of three numbers, and what the lower ones carry: at most 2.
      const sum = (low >>> 0) + (leastLow >>> 0) + (deltaLow >>> 0)
      low = sum | 0
      high = (high + leastHigh + deltaHigh + Math.floor(sum / 0x1_0000_0000)) | 0
      target[2 * (to + index)] = low
      target[2 * (to + index) + 1] = high
    }
    this.#low = low
    this.#high = high
  }

  #beginMiniblock(): void {
    if (this.#miniIndex === this.#miniblocks) {
      this.#zigzag()
      this.#leastLow = this.#varintLow
      this.#leastHigh = this.#varintHigh
      const isDifference = this.#words === 2 || this.#leastHigh === 0 || this.#leastHigh === -1
      demand(isDifference, "a delta has more bits than a difference of its type")
      this.#widthsAt = this.#at
      this.#at += this.#miniblocks
      if (this.#at > this.#end) throw new CutShort("a block of deltas")
      this.#miniIndex = 0
    }
    const width = this.#bytes[this.#widthsAt + this.#miniIndex++]!
    demand(width <= (this.#words === 1 ? 33 : 64), "a delta has more bits than a difference of its type")
    this.#width = width
    this.#bit = this.#at * 8
    this.#at += (this.#miniblockValues * width) / 8
    this.#miniLeft = this.#miniblockValues
    if (this.#at > this.#end) throw new CutShort("a miniblock of deltas")
  }

  #small(what: string): number {
    this.#varint()
    demand(this.#varintHigh === 0 && this.#varintLow >= 0, `the ${what} of deltas is too great`)
    return this.#varintLow
  }

  #zigzag(): void {
    this.#varint()
    const sign = -(this.#varintLow & 1)
    this.#varintLow = ((this.#varintLow >>> 1) | (this.#varintHigh << 31)) ^ sign
    this.#varintHigh = (this.#varintHigh >>> 1) ^ sign
  }

  /** Reads a varint of 64 bits into two words. */
  #varint(): void {
    let low = 0
    let high = 0
    for (let shift = 0; ; shift += 7) {
      if (this.#at >= this.#end) throw new CutShort("a number")
      const byte = this.#bytes[this.#at++]!
      demand(shift < 63 || (shift === 63 && byte <= 1), "a number has more than 64 bits")
      const bits = byte & 0x7f
      if (shift < 32) low |= bits << shift
      if (shift >= 32) high |= bits << (shift - 32)
      else if (shift > 25) high |= bits >>> (32 - shift)
      if (byte < 0x80) break
    }
    this.#varintLow = low
    this.#varintHigh = high
  }
}

/** Unpacks the low words of values of 33 bits. */
function unpackLows(
  bytes: Uint8Array,
  from: number,
  width: number,
  count: number,
  target: Int32Array,
  to: number,
): void {
  for (let index = to, end = to + count, bit = from; index < end; index++, bit += width)
    target[index] = wordAt(bytes, bit)
}

/** Unpacks values of 33 to 64 bits to pairs of words. */
function unpackPairs(bytes: Uint8Array, from: number, width: number, count: number, target: Int32Array): void {
  const highMask = width === 64 ? -1 : 2 ** (width - 32) - 1
  for (let index = 0, bit = from; index < count; index++, bit += width) {
    target[2 * index] = wordAt(bytes, bit)
    target[2 * index + 1] = wordAt(bytes, bit + 32) & highMask
  }
}

/** The 32 bits from a bit on; bytes behind the end count as 0. */
function wordAt(bytes: Uint8Array, bit: number): number {
  const at = Math.floor(bit / 8)
  const shift = bit % 8
  const byte = (index: number) => bytes[at + index] ?? 0
  const word = byte(0) | (byte(1) << 8) | (byte(2) << 16) | (byte(3) << 24)
  return shift === 0 ? word : (word >>> shift) | (byte(4) << (32 - shift))
}
