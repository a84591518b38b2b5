/** Which segments of a log may go. */
import type { LogPlace } from "../log-reader.ts"
import type { RetentionSettings } from "./log-options.ts"
import { isBefore } from "./lsn.ts"

/** A segment that is not appended to any more. */
export interface ClosedSegment {
  readonly end: LogPlace
  readonly bytes: number
  /** The time of its newest record. */
  readonly lastMicros: number
}

/** How many of the segments, oldest first, may go by the log's retention. */
export function countOfExpired(
  closed: readonly ClosedSegment[],
  openBytes: number,
  consumers: Iterable<LogPlace>,
  { bytes: bytesMax, ageMicros, isConsumed }: RetentionSettings,
  nowMicros: number,
): number {
  const isConsumedAlone = isConsumed && bytesMax === Infinity && ageMicros === Infinity
  const places = [...consumers]
  let bytes = closed.reduce((total, segment) => total + segment.bytes, openBytes)
  let count = 0
  for (const segment of closed) {
    const isHeld = isConsumed && (places.length === 0 || places.some((place) => isBefore(place, segment.end)))
    const isDue = isConsumedAlone || bytes > bytesMax || segment.lastMicros < nowMicros - ageMicros
    if (isHeld || !isDue) break
    bytes -= segment.bytes
    count++
  }
  return count
}
