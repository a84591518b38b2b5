/**
 * A lane of texts: those that occur, each once, and which of them each value is.
 *
 * | bytes | what |
 * |---|---|
 * | varint | how many texts; where there is none, every value is null, and nothing follows |
 * | lane of words | how many bytes each text has |
 * | varint | how many bytes the texts have together |
 * | 1 | 0 they follow as they are, 1 packed by Snappy (`../parquet/snappy.ts`) |
 * | varint, bytes | how many bytes follow; the texts, one behind the other, as UTF-8 |
 * | lane of words | the number of each value's text, 0 where it is null |
 *
 * Invariant:
 * - TL1 Each value is read back with its text. Its code is that of whatever dictionary it is read into.
 */
import type { ByteReader, ByteWriter } from "../../base/bytes.ts"
import type { DictionaryColumn } from "../../batch/column.ts"
import type { Dictionary } from "../../batch/dictionary.ts"
import { Malformed } from "../parquet/malformed.ts"
import { packSnappy } from "../parquet/snappy-packing.ts"
import { unpackSnappy } from "../parquet/snappy.ts"
import { isValidUtf8 } from "../utf8.ts"
import { Drift } from "./drift.ts"
import type { LaneScratch } from "./lane-scratch.ts"
import { numberBelow, readWordLane } from "./word-lane.ts"
import { WordLaneWriter } from "./word-lane-writer.ts"

/** Shorter texts are not packed. */
const PACKED_BYTES_MIN = 64
/** What Snappy makes of some bytes is at most so many times as long: copies of 64 bytes take 3. */
const SNAPPY_GROWTH_MAX = 22

/** Writes the blocks of a lane. */
export class TextLaneWriter {
  readonly #scratch: LaneScratch
  readonly #lengths: WordLaneWriter
  readonly #numbers: WordLaneWriter
  /** The texts of the block at hand. */
  #texts = new Uint8Array(4096)
  #length = 0
  readonly #drift = new Drift()
  #isPacked = false
  /** By code of the dictionary at hand: the number that its text has in the block of `#stamps`. */
  #numberOf = new Int32Array(0)
  #stamps = new Int32Array(0)
  #stamp = 0

  constructor(scratch: LaneScratch) {
    this.#scratch = scratch
    this.#lengths = new WordLaneWriter(scratch)
    this.#numbers = new WordLaneWriter(scratch)
  }

  /** Appends codes, at least one; the codes become numbers. */
  write(out: ByteWriter, codes: Int32Array, count: number, dictionary: Dictionary): void {
    const { highs: lengths } = this.#scratch
    const known = this.#number(codes, count, dictionary, lengths)
    out.varint(known)
    this.#lengths.write(out, lengths, known)
    this.#writeTexts(out, this.#texts.subarray(0, this.#length))
    this.#numbers.write(out, codes, count)
  }

  /** Appends a lane all of whose values are null. */
  writeNone(out: ByteWriter): void {
    out.varint(0)
  }

  /** Turns codes into numbers, and gathers the texts and their lengths; gives how many there are. */
  #number(codes: Int32Array, count: number, dictionary: Dictionary, lengths: Int32Array): number {
    const { size } = dictionary
    if (size > this.#stamps.length) {
      this.#stamps = new Int32Array(Math.max(size, 2 * this.#stamps.length))
      this.#numberOf = new Int32Array(this.#stamps.length)
      this.#stamp = 0
    }
    const [stamps, numberOf] = [this.#stamps, this.#numberOf]
    const stamp = ++this.#stamp
    let known = 0
    let length = 0
    for (let index = 0; index < count; index++) {
      const code = codes[index]!
      if (stamps[code] !== stamp) {
        stamps[code] = stamp
        numberOf[code] = known
        const end = this.#copyText(dictionary, code, length)
        lengths[known++] = end - length
        length = end
      }
      codes[index] = numberOf[code]!
    }
    this.#length = length
    return known
  }

  /** Copies a text behind the others; gives where it ends. */
  #copyText(dictionary: Dictionary, code: number, at: number): number {
    const end = dictionary.copyText(code, this.#texts, at)
    if (end >= 0) return end
    const longer = new Uint8Array(2 * this.#texts.length + dictionary.bytes(code).length)
    longer.set(this.#texts)
    this.#texts = longer
    return dictionary.copyText(code, longer, at)
  }

  #writeTexts(out: ByteWriter, texts: Uint8Array): void {
    out.varint(texts.length)
    const isTried = (this.#drift.isDue || this.#isPacked) && texts.length >= PACKED_BYTES_MIN
    const packed = isTried ? packSnappy(texts) : texts
    this.#isPacked = packed.length < texts.length
    out.uint8(this.#isPacked ? 1 : 0)
    out.bytes(this.#isPacked ? packed : texts)
    this.#drift.wrote(Math.min(packed.length, texts.length), texts.length)
  }
}

/**
 * Reads a block of a lane: `count` codes, at least one, of texts that are in the column's dictionary then.
 *
 * @throws RangeError where the bytes are none.
 */
export function readTextLane(
  from: ByteReader,
  { values, dictionary }: DictionaryColumn,
  count: number,
  scratch: LaneScratch,
): void {
  const known = from.varint()
  if (known > count) throw new RangeError(`${count} values have ${known} texts`)
  if (known === 0) {
    values.fill(0, 0, count)
    return
  }
  // Lanes of words are read by way of parts and lengths: what is kept meanwhile lies elsewhere.
  const { highs: codes } = scratch
  readWordLane(from, codes, known, scratch)
  const texts = readTexts(from)
  let start = 0
  for (let number = 0; number < known; number++) {
    const end = start + codes[number]!
    if (end < start || end > texts.length) throw new RangeError("a text ends behind the texts")
    if (!isValidUtf8(texts, start, end)) throw new RangeError("a text is not UTF-8")
    codes[number] = dictionary.codeOfBytes(texts, start, end)
    start = end
  }
  if (start !== texts.length) throw new RangeError("texts are left over")
  readWordLane(from, values, count, scratch)
  for (let index = 0; index < count; index++) values[index] = codes[numberBelow(values[index]!, known)]!
}

function readTexts(from: ByteReader): Uint8Array {
  const length = from.varint()
  const isPacked = from.uint8() === 1
  const bytes = from.bytes()
  if (length > bytes.length * (isPacked ? SNAPPY_GROWTH_MAX : 1))
    throw new RangeError(`${length} bytes of texts are none`)
  if (!isPacked) return bytes.subarray(0, length)
  const texts = new Uint8Array(length)
  try {
    unpackSnappy(bytes, 0, bytes.length, texts, length)
  } catch (cause) {
    if (cause instanceof Malformed) throw new RangeError("texts are not what Snappy makes", { cause })
    throw cause
  }
  return texts
}
