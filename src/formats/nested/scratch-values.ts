/**
 * A column outside of any arena, into which the readers of flat columns put values that are parts of others; from there they come
 * as values of JavaScript.
 */
import { allocateColumn, readValue, type Column } from "../../batch/column.ts"
import { Invalid, type ColumnType } from "../../batch/type.ts"
import { FieldReader } from "../field-reader.ts"
import { Faults } from "../parquet/faults.ts"

/** Blocks start at a multiple of so many bytes. */
const ALIGNMENT = 64

/** What a value takes besides its text. */
const VALUE_BYTES = 16

/** So many values are read at a time. */
export const SCRATCH_VALUES = 1024

/** See the head of this file. */
export class ScratchValues {
  readonly reader: FieldReader
  readonly faults = new Faults()
  readonly #column: Column

  constructor(type: ColumnType) {
    // Whoever has placed the values among nulls knows these.
    const required = type.required()
    this.reader = new FieldReader("", "", required)
    let used = 0
    const buffer = new ArrayBuffer(roomFor(required))
    const allocate = (bytes: number) => {
      const offset = used
      used += Math.ceil(bytes / ALIGNMENT) * ALIGNMENT
      return { offset, bytes }
    }
    this.#column = allocateColumn({ buffer, allocate }, required, SCRATCH_VALUES, [])
  }

  /** Makes ready for other values. */
  begin(): void {
    this.reader.bind(this.#column)
    this.faults.clear()
  }

  /**
   * Appends the first `count` values to a list: what is wrong with one in its place, and null for those that are not there. Gives about
   * how many bytes all have, and each.
   */
  appendTo(values: unknown[], sizes: Int32Array, count: number, isThere: (index: number) => boolean = always): number {
    this.reader.countRows(count)
    const { places, reasons } = this.faults
    const first = values.length
    for (let index = 0; index < count; index++) values.push(isThere(index) ? undefined : null)
    places.forEach((place, index) => {
      if (values[first + place] === undefined) values[first + place] = new Invalid(reasons[index]!)
    })
    const column = this.#column
    let bytes = 0
    for (let index = 0; index < count; index++) {
      const isValue = values[first + index] === undefined
      const isText = isValue && column.storage === "dictionary"
      if (isValue) values[first + index] = readValue(column, index)
      sizes[index] = VALUE_BYTES + (isText ? this.reader.dictionary.bytes(column.values[index]!).length : 0)
      bytes += sizes[index]!
    }
    return bytes
  }
}

function always(): boolean {
  return true
}

function roomFor({ definition }: ColumnType): number {
  const own = SCRATCH_VALUES * 9 + 2 * ALIGNMENT
  return (definition.fields ?? []).reduce((sum, { type }) => sum + roomFor(type), own)
}
