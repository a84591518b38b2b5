/**
 * The slow twin of the window operator: it keeps every record, finds windows by trying them one after the other, and
 * computes each window's results from its records when it fires. See docs/spec/windows.md for the rules.
 */
import type { ColumnType } from "../../batch/type.ts"
import { FAILED, referenceAccepts, referenceResult, type TimedValue } from "../aggregates/aggregate.reference.ts"
import type { AggregateKind, SlicedWindowSpec } from "../plan.ts"
import {
  gridHalves,
  gridPlaceOf,
  gridSpanOf,
  inGridOrder,
  type Grid,
  type GridHalves,
  type GridPlace,
} from "./shared/shared-slices.reference.ts"

/** A row as a plain object. */
export type Row = Readonly<Record<string, unknown>>

/** One result column. */
export interface ReferenceAggregate {
  readonly name: string
  readonly kind: AggregateKind
  readonly type: ColumnType | undefined
  /** What the aggregate reads of a row. It throws where the row has failed. */
  readonly read: (row: Row) => unknown
}

interface Kept {
  readonly row: Row
  /** Where it lies in the slices that the window shares. */
  readonly grid: GridPlace | undefined
  readonly time: number
  /** Ends of the windows in which it counts. */
  readonly counted: readonly number[]
  /** The windows that hold the record: equal where they are. */
  readonly place: string
  /** Its slice: records are in one when the same windows hold them and they count in the same ones. */
  readonly slice: string
  /** Its key: equal where keys are equal as those of a `Map` are: NaN equals itself, −0 equals +0, 1n not 1. */
  readonly key: string
  readonly values: readonly unknown[]
}

/** What became of a row. */
export type Outcome = "counted" | "late" | "between" | "failed"

/** A window operator, record by record. */
export class ReferenceWindows {
  readonly #window: SlicedWindowSpec
  readonly #keys: readonly string[]
  readonly #aggregates: readonly ReferenceAggregate[]
  readonly #grid: Grid | undefined
  readonly #records: Kept[] = []
  #firedEnd = -Infinity
  watermark = -Infinity

  /** @param grid that of the slices that the window shares with others, if it does. */
  constructor(
    window: SlicedWindowSpec,
    keys: readonly string[],
    aggregates: readonly ReferenceAggregate[],
    grid: Grid | undefined,
  ) {
    this.#grid = grid
    this.#window = window
    this.#keys = keys
    this.#aggregates = aggregates
  }

  /** @param watermark that of the row's partition before the row. */
  onRow(row: Row, time: number, watermark: number): Outcome {
    if (!this.#isWithinTime(time)) return "failed"
    const ends = this.#windowEnds(time)
    const counted = ends.filter((end) => watermark < end - 1)
    if (ends.length === 0) return "between"
    if (counted.length === 0) return "late"
    let values: unknown[]
    try {
      values = this.#aggregates.map(({ read }) => read(row))
    } catch {
      return "failed"
    }
    const key = this.#keys.map((name) => `${typeof row[name]} ${String(row[name])}`).join("\u0000")
    const place = String(ends)
    const grid = this.#grid && gridPlaceOf(this.#grid, this.#window, time, watermark)
    const record = { row, grid, time, counted, place, slice: `${place} ${String(counted)}`, key, values }
    const before = this.#records.filter((other) => other.key === key && other.slice === record.slice)
    const isAccepted =
      grid !== undefined ||
      this.#aggregates.every(({ kind, type }, index) =>
        referenceAccepts(kind, type, timedValues(before, index), values[index]),
      )
    if (!isAccepted) return "failed"
    this.#records.push(record)
    return "counted"
  }

  get #slide(): number {
    return this.#window.kind === "tumbling" ? this.#window.sizeMicros : this.#window.slideMicros
  }

  #isWithinTime(time: number): boolean {
    const reach = Math.max(this.#window.sizeMicros + 2 * this.#slide, this.#grid?.reachMicros ?? 0)
    return Math.abs(time) <= Number.MAX_SAFE_INTEGER - reach
  }

  /** In bigints, so that nothing is rounded at the ends of time. */
  #windowEnds(time: number): number[] {
    const [size, offset] = [BigInt(this.#window.sizeMicros), BigInt(this.#window.offsetMicros)]
    const slide = BigInt(this.#slide)
    const ends: number[] = []
    const firstIndex = (BigInt(time) - offset - size) / slide - 2n
    for (let start = offset + firstIndex * slide; start <= time; start += slide) {
      if (time < start + size) ends.push(Number(start + size))
    }
    return ends
  }

  /** Fires what is due; the result rows, or `FAILED` in the place of one with a sum out of range. */
  onWatermark(watermark: number): (Row | typeof FAILED)[] {
    const results: (Row | typeof FAILED)[] = []
    for (;;) {
      let end = Infinity
      for (const { counted } of this.#records) {
        for (const each of counted) if (each > this.#firedEnd && each < end) end = each
      }
      if (end === Infinity || end - 1 > watermark) break
      results.push(...this.#fire(end))
      this.#firedEnd = end
    }
    this.watermark = Math.max(this.watermark, watermark === Infinity ? this.#firedEnd - 1 : watermark)
    return results
  }

  #fire(end: number): (Row | typeof FAILED)[] {
    const keyRows = new Map<string, Row>()
    const records = this.#records.filter(({ counted }) => counted.includes(end))
    const span = this.#grid && gridSpanOf(this.#grid, this.#window, end)
    const { older, newer, late } =
      span === undefined ? { ...this.#slicesOf(records, end), late: [] } : gridHalves(records, span)
    // The older slices' keys, those whose last slice there is latest first; then the others as they come.
    const inOrderOfKeys = [...[...older].reverse(), ...newer, ...late].flat()
    for (const { key, row } of inOrderOfKeys) if (!keyRows.has(key)) keyRows.set(key, row)
    return [...keyRows].map(([key, row]) => {
      const ofKey = (list: readonly (readonly Kept[])[]) =>
        list.map((slice) => slice.filter((record) => record.key === key))
      return this.#resultRow(row, end, [ofKey(older), ofKey(newer), ...ofKey(late).map((slice) => [slice])])
    })
  }

  /** The records of a window by its slices, of its older block and of its newer one. */
  #slicesOf(records: readonly Kept[], end: number): Pick<GridHalves<Kept>, "older" | "newer"> {
    const slices = new Map<string, Kept[]>()
    for (const record of records) {
      const slice = slices.get(record.slice)
      if (slice === undefined) slices.set(record.slice, [record])
      else slice.push(record)
    }
    const ofWindow = [...slices.values()].map((slice) => (this.#grid === undefined ? slice : inGridOrder(slice)))
    const inOrder = ofWindow.sort(([one], [other]) =>
      one!.place === other!.place ? one!.counted[0]! - other!.counted[0]! : one!.time - other!.time,
    )
    const edge = this.#blockEdgeWithin(end)
    return {
      older: inOrder.filter(([record]) => record!.time < edge),
      newer: inOrder.filter(([record]) => record!.time >= edge),
    }
  }

  /** Where a block begins within the window that ends at `end`; −∞ where none does but at its start. */
  #blockEdgeWithin(end: number): number {
    const { sizeMicros, offsetMicros } = this.#window
    const length = Math.ceil(sizeMicros / this.#slide) * this.#slide
    const offset = ((offsetMicros % this.#slide) + this.#slide) % this.#slide
    let block = offset + Math.floor((end - sizeMicros - offset) / length) * length
    while (block > end - sizeMicros) block -= length
    while (block + length <= end - sizeMicros) block += length
    return block === end - sizeMicros ? -Infinity : block + length
  }

  /** @param slices those of an older part, of a newer one, and of others behind them. */
  #resultRow(keyRow: Row, end: number, slices: readonly (readonly (readonly Kept[])[])[]): Row | typeof FAILED {
    const result: Record<string, unknown> = {}
    for (const key of this.#keys) result[key] = keyRow[key] === 0 ? 0 : keyRow[key]
    result["windowStart"] = end - this.#window.sizeMicros
    result["windowEnd"] = end
    let hasFailed = false
    this.#aggregates.forEach(({ name, kind, type }, index) => {
      const values = slices.map((part) => part.map((slice) => timedValues(slice, index)))
      const order = this.#keys.length === 0 && this.#grid === undefined ? "in turns" : "one sum"
      result[name] = referenceResult(kind, type, values, order)
      if (result[name] === FAILED) hasFailed = true
    })
    return hasFailed ? FAILED : result
  }
}

function timedValues(records: readonly Kept[], index: number): TimedValue[] {
  return records.map(({ time, values, grid }) => ({ time, value: values[index], grid }))
}
