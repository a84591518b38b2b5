/**
 * Sums within int64, of int32, int53 or int64. The bound is kept as in `int53-sum.ts`, but as a double, which rounds:
 * so it counts as out of range from 2⁶² on, far enough from 2⁶³ for any rounding.
 *
 * Invariant:
 * - IL1 No sum's magnitude exceeds the bound, or the bound is at least 2⁶².
 */
import { assert } from "../../base/assert.ts"
import type { ByteReader } from "../../base/bytes.ts"
import { isValid, readInt53, readValue, type Column } from "../../batch/column.ts"
import type { ColumnType } from "../../batch/type.ts"
import type { Accumulator } from "./aggregate.ts"
import { Int64Accumulator } from "./int64-accumulator.ts"
import type { Run } from "./run.ts"

const WORD = 4_294_967_296
const SAFE_BOUND = 2 ** 62
const MIN = -(2n ** 63n)
const MAX = 2n ** 63n - 1n

/** Sums of whole numbers, exact within int64. */
export class Int64Sum extends Int64Accumulator {
  #bound = 0

  constructor(input: ColumnType) {
    super(input, 0n)
  }

  override acceptsAll(run: Run, column: Column | undefined): boolean {
    assert(column !== undefined, "sum reads a column")
    const magnitude = magnitudeOf(run, column)
    if (this.#bound + magnitude >= SAFE_BOUND) {
      this.#bound = 0
      for (const value of this.values) this.#bound = Math.max(this.#bound, Math.abs(Number(value)))
      if (this.#bound + magnitude >= SAFE_BOUND) return false
    }
    this.#bound += magnitude
    return true
  }

  override accepts(group: number, column: Column | undefined, row: number): boolean {
    assert(column !== undefined, "sum reads a column")
    if (!isValid(column, row)) return true
    const sum = (group === -1 ? 0n : this.values[group]!) + BigInt(readValue(column, row) as number | bigint)
    if (sum < MIN || sum > MAX) return false
    this.#bound = Math.max(this.#bound, Math.abs(Number(sum)))
    return true
  }

  add(run: Run, column: Column | undefined): void {
    assert(column?.storage === "int32" || column?.storage === "int64", "integers are summed")
    const { rows, groups, start, end } = run
    const { halves, presence } = this
    const { validity } = column
    for (let at = start; at < end; at++) {
      const row = rows[at]!
      if (validity !== null && ((validity[row >> 3]! >> (row & 7)) & 1) === 0) continue
      const group = groups[at]!
      if (presence !== null) presence[group] = 1
      if (column.storage === "int64") addWords(halves, group, column.halves[row * 2]!, column.halves[row * 2 + 1]!)
      else addWords(halves, group, column.values[row]!, column.values[row]! >> 31)
    }
  }

  merge(other: Accumulator, groups: Int32Array, count: number, onFailed: (group: number) => void): void {
    assert(other instanceof Int64Sum, "both accumulators are of one definition")
    const isSafe = this.#bound + other.#bound < SAFE_BOUND
    for (let index = 0; index < count; index++) {
      const group = groups[index]!
      if (isSafe) {
        addWords(this.halves, group, other.halves[index * 2]!, other.halves[index * 2 + 1]!)
        continue
      }
      const sum = this.values[group]! + other.values[index]!
      if (sum < MIN || sum > MAX) onFailed(group)
      else this.values[group] = sum
    }
    this.#bound += other.#bound
    this.mergePresence(other, groups, count)
  }

  override readState(group: number, from: ByteReader): void {
    super.readState(group, from)
    this.#bound = Math.max(this.#bound, Math.abs(Number(this.values[group]!)))
  }
}

/** Adds two's complement numbers as pairs of words, with the carry from the low to the high one. */
function addWords(halves: Int32Array, group: number, low: number, high: number): void {
  const lowSum = (halves[group * 2]! >>> 0) + (low >>> 0)
  halves[group * 2] = lowSum
  halves[group * 2 + 1]! += high + (lowSum >= WORD ? 1 : 0)
}

function magnitudeOf(run: Run, column: Column): number {
  assert(column.storage === "int32" || column.storage === "int64", "integers are summed")
  const { rows, start, end } = run
  let magnitude = 0
  for (let at = start; at < end; at++) {
    const row = rows[at]!
    if (!isValid(column, row)) continue
    if (column.storage === "int32") magnitude += Math.abs(column.values[row]!)
    else magnitude += Math.abs(readInt53(column.halves, row))
  }
  return magnitude
}
