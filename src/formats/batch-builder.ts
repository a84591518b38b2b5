/**
 * The columns of a batch while a decoder fills them: how many rows to make room for, and the batch in the end.
 *
 * How many records a window holds is known only after it was read, so room is made for as many as windows of that size
 * have held so far, and a little more. A decoder that runs out of room stops early, and goes on in another batch.
 */
import { assert } from "../base/assert.ts"
import type { Arena } from "../batch/arena.ts"
import { allocateColumns, Batch, MAX_BATCH_ROWS, type BatchColumns } from "../batch/batch.ts"
import type { Schema } from "../batch/schema.ts"
import type { ColumnType } from "../batch/type.ts"
import { FieldReader } from "./field-reader.ts"

/** What records are taken to have before any was seen. */
const INITIAL_RECORD_BYTES = 64

/** What a batch's columns may take of the arena: rows of wide schemas come in smaller batches. */
const BATCH_BYTES_MAX = 8 * 1024 * 1024
const ARENA_SHARE = 1 / 16

/** What a row's offset and ordinal take. */
const ORIGIN_BYTES = 16

const NO_DOUBLES = new Float64Array(0)
const NOTHING = () => {}

/** Makes the batches of one decoder. */
export class BatchBuilder {
  readonly schema: Schema
  /** One a field of the schema. */
  readonly readers: readonly FieldReader[]
  /** How many rows there is room for. */
  capacity = 0
  /** Where each row starts in its partition. It lies in the arena, as the columns do: they live as long as each other. */
  offsets: Float64Array = NO_DOUBLES
  /** The ordinal of each row. */
  ordinals: Float64Array = NO_DOUBLES
  readonly #arena: Arena
  readonly #rowsMax: number
  #columns: BatchColumns | undefined
  #recordBytes = INITIAL_RECORD_BYTES

  constructor(arena: Arena, schema: Schema) {
    this.schema = schema
    this.readers = schema.fields.map(({ name, type }) => new FieldReader(name, name, type))
    this.#arena = arena
    const rowBytes = schema.fields.reduce((sum, { type }) => sum + bytesOf(type), ORIGIN_BYTES)
    const bytesMax = Math.min(BATCH_BYTES_MAX, arena.maxBytes * ARENA_SHARE)
    this.#rowsMax = Math.max(1, Math.min(MAX_BATCH_ROWS, Math.floor(bytesMax / rowBytes)))
  }

  /**
   * Makes room for the records of a window of so many bytes.
   *
   * @throws TidemarkError `arena-exhausted` where the arena is full.
   */
  begin(windowBytes: number, maxRows: number): void {
    assert(this.#columns === undefined, "a builder makes one batch at a time")
    const expected = Math.ceil((windowBytes / this.#recordBytes) * 1.125) + 16
    this.capacity = Math.max(1, Math.min(expected, maxRows, this.#rowsMax))
    this.#columns = this.#allocate(this.capacity)
    this.readers.forEach((reader, index) => reader.bind(this.#columns!.columns[index]!))
  }

  #allocate(capacity: number): BatchColumns {
    const arena = this.#arena
    const origins = arena.allocate(capacity * ORIGIN_BYTES)
    this.offsets = new Float64Array(arena.buffer, origins.offset, capacity)
    this.ordinals = new Float64Array(arena.buffer, origins.offset + capacity * 8, capacity)
    return allocateColumns(arena, this.schema, capacity, [origins])
  }

  /** Undoes what was written for a row that turned out to be none (FR1). */
  clear(row: number): void {
    for (const reader of this.readers) reader.clear(row)
  }

  /** The batch of the first `rows` rows, or `undefined` where there is none, and how to free it. */
  finish(rows: number, partition: number): { batch: Batch | undefined; release: () => void } {
    assert(this.#columns !== undefined && rows <= this.capacity, "rows are written where there is room")
    const { columns, release } = this.#columns
    this.#columns = undefined
    for (const reader of this.readers) reader.countRows(rows)
    if (rows === 0) {
      release()
      return { batch: undefined, release: NOTHING }
    }
    const origin = { partition, offsets: this.offsets.subarray(0, rows), ordinals: this.ordinals.subarray(0, rows) }
    return { batch: new Batch({ schema: this.schema, columns, length: rows, origin }), release }
  }

  /** Learns how long records are. */
  observe(records: number, bytes: number): void {
    if (records > 0) this.#recordBytes = Math.max(1, bytes / records)
  }
}

/** About how many bytes of columns a value takes. */
function bytesOf(type: ColumnType): number {
  const { storage, fields } = type.definition
  if (storage === "struct") return 1 + fields!.reduce((sum, field) => sum + bytesOf(field.type), 0)
  return storage === "float64" || storage === "int64" ? 9 : 5
}
