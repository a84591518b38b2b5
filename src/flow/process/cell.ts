/**
 * The cells that the state of a key is made of: plain values in memory.
 *
 * What a handler changes is pending until it has returned: then it is taken over, or dropped where the handler has failed,
 * so that a record that fails leaves no trace. A cell knows what has changed since it was written last, and can write that,
 * or all of it, to bytes.
 *
 * Values may expire: one that was written at time `t` with a time to live of `d` is there as long as the time is before
 * `t + d`. Time is the watermark, and a value is written at the event time of its record, if that is ahead; where there
 * is no event time, both are the clock.
 *
 * Invariants:
 * - CE1 `apply` of all that `writeChanges` wrote, in order, gives the same values in the same order.
 * - CE2 After `rollBack` a cell has the values, in the order, that it had when it was committed last.
 * - CE3 Values are settled: what a handler reads is the same before and after a recovery.
 */
import type { ByteReader, ByteWriter } from "../../base/bytes.ts"
import type { StateSpec } from "./process-spec.ts"

/** What a cell knows of the world while a handler runs. */
export interface CellWorld {
  /** What has expired at this time is not there any more, in microseconds. */
  readonly time: number
  /** When values count as written, from which on they last. */
  readonly writeTime: number
  /** A cell has pending changes. */
  touched(cell: Cell): void
}

/** How the content of a cell becomes that of one with another spec. */
export interface CellMigration {
  readonly value: (value: unknown) => unknown
  /** Of a map's keys. */
  readonly key: (key: unknown) => unknown
  readonly expires: (expiresMicros: number) => number
}

/** One state of one key. */
export interface Cell {
  /** Whether it holds nothing, so that it need not be kept. Asked when nothing is pending. */
  readonly isEmpty: boolean
  /** What it holds, as a plain value; `undefined` where that is nothing. Asked when nothing is pending. */
  plain(world: CellWorld): unknown
  /** Takes over what is pending. Gives when the first of these values expires, or `Infinity`. */
  commit(): number
  /** Drops what is pending. */
  rollBack(): void
  /** Drops what has expired. Gives when the next value will, or `Infinity`. */
  expire(time: number): number
  /** Appends what has changed since the last call; afterwards nothing counts as changed. */
  writeChanges(out: ByteWriter): void
  /** Appends everything, as changes of an empty cell. */
  writeAll(out: ByteWriter): void
  /**
   * Takes over what one call of `writeChanges` or `writeAll` wrote.
   *
   * @throws RangeError where it is none.
   */
  apply(from: ByteReader): void
  /** A cell of the same kind with another spec, which holds what becomes of the values here. Asked when nothing is pending. */
  migrated(spec: StateSpec, how: CellMigration): Cell
}

/** What is seen of a cell's changes that are left out. */
export interface SeenChanges {
  /** Whether they are of something that must have been there before. */
  isRest: boolean
  /** Whether they say all of it, whatever was before. */
  isWhole: boolean
  /** When the first of the values expires, or `Infinity`. */
  expiresMicros: number
}

/**
 * Leaves out what one call of `writeChanges` or `writeAll` wrote, without reading values.
 *
 * @throws RangeError where it is none, as far as that shows.
 */
export type CellSkip = (from: ByteReader, seen: SeenChanges) => void

/** A value and when it expires. */
export interface Held {
  readonly value: unknown
  readonly expiresMicros: number
}

/** Writes when a value expires, where values of the cell do. */
export function writeExpiry(out: ByteWriter, expiresMicros: number, ttlMicros: number): void {
  if (ttlMicros !== Infinity) out.float64(expiresMicros)
}

/** Takes note of when a value expires that is left out. */
export function seeExpiry(from: ByteReader, ttlMicros: number, seen: SeenChanges): void {
  if (ttlMicros !== Infinity) seen.expiresMicros = Math.min(seen.expiresMicros, from.float64())
}

/** Reads when a value expires. */
export function readExpiry(from: ByteReader, ttlMicros: number): number {
  return ttlMicros === Infinity ? Infinity : from.float64()
}
