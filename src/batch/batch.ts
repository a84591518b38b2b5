/**
 * A batch: up to 64 Ki rows of columns, the selection that filters have left of them, and where they came from.
 *
 * Filters do not move data: they replace `selection`. Derived columns are appended; columns that pass through are
 * shared with the batch they come from. Whoever allocated a batch releases it, when all that reads it has returned.
 *
 * Invariants:
 * - H0 A batch has a column for each field of its schema, and at most 65,536 rows.
 * - H1 `selection[0, count)` is strictly ascending, within [0, length). Without a selection every row counts.
 * - H2 All rows of a batch come from one partition, in its order (or, behind calls, in that of their answers); row `i` starts at offset `origin.offsets[i]` there.
 * - H3 `watermarks[i]` is the watermark of the row's partition before row `i` was read. Where there are none, each row is
 *   ahead of its watermark, and so not late.
 * - H5 Where `isTimeOrdered`, event time never goes back from one row that counts to the next.
 * - H4 A batch is processed synchronously: nobody keeps it, or a view of it, past `release`.
 */
import { assert } from "../base/assert.ts"
import type { Arena, Block } from "./arena.ts"
import { allocateColumn, readValue, writeValue, type Column } from "./column.ts"
import type { Schema } from "./schema.ts"

/** The most rows of a batch. */
export const MAX_BATCH_ROWS = 65_536

/** Where the rows of a batch were read. */
export interface Origin {
  /** The index of the partition within the job, or -1 for rows that the job made. */
  readonly partition: number
  /** Where each row starts in its partition, or `null` for rows that the job made. */
  readonly offsets: Float64Array | null
  /** The ordinal of each record in its partition (for a text file: its line), or `null`. */
  readonly ordinals: Float64Array | null
}

/** The origin of rows that the job itself made. */
export const NO_ORIGIN: Origin = { partition: -1, offsets: null, ordinals: null }

/** Columns of a batch that are filled when it is known which rows stay (late materialisation). */
export interface DeferredColumns {
  /**
   * The rows of a list, ascending, as a batch all of whose columns are filled, and in which all rows count. It takes the
   * place of the batch that it was asked of.
   */
  keep(rows: Int32Array, count: number): Batch
}

/** Columns that whoever is given the batch may keep, where he says so before he returns: then they are his to release. */
export interface GivenColumns {
  take(): () => void
}

/** Some rows as columns. */
export class Batch {
  readonly schema: Schema
  readonly columns: readonly Column[]
  readonly length: number
  readonly origin: Origin
  /** Indexes of the rows that count, or `null` where all do. */
  readonly selection: Int32Array | null
  /** How many rows count. */
  readonly count: number
  /** The watermark of the row's partition before each row, once event time is assigned; `null`: never late. */
  readonly watermarks: Float64Array | null
  /** Whether event time is known never to go back within the batch. */
  readonly isTimeOrdered: boolean
  /** Where not all columns have been filled. Only who has asked for such batches is given them; no other batch inherits it. */
  readonly deferred: DeferredColumns | null
  /** Where its columns may be kept. No other batch inherits it. */
  readonly given: GivenColumns | null

  constructor(parts: {
    schema: Schema
    columns: readonly Column[]
    length: number
    origin?: Origin
    selection?: Int32Array | null
    count?: number
    watermarks?: Float64Array | null
    isTimeOrdered?: boolean
    deferred?: DeferredColumns | null
    given?: GivenColumns | null
  }) {
    this.schema = parts.schema
    this.columns = parts.columns
    this.length = parts.length
    this.origin = parts.origin ?? NO_ORIGIN
    this.selection = parts.selection ?? null
    this.count = parts.count ?? parts.length
    this.watermarks = parts.watermarks ?? null
    this.isTimeOrdered = parts.isTimeOrdered ?? false
    this.deferred = parts.deferred ?? null
    this.given = parts.given ?? null
    assert(this.columns.length === this.schema.fields.length, "a batch has a column for each field of its schema")
    assert(this.length <= MAX_BATCH_ROWS, "a batch has at most 65,536 rows")
    assert(this.selection === null ? this.count === this.length : this.count <= this.length, "only rows are selected")
  }

  /** The same batch with some parts replaced. */
  with(parts: {
    schema?: Schema
    columns?: readonly Column[]
    selection?: Int32Array | null
    count?: number
    watermarks?: Float64Array | null
    isTimeOrdered?: boolean
  }): Batch {
    const { schema, columns, length, origin, selection, count, watermarks, isTimeOrdered } = this
    return new Batch({ schema, columns, length, origin, selection, count, watermarks, isTimeOrdered, ...parts })
  }

  /** Calls `visit` with the index of each row that counts, in order. */
  forEachRow(visit: (row: number) => void): void {
    const { selection, count } = this
    if (selection === null) for (let row = 0; row < this.length; row++) visit(row)
    else for (let at = 0; at < count; at++) visit(selection[at]!)
  }

  /** A row as a fresh plain object: the slow, obvious way. `rowReader` is the fast one. */
  row(index: number): Record<string, unknown> {
    const row: Record<string, unknown> = {}
    this.schema.fields.forEach(({ name }, column) => {
      row[name] = readValue(this.columns[column]!, index)
    })
    return row
  }

  /** The rows that count, as fresh plain objects. */
  toRows(): Record<string, unknown>[] {
    const rows: Record<string, unknown>[] = []
    this.forEachRow((row) => rows.push(this.row(row)))
    return rows
  }
}

/** Columns under construction, with the blocks they lie in. */
export interface BatchColumns {
  readonly columns: readonly Column[]
  /** Frees the blocks; a second call does nothing. */
  readonly release: () => void
}

/** Allocates the columns of a schema, `capacity` rows each. What else belongs to the batch, `blocks`, is freed with them. */
export function allocateColumns(arena: Arena, schema: Schema, capacity: number, blocks: Block[] = []): BatchColumns {
  try {
    const columns = schema.fields.map(({ type }) => allocateColumn(arena, type, capacity, blocks))
    return { columns, release: () => blocks.splice(0).forEach((block) => arena.free(block)) }
  } catch (error) {
    for (const block of blocks) arena.free(block)
    throw error
  }
}

/** A batch made of plain rows that have passed their types' checks, and how to release it. */
export function batchOfRows(
  arena: Arena,
  schema: Schema,
  rows: readonly Readonly<Record<string, unknown>>[],
  origin: Origin = NO_ORIGIN,
): { batch: Batch; release: () => void } {
  const { columns, release } = allocateColumns(arena, schema, Math.max(1, rows.length))
  rows.forEach((row, index) => {
    schema.fields.forEach(({ name }, column) => {
      writeValue(columns[column]!, index, row[name])
    })
  })
  return { batch: new Batch({ schema, columns, length: rows.length, origin }), release }
}
