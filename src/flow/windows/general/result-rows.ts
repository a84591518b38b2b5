/**
 * Result rows of windows of plain values on their way out: gathered as values, and given out as batches of up to 1,024.
 * They are in order of event time; or each has the watermark before it; or they are made of rows of a batch, and each stands in the
 * place of the row that it was made of.
 *
 * Invariants:
 * - W9 A row without a result for one of its aggregates fails, and other rows do not change.
 */
import { allocateColumns, Batch } from "../../../batch/batch.ts"
import { writeValue } from "../../../batch/column.ts"
import type { Schema } from "../../../batch/schema.ts"
import type { ColumnType } from "../../../batch/type.ts"
import { EveryRow } from "../../every-row.ts"
import { originOf } from "../../made-rows.ts"
import type { Emitter, OperatorContext } from "../../operator.ts"
import { RowFailures } from "../../row-failures.ts"
import type { Key } from "./keyed-cells.ts"
import type { Partials } from "./partials.ts"
import type { ResultTaker } from "./windowing.ts"

const ROWS_MAX = 1024

/** What result rows are made of. */
export interface ResultRowsOptions {
  readonly id: string
  /** The keys, the bounds, the aggregates. */
  readonly schema: Schema
  readonly partials: Partials
}

/** See the head of this file. */
export class ResultRows implements ResultTaker {
  readonly #options: ResultRowsOptions
  readonly #context: OperatorContext
  readonly #failures = new RowFailures()
  readonly #everyRow = new EveryRow()
  #rows: unknown[][] = []
  #out: Emitter | undefined
  /** The watermarks before rows, where they are told. */
  #watermarks: number[] = []
  /** What rows are made of, and of which row each of them. */
  #from: Batch | undefined
  #fromRows: number[] = []

  constructor(options: ResultRowsOptions, context: OperatorContext) {
    this.#options = options
    this.#context = context
  }

  /** Gives out to `out` what `fill` makes. */
  give(out: Emitter, fill: () => void): void {
    this.#out = out
    fill()
    this.#flush()
  }

  /** Gives out to `out` what `fill` makes of rows of a batch. */
  giveOf(batch: Batch, out: Emitter, fill: () => void): void {
    this.#from = batch
    this.give(out, fill)
    this.#from = undefined
  }

  take({ values }: Pick<Key, "values">, bounds: readonly number[], partials: readonly unknown[]): void {
    const errors: unknown[] = []
    const results = this.#options.partials.results(partials, (_index, error) => void errors.push(error))
    this.put([...values, ...bounds, ...results], errors)
  }

  /** Takes a row, column by column, why it fails where it does, and perhaps the watermark before it: of all rows, or of none. */
  put(row: unknown[], errors: readonly unknown[], watermark?: number): void {
    if (errors.length > 0) this.#failures.add(this.#rows.length, errors[0])
    this.#rows.push(row)
    if (watermark !== undefined) this.#watermarks.push(watermark)
    if (this.#rows.length === ROWS_MAX) this.#flush()
  }

  /** Takes a result that was made of a row of the batch; what bounds there are is among the partial results. */
  takeOf(key: Pick<Key, "values">, partials: readonly unknown[], row: number): void {
    this.#fromRows.push(row)
    this.take(key, [], partials)
  }

  #flush(): void {
    const rows = this.#rows
    if (rows.length === 0) return
    this.#rows = []
    const { id, schema } = this.#options
    const { columns, release } = allocateColumns(this.#context.arena, schema, rows.length)
    try {
      schema.fields.forEach(({ type }, index) => {
        const column = columns[index]!
        rows.forEach((row, at) => writeValue(column, at, row[index] === undefined ? zeroOf(type) : row[index]))
      })
      // Windows fire in order of when they are due, which is the event time of their results.
      const places = this.#takePlaces()
      const made = new Batch({ schema, columns, length: rows.length, isTimeOrdered: places === undefined })
      const all = places === undefined ? made : made.with(places)
      const results = this.#failures.size === 0 ? all : this.#withoutFailed(all)
      this.#failures.report(id, all, this.#context)
      if (results.count > 0) this.#out!.emit("main", results)
    } finally {
      release()
    }
  }

  /** Where rows stand in time: where nothing is said, they are in order. */
  #takePlaces(): Partial<Pick<Batch, "origin" | "watermarks">> | undefined {
    const [indexes, told, from] = [this.#fromRows, this.#watermarks, this.#from]
    this.#fromRows = []
    this.#watermarks = []
    if (from === undefined) return told.length === 0 ? undefined : { watermarks: Float64Array.from(told) }
    const { origin, watermarks } = from
    const taken = watermarks && Float64Array.from(indexes, (index) => watermarks[index]!)
    return { origin: originOf(origin, indexes), watermarks: taken }
  }

  #withoutFailed(batch: Batch): Batch {
    const selection = new Int32Array(batch.length)
    const count = this.#failures.without(this.#everyRow.below(batch.length), batch.length, selection)
    return batch.with({ selection, count })
  }
}

/** What stands in a row that has failed where there is no result. */
function zeroOf(type: ColumnType): unknown {
  const { typeOf, symbols, fields, packing, unpack } = type.definition
  switch (typeOf) {
    case "number":
      return 0
    case "bigint":
      return 0n
    case "boolean":
      return false
    case "string":
      return symbols?.[0] ?? ""
    case "any":
    case "object":
      if (type.isNullable) return null
      // The empty text stands for no bytes, and this one for an empty list, which is JSON, too.
      if (unpack !== undefined) return unpack(packing === "json" ? "[]" : "")
      return Object.fromEntries((fields ?? []).map((field) => [field.name, zeroOf(field.type)]))
  }
}
