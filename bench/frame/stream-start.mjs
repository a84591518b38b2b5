/** What both sides of a comparison know of the stream: where it starts, and how long its ring is. */

/** The stream's first moment: 2024-01-01T00:00:00Z, in microseconds. */
export const STREAM_START_MICROS = Date.UTC(2024, 0, 1) * 1000

/** How many rows a ring of at least `bytes` bytes has, whole cycles all. */
export function ringRows(bytes, cycle, bytesPerRow) {
  return Math.ceil(bytes / (bytesPerRow * cycle.rows)) * cycle.rows
}
