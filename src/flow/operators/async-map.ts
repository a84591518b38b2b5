/**
 * `asyncMap`: asks for a call for each row, and adds the columns of its answer. It holds rows until they are answered, and
 * gives them back in the order in which they came, or in which they were answered. It makes no call itself (`calls.ts`).
 *
 * A row that is held holds the watermark. Windows judge by a row's own watermark whether it is late (T2), so the watermark
 * must not pass that; where a row is known to be ahead of its watermark, and the watermark is not at hand, it must not come to the
 * row's time: no window with the row can be due before.
 *
 * Invariants (rules of docs/spec/calls.md):
 * - AM1 In order of input, rows leave in the order in which they came, with what they came with.
 * - AM2 At most `inFlight` rows have a call that was asked for, from the request until they leave.
 * - AM3 The watermark never passes what a held row holds it at, and never goes back.
 * - AM4 Rows that are held are state, and are asked for again after recovery, in their order and with their keys.
 */
import { assert } from "../../base/assert.ts"
import type { ByteReader, ByteWriter } from "../../base/bytes.ts"
import { fingerprint } from "../../base/hash.ts"
import { allocateColumns, Batch, batchOfRows, NO_ORIGIN, type Origin } from "../../batch/batch.ts"
import { writeValue } from "../../batch/column.ts"
import { rowReader } from "../../batch/row-reader.ts"
import { rowAsJson } from "../../batch/written-row.ts"
import type { Field, Schema } from "../../batch/schema.ts"
import type { CallAnswer, CallPolicy, Calls } from "../calls.ts"
import type { Emitter, OperatorContext, TimedOperator } from "../operator.ts"
import { copyRow } from "../row-bytes.ts"
import { columnsGiven } from "./given-columns.ts"
import { HeldRows, type ArrivedRow, type HeldRow } from "./held-rows.ts"

/** The most rows of a batch that leaves. */
const LEAVING_ROWS_MAX = 8_192

/** What an async map is made of. */
export interface AsyncMapOptions {
  readonly id: string
  readonly signature: string
  readonly input: Schema
  /** The columns that a call gives. */
  readonly columns: readonly Field[]
  /** All columns of the result. */
  readonly schema: Schema
  readonly policy: CallPolicy
  /** The column of its rows that tells event time, and what is added to it; `undefined` where rows have no event time. */
  readonly time: { readonly column: string; readonly shift: number } | undefined
  /** What keys begin with. */
  readonly keyPrefix: string
}

/** A row on its way out. */
interface LeavingRow {
  readonly held: HeldRow
  /** The values of the result, in the order of its schema. */
  readonly values: readonly unknown[]
}

/** See the head of this file. */
export class AsyncMap implements TimedOperator {
  readonly id: string
  readonly signature: string
  readonly #options: AsyncMapOptions
  readonly #context: OperatorContext
  readonly #calls: Calls
  readonly #held: HeldRows
  readonly #readRows: ReturnType<typeof rowReader>
  /** Rows whose call was not asked for, from the index on, in order of their tickets. */
  #waiting: HeldRow[] = []
  #nextWaiting = 0
  #watermark = -Infinity
  /** Calls are late for nothing, and wait for no time. */
  readonly lateRows = 0

  constructor(options: AsyncMapOptions, context: OperatorContext) {
    assert(context.calls !== undefined, "whoever runs a plan that makes calls makes them")
    this.id = options.id
    this.signature = options.signature
    this.#options = options
    this.#context = context
    this.#calls = context.calls
    const { input } = options
    this.#held = new HeldRows({ operator: this.id, fields: input.fields, holdOf: (arrived) => this.#holdOf(arrived) })
    this.#readRows = rowReader(input)
  }

  get watermark(): number {
    return this.#watermark
  }

  /** How many rows it holds. */
  get heldRows(): number {
    return this.#held.size
  }

  /** The rows that it holds, in the order in which they came. */
  get rows(): Readonly<Record<string, unknown>>[] {
    return [...this.#held].map(({ row }) => row)
  }

  /** Whether it holds as many as may have a call, so that no row should come for now. */
  get isFull(): boolean {
    return this.#held.size >= this.#options.policy.inFlight
  }

  countOpenWindows(): number {
    return 0
  }

  #holdOf({ row, watermark }: ArrivedRow): number {
    const { time } = this.#options
    if (time === undefined) return Infinity
    return watermark ?? (row[time.column] as number) + time.shift - 1
  }

  onBatch(batch: Batch): void {
    const read = this.#readRows(batch)
    const { partition, offsets, ordinals } = batch.origin
    batch.forEachRow((row) => {
      const place = offsets === null || ordinals === null ? null : { offset: offsets[row]!, ordinal: ordinals[row]! }
      const watermark = batch.watermarks?.[row] ?? null
      this.#waiting.push(this.#held.add({ row: read(row), partition, place, watermark }))
    })
  }

  onWatermark(watermark: number): void {
    // At the end there is nothing that is due, and it stays where it is.
    if (watermark === Infinity) return
    this.#watermark = Math.max(this.#watermark, Math.min(watermark, this.#held.leastHold))
  }

  /** Asks for as many calls as may be in flight. */
  startCalls(): void {
    const { input, keyPrefix, policy } = this.#options
    for (;;) {
      const waitingCount = this.#waiting.length - this.#nextWaiting
      if (waitingCount === 0 || this.#held.size - waitingCount >= policy.inFlight) break
      const { ticket, row } = this.#waiting[this.#nextWaiting++]!
      const key = `${keyPrefix}/${ticket}-${fingerprint(rowAsJson(input, row))}`
      this.#calls.start({ operator: this.id, ticket, key, makeRow: () => copyRow(input.fields, row) })
    }
    this.#waiting.splice(0, this.#nextWaiting)
    this.#nextWaiting = 0
  }

  /** Takes answers, and gives the rows whose turn it is. */
  onAnswers(answers: readonly CallAnswer[], out: Emitter): void {
    const { columns, policy } = this.#options
    const answered = answers.map(({ ticket, outcome }) => {
      const held = this.#held.of(ticket)
      held.answer = outcome.kind === "failed" ? outcome.error : columnsGiven(outcome.value, columns)
      return held
    })
    if (policy.order === "completion") for (const held of answered) this.#held.remove(held)
    this.#leave(policy.order === "completion" ? answered : this.#takeFirst(), out)
  }

  /** The rows before the first that was not answered, which leave. */
  #takeFirst(): HeldRow[] {
    const leaving: HeldRow[] = []
    for (;;) {
      const { first } = this.#held
      if (first?.answer === undefined) return leaving
      this.#held.remove(first)
      leaving.push(first)
    }
  }

  /** Gives the rows whose calls have succeeded, and reports the others. */
  #leave(rows: readonly HeldRow[], out: Emitter): void {
    const { fields } = this.#options.schema
    const good: LeavingRow[] = []
    for (const held of rows) {
      const { row, answer } = held
      assert(answer !== undefined, "a row leaves when it was answered")
      if (answer instanceof Error) this.#fail(held, answer)
      else good.push({ held, values: fields.map(({ name }) => (answer.has(name) ? answer.get(name) : row[name])) })
    }
    this.#emit(good, out)
  }

  /** Reports a row. It leaves the stream. */
  #fail({ row, partition, place }: HeldRow, error: Error): void {
    const { input, policy } = this.#options
    const origin: Origin = {
      partition,
      offsets: place && Float64Array.of(place.offset),
      ordinals: place && Float64Array.of(place.ordinal),
    }
    const { batch, release } = batchOfRows(this.#context.arena, input, [row], origin)
    try {
      this.#context.onFailedRow({ operator: this.id, batch, row: 0, error, policy: policy.onFailure })
    } finally {
      release()
    }
  }

  /** Gives rows, those that follow each other and come from one partition in a batch. */
  #emit(rows: readonly LeavingRow[], out: Emitter): void {
    for (let from = 0; from < rows.length;) {
      const { partition } = rows[from]!.held
      let to = from + 1
      while (to < rows.length && rows[to]!.held.partition === partition && to - from < LEAVING_ROWS_MAX) to++
      this.#emitBatch(rows.slice(from, to), out)
      from = to
    }
  }

  #emitBatch(rows: readonly LeavingRow[], out: Emitter): void {
    const { schema } = this.#options
    const { columns, release } = allocateColumns(this.#context.arena, schema, rows.length)
    try {
      rows.forEach(({ values }, row) => {
        for (let column = 0; column < columns.length; column++) writeValue(columns[column]!, row, values[column])
      })
      const held = rows.map((row) => row.held)
      const hasWatermarks = held.some(({ watermark }) => watermark !== null)
      // A row that is ahead of its watermark is late for nothing, as if that were −∞.
      const watermarks = hasWatermarks ? Float64Array.from(held, ({ watermark }) => watermark ?? -Infinity) : null
      out.emit("main", new Batch({ schema, columns, length: rows.length, origin: originOf(held), watermarks }))
    } finally {
      release()
    }
  }

  writeChanges(out: ByteWriter): void {
    this.#held.writeChanges(out)
  }

  writeAll(out: ByteWriter): void {
    this.#held.writeAll(out)
  }

  applyChanges(changes: ByteReader): void {
    this.#held.applyChanges(changes)
    this.#waiting = [...this.#held]
  }
}

function originOf(rows: readonly HeldRow[]): Origin {
  const { partition } = rows[0]!
  if (rows.some(({ place }) => place === null))
    return partition === -1 ? NO_ORIGIN : { partition, offsets: null, ordinals: null }
  return {
    partition,
    offsets: Float64Array.from(rows, ({ place }) => place!.offset),
    ordinals: Float64Array.from(rows, ({ place }) => place!.ordinal),
  }
}
