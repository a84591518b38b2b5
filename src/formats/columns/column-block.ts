/**
 * Rows of a schema as bytes, column by column, each in the way that takes the fewest bytes for its values: for rows that are kept on disk.
 *
 * | bytes | what |
 * |---|---|
 * | varint | how many rows, at most 65,536; where there is none, nothing follows |
 * | of each column, in order: | |
 * | lane of bits | where its type is nullable: which values are not null |
 * | values | by storage: `bit` a lane of bits; `int32`, and codes of a closed list, a lane of words; `int64` and `float64` a lane of pairs of words; `dictionary` a lane of texts; `struct` the columns of its fields |
 *
 * Lanes: `bit-lane.ts`, `word-lane.ts`, `wide-lane.ts`, `text-lane.ts`. The schema is known to the reader, and so is that the bytes are those that
 * were written, from whoever keeps them; bytes that are none all the same are refused, and take no more memory than 65,536 rows and the
 * texts of 22 times as many bytes.
 *
 * A writer chooses the way of a column by its values when it writes the first block, and again when the blocks grow longer than they were
 * then, or 64 have been written (`drift.ts`).
 *
 * Invariants:
 * - CB1 The rows that were written are read back, bit for bit: NaN by its payload, −0, null as null.
 * - CB2 What is read holds the invariants of columns (N1 to N5 of `batch/column.ts`), whatever the bytes; but for the texts of packed types.
 */
import type { ByteReader, ByteWriter } from "../../base/bytes.ts"
import type { Arena } from "../../batch/arena.ts"
import { allocateColumns, MAX_BATCH_ROWS, type Batch, type BatchColumns } from "../../batch/batch.ts"
import type { Schema } from "../../batch/schema.ts"
import { ColumnReader } from "./column-reader.ts"
import { ColumnWriter } from "./column-writer.ts"
import { laneScratch } from "./lane-scratch.ts"

/** Writes blocks of rows of one schema. */
export class ColumnBlockWriter {
  readonly #columns: readonly ColumnWriter[]

  constructor(schema: Schema) {
    const scratch = laneScratch()
    this.#columns = schema.fields.map(({ type }) => new ColumnWriter(type, scratch))
  }

  /** Appends the rows of a batch that count. */
  write(out: ByteWriter, { columns, selection, count }: Batch): void {
    out.varint(count)
    if (count > 0) this.#columns.forEach((column, index) => column.write(out, columns[index]!, selection, count))
  }
}

/** Rows that were read. */
export interface ReadBlock extends BatchColumns {
  readonly rows: number
}

/** Reads them. */
export class ColumnBlockReader {
  readonly #arena: Arena
  readonly #schema: Schema
  readonly #columns: readonly ColumnReader[]

  constructor(arena: Arena, schema: Schema) {
    this.#arena = arena
    this.#schema = schema
    const scratch = laneScratch()
    this.#columns = schema.fields.map(({ type }) => new ColumnReader(type, scratch))
  }

  /**
   * Reads a block.
   *
   * @throws RangeError where the bytes are none; TidemarkError `arena-exhausted`.
   */
  read(from: ByteReader): ReadBlock {
    const rows = from.varint()
    if (rows > MAX_BATCH_ROWS) throw new RangeError(`a block has ${rows} rows`)
    const made = allocateColumns(this.#arena, this.#schema, rows)
    try {
      if (rows > 0) this.#columns.forEach((column, index) => column.read(from, made.columns[index]!, rows))
    } catch (error) {
      made.release()
      throw error
    }
    return { ...made, rows }
  }
}
