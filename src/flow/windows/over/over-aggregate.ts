/**
 * Aggregates over a range: each row, with what the aggregates give over the rows of its key from a length of event time before
 * it up to itself. It is what SQL calls `OVER (PARTITION BY … ORDER BY … RANGE BETWEEN … PRECEDING AND CURRENT ROW)`.
 *
 * Rows wait until the watermark says that none is missing before them, and are given in order of event time. Its state is that
 * of `over-rows.ts`.
 *
 * Invariants (rules of docs/spec/windows.md):
 * - W80 The range of a row at t holds the rows of its key from t less the length up to t, both included.
 * - W81 Rows are given in order of event time, those of one time in order of arrival, when the watermark is at it.
 * - W82 A row is late when its partition's watermark before it is at its event time or behind it; it is in no range then.
 */
import type { ByteReader, ByteWriter } from "../../../base/bytes.ts"
import { TidemarkError } from "../../../base/errors.ts"
import { batchOfRows, type Batch } from "../../../batch/batch.ts"
import { readInt53, type Int64Column } from "../../../batch/column.ts"
import type { Schema } from "../../../batch/schema.ts"
import type { ColumnType } from "../../../batch/type.ts"
import type { Emitter, OperatorContext, TimedOperator } from "../../operator.ts"
import { RowFailures } from "../../row-failures.ts"
import { takeChanges } from "../../taken-changes.ts"
import { Partials, type NamedAccumulator } from "../general/partials.ts"
import { ResultRows } from "../general/result-rows.ts"
import { addRowsOf } from "../general/rows-with-late.ts"
import { rowValueReader, RowValues, type ReadRowValue, type RowInput } from "../general/row-values.ts"
import { sumOfEntries, type BlockSpec } from "../recent-sums.ts"
import { OverRows, type OverKey, type WaitingRow } from "./over-rows.ts"

/** What the operator is made of. */
export interface OverAggregateOptions {
  readonly id: string
  readonly signature: string
  readonly input: Schema
  /** The key columns: their places in the input, and their types. */
  readonly keys: readonly { readonly index: number; readonly type: ColumnType }[]
  /** The place of the event-time column, and what is added to it to give event time. */
  readonly timeIndex: number
  readonly timeShift: number
  readonly rangeMicros: number
  readonly aggregates: readonly (NamedAccumulator & { readonly input: RowInput })[]
  /** Whether partial results do not grow with what was added. */
  readonly keepsSums: boolean
  /** The columns of the input, then the aggregates. */
  readonly schema: Schema
}

/** See the head of this file. */
export class OverAggregate implements TimedOperator {
  readonly id: string
  readonly signature: string
  readonly #options: OverAggregateOptions
  readonly #context: OperatorContext
  readonly #partials: Partials
  readonly #blocks: BlockSpec
  readonly #rows: OverRows
  readonly #values: RowValues
  readonly #results: ResultRows
  readonly #failures = new RowFailures()
  readonly #maxTime: number

  constructor(options: OverAggregateOptions, context: OperatorContext) {
    const { id, aggregates, schema, rangeMicros } = options
    this.id = id
    this.signature = options.signature
    this.#options = options
    this.#context = context
    const inputs = aggregates.map(({ input }) => input)
    const partials = new Partials(aggregates)
    this.#partials = partials
    this.#blocks = { length: rangeMicros + 1, offset: 0 }
    this.#rows = new OverRows({ ...options, inputs, partials, blocks: this.#blocks })
    this.#values = new RowValues(inputs, context)
    this.#results = new ResultRows({ id, schema, partials }, context)
    this.#maxTime = Number.MAX_SAFE_INTEGER - 2 * (rangeMicros + 1)
  }

  get watermark(): number {
    return this.#rows.watermark
  }

  get lateRows(): number {
    return this.#rows.lateRows
  }

  /** Each row has a range of its own. */
  countOpenWindows(): number {
    return this.#rows.waitingCount
  }

  nextDue(): number {
    return this.#rows.nextTime
  }

  onBatch(batch: Batch, out: Emitter): void {
    const late = addRowsOf(batch, this.#values, this.#context, out, (...rows) => this.#addRows(batch, ...rows))
    if (late > 0) this.#rows.addLate(late)
    this.#failures.report(this.id, batch, this.#context)
  }

  /** Takes the rows that are in time, and lists those that are late: how many there are. */
  #addRows(
    batch: Batch,
    readers: readonly ReadRowValue[],
    errors: ReadonlyMap<number, unknown>,
    late: Int32Array,
  ): number {
    const { timeIndex, timeShift } = this.#options
    const { halves } = batch.columns[timeIndex] as Int64Column
    const columns = batch.columns.map(rowValueReader)
    let lateCount = 0
    batch.forEachRow((row) => {
      const time = readInt53(halves, row) + timeShift
      if (Math.abs(time) > this.#maxTime) {
        this.#failures.add(row, outOfTimeError())
        return
      }
      if ((batch.watermarks?.[row] ?? -Infinity) >= time) {
        late[lateCount++] = row
        return
      }
      if (errors.has(row)) {
        this.#failures.add(row, errors.get(row))
        return
      }
      this.#rows.add(
        time,
        columns.map((read) => read(row)),
        readers.map((read) => read(row)),
      )
    })
    return lateCount
  }

  /** Gives the rows that the watermark has come to. At +∞ that is all, and the watermark becomes the time of the last. */
  onWatermark(watermark: number, out: Emitter): void {
    this.#results.give(out, () => {
      while (this.#rows.nextTime <= watermark && this.#rows.waitingCount > 0) {
        const { nextTime } = this.#rows
        this.#give(nextTime, this.#rows.takeNext())
        this.#rows.passTo(nextTime)
      }
    })
    if (watermark < Infinity) this.#rows.passTo(watermark)
  }

  /** Gives rows of one event time. */
  #give(time: number, rows: readonly WaitingRow[]): void {
    const { rangeMicros } = this.#options
    const given: { readonly row: WaitingRow; readonly key: OverKey }[] = []
    const touched = new Set<OverKey>()
    for (const row of rows) {
      const key = this.#rows.keyOf(row)
      if (!this.#add(key, row)) continue
      touched.add(key)
      given.push({ row, key })
    }
    const sums = new Map<OverKey, readonly unknown[]>()
    for (const key of touched) {
      const [first, { entries }] = [time - rangeMicros, key]
      const sum =
        key.sums?.sumOf(entries, first, time) ?? sumOfEntries(this.#partials, this.#blocks, entries, first, time)
      sums.set(key, sum)
    }
    for (const { row, key } of given) {
      const errors: unknown[] = []
      const results = this.#partials.results(sums.get(key)!, (_index, error) => void errors.push(error))
      this.#results.put([...row.values, ...results], errors, time - 1)
    }
  }

  /** Adds a row to what its key has at its event time; it may be refused, and fails then. */
  #add(key: OverKey, { time, values, read }: WaitingRow): boolean {
    const before = key.entries.at(-1)
    try {
      this.#partials.check(before?.at === time ? before.partials : this.#partials.none(), read, time)
    } catch (error) {
      this.#fail(values, error)
      return false
    }
    this.#partials.add(this.#rows.entryAt(key, time).partials, read, time)
    return true
  }

  #fail(values: readonly unknown[], error: unknown): void {
    const { input } = this.#options
    const row = Object.fromEntries(input.fields.map(({ name }, index) => [name, values[index]]))
    const { batch, release } = batchOfRows(this.#context.arena, input, [row])
    try {
      this.#context.onFailedRow({ operator: this.id, batch, row: 0, error })
    } finally {
      release()
    }
  }

  writeChanges(out: ByteWriter): void {
    this.#rows.writeChanges(out)
  }

  writeAll(out: ByteWriter): void {
    this.#rows.writeAll(out)
  }

  applyChanges(changes: ByteReader): void {
    takeChanges(this.id, changes, (each) => {
      this.#rows.apply(each)
    })
  }
}

function outOfTimeError(): TidemarkError {
  return new TidemarkError("invalid-timestamp", "the range of the row reaches beyond the years 1684 to 2255")
}
