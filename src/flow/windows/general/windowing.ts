/** What tells kinds of windows of plain values apart: in which cells a record goes, and what becomes of those that are due. */
import type { Cell, Key } from "./keyed-cells.ts"

/** What became of a record. */
export type Outcome = "counted" | "late" | "between"

/** A record that may count. */
export interface ArrivedRecord {
  readonly key: Key
  readonly time: number
  /** Its partition's watermark before it. */
  readonly watermark: number
  /** What each aggregate reads of it. */
  readonly values: readonly unknown[]
}

/** Takes results. */
export interface ResultTaker {
  /** A result of a key, with these values of the columns behind the keys, and of these partial results. */
  take(key: Key, bounds: readonly number[], partials: readonly unknown[]): void
}

/** A kind of windows, over the cells that it was made with. */
export interface Windowing {
  /** How far from 1970 a record may be at most, in microseconds: its windows can be named. */
  readonly maxTime: number
  /** Whether there may be a cell that is due then, with these bounds. */
  isCell(due: number, start: number, end: number): boolean
  /** What would become of a record, which is not added. */
  look(record: ArrivedRecord): Outcome
  /** @throws what an aggregate throws that refuses the record, where it counts. Nothing has changed then. */
  check(record: ArrivedRecord): void
  /** Adds a record where it counts. */
  add(record: ArrivedRecord): Outcome
  /** Gives the results of cells that are due, all at the same moment, and keeps, puts off or forgets them. */
  fire(cells: readonly Cell[], results: ResultTaker): void
  /** How many windows wait for the watermark. */
  countOpenWindows(): number
}
