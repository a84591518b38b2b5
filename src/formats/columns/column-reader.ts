/** Reads the blocks of one column: see `column-block.ts`. */
import { unreachable } from "../../base/assert.ts"
import type { ByteReader } from "../../base/bytes.ts"
import { readInt53, type Column, type Int64Column } from "../../batch/column.ts"
import { BatchDictionaries } from "../batch-dictionaries.ts"
import type { ColumnType } from "../../batch/type.ts"
import { readBitLane } from "./bit-lane.ts"
import { pairsOfDoubles } from "./column-writer.ts"
import type { LaneScratch } from "./lane-scratch.ts"
import { readTextLane } from "./text-lane.ts"
import { readWideLane } from "./wide-lane.ts"
import { numberBelow, readWordLane } from "./word-lane.ts"

/** See the head of this file. */
export class ColumnReader {
  readonly #type: ColumnType
  readonly #scratch: LaneScratch
  readonly #fields: readonly ColumnReader[]
  readonly #dictionaries = new BatchDictionaries()

  constructor(type: ColumnType, scratch: LaneScratch) {
    this.#type = type
    this.#scratch = scratch
    this.#fields = (type.definition.fields ?? []).map((field) => new ColumnReader(field.type, scratch))
  }

  /**
   * Reads the values of the first `count` rows of a new column, at least one.
   *
   * @param outer which of the objects are not null that the values are in.
   *
   * @throws RangeError where the bytes are none.
   */
  read(from: ByteReader, column: Column, count: number, outer: readonly Uint8Array[] = []): void {
    const { validity } = column
    const hasNulls = validity !== null && !readBitLane(from, validity, count)
    const bitmaps = validity === null ? outer : [...outer, validity]
    switch (column.storage) {
      case "bit":
        readBitLane(from, column.values, count)
        return
      case "int32":
        readWordLane(from, column.values, count, this.#scratch)
        this.#checkRange(column.values, count, bitmaps)
        return
      case "int64":
        readWideLane(from, column.halves, count, this.#scratch)
        if (this.#type.definition.typeOf !== "bigint") this.#checkSafe(column, count, bitmaps)
        return
      case "float64":
        readWideLane(from, pairsOfDoubles(column.values), count, this.#scratch)
        return
      case "dictionary": {
        const { symbols } = this.#type.definition
        if (symbols === undefined) {
          column.dictionary = this.#dictionaries.next()
          readTextLane(from, column, count, this.#scratch)
          this.#dictionaries.countRows(count)
        } else {
          readWordLane(from, column.values, count, this.#scratch)
          for (let row = 0; row < count; row++) numberBelow(column.values[row]!, symbols.length)
        }
        if (hasNulls) clearNulls(validity, column.values, count)
        return
      }
      case "struct":
        this.#fields.forEach((field, index) => field.read(from, column.children[index]!, count, bitmaps))
        return
      default:
        unreachable(column, "a column")
    }
  }

  /** Kinds of fewer bits than their storage has only numbers of their range. */
  #checkRange(values: Int32Array, count: number, bitmaps: readonly Uint8Array[]): void {
    const { range } = this.#type.definition
    if (range === undefined) return
    for (let row = 0; row < count; row++) {
      if (isSet(bitmaps, row)) checkWithin(values[row]!, range.least, range.greatest)
    }
  }

  /** N4: numbers in 64 bits are safe integers. */
  #checkSafe({ halves }: Int64Column, count: number, bitmaps: readonly Uint8Array[]): void {
    const { least, greatest } = this.#type.definition.range ?? {
      least: Number.MIN_SAFE_INTEGER,
      greatest: Number.MAX_SAFE_INTEGER,
    }
    for (let row = 0; row < count; row++) {
      if (isSet(bitmaps, row)) checkWithin(readInt53(halves, row), least, greatest)
    }
  }
}

/** Whether a value is not null, and none of the objects that it is in: of others anything may lie in memory. */
function isSet(bitmaps: readonly Uint8Array[], row: number): boolean {
  for (const bits of bitmaps) if (((bits[row >> 3]! >> (row & 7)) & 1) === 0) return false
  return true
}

function checkWithin(value: number, least: number, greatest: number): void {
  if (!(value >= least && value <= greatest)) throw new RangeError(`${value} lies outside of its range`)
}

/** N2: the codes of nulls are 0. */
function clearNulls(validity: Uint8Array, codes: Int32Array, count: number): void {
  for (let row = 0; row < count; row++) if (((validity[row >> 3]! >> (row & 7)) & 1) === 0) codes[row] = 0
}
