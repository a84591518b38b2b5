/**
 * A file's footer: its columns, and where the bytes of each column of each row group lie.
 *
 *   "PAR1"   pages of all columns and row groups   FileMetaData   its length: four bytes   "PAR1"
 *
 * The library hyparquet takes the metadata apart. It trusts lengths, so the metadata is walked before it sees any: it is
 * whole, no deeper and no larger than a real one.
 */
import { parquetMetadata } from "hyparquet/src/metadata.js"
import type { FileMetaData } from "hyparquet"
import { TidemarkError } from "../../base/errors.ts"
import type { Footer } from "../container.ts"
import type { NamedShape } from "../nested/shape.ts"
import type { Leaf } from "./file-column.ts"
import { fileSchema, type Levels } from "./file-schema.ts"
import { demand, Malformed } from "./malformed.ts"
import { ThriftReader } from "./thrift.ts"

/** What stands behind the metadata: its length and the file's mark. */
const TRAILER_BYTES = 8
const MARK = [0x50, 0x41, 0x52, 0x31] as const
/** The mark of files whose footer is encrypted. */
const ENCRYPTED_MARK = [0x50, 0x41, 0x52, 0x45] as const
/** The mark at the start, and the trailer: no file has less. */
const FILE_BYTES_MIN = 12

/** A footer of more bytes or values is refused: it would be taken apart into gigabytes. */
const FOOTER_BYTES_MAX = 64 * 1024 * 1024
const FOOTER_VALUES_MAX = 4_000_000

/** The codecs of pages. */
export type Codec = NonNullable<FileMetaData["row_groups"][number]["columns"][number]["meta_data"]>["codec"]

/** One column of a row group: where its pages lie in the file. */
export interface ColumnChunk {
  readonly start: number
  readonly end: number
  readonly codec: Codec
  /** How many values its pages have altogether, nulls and empty lists among them. */
  readonly values: number
}

/** Some rows. */
export interface RowGroup {
  /** How many rows lie before it. */
  readonly firstRow: number
  readonly rows: number
  /** One a leaf of the schema's tree, in its order. */
  readonly chunks: readonly ColumnChunk[]
}

/** What a file's footer says. */
export interface ParquetFooter {
  readonly rows: number
  readonly columns: readonly NamedShape<Levels>[]
  /** By leaf: its greatest levels. */
  readonly levels: readonly Levels[]
  readonly groups: readonly RowGroup[]
}

/** How many of a file's last bytes its footer takes, trailer included; see `FooterBytes`. */
export function footerBytes(tail: Uint8Array, fileBytes: number, label: string): number {
  const isMarked = (mark: readonly number[]) => mark.every((byte, at) => tail[tail.length - mark.length + at] === byte)
  if (fileBytes < FILE_BYTES_MIN || !isMarked(MARK)) {
    const isEncrypted = fileBytes >= FILE_BYTES_MIN && isMarked(ENCRYPTED_MARK)
    throw new TidemarkError(
      "source-unreadable",
      isEncrypted ? `${sentence(label)} is encrypted.` : `${sentence(label)} is no Parquet file, or is cut short.`,
      {
        hint: isEncrypted
          ? "Write it without encryption: encrypted Parquet is not read."
          : 'A Parquet file ends with "PAR1". If it is still being written, wait until it is whole.',
      },
    )
  }
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength)
  const length = view.getUint32(tail.length - TRAILER_BYTES, true) + TRAILER_BYTES
  if (length + MARK.length > fileBytes) throw damaged(label, `it would begin before the file does`)
  if (length > FOOTER_BYTES_MAX)
    throw damaged(label, `it has ${length} bytes, and at most ${FOOTER_BYTES_MAX} are read`)
  return length
}

/**
 * Reads a footer.
 *
 * @throws TidemarkError `source-unreadable` where it is damaged.
 */
export function readFooter({ bytes, fileBytes, label }: Footer): ParquetFooter {
  const length = footerBytes(bytes, fileBytes, label)
  try {
    const metadata = bytes.subarray(bytes.length - length, bytes.length - TRAILER_BYTES)
    walk(metadata)
    return footerOf(parse(bytes.subarray(bytes.length - length)), fileBytes - length)
  } catch (error) {
    if (error instanceof Malformed) throw damaged(label, error.message)
    throw error
  }
}

/** Sees that the metadata is one whole struct, and not too large. */
function walk(metadata: Uint8Array): void {
  const reader = new ThriftReader(metadata, 0, metadata.length)
  reader.struct((_, type) => {
    reader.skip(type, 1)
    return true
  })
  demand(
    reader.values <= FOOTER_VALUES_MAX,
    `it has ${reader.values} values, and at most ${FOOTER_VALUES_MAX} are read`,
  )
}

function parse(bytes: Uint8Array): FileMetaData {
  try {
    return parquetMetadata(bytes, { geoparquet: false, parsers: { stringFromBytes: (text: Uint8Array) => text } })
  } catch {
    // The library's message is about its own variables; what it stumbles over is a struct of another shape.
    throw new Malformed("it does not say what a footer must say")
  }
}

function footerOf(metadata: FileMetaData, pagesEnd: number): ParquetFooter {
  const { leaves, levels, columns } = fileSchema(metadata.schema)
  const groups: RowGroup[] = []
  let firstRow = 0
  for (const group of metadata.row_groups) {
    const rows = numberOf(group.num_rows, "a row group's number of rows")
    demand(group.columns.length === leaves.length, "a row group has another number of columns than the schema")
    const chunks = group.columns.map((chunk, index) => chunkOf(chunk, leaves[index]!, pagesEnd))
    if (rows > 0) groups.push({ firstRow, rows, chunks })
    firstRow += rows
  }
  demand(firstRow === numberOf(metadata.num_rows, "the number of rows"), "its row groups have another number of rows")
  return { rows: firstRow, columns, levels, groups }
}

function chunkOf(
  chunk: FileMetaData["row_groups"][number]["columns"][number],
  { path, physical }: Leaf,
  pagesEnd: number,
): ColumnChunk {
  const data = chunk.meta_data
  demand(data !== undefined, "a column of a row group is not described (it may be encrypted)")
  const isThat = data.type === physical && path.join("\n") === data.path_in_schema.join("\n")
  demand(isThat, "a column of a row group is another one than the schema has")
  demand(chunk.file_path === undefined || chunk.file_path === "", "a column lies in another file")
  const dataStart = numberOf(data.data_page_offset, "a column's place")
  const { dictionary_page_offset: dictionaryOffset } = data
  // Some writers give 0 for "none".
  const start = dictionaryOffset ? Math.min(dataStart, numberOf(dictionaryOffset, "a dictionary's place")) : dataStart
  const end = start + numberOf(data.total_compressed_size, "a column's size")
  demand(start >= MARK.length && end <= pagesEnd, "a column lies outside the file")
  return { start, end, codec: data.codec, values: numberOf(data.num_values, "a column's number of values") }
}

function numberOf(value: unknown, what: string): number {
  const number = typeof value === "bigint" ? Number(value) : value
  demand(Number.isSafeInteger(number) && (number as number) >= 0, `${what} is missing or none`)
  return number as number
}

function damaged(label: string, reason: string): TidemarkError {
  return new TidemarkError("source-unreadable", `The footer of ${label} is damaged: ${reason}.`, {
    hint: "Write the file again, or take it out of the pattern.",
  })
}

function sentence(label: string): string {
  return label.charAt(0).toUpperCase() + label.slice(1)
}
