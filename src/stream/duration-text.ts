/** Durations in calls: a text that is none is a compile error in words. */
import type { Duration } from "../base/duration.ts"
import type { Problem } from "./problem.ts"

/** The text itself where it is a duration. */
export type DurationText<D extends string> = D extends Duration
  ? D
  : Problem<`'${D}' is not a duration: write a number and a unit (us, ms, s, m, h, d), such as '250ms', '5s' or '1h 30m'.`>
