/**
 * Windows of plain values: the operator of windows that no kernel serves. It adds record after record to cells
 * (`keyed-cells.ts`), one a key and window or part of a window, and fires those that are due when the watermark passes.
 * Which cells a record goes in is for a `Windowing` to say; how values are aggregated, for accumulators.
 *
 * Invariants (rules of docs/spec/windows.md, beside those of the windowings):
 * - W25 Results come in ascending order of when they are due, then of their windows' starts, then of their first records.
 * - W8 A record whose lambda fails, and that is not late, is in no aggregate and makes no key appear.
 */
import type { ByteReader, ByteWriter } from "../../../base/bytes.ts"
import { TidemarkError } from "../../../base/errors.ts"
import type { Batch } from "../../../batch/batch.ts"
import { readInt53, type Int64Column } from "../../../batch/column.ts"
import type { Schema } from "../../../batch/schema.ts"
import type { ColumnType } from "../../../batch/type.ts"
import type { Emitter, OperatorContext, TimedOperator } from "../../operator.ts"
import { RowFailures } from "../../row-failures.ts"
import { CellState } from "./cell-state.ts"
import { KeyedCells } from "./keyed-cells.ts"
import { Partials, type NamedAccumulator } from "./partials.ts"
import { ResultRows } from "./result-rows.ts"
import { addRowsOf } from "./rows-with-late.ts"
import { rowValueReader, RowValues, type RowInput } from "./row-values.ts"
import type { ArrivedRecord, Outcome, Windowing } from "./windowing.ts"

/** What the operator is made of. */
export interface GeneralWindowsOptions {
  readonly id: string
  readonly signature: string
  /** The key columns: their places in the input, and their types. */
  readonly keys: readonly { readonly index: number; readonly type: ColumnType }[]
  /** The place of the event-time column, and what is added to it to give event time: less than 0 for results of windows. */
  readonly timeIndex: number
  readonly timeShift: number
  readonly aggregates: readonly (NamedAccumulator & { readonly input: RowInput })[]
  /** The results: keys, bounds, aggregates. */
  readonly schema: Schema
  makeWindowing(cells: KeyedCells, partials: Partials): Windowing
}

/** See the head of this file. */
export class GeneralWindows implements TimedOperator {
  readonly id: string
  readonly signature: string
  readonly #options: GeneralWindowsOptions
  readonly #context: OperatorContext
  readonly #cells: KeyedCells
  readonly #partials: Partials
  readonly #windowing: Windowing
  readonly #values: RowValues
  readonly #results: ResultRows
  readonly #state: CellState
  readonly #failures = new RowFailures()
  #betweenRows = 0

  constructor(options: GeneralWindowsOptions, context: OperatorContext) {
    const { id, keys, aggregates, schema } = options
    this.id = id
    this.signature = options.signature
    this.#options = options
    this.#context = context
    const partials = new Partials(aggregates)
    this.#partials = partials
    const cells = new KeyedCells()
    this.#cells = cells
    this.#windowing = options.makeWindowing(cells, partials)
    this.#values = new RowValues(
      aggregates.map(({ input }) => input),
      context,
    )
    this.#results = new ResultRows({ id, schema, partials }, context)
    this.#state = new CellState({
      operator: id,
      keys: keys.map(({ type }) => type),
      cells,
      partials,
      isCell: (due, start, end) => this.#windowing.isCell(due, start, end),
    })
  }

  get watermark(): number {
    return this.#state.watermark
  }

  get lateRows(): number {
    return this.#state.lateRows
  }

  get betweenRows(): number {
    return this.#betweenRows
  }

  countOpenWindows(): number {
    return this.#windowing.countOpenWindows()
  }

  nextDue(): number {
    return this.#cells.nextDue() - 1
  }

  onBatch(batch: Batch, out: Emitter): void {
    const late = addRowsOf(batch, this.#values, this.#context, out, (...rows) => this.#addRows(batch, ...rows))
    if (late > 0) this.#state.addLateRows(late)
    this.#failures.report(this.id, batch, this.#context)
  }

  /** Adds the rows that count, and lists those that are late: how many there are. */
  #addRows(
    batch: Batch,
    readers: readonly ((row: number) => unknown)[],
    errors: ReadonlyMap<number, unknown>,
    late: Int32Array,
  ): number {
    const { timeIndex, timeShift, keys } = this.#options
    const { halves } = batch.columns[timeIndex] as Int64Column
    const { watermarks } = batch
    const keyReaders = keys.map(({ index }) => rowValueReader(batch.columns[index]!))
    const values = new Array<unknown>(readers.length)
    const cells = this.#cells
    const windowing = this.#windowing
    const { maxTime } = windowing
    const { mayRefuse } = this.#partials
    let lateCount = 0
    batch.forEachRow((row) => {
      const time = readInt53(halves, row) + timeShift
      if (time > maxTime || time < -maxTime) {
        this.#failures.add(row, outOfTimeError())
        return
      }
      // Results of windows come when the watermark reaches their event time.
      const watermark = watermarks !== null ? watermarks[row]! : timeShift < 0 ? time - 1 : -Infinity
      const key = cells.keyOf(keyReaders.map((read) => read(row)))
      const record = { key, time, watermark, values }
      if (errors.has(row)) {
        const outcome = windowing.look(record)
        if (outcome === "counted") this.#failures.add(row, errors.get(row))
        else lateCount = this.#note(outcome, row, late, lateCount)
        return
      }
      for (let index = 0; index < values.length; index++) values[index] = readers[index]!(row)
      if (mayRefuse && !this.#isAccepted(record, row)) return
      lateCount = this.#note(windowing.add(record), row, late, lateCount)
    })
    return lateCount
  }

  #isAccepted(record: ArrivedRecord, row: number): boolean {
    try {
      this.#windowing.check(record)
      return true
    } catch (error) {
      this.#failures.add(row, error)
      return false
    }
  }

  #note(outcome: Outcome, row: number, late: Int32Array, lateCount: number): number {
    if (outcome === "counted") this.#cells.ordinal++
    if (outcome === "between") this.#betweenRows++
    if (outcome !== "late") return lateCount
    late[lateCount] = row
    return lateCount + 1
  }

  /** Fires what is due. At +∞ all is, and the watermark becomes that at which the last of it is due. */
  onWatermark(watermark: number, out: Emitter): void {
    const isEnd = watermark === Infinity
    let last = this.#state.watermark
    this.#results.give(out, () => {
      while (!isEnd || this.#cells.waiting > 0) {
        const cells = this.#cells.takeDue(watermark + 1)
        if (cells.length === 0) break
        last = cells[0]!.due - 1
        this.#windowing.fire(cells, this.#results)
      }
    })
    this.#state.watermark = isEnd ? last : watermark
  }

  writeChanges(out: ByteWriter): void {
    this.#state.writeChanges(out)
  }

  writeAll(out: ByteWriter): void {
    this.#state.writeAll(out)
  }

  applyChanges(changes: ByteReader): void {
    this.#state.applyChanges(changes)
  }
}

function outOfTimeError(): TidemarkError {
  return new TidemarkError("invalid-timestamp", "the windows of the record reach beyond the years 1684 to 2255")
}
