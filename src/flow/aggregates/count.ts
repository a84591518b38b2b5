/** `count`: the number of records, whatever they hold. */
import { assert } from "../../base/assert.ts"
import type { ByteReader, ByteWriter } from "../../base/bytes.ts"
import type { Column } from "../../batch/column.ts"
import { ColumnType } from "../../batch/type.ts"
import { int53Type } from "../../batch/types/int53.ts"
import type { Accumulator, AggregateDefinition } from "./aggregate.ts"
import { grownFloat64 } from "./growth.ts"
import { writeNumbers, type NumberColumn } from "./numbers.ts"
import { writePresence } from "./presence.ts"
import type { Run } from "./run.ts"

class Counter implements Accumulator {
  #counts = new Float64Array(0)

  reserve(capacity: number): void {
    if (capacity > this.#counts.length) this.#counts = grownFloat64(this.#counts, capacity, 0)
  }

  acceptsAll(_run: Run, _column: Column | undefined): boolean {
    return true
  }

  accepts(_group: number, _column: Column | undefined, _row: number): boolean {
    return true
  }

  add(run: Run): void {
    const { groups, start, end } = run
    const counts = this.#counts
    for (let at = start; at < end; at++) counts[groups[at]!]! += 1
  }

  merge(other: Accumulator, groups: Int32Array, count: number): void {
    assert(other instanceof Counter, "both accumulators are of one definition")
    for (let index = 0; index < count; index++) this.#counts[groups[index]!]! += other.#counts[index]!
  }

  writeResults(from: number, count: number, column: Column, at: number): void {
    writePresence(column, at, null, from, count)
    writeNumbers(column as NumberColumn, at, this.#counts, from, count)
  }

  writeState(group: number, out: ByteWriter): void {
    out.varint(this.#counts[group]!)
  }

  readState(group: number, from: ByteReader): void {
    this.#counts[group] = from.varint()
  }
}

/** See the head of this file. */
export const count: AggregateDefinition = {
  resultType: (input) => (input === undefined ? new ColumnType(int53Type.definition) : undefined),
  accumulator: () => new Counter(),
}
