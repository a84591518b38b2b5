/**
 * The window operator: aggregates records by key and window of event time.
 *
 * The way of a batch: each record is assigned to a slice (or found late); the lambdas of aggregates fill columns for
 * the records that count; keys become ids; then, slice by slice, ids become groups of the slice's table and the
 * accumulators add. When the watermark passes a window's end, the partials of its slices are merged and emitted.
 *
 * A record that fails (a lambda of an aggregate throws, an integer sum would leave its range, its windows would reach
 * beyond the ends of time) is reported and has no effect on any aggregate.
 *
 * Invariants (rules of docs/spec/windows.md, beside those of `slices.ts` and `slice-assigner.ts`):
 * - W3 A window fires once, when the watermark is at least its end − 1.
 * - W4 Windows fire in ascending order of their ends; within one, keys go in the order in which they first appear in
 *   its slices, slices in order of time.
 * - W8 A record that fails is in no aggregate, also where only one of several refuses it.
 */
import { TidemarkError } from "../../base/errors.ts"
import type { ByteReader, ByteWriter } from "../../base/bytes.ts"
import type { Batch } from "../../batch/batch.ts"
import type { Column, Int64Column } from "../../batch/column.ts"
import type { Schema } from "../../batch/schema.ts"
import type { ColumnType } from "../../batch/type.ts"
import type { AggregateDefinition } from "../aggregates/aggregate.ts"
import { Run } from "../aggregates/run.ts"
import { EveryRow } from "../every-row.ts"
import type { Emitter, Operator, OperatorContext, OperatorState } from "../operator.ts"
import type { WindowSpec } from "../plan.ts"
import { RowFailures } from "../row-failures.ts"
import { KeyTable } from "./key-table.ts"
import { OpenSlices } from "./open-slices.ts"
import type { Slice } from "./slice.ts"
import { SliceAssigner } from "./slice-assigner.ts"
import { SliceTable } from "./slice-table.ts"
import { Slices } from "./slices.ts"
import { WindowInputs, type WindowInput } from "./window-inputs.ts"
import { WindowResults } from "./window-results.ts"
import { WindowState } from "./window-state.ts"

/** One result column of a window operator. */
export interface WindowAggregateColumn {
  readonly name: string
  readonly definition: AggregateDefinition
  readonly input: WindowInput
}

/** What a window operator is made of. */
export interface WindowAggregateOptions {
  readonly id: string
  readonly signature: string
  readonly window: WindowSpec
  /** The key columns: their places in the input, and their types. */
  readonly keys: readonly { readonly index: number; readonly type: ColumnType }[]
  /** The place of the event-time column, and what is added to it to give event time. */
  readonly timeIndex: number
  readonly timeShift: number
  readonly aggregates: readonly WindowAggregateColumn[]
  /** The results: keys, window start, window end, aggregates. */
  readonly schema: Schema
}

const NONE_FAILED: ReadonlyMap<number, unknown> = new Map()

/** See the head of this file. */
export class WindowAggregate implements Operator, OperatorState {
  readonly id: string
  readonly signature: string
  readonly #options: WindowAggregateOptions
  readonly #context: OperatorContext
  readonly #slices: Slices
  readonly #assigner: SliceAssigner
  readonly #inputs: WindowInputs
  readonly #results: WindowResults
  readonly #state: WindowState
  readonly #failures = new RowFailures()
  readonly #run = new Run()
  /** The id of each record's key, in the order of the run. */
  #ids: Int32Array = new Int32Array(0)
  /** Where the records of each touched slice start in the run, and where the last ends. */
  #starts: Int32Array = new Int32Array(2)
  readonly #everyRow = new EveryRow()
  #betweenRows = 0

  constructor(options: WindowAggregateOptions, context: OperatorContext) {
    const { id, keys, aggregates } = options
    this.id = id
    this.signature = options.signature
    this.#options = options
    this.#context = context
    this.#slices = new Slices(options.window)
    const open = new OpenSlices(this.#slices, () => this.#newTable())
    this.#assigner = new SliceAssigner(this.#slices, open)
    this.#inputs = new WindowInputs(
      aggregates.map(({ input }) => input),
      context,
    )
    this.#results = new WindowResults(id, options.schema, keys.length, context)
    const types = keys.map(({ type }) => type)
    this.#state = new WindowState(id, this.#slices, open, new KeyTable(types, context.arena))
  }

  /** All windows that end at this + 1 or earlier have fired. */
  get watermark(): number {
    return this.#state.watermark
  }

  /** Rows that came late for all their windows, over the life of the state. */
  get lateRows(): number {
    return this.#state.lateRows
  }

  /** Rows that lay between windows, since the operator was made. */
  get betweenRows(): number {
    return this.#betweenRows
  }

  /** How many windows have records and have not fired. */
  countOpenWindows(): number {
    return this.#state.open.countWindows()
  }

  onBatch(batch: Batch, out: Emitter): void {
    const { timeIndex, timeShift } = this.#options
    const assigner = this.#assigner
    const rows = batch.selection ?? this.#everyRow.below(batch.length)
    assigner.assign(batch.columns[timeIndex] as Int64Column, timeShift, rows, batch.count, batch.watermarks)
    this.#betweenRows += assigner.betweenCount
    for (const row of assigner.outOfTime) this.#failures.add(row, outOfTimeError())
    if (assigner.count > 0) this.#addRecords(batch)
    this.#failures.report(this.id, batch, this.#context)
    if (assigner.lateCount === 0) return
    this.#state.addLateRows(assigner.lateCount)
    out.emit("late", batch.with({ selection: assigner.late, count: assigner.lateCount }))
  }

  /** Adds the records that the assigner has found a slice for. */
  #addRecords(batch: Batch): void {
    const { rows, count, touched } = this.#assigner
    const inputs = this.#inputs.columnsOf(batch.with({ selection: rows, count }), this.#failures.add)
    try {
      this.#sortBySlice()
      const end = this.#starts[touched.length]!
      const keyColumns = this.#options.keys.map(({ index }) => batch.columns[index]!)
      this.#state.keys.resolve(keyColumns, this.#run.rows, 0, end, this.#ids)
      touched.forEach((slice, index) => {
        this.#run.select(this.#starts[index]!, this.#starts[index + 1]!)
        this.#addRun(slice, inputs.columns)
      })
    } finally {
      inputs.release()
      for (const slice of touched) this.#state.open.settle(slice)
    }
  }

  /** Fills the run with the records that have not failed, slice by slice, in order of arrival within each. */
  #sortBySlice(): void {
    const { rows, times, sliceIndexes, count, touched } = this.#assigner
    const run = this.#run
    run.reserve(count)
    if (this.#ids.length < count) this.#ids = new Int32Array(count)
    if (this.#starts.length <= touched.length) this.#starts = new Int32Array(touched.length * 2)
    const starts = this.#starts.fill(0, 0, touched.length + 1)
    if (touched.length === 1 && this.#failures.size === 0) {
      run.rows.set(rows.subarray(0, count))
      run.times.set(times.subarray(0, count))
      starts[1] = count
      return
    }
    const hasFailures = this.#failures.size > 0
    for (let at = 0; at < count; at++) {
      if (hasFailures && this.#failures.has(rows[at]!)) sliceIndexes[at] = -1
      else starts[sliceIndexes[at]! + 1]! += 1
    }
    for (let index = 0; index < touched.length; index++) starts[index + 1]! += starts[index]!
    // Each start moves on as its slice fills, and so becomes the start of the next slice.
    for (let at = 0; at < count; at++) {
      const index = sliceIndexes[at]!
      if (index === -1) continue
      const to = starts[index]!++
      run.rows[to] = rows[at]!
      run.times[to] = times[at]!
    }
    starts.copyWithin(1, 0, touched.length)
    starts[0] = 0
  }

  /** Adds the records of the run to their slice. */
  #addRun(slice: Slice, columns: readonly (Column | undefined)[]): void {
    const { start, end } = this.#run
    const { accumulators } = slice.table
    if (start === end) return
    let areAllAccepted = true
    for (let index = 0; index < accumulators.length; index++) {
      if (!accumulators[index]!.acceptsAll(this.#run, columns[index])) areAllAccepted = false
    }
    if (areAllAccepted) this.#addSelected(slice, columns)
    else for (let at = start; at < end; at++) this.#addIfAccepted(slice, columns, at)
  }

  #addIfAccepted(slice: Slice, columns: readonly (Column | undefined)[], at: number): void {
    const row = this.#run.rows[at]!
    const group = slice.table.groupOf(this.#ids[at]!)
    const refusing = slice.table.accumulators.findIndex(
      (accumulator, index) => !accumulator.accepts(group, columns[index], row),
    )
    if (refusing === -1) {
      this.#run.select(at, at + 1)
      this.#addSelected(slice, columns)
    } else this.#failures.add(row, overflowError(this.#options.aggregates[refusing]!.name))
  }

  #addSelected(slice: Slice, columns: readonly (Column | undefined)[]): void {
    const { table } = slice
    const run = this.#run
    table.resolve(this.#ids, run.start, run.end, run.groups)
    table.markDirty(run.groups, run.start, run.end)
    for (let index = 0; index < table.accumulators.length; index++) {
      table.accumulators[index]!.add(run, columns[index])
    }
    this.#state.touch(slice)
  }

  /** Fires the windows that are due. At +∞ all are, and the watermark becomes that at which the last of them is due. */
  onWatermark(watermark: number, out: Emitter): void {
    const state = this.#state
    const isDue = () => state.open.earliestEnd !== Infinity && state.open.earliestEnd - 1 <= watermark
    let lastEnd = -Infinity
    if (isDue()) {
      const groups = state.open.countGroups()
      for (; isDue(); this.#fire(out)) lastEnd = state.open.earliestEnd
      this.#results.flush(out)
      state.dropClosed()
      state.collectKeys(groups)
    }
    state.watermark = watermark === Infinity ? lastEnd - 1 : watermark
  }

  #fire(out: Emitter): void {
    const { open, keys } = this.#state
    const end = open.earliestEnd
    const members = open.membersOfEarliest()
    let { table } = members[0]!
    let failed = NONE_FAILED
    if (members.length > 1) {
      const errors = new Map<number, unknown>()
      table = this.#newTable()
      for (const member of members) this.#merge(member.table, table, errors)
      failed = errors
    }
    this.#results.append({ start: end - this.#slices.size, end, keys, table, failed }, out)
    open.pass(members)
  }

  #merge(from: SliceTable, into: SliceTable, failed: Map<number, unknown>): void {
    const groups = new Int32Array(from.size)
    into.resolve(from.ids, 0, from.size, groups)
    into.accumulators.forEach((accumulator, index) => {
      accumulator.merge(from.accumulators[index]!, groups, from.size, (group) => {
        if (!failed.has(group)) failed.set(group, overflowError(this.#options.aggregates[index]!.name))
      })
    })
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

  release(): void {
    this.#state.keys.release()
  }

  #newTable(): SliceTable {
    return new SliceTable(
      this.#options.aggregates.map(({ definition, input }) =>
        definition.accumulator(input.kind === "none" ? undefined : input.type),
      ),
    )
  }
}

function overflowError(name: string): TidemarkError {
  return new TidemarkError("aggregate-overflow", `${JSON.stringify(name)} would leave the range of its sum's type`, {
    hint: "Sum a float64, or fewer or smaller values.",
  })
}

function outOfTimeError(): TidemarkError {
  return new TidemarkError("invalid-timestamp", "the windows of the record reach beyond the years 1684 to 2255")
}
