/** The value of one record of each group, picked by event time: what `first` and `last` have in common. */
import { assert } from "../../base/assert.ts"
import type { ByteReader, ByteWriter } from "../../base/bytes.ts"
import { isValid, writeValue, type Column } from "../../batch/column.ts"
import type { ColumnType } from "../../batch/type.ts"
import type { Accumulator } from "./aggregate.ts"
import { grownFloat64 } from "./growth.ts"
import { readFlag } from "./presence.ts"
import type { Run } from "./run.ts"
import { ValueStore } from "./value-store.ts"

/** For each group a value that is not null, and its event time. */
export abstract class PickedValue implements Accumulator {
  /** Event times of the picked records; `never` where there is none. */
  #times = new Float64Array(0)
  readonly #never: number
  readonly #values: ValueStore

  /** @param never an infinite time to which every record's time is preferred. */
  constructor(input: ColumnType, never: number) {
    this.#never = never
    this.#values = new ValueStore(input)
  }

  /** Whether a record that arrives later is picked instead of the one at hand. */
  protected abstract prefers(time: number, picked: number): boolean

  reserve(capacity: number): void {
    this.#values.reserve(capacity)
    if (capacity > this.#times.length) this.#times = grownFloat64(this.#times, capacity, this.#never)
  }

  acceptsAll(_run: Run, _column: Column | undefined): boolean {
    return true
  }

  accepts(_group: number, _column: Column | undefined, _row: number): boolean {
    return true
  }

  add(run: Run, column: Column | undefined): void {
    assert(column !== undefined, "a picked value is of a column")
    const { rows, times, groups, start, end } = run
    for (let at = start; at < end; at++) {
      const group = groups[at]!
      const row = rows[at]!
      if (!this.prefers(times[at]!, this.#times[group]!) || !isValid(column, row)) continue
      this.#times[group] = times[at]!
      this.#values.take(group, column, row)
    }
  }

  merge(other: Accumulator, groups: Int32Array, count: number): void {
    assert(other instanceof PickedValue && other.#never === this.#never, "both accumulators are of one definition")
    for (let index = 0; index < count; index++) {
      const group = groups[index]!
      const time = other.#times[index]!
      if (time === this.#never || !this.prefers(time, this.#times[group]!)) continue
      this.#times[group] = time
      this.#values.copy(group, other.#values, index)
    }
  }

  writeResults(from: number, count: number, column: Column, at: number): void {
    for (let index = 0; index < count; index++) {
      const row = at + index
      if (this.#times[from + index] === this.#never) {
        writeValue(column, row, null)
        continue
      }
      if (column.validity !== null) column.validity[row >> 3]! |= 1 << (row & 7)
      this.#values.write(from + index, column, row)
    }
  }

  writeState(group: number, out: ByteWriter): void {
    const isPresent = this.#times[group] !== this.#never
    out.uint8(isPresent ? 1 : 0)
    if (!isPresent) return
    out.float64(this.#times[group]!)
    this.#values.writeState(group, out)
  }

  readState(group: number, from: ByteReader): void {
    if (!readFlag(from)) return
    const time = from.float64()
    if (!Number.isSafeInteger(time)) throw new RangeError(`${time} stands for an event time`)
    this.#times[group] = time
    this.#values.readState(group, from)
  }
}
