/** The options of a log, checked. */
import { assert } from "../../base/assert.ts"
import { parseDuration, type Duration } from "../../base/duration.ts"
import { TidemarkError } from "../../base/errors.ts"
import { checkOptions } from "../../base/known-options.ts"
import { shownValue } from "../../base/shown-value.ts"
import { GENERATION_BYTES_MAX } from "./lsn.ts"

/**
 * What a log lets go by itself: whole segments, oldest first, never the one that is appended to.
 *
 * Of `bytes` and `age` each lets go what is beyond it. `consumed` alone lets go what all consumers have committed; beside the others it
 * holds back what one has not.
 *
 * @example
 * ```ts
 * import { openLog } from "tidemark/log"
 *
 * const log = await openLog("orders.log", { retention: { age: "7d", bytes: 10 * 2 ** 30, consumed: true } })
 * await log.close()
 * ```
 */
export interface LogRetention {
  /** How many bytes the segments have together, at most. */
  readonly bytes?: number
  /** How old a segment's newest record is, at most. */
  readonly age?: Duration
  /** What a consumer has not committed is kept. Without any consumer nothing is let go. */
  readonly consumed?: boolean
}

/**
 * How a log is kept.
 *
 * @example
 * ```ts
 * import { openLog } from "tidemark/log"
 *
 * const log = await openLog("orders.log", { segmentBytes: 16 * 2 ** 20 })
 * await log.close()
 * ```
 */
export interface OpenLogOptions {
  /** After so many bytes a segment is full and the next one begins; 64 MiB unless said otherwise, from 64 KiB to 4 GiB. */
  readonly segmentBytes?: number
  /** What is let go by itself; nothing unless said otherwise. */
  readonly retention?: LogRetention
}

/** Options as the log uses them. */
export interface LogSettings {
  readonly segmentBytes: number
  readonly retention: RetentionSettings
  /** After so many bytes the log goes on in a new generation. */
  readonly generationBytes: number
}

export interface RetentionSettings {
  readonly bytes: number
  readonly ageMicros: number
  readonly isConsumed: boolean
}

const SEGMENT_BYTES = 64 * 2 ** 20
const SEGMENT_BYTES_MIN = 64 * 2 ** 10
const SEGMENT_BYTES_MAX = 4 * 2 ** 30

/** The options, each of them known and in its range. */
export function settingsOf(where: string, options: OpenLogOptions): LogSettings {
  const { segmentBytes = SEGMENT_BYTES, retention = {} } = checkOptions(where, options, ["segmentBytes", "retention"])
  const isInRange = Number.isInteger(segmentBytes) && isBetween(segmentBytes, SEGMENT_BYTES_MIN, SEGMENT_BYTES_MAX)
  if (!isInRange)
    throw wrong(where, "segmentBytes", segmentBytes, "a whole number of bytes from 65,536 to 4,294,967,296")
  return {
    segmentBytes: Number(segmentBytes),
    retention: retentionOf(`The retention of ${where}`, retention),
    generationBytes: GENERATION_BYTES_MAX / 2,
  }
}

function retentionOf(where: string, retention: unknown): RetentionSettings {
  const { bytes = Infinity, age, consumed = false } = checkOptions(where, retention, ["bytes", "age", "consumed"])
  if (bytes !== Infinity && !(Number.isInteger(bytes) && isBetween(bytes, 1, Number.MAX_SAFE_INTEGER))) {
    throw wrong(where, "bytes", bytes, "a whole number of bytes, at least 1")
  }
  if (age !== undefined && typeof age !== "string") throw wrong(where, "age", age, 'a duration such as "7d"')
  if (typeof consumed !== "boolean") throw wrong(where, "consumed", consumed, "true or false")
  return {
    bytes: Number(bytes),
    ageMicros: age === undefined ? Infinity : parseDuration(age),
    isConsumed: consumed,
  }
}

function isBetween(value: unknown, least: number, most: number): boolean {
  assert(least <= most, "a range has a value")
  return typeof value === "number" && value >= least && value <= most
}

function wrong(where: string, name: string, value: unknown, what: string): TidemarkError {
  return new TidemarkError("invalid-options", `${where}: ${name} is ${shownValue(value)}.`, { hint: `It is ${what}.` })
}
