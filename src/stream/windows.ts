/** `tumbling` and `hopping`: how event time is cut into windows. They describe; `flow/windows` cuts. */
import { checkDuration, type Duration } from "../base/duration.ts"
import { TidemarkError } from "../base/errors.ts"
import { checkOptions } from "../base/known-options.ts"
import { shownValue } from "../base/shown-value.ts"
import type { WindowSpec } from "../flow/plan.ts"
import type { DurationText } from "./duration-text.ts"

/** Options of tumbling windows. */
interface TumblingOptions {
  /** Windows start at whole multiples of their size from this far after 1970-01-01T00:00:00Z. Default `"0s"`. */
  readonly offset?: Duration
}

/** Options of hopping windows. */
interface HoppingOptions<D extends string> extends TumblingOptions {
  /** A window starts this often. Windows overlap where it is less than their size; where it is more there are gaps. */
  readonly every: DurationText<D>
}

/**
 * Windows of one size that follow each other without gap or overlap: `[00:00, 01:00)`, `[01:00, 02:00)` and so on, UTC.
 *
 * @example
 * ```ts
 * import { tumbling } from "tidemark"
 *
 * const hourly = tumbling("1h")
 * const dailyFromSixUtc = tumbling("1d", { offset: "6h" })
 * ```
 *
 * @throws TidemarkError `invalid-duration` where a text is no duration; `invalid-options` where the size is zero.
 */
export function tumbling<D extends string>(size: DurationText<D>, options: TumblingOptions = {}): WindowSpec {
  const { offset = "0s" } = checkOptions("tumbling(...)", options, ["offset"])
  const sizeMicros = positive(size, "tumbling", "size")
  return Object.freeze({ kind: "tumbling", sizeMicros, offsetMicros: checkDuration("tumbling(...): offset", offset) })
}

/**
 * Windows of one size that start every so often, so that a row may be in several:
 * `hopping("1h", { every: "10m" })` puts each row into six windows.
 *
 * @example
 * ```ts
 * import { hopping } from "tidemark"
 *
 * const lastHourEveryTenMinutes = hopping("1h", { every: "10m" })
 * ```
 *
 * @throws TidemarkError `invalid-duration` where a text is no duration; `invalid-options` where one is zero, or missing.
 */
export function hopping<S extends string, E extends string>(
  size: DurationText<S>,
  options: HoppingOptions<E>,
): WindowSpec {
  const { every, offset = "0s" } =
    options === undefined ? {} : checkOptions("hopping(...)", options, ["every", "offset"])
  const sizeMicros = positive(size, "hopping", "size")
  const slideMicros = positive(every, "hopping", "every")
  const offsetMicros = checkDuration("hopping(...): offset", offset)
  return Object.freeze({ kind: "hopping", sizeMicros, slideMicros, offsetMicros })
}

function positive(text: unknown, window: string, option: string): number {
  if (text === undefined) {
    throw new TidemarkError("invalid-options", `${window}(...) has no ${option}.`, {
      hint: 'Write tumbling("1h") or hopping("1h", { every: "10m" }).',
    })
  }
  const micros = checkDuration(`${window}(...): ${option}`, text)
  if (micros > 0) return micros
  throw new TidemarkError("invalid-options", `${window}(...) has the ${option} ${shownValue(text)}.`, {
    hint: "Give a duration greater than zero.",
  })
}
