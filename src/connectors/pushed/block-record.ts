/**
 * A block as one record of the log, so that it is stored whole or not at all.
 *
 * | bytes | what |
 * |---|---|
 * | 1 | version: 1 |
 * | text | the fingerprint of the prefix of the plan that made the rows; empty where they are as they were pushed |
 * | text | the fingerprint of their columns: of names and types |
 * | varint | how many records were dropped by the prefix |
 * | varint | how many records are no rows, or have failed; then of each: |
 * | text | the operator at which it failed, empty where it is no row |
 * | text | why |
 * | text | the field at fault, empty where there is none |
 * | text | the record |
 * | rest | the rows (`../../formats/columns/column-block.ts`) |
 *
 * That the bytes are those that were written is the log's promise.
 */
import { crc32c } from "../../base/crc32c.ts"
import { ByteReader, ByteWriter } from "../../base/bytes.ts"
import { TidemarkError } from "../../base/errors.ts"
import { fingerprint } from "../../base/hash.ts"
import type { Arena } from "../../batch/arena.ts"
import { Batch } from "../../batch/batch.ts"
import type { Schema } from "../../batch/schema.ts"
import type { SourceContext } from "../../connect/source.ts"
import { ColumnBlockReader, ColumnBlockWriter } from "../../formats/columns/column-block.ts"
import type { BadRow, PushedBlock } from "./pushed-block.ts"

const VERSION = 1

/** The form of rows as they were pushed. */
export const AS_PUSHED = ""

/** A block as it is kept. */
export type StoredBlock = Pick<PushedBlock, "batch" | "bad" | "dropped">

/** Rows of one schema. */
class RowsFormat {
  readonly schema: Schema
  readonly fingerprint: string
  readonly #arena: Arena
  /** Made when there is something to be read: it has room for a whole block. */
  #reader: ColumnBlockReader | undefined

  constructor(arena: Arena, schema: Schema) {
    this.schema = schema
    this.fingerprint = fingerprint(schema.label)
    this.#arena = arena
  }

  read(from: ByteReader): { readonly batch: Batch | undefined; readonly release: () => void } {
    this.#reader ??= new ColumnBlockReader(this.#arena, this.schema)
    const { columns, rows, release } = this.#reader.read(from)
    if (rows > 0) return { batch: new Batch({ schema: this.schema, columns, length: rows }), release }
    release()
    return { batch: undefined, release: () => undefined }
  }
}

/** Writes and reads the records of one input. */
export class BlockRecords {
  /** The form of the rows that are written. */
  readonly form: string
  readonly #pushed: RowsFormat
  readonly #kept: RowsFormat
  /** As the readers. */
  #writer: ColumnBlockWriter | undefined
  readonly #out = new ByteWriter(4096)

  constructor({ arena, schema, prefix }: Pick<SourceContext, "arena" | "schema" | "prefix">) {
    this.form = prefix?.fingerprint ?? AS_PUSHED
    this.#pushed = new RowsFormat(arena, schema)
    this.#kept = prefix === undefined ? this.#pushed : new RowsFormat(arena, prefix.schema)
  }

  /** The record of a block, whose rows are those behind the prefix. */
  encode({ batch, bad, dropped }: StoredBlock): Uint8Array {
    const out = this.#out
    out.recycle()
    out.uint8(VERSION)
    out.text(this.form)
    out.text(this.#kept.fingerprint)
    out.varint(dropped)
    out.varint(bad.length)
    for (const { operator = "", reason, field = "", raw } of bad) {
      for (const text of [operator, reason, field, raw]) out.text(text)
    }
    if (batch === undefined) out.varint(0)
    else (this.#writer ??= new ColumnBlockWriter(this.#kept.schema)).write(out, batch)
    return out.finish()
  }

  /**
   * The block of a record.
   *
   * @param where what it is a block of, for errors.
   * @throws TidemarkError `source-changed` where its rows have other columns, `log-newer-format`, `log-corrupt`, `arena-exhausted`.
   */
  decode(payload: Uint8Array, where: string): Omit<PushedBlock, "place"> {
    try {
      const from = new ByteReader(payload)
      const version = from.uint8()
      if (version !== VERSION) throw newerFormat(where, version)
      const [form, columns] = [from.text(), from.text()]
      const format = form === AS_PUSHED ? this.#pushed : this.#kept
      if (columns !== format.fingerprint) throw otherColumns(where)
      const dropped = from.varint()
      const bad = Array.from({ length: from.varint() }, () => readBad(from))
      return { form, skipped: 0, dropped, bad, ...format.read(from) }
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause
      throw new TidemarkError("log-corrupt", `${where} does not read back: ${cause.message}.`, {
        hint: "It was written whole, so this is a defect or a foreign file. Start anew with --reset.",
        cause,
      })
    }
  }
}

function readBad(from: ByteReader): BadRow {
  const [operator, reason, field, raw] = [from.text(), from.text(), from.text(), from.text()]
  const bad = { reason, field: field === "" ? undefined : field, raw }
  return operator === "" ? bad : { operator, ...bad }
}

/** What tells a record from another one at its place. */
export function checksumOf(payload: Uint8Array): number {
  return crc32c(payload)
}

function newerFormat(where: string, version: number): TidemarkError {
  return new TidemarkError("log-newer-format", `${where} is of format ${version}; this Tidemark reads ${VERSION}.`, {
    hint: "Run the job with the newer Tidemark that has stored it.",
  })
}

function otherColumns(where: string): TidemarkError {
  return new TidemarkError("source-changed", `${where} has rows of other columns than the input has now.`, {
    hint: "Run the program that has kept them until it has committed what it kept, then this one; or start anew in another directory.",
  })
}
