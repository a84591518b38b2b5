/**
 * Messages of Arrow's IPC formats (https://arrow.apache.org/docs/format/Columnar.html#serialization-and-interprocess-communication-ipc):
 *
 *      message   0xFFFFFFFF (absent before Arrow 0.15), bytes of the metadata (int32; 0: the end), the metadata, the body
 *      stream    a schema, then dictionaries and record batches, and the end
 *      file      "ARROW1" and two bytes, a stream, a footer, its bytes (int32), "ARROW1"
 *
 * A file is read as the stream that it holds, of which some writers leave the schema out: it stands in the footer, too. Whoever
 * walks over the messages puts the metadata of all into one index, which is all that must be known to begin anywhere:
 *
 *      for each message: bytes of its metadata (float64), where its body starts in the file (float64), the metadata, zeros
 *      to a multiple of 8; before them in the same way a file's footer, of which -1 tells
 */
import { demand } from "../parquet/malformed.ts"
import { arrowField, columnBudget, type ArrowField, type ArrowLayout } from "./arrow-field.ts"
import { FlatTable } from "./flat-table.ts"

const HEADER = { schema: 1, dictionary: 2, batch: 3 } as const
const ENTRY_BYTES = 16
/** The metadata version that is the least to be read: V4, of Arrow 0.8. */
const VERSION_MIN = 3

/** A range of a file's bytes. */
export interface ByteRange {
  readonly start: number
  readonly bytes: number
}

/** The values of some rows. */
export interface RecordBatchMessage {
  readonly rows: number
  /** By node: values, and how many of them are null. */
  readonly nodes: readonly number[]
  readonly buffers: readonly ByteRange[]
  readonly variadicCounts: readonly number[]
  readonly compression: "LZ4" | "ZSTD" | undefined
}

/** Texts that others are indexes of. */
export interface DictionaryMessage {
  readonly id: bigint
  /** Whether they go behind those before, and do not take their place. */
  readonly isDelta: boolean
  readonly data: RecordBatchMessage
}

/** A record batch, the number of its first row, and how many dictionaries stand before it. */
export interface IndexedBatch extends RecordBatchMessage {
  readonly firstRow: number
  readonly dictionariesBefore: number
}

/** What a file holds. */
export interface ArrowIndex {
  readonly fields: readonly ArrowField[]
  readonly dictionaries: readonly DictionaryMessage[]
  readonly batches: readonly IndexedBatch[]
  readonly rows: number
}

/** How many bytes the body behind some metadata has. */
export function bodyBytes(metadata: Uint8Array): number {
  return FlatTable.root(metadata).size(3)
}

/** In place of where a body starts: this is no message but a footer. */
export const FOOTER = -1

/** Puts metadata into an index. */
export function indexEntry(metadata: Uint8Array, bodyStart: number): Uint8Array {
  const entry = new Uint8Array(ENTRY_BYTES + ((metadata.length + 7) & -8))
  new Float64Array(entry.buffer, 0, 2).set([metadata.length, bodyStart])
  entry.set(metadata, ENTRY_BYTES)
  return entry
}

/** Reads an index. @throws Malformed where the metadata is none, or of what is not read. */
export function readIndex(index: Uint8Array): ArrowIndex {
  const view = new DataView(index.buffer, index.byteOffset, index.length)
  let fields: readonly ArrowField[] | undefined
  const dictionaries: DictionaryMessage[] = []
  const batches: IndexedBatch[] = []
  let rows = 0
  let isFile = false
  for (let at = 0; at < index.length;) {
    const length = view.getFloat64(at, true)
    const bodyStart = view.getFloat64(at + 8, true)
    const message = FlatTable.root(index.subarray(at + ENTRY_BYTES, at + ENTRY_BYTES + length))
    at += ENTRY_BYTES + ((length + 7) & -8)
    if (bodyStart === FOOTER) {
      fields = fieldsOf(message.table(1))
      isFile = true
      continue
    }
    demand(message.int16(0, 0) >= VERSION_MIN, "it was written by Arrow before 0.8")
    const header = message.table(2)
    demand(header !== undefined, "a message has no header")
    const body = { start: bodyStart, bytes: message.size(3) }
    const type = message.uint8(1, 0)
    if (fields === undefined) {
      demand(type === HEADER.schema, "it does not begin with a schema")
      fields = fieldsOf(header)
    } else if (type === HEADER.schema && isFile && rows === 0) continue
    else if (type === HEADER.batch) {
      const batch = recordBatch(header, body)
      batches.push({ ...batch, firstRow: rows, dictionariesBefore: dictionaries.length })
      rows += batch.rows
      demand(Number.isSafeInteger(rows * 8), "it has more rows than there can be")
    } else {
      demand(type === HEADER.dictionary, "it has a message that is no schema, dictionary or record batch")
      const data = header.table(1)
      demand(data !== undefined, "a dictionary has no texts")
      dictionaries.push({ id: header.id(0), isDelta: header.uint8(2, 0) !== 0, data: recordBatch(data, body) })
    }
  }
  demand(fields !== undefined, "it has no schema")
  return { fields, dictionaries, batches, rows }
}

function fieldsOf(schema: FlatTable | undefined): ArrowField[] {
  demand(schema !== undefined, "it has no schema")
  demand(schema.int16(0, 0) === 0, "its numbers are big-endian")
  const budget = columnBudget()
  return schema.tables(1).map((field) => arrowField(field, budget))
}

function recordBatch(table: FlatTable, body: ByteRange): RecordBatchMessage {
  const places = table.sizes(2, 2)
  const buffers = Array.from({ length: places.length / 2 }, (_, index) => {
    const [offset, bytes] = [places[2 * index]!, places[2 * index + 1]!]
    demand(offset + bytes <= body.bytes, "a buffer ends behind its message")
    return { start: body.start + offset, bytes }
  })
  const compression = compressionOf(table.table(3))
  return { rows: table.size(0), nodes: table.sizes(1, 2), buffers, variadicCounts: table.sizes(4, 1), compression }
}

function compressionOf(table: FlatTable | undefined): RecordBatchMessage["compression"] {
  if (table === undefined) return undefined
  const [codec, method] = [table.uint8(0, 0), table.uint8(1, 0)]
  demand(codec <= 1 && method === 0, "its buffers are compressed in a way that this reader does not know")
  return codec === 0 ? "LZ4" : "ZSTD"
}

/** Where a column has its node and its first buffer in a record batch, and those within it theirs. */
export interface BatchPlace {
  readonly node: number
  readonly buffer: number
  readonly children: readonly BatchPlace[]
}

/** Where the columns of a file lie in a record batch. */
export function columnPlaces(
  layouts: readonly ArrowLayout[],
  { variadicCounts }: RecordBatchMessage,
): readonly BatchPlace[] {
  let [node, buffer, views] = [0, 0, 0]
  const place = ({ buffers, hasViews, children }: ArrowLayout): BatchPlace => {
    const own = { node: node++, buffer }
    buffer += buffers
    if (hasViews) buffer += variadicCounts[views++] ?? 0
    return { ...own, children: children.map(place) }
  }
  return layouts.map(place)
}
