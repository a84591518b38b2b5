/**
 * Result rows of windows on their way out: they fill columns of the arena, of up to 8,192 rows, and leave when those
 * are full or the watermark's work is done. Rows of several windows share a batch.
 */
import { assert } from "../../base/assert.ts"
import { allocateColumns, Batch, type BatchColumns } from "../../batch/batch.ts"
import { writeInt53, type Column, type Int64Column } from "../../batch/column.ts"
import type { Schema } from "../../batch/schema.ts"
import { EveryRow } from "../every-row.ts"
import type { Emitter, OperatorContext } from "../operator.ts"
import { RowFailures } from "../row-failures.ts"
import type { KeyTable } from "./key-table.ts"
import type { SliceTable } from "./slice-table.ts"

/** The most result rows of a batch. */
const MAX_RESULT_ROWS = 8192

/** A window's merged partials, and the groups whose merging failed. */
export interface FiredWindow {
  readonly start: number
  readonly end: number
  readonly keys: KeyTable
  readonly table: SliceTable
  readonly failed: ReadonlyMap<number, unknown>
}

/** Gathers and emits result rows. */
export class WindowResults {
  readonly #operator: string
  readonly #schema: Schema
  readonly #keyCount: number
  readonly #context: OperatorContext
  readonly #failures = new RowFailures()
  #made: BatchColumns | undefined
  #capacity = 0
  #length = 0

  /** @param schema the keys, the window's start and end, the aggregates. */
  constructor(operator: string, schema: Schema, keyCount: number, context: OperatorContext) {
    this.#operator = operator
    this.#schema = schema
    this.#keyCount = keyCount
    this.#context = context
  }

  /** Takes the rows of a window. */
  append(window: FiredWindow, out: Emitter): void {
    const { size } = window.table
    let from = 0
    while (from < size) {
      const columns = this.#columnsFor(size - from)
      const count = Math.min(size - from, this.#capacity - this.#length)
      this.#write(window, from, count, columns)
      for (const [group, error] of window.failed) {
        if (group >= from && group < from + count) this.#failures.add(this.#length + group - from, error)
      }
      this.#length += count
      from += count
      if (this.#length === this.#capacity) this.flush(out)
    }
  }

  /** A batch that has room; `needed` rows are still to come from the window at hand. */
  #columnsFor(needed: number): readonly Column[] {
    if (this.#made === undefined) {
      // Small windows often come in numbers, so there is room for some more; large ones take what is allowed.
      this.#capacity = Math.min(MAX_RESULT_ROWS, Math.max(256, needed))
      this.#made = allocateColumns(this.#context.arena, this.#schema, this.#capacity)
    }
    return this.#made.columns
  }

  #write({ start, end, keys, table }: FiredWindow, from: number, count: number, columns: readonly Column[]): void {
    const at = this.#length
    const keyCount = this.#keyCount
    for (let part = 0; part < keyCount; part++) keys.write(part, table.ids, from, count, columns[part]!, at)
    fillInt53(columns[keyCount] as Int64Column, at, count, start)
    fillInt53(columns[keyCount + 1] as Int64Column, at, count, end)
    table.accumulators.forEach((accumulator, index) => {
      accumulator.writeResults(from, count, columns[keyCount + 2 + index]!, at)
    })
  }

  /** Emits what was gathered. */
  flush(out: Emitter): void {
    const made = this.#made
    if (made === undefined) return
    const length = this.#length
    this.#made = undefined
    this.#length = 0
    assert(length > 0, "columns are made for rows")
    try {
      const all = new Batch({ schema: this.#schema, columns: made.columns, length })
      const results = this.#failures.size === 0 ? all : this.#withoutFailed(all)
      this.#failures.report(this.#operator, all, this.#context)
      if (results.count > 0) out.emit("main", results)
    } finally {
      made.release()
    }
  }

  #withoutFailed(batch: Batch): Batch {
    const rows = new EveryRow().below(batch.length)
    const selection = new Int32Array(batch.length)
    return batch.with({ selection, count: this.#failures.without(rows, batch.length, selection) })
  }
}

function fillInt53({ halves, validity }: Int64Column, at: number, count: number, value: number): void {
  for (let row = at; row < at + count; row++) {
    writeInt53(halves, row, value)
    if (validity !== null) validity[row >> 3]! |= 1 << (row & 7)
  }
}
