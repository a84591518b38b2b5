/**
 * All windows that make their rows at once (`direct-firing.ts`) and have the same aggregates, of as many queries as there
 * are: a kernel keeps them by when they are due, and fires those that are due first.
 *
 * Nothing is kept from one window to the next but halves, which can be forgotten (`half-code.ts`).
 */
import type { Schema } from "../../../batch/schema.ts"
import type { Emitter } from "../../operator.ts"
import type { WindowKeys } from "../keys/window-keys.ts"
import type { ResultsOwner } from "../window-results.ts"
import type { DirectRows } from "./direct-rows.ts"
import type { FiredTogether } from "./shared-firing.ts"

/** The windows of one query. */
interface WindowsOfQuery extends ResultsOwner {
  /** Who takes the rows. */
  readonly out: Emitter
  readonly neededFrom: number
  fireDue(watermark: number): void
  fireAll(): number
  pass(watermark: number): void
}

/** Slices, as far as they say whether any came late. */
interface LateSlices {
  readonly waiting: readonly unknown[]
}

/** See the head of this file. */
export class DirectWindows implements FiredTogether {
  readonly rows: DirectRows
  readonly #shared: LateSlices
  /** By the number by which `rows` knows them. */
  readonly #firings: WindowsOfQuery[] = []
  readonly #schemas = new Map<string, Schema>()

  constructor(rows: DirectRows, shared: LateSlices) {
    this.rows = rows
    this.#shared = shared
  }

  /** Takes note of windows, which `rows` was told of last. */
  add(firing: WindowsOfQuery): void {
    this.#firings.push(firing)
  }

  /** The same schema for all queries whose results are alike, so that a batch of one serves the next, too. */
  schemaLike(schema: Schema): Schema {
    const { label } = schema
    const known = this.#schemas.get(label)
    if (known === undefined) this.#schemas.set(label, schema)
    return known ?? schema
  }

  get floorEnd(): number {
    return this.rows.firstEnd
  }

  get neededFrom(): number {
    return Math.min(...this.#firings.map(({ neededFrom }) => neededFrom))
  }

  /** Begins to fire windows: slices have these keys. */
  begin(keys: WindowKeys): void {
    this.rows.begin(keys)
  }

  fireDue(watermark: number): number {
    const { rows } = this
    const isLate = this.#shared.waiting.length > 0
    for (let end = rows.firstEnd; end <= watermark + 1; end = rows.firstEnd) {
      const firing = this.#firings[rows.first]!
      if (!isLate && end > -Infinity && rows.fireFirst(firing, watermark + 1, firing.out)) continue
      firing.fireDue(watermark)
      rows.postponeFirst()
    }
    return rows.firstEnd
  }

  fireAll(): number {
    return Math.max(...this.#firings.map((firing) => firing.fireAll()))
  }

  pass(watermark: number): void {
    for (const firing of this.#firings) firing.pass(watermark)
    this.rows.order()
  }

  /** Nothing was kept. */
  forget(): void {
    return
  }

  release(): void {
    this.rows.release()
  }
}
