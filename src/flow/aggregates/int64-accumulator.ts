/**
 * An accumulator of one int64 a group. The two words of each stand in `halves` (low word first): the hot loops work on
 * them, because bigints would be allocated.
 */
import { assert } from "../../base/assert.ts"
import type { ByteReader, ByteWriter } from "../../base/bytes.ts"
import type { Column, Int64Column } from "../../batch/column.ts"
import type { ColumnType } from "../../batch/type.ts"
import type { Accumulator } from "./aggregate.ts"
import { grownUint8 } from "./growth.ts"
import { readFlag, writePresence } from "./presence.ts"
import type { Run } from "./run.ts"

/** One int64 a group. */
export abstract class Int64Accumulator implements Accumulator {
  /** What a group without a value holds. */
  readonly identity: bigint
  /** By group. */
  values = new BigInt64Array(0)
  /** The same memory as pairs of words. */
  halves = new Int32Array(this.values.buffer)
  /** 1 for each group that has had a value; `null` where the input cannot be null. */
  presence: Uint8Array<ArrayBuffer> | null

  constructor(input: ColumnType, identity: bigint) {
    this.identity = identity
    this.presence = input.isNullable ? new Uint8Array(0) : null
  }

  abstract add(run: Run, column: Column | undefined): void
  abstract merge(other: Accumulator, groups: Int32Array, count: number, onFailed: (group: number) => void): void

  reserve(capacity: number): void {
    const old = this.values
    if (capacity <= old.length) return
    this.values = new BigInt64Array(capacity)
    this.values.set(old)
    if (this.identity !== 0n) this.values.fill(this.identity, old.length)
    this.halves = new Int32Array(this.values.buffer)
    if (this.presence !== null) this.presence = grownUint8(this.presence, capacity)
  }

  acceptsAll(_run: Run, _column: Column | undefined): boolean {
    return true
  }

  accepts(_group: number, _column: Column | undefined, _row: number): boolean {
    return true
  }

  /** Marks the groups that have a value in the other accumulator. */
  protected mergePresence(other: Int64Accumulator, groups: Int32Array, count: number): void {
    const { presence } = this
    if (presence === null) return
    assert(other.presence !== null, "both accumulators are of one definition")
    for (let index = 0; index < count; index++) presence[groups[index]!]! |= other.presence[index]!
  }

  writeResults(from: number, count: number, column: Column, at: number): void {
    writePresence(column, at, this.presence, from, count)
    const { halves } = column as Int64Column
    halves.set(this.halves.subarray(from * 2, (from + count) * 2), at * 2)
  }

  writeState(group: number, out: ByteWriter): void {
    if (this.presence !== null) {
      out.uint8(this.presence[group]!)
      if (this.presence[group] === 0) return
    }
    out.int64(this.values[group]!)
  }

  /** A group that has had a value never becomes one without: nothing is to be undone. */
  readState(group: number, from: ByteReader): void {
    const { presence } = this
    if (presence !== null && !readFlag(from)) return
    if (presence !== null) presence[group] = 1
    this.values[group] = from.int64()
  }
}
