/**
 * Encodes rows as Parquet (https://github.com/apache/parquet-format): blocks of rows, each a row group, and at the end of the file the
 * footer that tells where they are.
 *
 * A file grows block by block, and whoever writes it may die and go on from what is there. So what the footer will say of a row
 * group stands before it, where readers of Parquet do not look:
 *
 *     uint32   bytes of the description     uint32   bytes of the row group
 *     description: where there are lists or objects varint 0; varint rows; per leaf: varint bytes of the dictionary's page, packed, unpacked, nulls;
 *       uint8 0, or 1 and two byte strings, the least and the greatest value; within lists and objects varint values
 *     the row group: column chunks, one after the other
 *
 * Invariants:
 * - PE1 A file is `header`, then blocks, then `trailer` of these: a Parquet file, whose rows are those encoded, in order.
 * - PE2 The trailer is a function of the bytes before it.
 */
import { assert } from "../../base/assert.ts"
import { TidemarkError } from "../../base/errors.ts"
import { ByteReader, ByteWriter } from "../../base/bytes.ts"
import type { Batch } from "../../batch/batch.ts"
import type { ColumnType } from "../../batch/type.ts"
import { writeBytes } from "../byte-output.ts"
import type { WantedBytes } from "../container.ts"
import type { EncoderContext, OutputBuffer, RecordEncoder } from "../decoder.ts"
import { HeldColumn, HeldColumns, slicesOf } from "../held-columns.ts"
import { writeChunk, writeNestedChunk, type WrittenChunk } from "./chunk-writer.ts"
import { ENCODING } from "./page-header.ts"
import { isNested } from "../nested/nested-type.ts"
import { ShreddedColumn, type WrittenLeaf, type WrittenPart } from "./shredded-column.ts"
import { ThriftWriter } from "./thrift-writer.ts"
import { PHYSICAL, standsAsText, writtenType, type WrittenType } from "./written-type.ts"

const MAGIC = Uint8Array.of(0x50, 0x41, 0x52, 0x31)
const BLOCK_HEADER_BYTES = 8
/** So much is read at a block's start, in which its description mostly is. */
const PROBE_BYTES = 4096
const [REQUIRED, OPTIONAL, REPEATED] = [0, 1, 2] as const
/** Numbers of the converted type and of the logical type of lists. */
const [CONVERTED_LIST, LOGICAL_LIST] = [3, 3] as const
/** In place of a number of rows, of which no block has none: behind it comes a description with numbers of values. */
const NESTED = 0
const SNAPPY = 1
const CREATED_BY = "Tidemark"

/** A row group of a file. */
interface RowGroup {
  readonly rows: number
  /** Where its first chunk is in the file. */
  readonly start: number
  readonly chunks: readonly WrittenChunk[]
}

/** What has a column chunk of its own: a column, or a leaf within one. */
interface Leaf {
  readonly held: HeldColumn
  /** The names of the groups that it lies in, and its own. */
  readonly path: readonly string[]
  readonly type: WrittenType
  /** Set where it is within a list or an object. */
  readonly nested: WrittenLeaf | undefined
}

/** Encodes rows of one schema. */
export class ParquetEncoder implements RecordEncoder {
  readonly header = MAGIC
  readonly #held: HeldColumns<HeldColumn | ShreddedColumn>
  /** In the order in which the schema's tree has them. */
  readonly #leaves: readonly Leaf[]
  readonly #isNested: boolean

  constructor({ schema }: Pick<EncoderContext, "schema">) {
    const held = (name: string, type: ColumnType) => new HeldColumn(name, type, standsAsText(type))
    this.#held = new HeldColumns(schema, (name, type) => {
      return isNested(type) ? new ShreddedColumn(name, type, held) : held(name, type)
    })
    this.#leaves = this.#held.columns.flatMap(leavesOf)
    this.#isNested = this.#leaves.some(({ nested }) => nested !== undefined)
  }

  get heldBytes(): number {
    return this.#held.bufferedBytes
  }

  encode(batch: Batch, out: OutputBuffer): void {
    assert(batch.columns.length === this.#held.columns.length, "an encoder is made for the schema of its batches")
    for (const rows of this.#isNested ? slicesOf(batch) : [batch]) {
      this.#held.append(rows)
      if (this.#held.isFull) this.finish(out)
    }
  }

  finish(out: OutputBuffer): void {
    const { rows } = this.#held
    if (rows === 0) return
    const group = new ByteWriter(1024)
    const description = new ByteWriter()
    if (this.#isNested) description.varint(NESTED)
    description.varint(rows)
    for (const { held, type, nested } of this.#leaves) {
      const chunk = nested === undefined ? writeChunk(group, held, type, rows) : writeNestedChunk(group, nested, type)
      writeDescription(description, chunk)
      if (nested !== undefined) description.varint(chunk.values)
    }
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
      groups.push(readDescription(new ByteReader(description), this.#leaves, start))
      at = start + groupBytes
      assert(at <= end, "PE1: a block ends within its file")
    }
    return this.#footer(groups)
  }

  #footer(groups: readonly RowGroup[]): Uint8Array {
    const thrift = new ThriftWriter()
    const { columns } = this.#held
    const leaves = this.#leaves
    thrift.element(() => {
      thrift.i32(1, 1)
      thrift.list(
        2,
        "struct",
        columns.reduce((sum, column) => sum + elementsOf(column), 1),
        () => {
          thrift.element(() => {
            thrift.text(4, "rows")
            thrift.i32(5, columns.length)
          })
          for (const column of columns) {
            if (column instanceof ShreddedColumn) writePart(thrift, column.part)
            else writeElement(thrift, column.name, column.type.isNullable, writtenType(column))
          }
        },
      )
      thrift.i64(
        3,
        groups.reduce((sum, { rows }) => sum + rows, 0),
      )
      thrift.list(4, "struct", groups.length, () => {
        for (const group of groups) writeGroup(thrift, leaves, group)
      })
      thrift.text(6, CREATED_BY)
      // Bounds compare as their types do.
      thrift.list(7, "struct", leaves.length, () => {
        for (let leaf = 0; leaf < leaves.length; leaf++) {
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

function readDescription(from: ByteReader, leaves: readonly Leaf[], start: number): RowGroup {
  try {
    const group = readGroup(from, leaves, start)
    if (from.remaining === 0) return group
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
  }
  throw new TidemarkError(
    "sink-failed",
    "A part of an output was begun by a program with other columns, or a version that wrote lists and objects as text.",
    {
      hint: "Let that program publish it: run it once more until it has stopped by itself or at Ctrl-C.",
    },
  )
}

/** @throws RangeError where the description is that of other columns, and that shows. */
function readGroup(from: ByteReader, leaves: readonly Leaf[], start: number): RowGroup {
  const isNested = leaves.some(({ nested }) => nested !== undefined)
  if (isNested && from.varint() !== NESTED) throw new RangeError("lists and objects were written as text")
  const rows = from.varint()
  const chunks = leaves.map(({ nested }): WrittenChunk => {
    const [dictionaryBytes, packedBytes, unpackedBytes, nulls] = [
      from.varint(),
      from.varint(),
      from.varint(),
      from.varint(),
    ]
    const bounds = from.uint8() === 0 ? undefined : ([from.bytes(), from.bytes()] as const)
    const values = nested === undefined ? rows : from.varint()
    return { dictionaryBytes, packedBytes, unpackedBytes, values, nulls, bounds }
  })
  return { rows, start, chunks }
}

/** The leaves of a column. */
function leavesOf(column: HeldColumn | ShreddedColumn): Leaf[] {
  if (column instanceof HeldColumn) {
    return [{ held: column, path: [column.name], type: writtenType(column), nested: undefined }]
  }
  return column.part.leaves.map((nested) => {
    return { held: nested.held, path: nested.path, type: writtenType(nested.held), nested }
  })
}

/** How many elements a column has in the schema. */
function elementsOf(column: HeldColumn | ShreddedColumn): number {
  const count = ({ isList, parts }: WrittenPart): number =>
    parts.reduce((sum, part) => sum + count(part), isList ? 2 : 1)
  return column instanceof ShreddedColumn ? count(column.part) : 1
}

function writePart(thrift: ThriftWriter, { name, isOptional, isList, parts, leaves }: WrittenPart): void {
  if (parts.length === 0) {
    writeElement(thrift, name, isOptional, writtenType(leaves[0]!.held))
    return
  }
  thrift.element(() => {
    thrift.i32(3, isOptional ? OPTIONAL : REQUIRED)
    thrift.text(4, name)
    thrift.i32(5, parts.length)
    if (!isList) return
    thrift.i32(6, CONVERTED_LIST)
    thrift.struct(10, () => {
      thrift.struct(LOGICAL_LIST, () => undefined)
    })
  })
  if (isList) {
    thrift.element(() => {
      thrift.i32(3, REPEATED)
      thrift.text(4, "list")
      thrift.i32(5, 1)
    })
  }
  for (const part of parts) writePart(thrift, part)
}

function writeElement(thrift: ThriftWriter, name: string, isOptional: boolean, written: WrittenType): void {
  thrift.element(() => {
    thrift.i32(1, PHYSICAL[written.physical])
    thrift.i32(3, isOptional ? OPTIONAL : REQUIRED)
    thrift.text(4, name)
    if (written.converted !== undefined) thrift.i32(6, written.converted)
    if (written.logical !== undefined) {
      thrift.struct(10, () => {
        written.logical!(thrift)
      })
    }
  })
}

function writeGroup(thrift: ThriftWriter, leaves: readonly Leaf[], { rows, start, chunks }: RowGroup): void {
  const sum = (of: (chunk: WrittenChunk) => number) => chunks.reduce((all, chunk) => all + of(chunk), 0)
  thrift.element(() => {
    thrift.list(1, "struct", chunks.length, () => {
      let at = start
      chunks.forEach((chunk, index) => {
        const place = at
        thrift.element(() => {
          thrift.i64(2, 0)
          thrift.struct(3, () => {
            writeMetadata(thrift, leaves[index]!, chunk, place)
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
  { path, type: { physical } }: Leaf,
  chunk: WrittenChunk,
  at: number,
): void {
  const { values, dictionaryBytes, packedBytes, unpackedBytes, nulls, bounds } = chunk
  const isIndexed = dictionaryBytes > 0
  const encodings = isIndexed ? [ENCODING.plain, ENCODING.rle, ENCODING.rleDictionary] : [ENCODING.plain, ENCODING.rle]
  thrift.i32(1, PHYSICAL[physical])
  thrift.list(2, "i32", encodings.length, () => {
    for (const encoding of encodings) thrift.number(encoding)
  })
  thrift.list(3, "binary", path.length, () => {
    for (const name of path) thrift.out.text(name)
  })
  thrift.i32(4, SNAPPY)
  thrift.i64(5, values)
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
