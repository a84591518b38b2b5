/**
 * Encodes rows as Parquet (https://github.com/apache/parquet-format): blocks of rows, each a row group, and at the end of the file the
 * footer that tells where they are.
 *
 * A file grows block by block, and whoever writes it may die and go on from what is there. So what the footer will say of a row
 * group stands before it, where readers of Parquet do not look:
 *
 *     uint32   bytes of the description     uint32   bytes of the row group
 *     description: varint rows; per column: varint bytes of the dictionary's page, packed, unpacked, nulls;
 *       uint8 0, or 1 and two byte strings, the least and the greatest value
 *     the row group: column chunks, one after the other
 *
 * Invariants:
 * - PE1 A file is `header`, then blocks, then `trailer` of these: a Parquet file, whose rows are those encoded, in order.
 * - PE2 The trailer is a function of the bytes before it.
 */
import { assert } from "../../base/assert.ts"
import { ByteReader, ByteWriter } from "../../base/bytes.ts"
import type { Batch } from "../../batch/batch.ts"
import { writeBytes } from "../byte-output.ts"
import type { WantedBytes } from "../container.ts"
import type { EncoderContext, OutputBuffer, RecordEncoder } from "../decoder.ts"
import { HeldColumns, type HeldColumn } from "../held-columns.ts"
import { writeChunk, type WrittenChunk } from "./chunk-writer.ts"
import { ENCODING } from "./page-header.ts"
import { ThriftWriter } from "./thrift-writer.ts"
import { PHYSICAL, standsAsText, writtenType, type WrittenType } from "./written-type.ts"

const MAGIC = Uint8Array.of(0x50, 0x41, 0x52, 0x31)
const BLOCK_HEADER_BYTES = 8
/** So much is read at a block's start, in which its description mostly is. */
const PROBE_BYTES = 4096
const [REQUIRED, OPTIONAL] = [0, 1] as const
const SNAPPY = 1
const CREATED_BY = "Tidemark"

/** A row group of a file. */
interface RowGroup {
  readonly rows: number
  /** Where its first chunk is in the file. */
  readonly start: number
  readonly chunks: readonly WrittenChunk[]
}

/** Encodes rows of one schema. */
export class ParquetEncoder implements RecordEncoder {
  readonly header = MAGIC
  readonly #held: HeldColumns
  readonly #types: readonly WrittenType[]

  constructor({ schema }: Pick<EncoderContext, "schema">) {
    this.#held = new HeldColumns(schema, standsAsText)
    this.#types = this.#held.columns.map(writtenType)
  }

  get heldBytes(): number {
    return this.#held.bufferedBytes
  }

  encode(batch: Batch, out: OutputBuffer): void {
    assert(batch.columns.length === this.#types.length, "an encoder is made for the schema of its batches")
    this.#held.append(batch)
    if (this.#held.isFull) this.finish(out)
  }

  finish(out: OutputBuffer): void {
    const { rows, columns } = this.#held
    if (rows === 0) return
    const group = new ByteWriter(1024)
    const description = new ByteWriter()
    description.varint(rows)
    columns.forEach((column, index) => {
      writeDescription(description, writeChunk(group, column, this.#types[index]!, rows))
    })
    const header = new ByteWriter(16)
    header.uint32(description.length)
    header.uint32(group.length)
    for (const part of [header, description, group]) writeBytes(part.view(), out)
    this.#held.clear()
  }

  *trailer(end: number): Generator<WantedBytes, Uint8Array> {
    const groups: RowGroup[] = []
    for (let at = MAGIC.length; at < end;) {
      let target = new Uint8Array(Math.min(PROBE_BYTES, end - at))
      yield { offset: at, target }
      const sizes = new ByteReader(target)
      const [descriptionBytes, groupBytes] = [sizes.uint32(), sizes.uint32()]
      if (BLOCK_HEADER_BYTES + descriptionBytes > target.length) {
        target = new Uint8Array(BLOCK_HEADER_BYTES + descriptionBytes)
        yield { offset: at, target }
      }
      const start = at + BLOCK_HEADER_BYTES + descriptionBytes
      const description = target.subarray(BLOCK_HEADER_BYTES, BLOCK_HEADER_BYTES + descriptionBytes)
      groups.push(readDescription(new ByteReader(description), this.#types.length, start))
      at = start + groupBytes
      assert(at <= end, "PE1: a block ends within its file")
    }
    return this.#footer(groups)
  }

  #footer(groups: readonly RowGroup[]): Uint8Array {
    const thrift = new ThriftWriter()
    const { columns } = this.#held
    thrift.element(() => {
      thrift.i32(1, 1)
      thrift.list(2, "struct", columns.length + 1, () => {
        thrift.element(() => {
          thrift.text(4, "rows")
          thrift.i32(5, columns.length)
        })
        columns.forEach((column, index) => {
          writeElement(thrift, column, this.#types[index]!)
        })
      })
      thrift.i64(
        3,
        groups.reduce((sum, { rows }) => sum + rows, 0),
      )
      thrift.list(4, "struct", groups.length, () => {
        for (const group of groups) writeGroup(thrift, columns, this.#types, group)
      })
      thrift.text(6, CREATED_BY)
      // Bounds compare as their types do.
      thrift.list(7, "struct", columns.length, () => {
        for (let column = 0; column < columns.length; column++) {
          thrift.element(() => {
            thrift.struct(1, () => undefined)
          })
        }
      })
    })
    const metadata = thrift.out.view()
    const out = new ByteWriter(metadata.length + 8)
    out.raw(metadata)
    out.uint32(metadata.length)
    out.raw(MAGIC)
    return out.finish()
  }
}

function writeDescription(out: ByteWriter, chunk: WrittenChunk): void {
  for (const count of [chunk.dictionaryBytes, chunk.packedBytes, chunk.unpackedBytes, chunk.nulls]) out.varint(count)
  out.uint8(chunk.bounds === undefined ? 0 : 1)
  for (const bound of chunk.bounds ?? []) out.bytes(bound)
}

function readDescription(from: ByteReader, columns: number, start: number): RowGroup {
  const rows = from.varint()
  const chunks = Array.from({ length: columns }, (): WrittenChunk => {
    const [dictionaryBytes, packedBytes, unpackedBytes, nulls] = [
      from.varint(),
      from.varint(),
      from.varint(),
      from.varint(),
    ]
    const bounds = from.uint8() === 0 ? undefined : ([from.bytes(), from.bytes()] as const)
    return { dictionaryBytes, packedBytes, unpackedBytes, nulls, bounds }
  })
  return { rows, start, chunks }
}

function writeElement(thrift: ThriftWriter, { name, type }: HeldColumn, written: WrittenType): void {
  thrift.element(() => {
    thrift.i32(1, PHYSICAL[written.physical])
    thrift.i32(3, type.isNullable ? OPTIONAL : REQUIRED)
    thrift.text(4, name)
    if (written.converted !== undefined) thrift.i32(6, written.converted)
    if (written.logical !== undefined) {
      thrift.struct(10, () => {
        written.logical!(thrift)
      })
    }
  })
}

function writeGroup(
  thrift: ThriftWriter,
  columns: readonly HeldColumn[],
  types: readonly WrittenType[],
  { rows, start, chunks }: RowGroup,
): void {
  const sum = (of: (chunk: WrittenChunk) => number) => chunks.reduce((all, chunk) => all + of(chunk), 0)
  thrift.element(() => {
    thrift.list(1, "struct", chunks.length, () => {
      let at = start
      chunks.forEach((chunk, index) => {
        const place = at
        thrift.element(() => {
          thrift.i64(2, 0)
          thrift.struct(3, () => {
            writeMetadata(thrift, columns[index]!, types[index]!, { chunk, rows, at: place })
          })
        })
        at += chunk.packedBytes
      })
    })
    thrift.i64(
      2,
      sum(({ unpackedBytes }) => unpackedBytes),
    )
    thrift.i64(3, rows)
    thrift.i64(5, start)
    thrift.i64(
      6,
      sum(({ packedBytes }) => packedBytes),
    )
  })
}

function writeMetadata(
  thrift: ThriftWriter,
  { name }: HeldColumn,
  { physical }: WrittenType,
  { chunk, rows, at }: { readonly chunk: WrittenChunk; readonly rows: number; readonly at: number },
): void {
  const { dictionaryBytes, packedBytes, unpackedBytes, nulls, bounds } = chunk
  const isIndexed = dictionaryBytes > 0
  const encodings = isIndexed ? [ENCODING.plain, ENCODING.rle, ENCODING.rleDictionary] : [ENCODING.plain, ENCODING.rle]
  thrift.i32(1, PHYSICAL[physical])
  thrift.list(2, "i32", encodings.length, () => {
    for (const encoding of encodings) thrift.number(encoding)
  })
  thrift.list(3, "binary", 1, () => {
    thrift.out.text(name)
  })
  thrift.i32(4, SNAPPY)
  thrift.i64(5, rows)
  thrift.i64(6, unpackedBytes)
  thrift.i64(7, packedBytes)
  thrift.i64(9, at + dictionaryBytes)
  if (isIndexed) thrift.i64(11, at)
  thrift.struct(12, () => {
    thrift.i64(3, nulls)
    if (bounds === undefined) return
    const [least, greatest] = bounds
    thrift.bytes(5, greatest)
    thrift.bytes(6, least)
  })
}
