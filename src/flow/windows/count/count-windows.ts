/**
 * Windows of so many records of a key, in the order in which they come: a window gives its result with its last record, and
 * waits for no watermark. So no record is late for it, and where there is event time it passes on as it is: a result stands
 * where that record stood, and its own event time is the latest of its records.
 *
 * Its state is that of `counted-keys.ts`.
 *
 * Invariants (rules of docs/spec/windows.md):
 * - W64 A window ends behind every `every`-th record that counts of a key, and holds the last `count` of them.
 * - W65 Its bounds are those of the event times of its records.
 * - W8 A record that fails is counted by nobody.
 */
import type { ByteReader, ByteWriter } from "../../../base/bytes.ts"
import type { Batch } from "../../../batch/batch.ts"
import { readInt53, type Int64Column } from "../../../batch/column.ts"
import type { Schema } from "../../../batch/schema.ts"
import type { ColumnType } from "../../../batch/type.ts"
import type { CountSpec } from "../../plan.ts"
import type { Emitter, Operator, OperatorContext, OperatorState, WindowCounts } from "../../operator.ts"
import { RowFailures } from "../../row-failures.ts"
import { takeChanges } from "../../taken-changes.ts"
import { RECORD_BOUNDS } from "../bounds.ts"
import { Partials, type NamedAccumulator } from "../general/partials.ts"
import { ResultRows } from "../general/result-rows.ts"
import { rowValueReader, RowValues, type RowInput } from "../general/row-values.ts"
import { CountedKeys } from "./counted-keys.ts"

/** What the operator is made of. */
export interface CountWindowsOptions {
  readonly id: string
  readonly signature: string
  readonly window: CountSpec
  /** The key columns: their places in the input, and their types. */
  readonly keys: readonly { readonly index: number; readonly type: ColumnType }[]
  /** The place of the event-time column, and what is added to it; `undefined` where the stream has no event time. */
  readonly time: { readonly index: number; readonly shift: number } | undefined
  readonly aggregates: readonly (NamedAccumulator & { readonly input: RowInput })[]
  /** Whether partial results do not grow with what was added. */
  readonly keepsSums: boolean
  /** The results: keys, bounds where there is event time, aggregates. */
  readonly schema: Schema
}

/** See the head of this file. */
export class CountWindows implements Operator, OperatorState, WindowCounts {
  readonly id: string
  readonly signature: string
  readonly lateRows = 0
  readonly #options: CountWindowsOptions
  readonly #partials: Partials
  readonly #keys: CountedKeys
  readonly #values: RowValues
  readonly #results: ResultRows
  readonly #failures = new RowFailures()
  readonly #context: OperatorContext
  #betweenRows = 0

  constructor(options: CountWindowsOptions, context: OperatorContext) {
    const { id, window, keys, aggregates, time, schema, keepsSums } = options
    this.id = id
    this.signature = options.signature
    this.#options = options
    this.#context = context
    const partials = new Partials(time === undefined ? aggregates : [...RECORD_BOUNDS, ...aggregates])
    this.#partials = partials
    this.#keys = new CountedKeys({ window, keys: keys.map(({ type }) => type), partials, keepsSums })
    const bounds: readonly RowInput[] = time === undefined ? [] : RECORD_BOUNDS.map(() => ({ kind: "none" }))
    this.#values = new RowValues([...bounds, ...aggregates.map(({ input }) => input)], context)
    this.#results = new ResultRows({ id, schema, partials }, context)
  }

  get betweenRows(): number {
    return this.#betweenRows
  }

  countOpenWindows(): number {
    return this.#keys.openCount
  }

  onBatch(batch: Batch, out: Emitter): void {
    const errors = new Map<number, unknown>()
    const bound = this.#values.bind(batch, (row, error) => {
      if (!errors.has(row)) errors.set(row, error)
    })
    try {
      this.#results.giveOf(batch, out, () => this.#addRows(batch, bound.readers, errors))
    } finally {
      bound.release()
    }
    this.#failures.report(this.id, batch, this.#context)
  }

  #addRows(batch: Batch, readers: readonly ((row: number) => unknown)[], errors: ReadonlyMap<number, unknown>): void {
    const { time, keys } = this.#options
    const halves = time === undefined ? undefined : (batch.columns[time.index] as Int64Column).halves
    const keyReaders = keys.map(({ index }) => rowValueReader(batch.columns[index]!))
    const values = new Array<unknown>(readers.length)
    batch.forEachRow((row) => {
      if (errors.has(row)) {
        this.#failures.add(row, errors.get(row))
        return
      }
      for (let index = 0; index < values.length; index++) values[index] = readers[index]!(row)
      const moment = halves === undefined ? 0 : readInt53(halves, row) + time!.shift
      this.#addRow(
        keyReaders.map((read) => read(row)),
        values,
        moment,
        row,
      )
    })
  }

  #addRow(keyValues: readonly unknown[], values: readonly unknown[], moment: number, row: number): void {
    const key = this.#keys.of(keyValues)
    const next = this.#keys.nextPartials(key)
    if (next === undefined) {
      this.#betweenRows++
      this.#keys.pass(key)
      return
    }
    try {
      this.#partials.check(next, values, moment)
    } catch (error) {
      this.#failures.add(row, error)
      return
    }
    this.#keys.add(key, values, moment)
    const due = this.#keys.due(key)
    if (due !== undefined) this.#results.takeOf(key, due, row)
    this.#keys.settle(key)
  }

  writeChanges(out: ByteWriter): void {
    this.#keys.writeChanges(out)
  }

  writeAll(out: ByteWriter): void {
    this.#keys.writeAll(out)
  }

  applyChanges(changes: ByteReader): void {
    takeChanges(this.id, changes, (each) => {
      this.#keys.apply(each)
    })
  }
}
