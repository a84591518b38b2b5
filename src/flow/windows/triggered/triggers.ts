/** When windows fire early, as their triggers together say. */
import type { TriggerSpec } from "../../plan.ts"

/** See the head of this file. */
export class Triggers {
  /** After so many records that are new; +∞ for never. */
  readonly count: number
  readonly #ticks: readonly number[]
  readonly #clocks: readonly number[]

  constructor(early: readonly TriggerSpec[]) {
    this.count = Math.min(Infinity, ...early.flatMap((each) => (each.kind === "count" ? each.count : [])))
    this.#ticks = early.flatMap((each) => (each.kind === "eventTime" ? each.everyMicros : []))
    this.#clocks = early.flatMap((each) => (each.kind === "clock" ? each.everyMicros : []))
  }

  get useClock(): boolean {
    return this.#clocks.length > 0
  }

  /** The first moment of event time behind `time` at which windows fire; +∞ where there is none. */
  nextTick(time: number): number {
    return nextMultiple(this.#ticks, time)
  }

  /** The first moment of the clock behind `nowMicros` at which windows fire; +∞ where there is none. */
  nextClock(nowMicros: number): number {
    return nextMultiple(this.#clocks, Math.max(0, nowMicros))
  }
}

/** Remainders are exact, also where quotients would be rounded. */
function nextMultiple(lengths: readonly number[], moment: number): number {
  let next = Infinity
  for (const length of lengths) {
    const from = ((moment % length) + length) % length
    next = Math.min(next, moment - from + length)
  }
  return next
}
