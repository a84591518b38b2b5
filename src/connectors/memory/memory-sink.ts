/**
 * An array as a sink: an epoch's rows are in its commit record, and `apply` appends them once.
 *
 * An epoch's staging, numbers as in `base/bytes.ts`: the varint of its sequence number, from 1, and its rows as JSON, an array of the texts of
 * their values each. It is
 * empty where there are no rows. A checkpoint is the varint of the last sequence number.
 *
 * Invariant, beside K1 to K5 of `connect/sink.ts`:
 * - MS1 The array has the rows of the epochs up to `sequence`, each once, as long as the process lives.
 */
import { assert } from "../../base/assert.ts"
import { ByteReader, ByteWriter } from "../../base/bytes.ts"
import { TidemarkError } from "../../base/errors.ts"
import type { Batch } from "../../batch/batch.ts"
import { readValue } from "../../batch/column.ts"
import type { Schema } from "../../batch/schema.ts"
import type { Sink, SinkContext, SinkRecovery } from "../../connect/sink.ts"

const NOTHING = new Uint8Array(0)

/** The array, and how far it has come. */
export interface MemoryTarget {
  readonly rows: unknown[]
  readonly superseded: unknown[]
  sequence: number
  writer: Sink | undefined
}

/** See the head of this file. */
export class MemorySink implements Sink {
  readonly #target: MemoryTarget
  readonly #schema: Schema
  /** Rows since the last `stage`, as JSON. */
  #rows: string[] = []
  #bufferedBytes = 0
  #sequence: number

  constructor(target: MemoryTarget, { schema, output }: SinkContext, recovery: SinkRecovery) {
    if (target.writer !== undefined) throw occupied(output, "another job writes to it now")
    if (recovery.fresh && !recovery.reset && target.sequence > 0)
      throw occupied(output, "another job has written to it")
    this.#target = target
    this.#schema = schema
    if (recovery.reset) {
      target.superseded.push(...target.rows.splice(0))
      target.sequence = 0
    }
    this.#sequence = recovery.checkpoint === undefined ? 0 : new ByteReader(recovery.checkpoint).varint()
    for (const staged of recovery.staged) this.#append(staged)
    target.writer = this
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes
  }

  write(batch: Batch): void {
    const { fields } = this.#schema
    batch.forEachRow((row) => {
      const values = fields.map(({ type }, column) => {
        const value = readValue(batch.columns[column]!, row)
        return value === null ? null : type.definition.toText(value)
      })
      const text = JSON.stringify(values)
      this.#rows.push(text)
      this.#bufferedBytes += text.length
    })
  }

  /** There is nowhere to move rows to: they wait for the commit record. */
  async flush(): Promise<void> {
    this.#bufferedBytes = 0
  }

  async stage(): Promise<Uint8Array> {
    const rows = this.#rows
    this.#rows = []
    this.#bufferedBytes = 0
    if (rows.length === 0) return NOTHING
    const staged = new ByteWriter()
    staged.varint(++this.#sequence)
    staged.text(`[${rows.join(",")}]`)
    return staged.finish()
  }

  async apply(staged: Uint8Array): Promise<void> {
    this.#append(staged)
  }

  async checkpoint(): Promise<Uint8Array> {
    const bytes = new ByteWriter()
    bytes.varint(this.#sequence)
    return bytes.finish()
  }

  async close(): Promise<void> {
    if (this.#target.writer === this) this.#target.writer = undefined
  }

  /** Appends an epoch's rows, unless they are there (MS1). */
  #append(staged: Uint8Array): void {
    if (staged.length === 0) return
    const reader = new ByteReader(staged)
    const sequence = reader.varint()
    this.#sequence = Math.max(this.#sequence, sequence)
    if (sequence <= this.#target.sequence) return
    this.#target.sequence = sequence
    const { fields } = this.#schema
    for (const values of JSON.parse(reader.text()) as (string | null)[][]) {
      assert(values.length === fields.length, "a row has a value for each column")
      const row = fields.map(({ name, type }, column): [string, unknown] => {
        const text = values[column]!
        return [name, text === null ? null : type.definition.fromText(text)]
      })
      this.#target.rows.push(Object.fromEntries(row))
    }
  }
}

function occupied(output: string, why: string): TidemarkError {
  return new TidemarkError("sink-occupied", `The output ${output} cannot be written to memory(): ${why}.`, {
    hint: "Give each output, and each job, a memory() of its own; or run with reset, which sets what is there aside.",
  })
}
