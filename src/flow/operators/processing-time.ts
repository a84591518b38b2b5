/**
 * `processingTime`: adds a column of what the clock says when a row comes, which is its event time from then on. The watermark
 * is one microsecond behind the clock, so that no row is late, and windows fire as the clock goes on, also while nothing comes.
 *
 * What the clock said is part of the rows, and of the state of what follows: so after a crash it is what it was for all that was
 * committed, and rows that are read again are given new times.
 *
 * State (format 1): float64, the time that rows are given; nothing is written where it has not changed.
 *
 * Invariants (rules of docs/spec/time.md):
 * - T11 Times do not go back, also when the clock does, or when a drain has taken the watermark ahead of it.
 */
import type { ByteReader, ByteWriter } from "../../base/bytes.ts"
import { allocateColumns, type Batch } from "../../batch/batch.ts"
import { writeValue } from "../../batch/column.ts"
import { Schema } from "../../batch/schema.ts"
import { timestampType } from "../../batch/types/timestamp.ts"
import type { ClockedOperator, Emitter, OperatorContext, TimedOperator } from "../operator.ts"
import { takeChanges } from "../taken-changes.ts"

/** What the operator is made of. */
export interface ProcessingTimeOptions {
  readonly id: string
  readonly signature: string
  readonly column: string
  /** The columns of the input, then the one with the time. */
  readonly schema: Schema
}

/** Before anybody has told the time it is 1970. */
const BEFORE_ANY = 0

/** See the head of this file. */
export class ProcessingTime implements TimedOperator, ClockedOperator {
  readonly id: string
  readonly signature: string
  readonly lateRows = 0
  readonly usesProcessingTime = true
  readonly #schema: Schema
  readonly #column: Schema
  readonly #context: OperatorContext
  #timeMicros = BEFORE_ANY
  #hasChanged = false
  #followers: readonly TimedOperator[] = []

  constructor(options: ProcessingTimeOptions, context: OperatorContext) {
    this.id = options.id
    this.signature = options.signature
    this.#schema = options.schema
    this.#column = new Schema([{ name: options.column, type: timestampType() }])
    this.#context = context
  }

  /** Takes note of what waits for its watermark. */
  wakeFor(followers: readonly TimedOperator[]): void {
    this.#followers = followers
  }

  get watermark(): number {
    return this.#timeMicros - 1
  }

  countOpenWindows(): number {
    return 0
  }

  /** When the clock lets the first of what follows fire. */
  get nextProcessingTime(): number {
    return Math.min(
      Infinity,
      ...this.#followers.map((each) => (each.nextMoment?.() ?? each.nextDue?.() ?? Infinity) + 1),
    )
  }

  onProcessingTime(nowMicros: number): void {
    this.#riseTo(Math.floor(nowMicros))
  }

  /** Takes the watermark up: what lies below has fired. */
  raise(watermark: number): void {
    this.#riseTo(watermark + 1)
  }

  #riseTo(timeMicros: number): void {
    if (timeMicros <= this.#timeMicros) return
    this.#timeMicros = timeMicros
    this.#hasChanged = true
  }

  onBatch(batch: Batch, out: Emitter): void {
    const { columns, release } = allocateColumns(this.#context.arena, this.#column, batch.length)
    try {
      const time = this.#timeMicros
      batch.forEachRow((row) => {
        writeValue(columns[0]!, row, time)
      })
      const watermarks = new Float64Array(batch.length).fill(time - 1)
      const parts = { schema: this.#schema, columns: [...batch.columns, ...columns], watermarks, isTimeOrdered: true }
      out.emit("main", batch.with(parts))
    } finally {
      release()
    }
  }

  /** Nothing waits here: it follows the clock alone. */
  onWatermark(): void {
    // What it says comes from the clock.
  }

  writeChanges(out: ByteWriter): void {
    if (this.#hasChanged) out.float64(this.#timeMicros)
    this.#hasChanged = false
  }

  writeAll(out: ByteWriter): void {
    if (this.#timeMicros > BEFORE_ANY) out.float64(this.#timeMicros)
  }

  applyChanges(changes: ByteReader): void {
    takeChanges(this.id, changes, (each) => {
      const time = each.float64()
      if (!Number.isSafeInteger(time) || time < this.#timeMicros) throw new RangeError(`the time is ${time}`)
      this.#timeMicros = time
    })
  }
}
