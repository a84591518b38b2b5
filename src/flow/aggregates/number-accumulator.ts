/**
 * An accumulator of one double a group, for inputs whose values are numbers. What adding and merging do is left to
 * each aggregate's own file, so that each has loops of its own.
 *
 * Invariant:
 * - NA1 A group without a value holds `identity`, which added to any value gives that value, bit for bit.
 */
import { assert } from "../../base/assert.ts"
import type { ByteReader, ByteWriter } from "../../base/bytes.ts"
import type { Column } from "../../batch/column.ts"
import type { ColumnType } from "../../batch/type.ts"
import type { Accumulator } from "./aggregate.ts"
import { grownFloat64, grownUint8 } from "./growth.ts"
import { isNumberType, writeNumbers, type NumberColumn } from "./numbers.ts"
import { readFlag, writePresence } from "./presence.ts"
import type { Run } from "./run.ts"

/** One double a group. */
export abstract class NumberAccumulator implements Accumulator {
  readonly identity: number
  /** By group. */
  values = new Float64Array(0)
  /** 1 for each group that has had a value; `null` where the input cannot be null. */
  presence: Uint8Array<ArrayBuffer> | null

  constructor(input: ColumnType, identity: number) {
    assert(isNumberType(input), "the input's values are numbers")
    this.identity = identity
    this.presence = input.isNullable ? new Uint8Array(0) : null
  }

  abstract add(run: Run, column: Column | undefined): void
  abstract merge(other: Accumulator, groups: Int32Array, count: number, onFailed: (group: number) => void): void

  reserve(capacity: number): void {
    if (capacity <= this.values.length) return
    this.values = grownFloat64(this.values, capacity, this.identity)
    if (this.presence !== null) this.presence = grownUint8(this.presence, capacity)
  }

  acceptsAll(_run: Run, _column: Column | undefined): boolean {
    return true
  }

  accepts(_group: number, _column: Column | undefined, _row: number): boolean {
    return true
  }

  /** Marks the groups that have a value in the other accumulator. */
  protected mergePresence(other: NumberAccumulator, groups: Int32Array, count: number): void {
    const { presence } = this
    if (presence === null) return
    assert(other.presence !== null, "both accumulators are of one definition")
    for (let index = 0; index < count; index++) presence[groups[index]!]! |= other.presence[index]!
  }

  writeResults(from: number, count: number, column: Column, at: number): void {
    writePresence(column, at, this.presence, from, count)
    writeNumbers(column as NumberColumn, at, this.values, from, count)
  }

  writeState(group: number, out: ByteWriter): void {
    if (this.presence !== null) {
      out.uint8(this.presence[group]!)
      if (this.presence[group] === 0) return
    }
    out.float64(this.values[group]!)
  }

  /** A group that has had a value never becomes one without: nothing is to be undone. */
  readState(group: number, from: ByteReader): void {
    const { presence } = this
    if (presence !== null && !readFlag(from)) return
    if (presence !== null) presence[group] = 1
    this.values[group] = from.float64()
  }
}
