/** Writes the blocks of one column: see `column-block.ts`. */
import { assert, unreachable } from "../../base/assert.ts"
import type { ByteWriter } from "../../base/bytes.ts"
import type { Column } from "../../batch/column.ts"
import type { ColumnType } from "../../batch/type.ts"
import { gatherBits, writeBitLane } from "./bit-lane.ts"
import { LANE_COUNT_MAX, type LaneScratch } from "./lane-scratch.ts"
import { TextLaneWriter } from "./text-lane.ts"
import { WideLaneWriter } from "./wide-lane-writer.ts"
import { WordLaneWriter } from "./word-lane-writer.ts"

/** The lane of the values, or of the fields of a struct. */
type ValueLanes =
  | { readonly kind: "bits" }
  | { readonly kind: "words"; readonly writer: WordLaneWriter }
  | { readonly kind: "pairs"; readonly writer: WideLaneWriter }
  | { readonly kind: "texts"; readonly writer: TextLaneWriter }
  | { readonly kind: "fields"; readonly writers: readonly ColumnWriter[] }

function lanesOf(type: ColumnType, scratch: LaneScratch): ValueLanes {
  const { storage, definition } = type
  switch (storage) {
    case "bit":
      return { kind: "bits" }
    case "int32":
      return { kind: "words", writer: new WordLaneWriter(scratch) }
    case "int64":
    case "float64":
      return { kind: "pairs", writer: new WideLaneWriter(scratch, storage === "float64") }
    case "dictionary":
      if (definition.symbols !== undefined) return { kind: "words", writer: new WordLaneWriter(scratch) }
      return { kind: "texts", writer: new TextLaneWriter(scratch) }
    case "struct": {
      const writers = (definition.fields ?? []).map((field) => new ColumnWriter(field.type, scratch))
      return { kind: "fields", writers }
    }
    default:
      return unreachable(storage, "a column's storage")
  }
}

/** See the head of this file. */
export class ColumnWriter {
  readonly #type: ColumnType
  readonly #scratch: LaneScratch
  readonly #lanes: ValueLanes
  readonly #bits = new Uint8Array(LANE_COUNT_MAX / 8)

  constructor(type: ColumnType, scratch: LaneScratch) {
    this.#type = type
    this.#scratch = scratch
    this.#lanes = lanesOf(type, scratch)
  }

  /** Appends the values of `count` rows, at least one: those of a list, or the first ones. */
  write(out: ByteWriter, column: Column, rows: Int32Array | null, count: number): void {
    const valid = this.#writeValidity(out, column, rows, count)
    const lanes = this.#lanes
    this.#scratch.begin(count)
    switch (lanes.kind) {
      case "bits":
        assert(column.storage === "bit", "a column is of its type")
        writeBitLane(out, this.#bits, count, gatherBits(column.values, rows, count, this.#bits))
        return
      case "words":
        lanes.writer.write(out, this.#gather(wordsOf(column), rows, count, 1, valid), count)
        return
      case "pairs":
        lanes.writer.write(out, this.#gather(pairsOf(column), rows, count, 2, valid), count)
        return
      case "texts":
        assert(column.storage === "dictionary", "a column is of its type")
        if (valid === 0) lanes.writer.writeNone(out)
        else lanes.writer.write(out, this.#gather(column.values, rows, count, 1, valid), count, column.dictionary)
        return
      case "fields":
        assert(column.storage === "struct", "a column is of its type")
        lanes.writers.forEach((writer, field) => writer.write(out, column.children[field]!, rows, count))
        return
    }
  }

  /** Copies values of so many words each to the scratch, so many of which are not null. */
  #gather(from: Int32Array, rows: Int32Array | null, count: number, words: 1 | 2, valid: number): Int32Array {
    if (valid < count) return this.#withoutNulls(from, rows, count, words)
    const { values } = this.#scratch
    if (rows === null) values.set(from.subarray(0, words * count))
    else if (words === 1) for (let index = 0; index < count; index++) values[index] = from[rows[index]!]!
    else {
      for (let index = 0; index < count; index++) {
        values[2 * index] = from[2 * rows[index]!]!
        values[2 * index + 1] = from[2 * rows[index]! + 1]!
      }
    }
    return values
  }

  /** Copies values of so many words each; those of nulls become the one before, so that what lies in their slots makes nothing longer. */
  #withoutNulls(from: Int32Array, rows: Int32Array | null, count: number, words: 1 | 2): Int32Array {
    const { values } = this.#scratch
    const bits = this.#bits
    let [low, high] = [0, 0]
    for (let index = 0; index < count; index++) {
      if (((bits[index >> 3]! >> (index & 7)) & 1) === 1) {
        const at = words * (rows === null ? index : rows[index]!)
        low = from[at]!
        high = from[at + words - 1]!
      }
      values[words * index] = low
      values[words * index + words - 1] = high
    }
    return values
  }

  /** Appends which values are not null, where that may be asked; gives how many are not. */
  #writeValidity(out: ByteWriter, { validity }: Column, rows: Int32Array | null, count: number): number {
    // A column of a nullable type may say by having no bitmap that none is null.
    const isFull = !this.#type.isNullable || validity === null
    if (isFull) this.#bits.fill(0xff)
    const valid = isFull ? count : gatherBits(validity, rows, count, this.#bits)
    if (!this.#type.isNullable) return count
    writeBitLane(out, this.#bits, count, valid)
    return valid
  }
}

function wordsOf(column: Column): Int32Array {
  assert(column.storage === "int32" || column.storage === "dictionary", "a column is of its type")
  return column.values
}

function pairsOf(column: Column): Int32Array {
  if (column.storage === "int64") return column.halves
  assert(column.storage === "float64", "a column is of its type")
  return pairsOfDoubles(column.values)
}

/** Doubles as the words that they are made of. */
export function pairsOfDoubles(doubles: Float64Array): Int32Array {
  return new Int32Array(doubles.buffer, doubles.byteOffset, 2 * doubles.length)
}
