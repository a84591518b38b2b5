/**
 * A block as one record of the log, so that it is stored whole or not at all.
 *
 * | bytes | what |
 * |---|---|
 * | 1 | version: 1 |
 * | text | the fingerprint of the columns: of the names and types of the rows |
 * | varint | how many records are no rows; then of each: |
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
import { ColumnBlockReader, ColumnBlockWriter } from "../../formats/columns/column-block.ts"
import type { BadRow, PushedBlock } from "./pushed-block.ts"

const VERSION = 1

/** Writes and reads the records of one input. */
export class BlockRecords {
  readonly #schema: Schema
  readonly #fingerprint: string
  readonly #writer: ColumnBlockWriter
  readonly #reader: ColumnBlockReader
  readonly #out = new ByteWriter(4096)

  constructor(arena: Arena, schema: Schema) {
    this.#schema = schema
    this.#fingerprint = fingerprint(schema.label)
    this.#writer = new ColumnBlockWriter(schema)
    this.#reader = new ColumnBlockReader(arena, schema)
  }

  /** The record of a block. */
  encode(batch: Batch | undefined, bad: readonly BadRow[]): Uint8Array {
    const out = this.#out
    out.recycle()
    out.uint8(VERSION)
    out.text(this.#fingerprint)
    out.varint(bad.length)
    for (const { reason, field = "", raw } of bad) for (const text of [reason, field, raw]) out.text(text)
    if (batch === undefined) out.varint(0)
    else this.#writer.write(out, batch)
    return out.finish()
  }

  /**
   * The block of a record, which lies somewhere.
   *
   * @param where the log and the place, for errors.
   * @throws TidemarkError `source-changed` where its rows have other columns, `log-newer-format`, `log-corrupt`, `arena-exhausted`.
   */
  decode(payload: Uint8Array, where: string): Pick<PushedBlock, "batch" | "bad" | "release"> {
    try {
      const from = new ByteReader(payload)
      const version = from.uint8()
      if (version !== VERSION) throw newerFormat(where, version)
      if (from.text() !== this.#fingerprint) throw otherColumns(where)
      const bad = Array.from({ length: from.varint() }, (): BadRow => {
        const [reason, field] = [from.text(), from.text()]
        return { reason, field: field === "" ? undefined : field, raw: from.text() }
      })
      const { columns, rows, release } = this.#reader.read(from)
      const batch = rows === 0 ? undefined : new Batch({ schema: this.#schema, columns, length: rows })
      return { batch, bad, release }
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause
      throw new TidemarkError("log-corrupt", `${where} does not read back: ${cause.message}.`, {
        hint: "It was written whole, so this is a defect or a foreign file. Start anew with --reset.",
        cause,
      })
    }
  }
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
