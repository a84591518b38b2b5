/**
 * Steps over values of `int64` storage, pairs of words (low, high), in place. A value that is out of range is noted, and
 * 0 is left for it.
 */
import { readInt53, writeInt53 } from "../../batch/column.ts"
import type { TimeZone } from "../../time/zone.ts"
import type { Faults } from "./faults.ts"

/** Changes or checks the first `count` values. */
export type LongStep = (halves: Int32Array, count: number, faults: Faults) => void

/** The high words of safe integers lie in [−2²¹, 2²¹); −2⁵³ itself is none. */
const SAFE_HIGH = 1 << 21

/** Refuses what is no safe integer, as the range ends there. */
export function demandSafe(outside: string): LongStep {
  return (halves, count, faults) => {
    for (let index = 0; index < count; index++) {
      const high = halves[2 * index + 1]!
      if (high >= -SAFE_HIGH && high < SAFE_HIGH && (high !== -SAFE_HIGH || halves[2 * index] !== 0)) continue
      refuse(halves, index, faults, `${longAt(halves, index)}, ${outside}`)
    }
  }
}

/** Refuses what is 2⁶³ and beyond when it is read without a sign. */
export function demandSigned(outside: string): LongStep {
  return (halves, count, faults) => {
    for (let index = 0; index < count; index++) {
      if (halves[2 * index + 1]! >= 0) continue
      refuse(halves, index, faults, `${BigInt.asUintN(64, longAt(halves, index))}, ${outside}`)
    }
  }
}

/** Refuses what is below 0. */
export function demandNatural(outside: string): LongStep {
  return (halves, count, faults) => {
    for (let index = 0; index < count; index++) {
      if (halves[2 * index + 1]! >= 0) continue
      refuse(halves, index, faults, `${longAt(halves, index)}, ${outside}`)
    }
  }
}

/** Counts of a unit become microseconds. */
export function toMicros(microsPerUnit: number, outside = "a time outside the range of timestamp"): LongStep {
  return (halves, count, faults) => {
    for (let index = 0; index < count; index++) {
      const micros = readInt53(halves, index) * microsPerUnit
      if (Number.isSafeInteger(micros)) writeInt53(halves, index, micros)
      else refuse(halves, index, faults, outside)
    }
  }
}

/** Nanoseconds become microseconds, cut towards the past. */
export function nanosToMicros(halves: Int32Array, count: number): void {
  for (let index = 0; index < count; index++) {
    writeInt53(halves, index, thousandths(halves[2 * index]!, halves[2 * index + 1]!))
  }
}

/** A thousandth of a long, rounded down. No long's thousandth is far beyond 2⁵³. */
export function thousandths(low: number, high: number): number {
  const wholeHigh = Math.floor(high / 1000)
  const rest = (high - 1000 * wholeHigh) * 0x1_0000_0000 + (low >>> 0)
  return wholeHigh * 0x1_0000_0000 + Math.floor(rest / 1000)
}

/** Local times of a zone become timestamps. */
export function localToUtc(zone: TimeZone): LongStep {
  const time = new Float64Array(1)
  return (halves, count, faults) => {
    for (let index = 0; index < count; index++) {
      time[0] = readInt53(halves, index)
      zone.localToUtc(time, 0)
      if (Number.isSafeInteger(time[0])) writeInt53(halves, index, time[0])
      else refuse(halves, index, faults, "a time outside the range of timestamp")
    }
  }
}

/** The long at an index, for words. */
export function longAt(halves: Int32Array, index: number): bigint {
  return (BigInt(halves[2 * index + 1]!) << 32n) | BigInt(halves[2 * index]! >>> 0)
}

function refuse(halves: Int32Array, index: number, faults: Faults, reason: string): void {
  faults.note(index, reason)
  halves[2 * index] = 0
  halves[2 * index + 1] = 0
}
