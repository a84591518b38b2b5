/**
 * Durations as users write them: `"5s"`, `"250ms"`, `"1h 30m"`.
 *
 * Invariants:
 * - D1 A duration is a whole number of microseconds, at least 0 and at most 2⁵³ − 1.
 * - D2 Its decimal digits count: no rounding of doubles makes a duration invalid or another one.
 * - D3 `parseDuration(formatDuration(micros))` is `micros`.
 */
import { assert } from "./assert.ts"
import { TidemarkError } from "./errors.ts"
import { shownValue } from "./shown-value.ts"

const UNIT_MICROS = {
  us: 1,
  ms: 1_000,
  s: 1_000_000,
  m: 60_000_000,
  h: 3_600_000_000,
  d: 86_400_000_000,
} as const

type DurationUnit = keyof typeof UNIT_MICROS
type DurationPart = `${number}${DurationUnit}`

/**
 * A length of time as text: a number and a unit (`us`, `ms`, `s`, `m`, `h`, `d`), or two of them with a space between.
 *
 * @example
 * ```ts
 * import type { Duration } from "tidemark"
 *
 * const slide: Duration = "1h 30m"
 * ```
 */
export type Duration = DurationPart | `${DurationPart} ${DurationPart}`

/**
 * The number of microseconds in a duration.
 *
 * @throws TidemarkError `invalid-duration` where the text is no duration, or not a whole number of microseconds.
 */
export function parseDuration(text: string): number {
  let micros = 0n
  for (const part of text.split(" ")) {
    const match = /^(\d+)(?:\.(\d+))?(us|ms|s|m|h|d)$/.exec(part)
    if (match === null) throw invalidDuration(text)
    const [, whole = "", fraction = "", unit] = match
    const scaled = BigInt(whole + fraction) * BigInt(UNIT_MICROS[unit as DurationUnit])
    const scale = 10n ** BigInt(fraction.length)
    if (scaled % scale !== 0n) throw invalidDuration(text)
    micros += scaled / scale
  }
  if (micros > BigInt(Number.MAX_SAFE_INTEGER)) throw invalidDuration(text)
  return Number(micros)
}

const HINT = 'Write a number and a unit, such as "250ms", "5s", "1h 30m" or "1d" (units: us, ms, s, m, h, d).'

function invalidDuration(text: string): TidemarkError {
  return new TidemarkError("invalid-duration", `${JSON.stringify(text)} is not a duration.`, { hint: HINT })
}

/**
 * The number of microseconds in a duration that a program gives as an option.
 *
 * @param what begins the message: `"The job revenue: epoch.min"`.
 * @throws TidemarkError `invalid-duration`.
 */
export function checkDuration(what: string, text: unknown): number {
  const refuse = (problem: string, cause?: unknown): never => {
    throw new TidemarkError("invalid-duration", `${what} is ${problem}.`, { hint: HINT, cause })
  }
  if (text === undefined) return refuse("not given")
  if (typeof text !== "string") return refuse(`${shownValue(text)}, which is not a duration`)
  try {
    return parseDuration(text)
  } catch (cause) {
    return refuse(`${shownValue(text)}, which is not a duration`, cause)
  }
}

/** A duration in its shortest form: `5400000000` is `"1h 30m"`. */
export function formatDuration(micros: number): string {
  assert(Number.isSafeInteger(micros) && micros >= 0, "a duration is a whole number of microseconds, at least 0")
  const parts: string[] = []
  let rest = micros
  for (const unit of ["d", "h", "m", "s", "ms", "us"] as const) {
    const count = Math.floor(rest / UNIT_MICROS[unit])
    if (count === 0) continue
    parts.push(`${count}${unit}`)
    rest -= count * UNIT_MICROS[unit]
  }
  return parts.length === 0 ? "0s" : parts.join(" ")
}
