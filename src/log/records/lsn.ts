/**
 * Log sequence numbers: where a record lies in a log, as one number that fits in 64 bits.
 *
 * The upper 23 bits below the sign are the generation, which grows by one each time that the log is opened for appending; the lower 40
 * are the offset in bytes within it. So numbers grow along the log, but not by one.
 *
 * Invariant:
 * - LS2 `placeOf(lsnOf(place))` is `place`, and numbers are ordered as places are.
 */
import { assert } from "../../base/assert.ts"
import { TidemarkError } from "../../base/errors.ts"
import { shownValue } from "../../base/shown-value.ts"
import type { LogPlace } from "../log-reader.ts"

/**
 * Where a record lies in a log: a number that grows along the log, in the range of a signed integer of 64 bits. It names one record for
 * ever: no other one ever gets it, over crashes as well.
 *
 * @example
 * ```ts
 * import { openLog, type Lsn } from "tidemark/log"
 *
 * const log = await openLog("orders.log")
 * const lsn: Lsn = await log.append("an order")
 * await log.close()
 * ```
 */
export type Lsn = bigint

const OFFSET_BITS = 40n
const OFFSET_MASK = (1n << OFFSET_BITS) - 1n

/** How many bytes of records a generation holds at most. */
export const GENERATION_BYTES_MAX = 2 ** 40

/** How many generations a log may have. */
export const GENERATIONS_MAX = 2 ** 23 - 1

/** Before everything. */
export const FIRST_PLACE: LogPlace = { generation: 0, offset: 0 }

/** A number of 64 bits by its halves: arithmetic of bigints would make four of them. */
const halves = new DataView(new ArrayBuffer(8))

/** The number of a place. */
export function lsnOf({ generation, offset }: LogPlace): Lsn {
  return lsnAt(generation, offset)
}

/** The same for those who have no place in one piece. */
export function lsnAt(generation: number, offset: number): Lsn {
  assert(generation <= GENERATIONS_MAX && offset < GENERATION_BYTES_MAX, "a place has a number")
  halves.setUint32(0, offset, true)
  halves.setUint32(4, generation * 2 ** 8 + Math.floor(offset / 2 ** 32), true)
  return halves.getBigUint64(0, true)
}

/** The place that a number names. */
export function placeOf(lsn: Lsn): LogPlace {
  return { generation: Number(lsn >> OFFSET_BITS), offset: Number(lsn & OFFSET_MASK) }
}

/** Whether one place lies before another. */
export function isBefore(one: LogPlace, other: LogPlace): boolean {
  return one.generation === other.generation ? one.offset < other.offset : one.generation < other.generation
}

/**
 * An LSN as people write it: the generation and the offset in it, `"3:4096"`.
 *
 * @example
 * ```ts
 * import { formatLsn } from "tidemark/log"
 *
 * const text = formatLsn(3298534887424n) // "3:4096"
 * ```
 */
export function formatLsn(lsn: Lsn): string {
  const { generation, offset } = placeOf(lsn)
  return `${generation}:${offset}`
}

/**
 * The LSN of a text as `formatLsn` makes it, or of its decimal digits.
 *
 * @throws TidemarkError `invalid-options` where the text is neither.
 * @example
 * ```ts
 * import { parseLsn } from "tidemark/log"
 *
 * const lsn = parseLsn("3:4096") // 3298534887424n
 * ```
 */
export function parseLsn(text: string): Lsn {
  const parts = /^(\d{1,7}):(\d{1,13})$/.exec(text)
  if (parts !== null) {
    const [generation, offset] = [Number(parts[1]), Number(parts[2])]
    if (generation <= GENERATIONS_MAX && offset < GENERATION_BYTES_MAX) return lsnOf({ generation, offset })
  }
  if (/^\d{1,19}$/.test(text) && BigInt(text) < 1n << 63n) return BigInt(text)
  throw new TidemarkError("invalid-options", `${shownValue(text)} is no place in a log.`, {
    hint: 'Write it as Tidemark does: generation and offset, as in "3:4096", or the whole number.',
  })
}
