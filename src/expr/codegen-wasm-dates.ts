/**
 * Parts of dates in UTC as lanes: what `time/utc-part.ts` does, in operations on doubles, all of which are whole numbers.
 *
 * Invariant:
 * - WU1 `datePartLane` gives what the method of `Date` gives, for every number of milliseconds.
 */
import type { DatePartName } from "./ir.ts"
import type { LaneQuestions } from "./lane-questions.ts"
import type { Lane } from "./wasm-lane.ts"

type Numbers = Lane<"f64">

const MILLIS_PER_DAY = 86_400_000
/** Beyond these milliseconds a `Date` is invalid. */
const MILLIS_MAX = 8.64e15

/** A part of the `Date` that is made of a number. */
export function datePartLane({ graph }: LaneQuestions, part: DatePartName, millis: Numbers): Numbers {
  const limit = graph.constant("f64", MILLIS_MAX)
  const isValid = graph.operation("f64.le", graph.operation("f64.abs", millis), limit)
  const written = new DateLanes(graph, millis).part(part)
  return graph.select(isValid, written, graph.constant("f64", NaN))
}

class DateLanes {
  readonly #graph: LaneQuestions["graph"]
  readonly #time: Numbers
  /** Days since 1970-01-01. */
  readonly #days: Numbers

  constructor(graph: LaneQuestions["graph"], millis: Numbers) {
    this.#graph = graph
    // Adding 0 turns −0 into 0.
    this.#time = this.#plus(graph.operation("f64.trunc", millis), 0)
    // Milliseconds are less than 2⁵³, so the quotient is not rounded up to a whole number.
    const quotient = graph.operation("f64.div", this.#time, graph.constant("f64", MILLIS_PER_DAY))
    this.#days = graph.operation("f64.floor", quotient)
  }

  part(part: DatePartName): Numbers {
    switch (part) {
      case "getTime":
        return this.#time
      case "getUTCDay":
        // 1970-01-01 was a Thursday.
        return this.#modulo(this.#plus(this.#days, 4), 7)
      case "getUTCHours":
        return this.#floor(this.#millisOfDay(), 3_600_000)
      case "getUTCMinutes":
        return this.#modulo(this.#floor(this.#millisOfDay(), 60_000), 60)
      case "getUTCSeconds":
        return this.#modulo(this.#floor(this.#millisOfDay(), 1000), 60)
      case "getUTCMilliseconds":
        return this.#modulo(this.#millisOfDay(), 1000)
      case "getUTCDate":
      case "getUTCMonth":
      case "getUTCFullYear":
        return this.#civil(part)
    }
  }

  #millisOfDay(): Numbers {
    return this.#minus(this.#time, this.#times(this.#days, MILLIS_PER_DAY))
  }

  /** See `civilFromDays`. */
  #civil(part: "getUTCDate" | "getUTCMonth" | "getUTCFullYear"): Numbers {
    const graph = this.#graph
    const shifted = this.#plus(this.#days, 719_468)
    const era = this.#floor(shifted, 146_097)
    const dayOfEra = this.#minus(shifted, this.#times(era, 146_097))
    const leapDays = this.#minus(
      this.#sum(this.#floor(dayOfEra, 1460), this.#floor(dayOfEra, 146_096)),
      this.#floor(dayOfEra, 36_524),
    )
    const yearOfEra = this.#floor(this.#minus(dayOfEra, leapDays), 365)
    const leapYears = this.#minus(this.#floor(yearOfEra, 4), this.#floor(yearOfEra, 100))
    const dayOfYear = this.#minus(dayOfEra, this.#sum(this.#times(yearOfEra, 365), leapYears))
    const marchMonth = this.#floor(this.#plus(this.#times(dayOfYear, 5), 2), 153)
    const dayOfMarch = this.#floor(this.#plus(this.#times(marchMonth, 153), 2), 5)
    if (part === "getUTCDate") return this.#plus(this.#minus(dayOfYear, dayOfMarch), 1)
    const isOfNextYear = graph.operation("f64.le", graph.constant("f64", 10), marchMonth)
    if (part === "getUTCMonth") {
      return this.#plus(graph.select(isOfNextYear, this.#plus(marchMonth, -12), marchMonth), 2)
    }
    const year = this.#sum(yearOfEra, this.#times(era, 400))
    return graph.select(isOfNextYear, this.#plus(year, 1), year)
  }

  /**
   * The quotient, rounded down. Half a unit more keeps it away from whole numbers, so that a product by the inverse, which
   * is cheaper, is as good: for numbers far below 2⁵⁰ it is not that far off.
   */
  #floor(value: Numbers, divisor: number): Numbers {
    return this.#graph.operation("f64.floor", this.#times(this.#plus(value, 0.5), 1 / divisor))
  }

  #modulo(value: Numbers, divisor: number): Numbers {
    return this.#minus(value, this.#times(this.#floor(value, divisor), divisor))
  }

  #plus(value: Numbers, constant: number): Numbers {
    return this.#sum(value, this.#graph.constant("f64", constant))
  }

  #sum(a: Numbers, b: Numbers): Numbers {
    return this.#graph.operation("f64.add", a, b)
  }

  #minus(a: Numbers, b: Numbers): Numbers {
    return this.#graph.operation("f64.sub", a, b)
  }

  #times(value: Numbers, constant: number): Numbers {
    return this.#graph.operation("f64.mul", value, this.#graph.constant("f64", constant))
  }
}
