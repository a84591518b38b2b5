/**
 * How the values of one key column become words of 32 bits, and values again. Equal values have equal words.
 *
 *     bit, int32    one word
 *     int64         two words, low one first
 *     float64       the two words of the double; −0 counts as +0, and every NaN is one
 *     dictionary    one word: the code in a dictionary of the key table's own
 *
 * Keys compare like those of a JavaScript `Map` (SameValueZero).
 */
import { unreachable } from "../../../base/assert.ts"
import type { ByteReader, ByteWriter } from "../../../base/bytes.ts"
import type { Column, DictionaryColumn } from "../../../batch/column.ts"
import { Dictionary } from "../../../batch/dictionary.ts"
import type { ColumnType, Storage } from "../../../batch/type.ts"
import { readKeyValue } from "./key-value.ts"
import { CodeCache } from "./code-cache.ts"
import type { KeyPartLayout } from "./key-layout.ts"

/** The high word of the one NaN that there is among keys; its low word is 0. */
export const NAN_HIGH = 0x7ff80000

/** Where keys' words are: key `index` has word `w` of a column at `start + index * stride + at + w` of the array. */
export interface WordLayout {
  readonly words: Int32Array
  readonly start: number
  readonly stride: number
}

/** One column of a composite key. */
export class KeyColumn implements KeyPartLayout {
  readonly type: ColumnType
  /** Of its values that are not null. */
  readonly #valueType: ColumnType
  readonly at: number
  readonly width: number
  readonly nullBit: number
  /** The texts of the keys, where they are texts. */
  readonly dictionary: Dictionary | null
  /** What is known about the codes that batches bring; `null` where each code is asked for once. */
  readonly #codes: CodeCache | null
  /** The arena's memory. */
  readonly #memory: Int32Array
  readonly #double = new Float64Array(1)
  readonly #doubleWords = new Int32Array(this.#double.buffer)

  constructor(type: ColumnType, layout: KeyPartLayout, codes: CodeCache | null, memory: Int32Array) {
    this.type = type
    this.#valueType = type.required()
    this.at = layout.at
    this.width = layout.width
    this.nullBit = layout.nullBit
    const isText = type.storage === "dictionary"
    this.dictionary = isText ? Dictionary.of(type.definition.symbols ?? []) : null
    this.#codes = codes
    this.#memory = memory
  }

  get storage(): Storage {
    return this.type.storage
  }

  /**
   * Writes the words of row `rows[from + i]`, or of row `from + i` where there is no list, for key `i`. Those of null
   * rows are 0, and their null bit is set.
   */
  encode(column: Column, rows: Int32Array | null, from: number, end: number, layout: WordLayout): void {
    const { words, start, stride } = layout
    const { validity } = column
    const codes = column.storage === "dictionary" ? this.codesOf(column.dictionary) : 0
    for (let index = from, to = start + this.at; index < end; index++, to += stride) {
      const row = rows === null ? index : rows[index]!
      if (validity !== null && ((validity[row >> 3]! >> (row & 7)) & 1) === 0) {
        words[to] = 0
        if (this.width === 2) words[to + 1] = 0
        words[to - this.at]! |= this.nullBit
        continue
      }
      switch (column.storage) {
        case "bit":
          words[to] = (column.values[row >> 3]! >> (row & 7)) & 1
          break
        case "int32":
          words[to] = column.values[row]!
          break
        case "int64":
          words[to] = column.halves[row * 2]!
          words[to + 1] = column.halves[row * 2 + 1]!
          break
        case "float64":
          this.#encodeDouble(column.values[row]!, words, to)
          break
        case "dictionary":
          words[to] = this.#ownCode(column, row, codes)
          break
        case "struct":
          throw new TypeError("objects are no keys")
        default:
          unreachable(column, "a key column")
      }
    }
  }

  #encodeDouble(value: number, words: Int32Array, to: number): void {
    // Adding +0 turns −0 into +0.
    this.#double[0] = value + 0
    const isNumber = value === value
    words[to] = isNumber ? this.#doubleWords[0]! : 0
    words[to + 1] = isNumber ? this.#doubleWords[1]! : NAN_HIGH
  }

  /** @param codes where the cache, if there is one, has what is known about the dictionary's codes. */
  #ownCode({ dictionary, values }: DictionaryColumn, row: number, codes: number): number {
    const code = values[row]!
    const place = codes + CodeCache.placeOf(code)
    const known = this.#codes === null ? 0 : this.#memory[place]!
    if (known !== 0) return known - 1
    const bytes = dictionary.bytes(code)
    const own = this.dictionary!.codeOfBytes(bytes, 0, bytes.length)
    if (this.#codes !== null) this.#memory[place] = own + 1
    return own
  }

  /** Writes the values of keys `ids[from]` … `ids[from + count − 1]` to rows `at` …. */
  decode(layout: WordLayout, ids: Int32Array, from: number, count: number, column: Column, at: number): void {
    const { words, start, stride } = layout
    if (column.storage === "dictionary") column.dictionary = this.dictionary!
    for (let index = 0; index < count; index++) {
      const row = at + index
      const key = start + ids[from + index]! * stride
      const isNull = this.nullBit !== 0 && (words[key]! & this.nullBit) !== 0
      if (column.validity !== null) {
        if (isNull) column.validity[row >> 3]! &= ~(1 << (row & 7))
        else column.validity[row >> 3]! |= 1 << (row & 7)
      }
      this.#decodeOne(words, key + this.at, column, row)
    }
  }

  #decodeOne(words: Int32Array, from: number, column: Column, row: number): void {
    switch (column.storage) {
      case "bit":
        if (words[from] === 1) column.values[row >> 3]! |= 1 << (row & 7)
        else column.values[row >> 3]! &= ~(1 << (row & 7))
        return
      case "int32":
      case "dictionary":
        column.values[row] = words[from]!
        return
      case "int64":
        column.halves[row * 2] = words[from]!
        column.halves[row * 2 + 1] = words[from + 1]!
        return
      case "float64":
        this.#doubleWords[0] = words[from]!
        this.#doubleWords[1] = words[from + 1]!
        column.values[row] = this.#double[0]!
        return
      case "struct":
        throw new TypeError("objects are no keys")
      default:
        unreachable(column, "a key column")
    }
  }

  /** Gives the words at `from` of another table's key the meaning that they have here, where codes differ. */
  adopt(other: KeyColumn, words: Int32Array, from: number): void {
    if (this.dictionary === null) return
    const bytes = other.dictionary!.bytes(words[from + this.at]!)
    words[from + this.at] = this.dictionary.codeOfBytes(bytes, 0, bytes.length)
  }

  /** Writes the value with the words at `from`, which is not null, in the form of `key-value.ts`. */
  writeState(words: Int32Array, from: number, out: ByteWriter): void {
    const { storage } = this.type
    const low = words[from + this.at]!
    const high = words[from + this.at + 1]!
    if (storage === "bit") out.uint8(low)
    else if (storage === "dictionary") out.bytes(this.dictionary!.bytes(low))
    else out.halves(low, storage === "int32" ? low >> 31 : high)
  }

  /**
   * Reads a value into the words at `from`.
   *
   * @throws RangeError or TypeError where the bytes are no value of the column.
   */
  readState(words: Int32Array, from: number, reader: ByteReader): void {
    const value = readKeyValue(this.#valueType, reader)
    const to = from + this.at
    switch (this.type.storage) {
      case "bit":
        words[to] = value === true ? 1 : 0
        return
      case "dictionary":
        words[to] = this.dictionary!.codeOf(value as string)
        return
      case "int32":
        words[to] = value as number
        return
      case "int64": {
        if (typeof value === "number") {
          words[to] = value
          words[to + 1] = Math.floor(value / 2 ** 32)
          return
        }
        const bits = BigInt(value as bigint)
        words[to] = Number(BigInt.asIntN(32, bits))
        words[to + 1] = Number(bits >> 32n)
        return
      }
      default:
        this.#encodeDouble(value as number, words, to)
    }
  }

  /** Where what is known about a dictionary's codes is, as a place in the arena's memory; 0 where nothing is kept. */
  codesOf(dictionary: Dictionary): number {
    return this.#codes?.of(dictionary) ?? 0
  }

  /** Gives the memory back that it holds. */
  release(): void {
    this.#codes?.release()
  }
}
