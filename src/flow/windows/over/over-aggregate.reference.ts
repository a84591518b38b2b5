/**
 * The slow twin of aggregates over a range: it keeps all rows, and computes each result from those that its range holds. See
 * docs/spec/windows.md for the rules.
 */
import { FAILED, referenceResult, type TimedValue } from "../../aggregates/aggregate.reference.ts"
import { accumulated, type GeneralAggregate } from "../general/general-windows.reference.ts"
import type { Outcome, Row } from "../window-aggregate.reference.ts"

interface Kept {
  readonly row: Row
  readonly time: number
  readonly key: string
  readonly values: readonly unknown[]
}

/** See the head of this file. */
export class ReferenceOver {
  readonly #range: number
  readonly #keys: readonly string[]
  readonly #aggregates: readonly GeneralAggregate[]
  /** In order of arrival. */
  readonly #rows: Kept[] = []
  watermark = -Infinity

  constructor(rangeMicros: number, keys: readonly string[], aggregates: readonly GeneralAggregate[]) {
    this.#range = rangeMicros
    this.#keys = keys
    this.#aggregates = aggregates
  }

  onRow(row: Row, time: number, watermark: number): Outcome {
    if (Math.abs(time) > Number.MAX_SAFE_INTEGER - 2 * (this.#range + 1)) return "failed"
    if (watermark >= time) return "late"
    try {
      const key = this.#keys.map((name) => `${typeof row[name]} ${String(row[name])}`).join("\u0000")
      this.#rows.push({ row, time, key, values: this.#aggregates.map(({ read }) => read(row)) })
      return "counted"
    } catch {
      return "failed"
    }
  }

  /** The rows that are given, and their event times. */
  onWatermark(watermark: number): { readonly row: Row | typeof FAILED; readonly time: number }[] {
    const due = this.#rows.filter(({ time }) => time > this.watermark && time <= watermark)
    const inOrder = due.map((kept, place) => ({ kept, place }))
    inOrder.sort((one, other) => one.kept.time - other.kept.time || one.place - other.place)
    const last = watermark === Infinity ? Math.max(this.watermark, ...due.map(({ time }) => time)) : watermark
    this.watermark = Math.max(this.watermark, last)
    return inOrder.map(({ kept }) => ({ row: this.#result(kept), time: kept.time }))
  }

  #result({ row, time, key }: Kept): Row | typeof FAILED {
    const held = this.#rows
      .filter((other) => other.key === key && other.time >= time - this.#range && other.time <= time)
      .map((kept, place) => ({ kept, place }))
      .sort((one, other) => one.kept.time - other.kept.time || one.place - other.place)
      .map(({ kept }) => kept)
    const length = BigInt(this.#range) + 1n
    const blockOf = (moment: number) => {
      const quotient = BigInt(moment) / length
      return quotient * length > BigInt(moment) ? quotient - 1n : quotient
    }
    const slices = [...new Set(held.map((each) => each.time))].map((at) => held.filter((each) => each.time === at))
    const isNewer = ([first]: readonly Kept[]) => blockOf(first!.time) === blockOf(time)
    const parts = [slices.filter((slice) => !isNewer(slice)), slices.filter(isNewer)]
    const result: Record<string, unknown> = { ...row }
    this.#aggregates.forEach((aggregate, index) => {
      const valuesOf = (some: readonly Kept[]): TimedValue[] =>
        some.map((each) => ({ time: each.time, value: each.values[index] }))
      result[aggregate.name] =
        aggregate.kind === "accumulated"
          ? accumulated(aggregate, valuesOf(held))
          : referenceResult(
              aggregate.kind,
              aggregate.type,
              parts.map((each) => each.map(valuesOf)),
            )
    })
    return this.#aggregates.some(({ name }) => result[name] === FAILED) ? FAILED : result
  }
}
