/**
 * Points in time: whole microseconds since 1970-01-01T00:00:00Z, as a branded number.
 *
 * A number holds them exactly until the year 2255; finer digits are cut. They compare and subtract like numbers.
 */

declare const TIMESTAMP: unique symbol

/** Microseconds since 1970-01-01T00:00:00Z, UTC. Compare and subtract it as a number. */
export type Timestamp = number & { readonly [TIMESTAMP]: "Timestamp" }

/** The watermark before any record, and of a partition that has none. */
export const MIN_WATERMARK = -Infinity

/** The watermark of a partition or stream that has ended. */
export const MAX_WATERMARK = Infinity
