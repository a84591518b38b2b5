/** Times and spans as people read them on a terminal: finer digits only make a display restless. */
import { formatDuration } from "../base/duration.ts"
import { formatTimestamp } from "../time/iso.ts"
import type { Timestamp } from "../time/timestamp.ts"

const SECOND_MICROS = 1_000_000

/** A time to the second. */
export function timeText(micros: number): string {
  return formatTimestamp((Math.floor(micros / SECOND_MICROS) * SECOND_MICROS) as Timestamp)
}

/** A span in its two largest units, rounded up to the second: `42m 3s`. */
export function spanText(micros: number): string {
  return formatDuration(Math.ceil(Math.max(0, micros) / SECOND_MICROS) * SECOND_MICROS)
    .split(" ")
    .slice(0, 2)
    .join(" ")
}

/** How long ago something was. */
export function agoText(micros: number): string {
  return micros < SECOND_MICROS ? "just now" : `${spanText(micros)} ago`
}
