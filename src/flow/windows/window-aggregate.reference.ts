/**
 * The slow twin of the window operator: it keeps every record, finds windows by trying them one after the other, and
 * computes each window's results from its records when it fires. See docs/spec/windows.md for the rules.
 */
import type { ColumnType } from "../../batch/type.ts"
import { FAILED, referenceAccepts, referenceResult, type TimedValue } from "../aggregates/aggregate.reference.ts"
import type { AggregateKind, WindowSpec } from "../plan.ts"

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
  readonly time: number
  /** Ends of the windows that hold the record, and of those among them in which it counts. */
  readonly ends: readonly number[]
  readonly counted: readonly number[]
  readonly values: readonly unknown[]
}

/** What became of a row. */
export type Outcome = "counted" | "late" | "between" | "failed"

/** A window operator, record by record. */
export class ReferenceWindows {
  readonly #window: WindowSpec
  readonly #keys: readonly string[]
  readonly #aggregates: readonly ReferenceAggregate[]
  readonly #records: Kept[] = []
  #firedEnd = -Infinity
  watermark = -Infinity

  constructor(window: WindowSpec, keys: readonly string[], aggregates: readonly ReferenceAggregate[]) {
    this.#window = window
    this.#keys = keys
    this.#aggregates = aggregates
  }

  /** @param watermark that of the row's partition before the row. */
  onRow(row: Row, time: number, watermark: number): Outcome {
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
    const record = { row, time, ends, counted, values }
    const before = this.#records.filter((other) => isSameSlice(other, record) && this.#isSameKey(other, record))
    const isAccepted = this.#aggregates.every(({ kind, type }, index) =>
      referenceAccepts(kind, type, timedValues(before, index), values[index]),
    )
    if (!isAccepted) return "failed"
    this.#records.push(record)
    return "counted"
  }

  #windowEnds(time: number): number[] {
    const { sizeMicros, offsetMicros } = this.#window
    const slide = this.#window.kind === "tumbling" ? sizeMicros : this.#window.slideMicros
    const ends: number[] = []
    const firstIndex = Math.floor((time - offsetMicros - sizeMicros) / slide) - 1
    for (let start = offsetMicros + firstIndex * slide; start <= time; start += slide) {
      if (time < start + sizeMicros) ends.push(start + sizeMicros)
    }
    return ends
  }

  #isSameKey(one: Kept, other: Kept): boolean {
    return keyText(one.row, this.#keys) === keyText(other.row, this.#keys)
  }

  /** Fires what is due; the result rows, or `FAILED` in the place of one with a sum out of range. */
  onWatermark(watermark: number): (Row | typeof FAILED)[] {
    const results: (Row | typeof FAILED)[] = []
    for (;;) {
      const due = this.#records.flatMap(({ counted }) => counted.filter((end) => end > this.#firedEnd))
      const end = Math.min(...due)
      if (end === Infinity || end - 1 > watermark) break
      results.push(...this.#fire(end))
      this.#firedEnd = end
    }
    this.watermark = Math.max(this.watermark, watermark === Infinity ? this.#firedEnd - 1 : watermark)
    return results
  }

  #fire(end: number): (Row | typeof FAILED)[] {
    const records = this.#records.filter(({ counted }) => counted.includes(end))
    const slices: Kept[][] = []
    for (const record of records) {
      const slice = slices.find((others) => isSameSlice(others[0]!, record))
      if (slice === undefined) slices.push([record])
      else slice.push(record)
    }
    slices.sort(([one], [other]) => {
      const isSameTime = String(one!.ends) === String(other!.ends)
      return isSameTime ? one!.counted[0]! - other!.counted[0]! : one!.time - other!.time
    })
    const keys = new Map<string, Row>()
    for (const { row } of slices.flat()) {
      const text = keyText(row, this.#keys)
      if (!keys.has(text)) keys.set(text, row)
    }
    return [...keys].map(([text, row]) => {
      const ofKey = slices.map((slice) => slice.filter((record) => keyText(record.row, this.#keys) === text))
      return this.#resultRow(row, end, ofKey)
    })
  }

  #resultRow(keyRow: Row, end: number, slices: readonly Kept[][]): Row | typeof FAILED {
    const result: Record<string, unknown> = {}
    for (const key of this.#keys) result[key] = keyRow[key] === 0 ? 0 : keyRow[key]
    result["windowStart"] = end - this.#window.sizeMicros
    result["windowEnd"] = end
    let hasFailed = false
    this.#aggregates.forEach(({ name, kind, type }, index) => {
      const slicesOfValues = slices.map((slice) => timedValues(slice, index))
      result[name] = referenceResult(kind, type, slicesOfValues)
      if (result[name] === FAILED) hasFailed = true
    })
    return hasFailed ? FAILED : result
  }
}

/** Records are in one slice when the same windows hold them and they count in the same ones. */
function isSameSlice(one: Kept, other: Kept): boolean {
  return String(one.ends) === String(other.ends) && String(one.counted) === String(other.counted)
}

function timedValues(records: readonly Kept[], index: number): TimedValue[] {
  return records.map(({ time, values }) => ({ time, value: values[index] }))
}

/** Equal for keys that are equal as those of a `Map` are: NaN equals itself, −0 equals +0, 1n does not equal 1. */
function keyText(row: Row, keys: readonly string[]): string {
  return keys.map((key) => `${typeof row[key]} ${String(row[key])}`).join("\u0000")
}
