/** Values of any column type by group: what `first` and `last` keep. Numbers lie in doubles, all else in an array. */
import { assert } from "../../base/assert.ts"
import type { ByteReader, ByteWriter } from "../../base/bytes.ts"
import { readValue, writeValue, type Column } from "../../batch/column.ts"
import type { ColumnType } from "../../batch/type.ts"
import { grownFloat64 } from "./growth.ts"
import { isNumberType, readNumbers, writeNumbers, type NumberColumn } from "./numbers.ts"
import { readValueState, writeValueState } from "./value-codec.ts"

/** One value a group. It does not know which groups have one; asking for another's value is a mistake. */
export class ValueStore {
  readonly #type: ColumnType
  #numbers: Float64Array | null
  readonly #others: unknown[] = []
  readonly #row = new Int32Array(1)
  readonly #number = new Float64Array(1)

  constructor(type: ColumnType) {
    this.#type = type.required()
    this.#numbers = isNumberType(type) ? new Float64Array(0) : null
  }

  reserve(capacity: number): void {
    if (this.#numbers !== null && capacity > this.#numbers.length) {
      this.#numbers = grownFloat64(this.#numbers, capacity, 0)
    }
  }

  /** Takes the value of a row, which is not null, for a group. */
  take(group: number, column: Column, row: number): void {
    if (this.#numbers === null) {
      this.#others[group] = readValue(column, row)
      return
    }
    this.#row[0] = row
    readNumbers(column as NumberColumn, this.#row, 0, 1, this.#number)
    this.#numbers[group] = this.#number[0]!
  }

  /** Takes the value of another store's group. */
  copy(group: number, other: ValueStore, otherGroup: number): void {
    if (this.#numbers === null) {
      this.#others[group] = other.#others[otherGroup]
      return
    }
    assert(other.#numbers !== null, "both stores are of one type")
    this.#numbers[group] = other.#numbers[otherGroup]!
  }

  /** Writes the value of a group that has one to a row. */
  write(group: number, column: Column, row: number): void {
    if (this.#numbers === null) writeValue(column, row, this.#others[group])
    else writeNumbers(column as NumberColumn, row, this.#numbers, group, 1)
  }

  writeState(group: number, out: ByteWriter): void {
    const value = this.#numbers === null ? this.#others[group] : this.#numbers[group]!
    writeValueState(this.#type, value, out)
  }

  readState(group: number, from: ByteReader): void {
    const value = readValueState(this.#type, from)
    if (this.#numbers === null) this.#others[group] = value
    else this.#numbers[group] = value as number
  }
}
