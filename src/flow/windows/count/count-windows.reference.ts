/**
 * The slow twin of windows of so many records: it keeps all records of a key, and computes each result from those that its
 * window holds. See docs/spec/windows.md for the rules.
 */
import { FAILED, referenceResult } from "../../aggregates/aggregate.reference.ts"
import type { CountSpec } from "../../plan.ts"
import { accumulated, type GeneralAggregate } from "../general/general-windows.reference.ts"
import type { Outcome, Row } from "../window-aggregate.reference.ts"

interface Kept {
  readonly row: Row
  readonly time: number
  readonly values: readonly unknown[]
}

/** What came of a record. */
export interface CountOutcome {
  readonly outcome: Outcome
  /** The result that it has completed, if any. */
  readonly result: Row | typeof FAILED | undefined
}

/** See the head of this file. */
export class ReferenceCountWindows {
  readonly #window: CountSpec
  readonly #keys: readonly string[]
  readonly #aggregates: readonly GeneralAggregate[]
  readonly #hasTime: boolean
  /** By key, from the first on; a record that is in no window has no values. */
  readonly #records = new Map<string, Kept[]>()

  constructor(window: CountSpec, keys: readonly string[], aggregates: readonly GeneralAggregate[], hasTime: boolean) {
    this.#window = window
    this.#keys = keys
    this.#aggregates = aggregates
    this.#hasTime = hasTime
  }

  onRow(row: Row, time: number): CountOutcome {
    const key = this.#keys.map((name) => `${typeof row[name]} ${String(row[name])}`).join("\u0000")
    const records = this.#records.get(key) ?? []
    this.#records.set(key, records)
    let values: unknown[]
    try {
      values = this.#aggregates.map(({ read }) => read(row))
    } catch {
      return { outcome: "failed", result: undefined }
    }
    const { count, every } = this.#window
    const place = records.push({ row, time, values })
    const nextEnd = Math.ceil(place / every) * every
    if (place <= nextEnd - count) return { outcome: "between", result: undefined }
    return { outcome: "counted", result: place === nextEnd ? this.#result(records) : undefined }
  }

  #result(records: readonly Kept[]): Row | typeof FAILED {
    const end = records.length
    const { count } = this.#window
    const start = Math.max(0, end - count)
    const held = records.slice(start)
    const parts = this.#partsOf(start, end).map((slices) => slices.map(([from, to]) => records.slice(from, to)))
    const result: Record<string, unknown> = {}
    for (const name of this.#keys) result[name] = held[0]!.row[name] === 0 ? 0 : held[0]!.row[name]
    if (this.#hasTime) {
      result["windowStart"] = Math.min(...held.map(({ time }) => time))
      result["windowEnd"] = Math.max(...held.map(({ time }) => time)) + 1
    }
    this.#aggregates.forEach((aggregate, index) => {
      const valuesOf = (some: readonly Kept[]) => some.map(({ time, values }) => ({ time, value: values[index] }))
      const { name } = aggregate
      if (aggregate.kind === "accumulated") result[name] = accumulated(aggregate, valuesOf(held))
      else {
        const values = parts.map((slices) => slices.map(valuesOf))
        result[name] = referenceResult(aggregate.kind, aggregate.type, values)
      }
    })
    return Object.values(result).includes(FAILED) ? FAILED : result
  }

  /** The slices of a window, those of its older block and those of its newer one (W66). */
  #partsOf(start: number, end: number): (readonly [number, number])[][] {
    const { count, every } = this.#window
    const length = Math.ceil(count / every) * every
    let block = -count
    while (block + length < end) block += length
    const edges = [start]
    for (let edge = start + 1; edge < end; edge++) {
      if (edge % every === 0 || (edge + count) % every === 0) edges.push(edge)
    }
    const slices = edges.map((edge, index) => [edge, edges[index + 1] ?? end] as const)
    return [slices.filter(([from]) => from < block), slices.filter(([from]) => from >= block)]
  }
}
