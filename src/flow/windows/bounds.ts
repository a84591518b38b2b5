/**
 * The bounds of windows that records make, and not the clock: from the event time of the earliest record up to just behind
 * that of the latest, so that a window holds its start and not its end (W1). They are two aggregates of event time.
 */
import type { ByteReader } from "../../base/bytes.ts"
import type { Accumulator } from "../aggregates/accumulator.ts"
import type { NamedAccumulator } from "./general/partials.ts"

function boundOf(first: number, pick: (one: number, other: number) => number, shift: number): Accumulator<number> {
  return {
    init: () => first,
    add: (bound, _value, time) => pick(bound, time),
    merge: (earlier, later) => pick(earlier, later),
    result: (bound) => bound + shift,
    write: (bound, out) => out.float64(bound),
    read: readTime,
  }
}

function readTime(from: ByteReader): number {
  const time = from.float64()
  if (Number.isSafeInteger(time)) return time
  throw new RangeError(`${time} stands for a time`)
}

/** `windowStart` and `windowEnd`, in this order. What they are given besides the time does not matter. */
export const RECORD_BOUNDS: readonly NamedAccumulator[] = [
  { name: "windowStart", accumulator: boundOf(Infinity, Math.min, 0) },
  { name: "windowEnd", accumulator: boundOf(-Infinity, Math.max, 1) },
]
