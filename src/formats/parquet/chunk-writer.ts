/**
 * Writes the rows that are held of one column as a column chunk: a page of the dictionary, where texts repeat, and one page of
 * data (version 1), packed by Snappy where that makes them smaller.
 *
 * Body of the data page: where the column is optional, the length of the levels (uint32) and these, one bit a row in the hybrid of
 * runs and bit packing; within lists and objects repetition levels and definition levels, each in the same way; then the values that are not null, PLAIN, or indexes into the dictionary behind their width (uint8).
 */
import { ByteWriter } from "../../base/bytes.ts"
import type { HeldColumn } from "../held-columns.ts"
import { ENCODING } from "./page-header.ts"
import type { WrittenLeaf } from "./shredded-column.ts"
import { packSnappy } from "./snappy-packing.ts"
import { ThriftWriter } from "./thrift-writer.ts"
import type { WrittenType } from "./written-type.ts"

const [DATA_PAGE, DICTIONARY_PAGE] = [0, 2] as const
/** Longer texts are not told as the least or the greatest. */
const BOUND_BYTES_MAX = 64

/** What a footer says of a column chunk. Places are counted from where the chunk begins. */
export interface WrittenChunk {
  readonly dictionaryBytes: number
  readonly packedBytes: number
  readonly unpackedBytes: number
  /** How many values there are, nulls and empty lists among them. */
  readonly values: number
  readonly nulls: number
  /** The least and the greatest value, PLAIN, where they are told. */
  readonly bounds: readonly [least: Uint8Array, greatest: Uint8Array] | undefined
}

/** Appends the chunk of a column's first `rows` rows to `out`. */
export function writeChunk(out: ByteWriter, column: HeldColumn, type: WrittenType, rows: number): WrittenChunk {
  const levels = (body: ByteWriter) => {
    if (column.type.isNullable) writeLevels(body, column, rows)
  }
  const sizes = writePages(out, column, type, { rows, values: rows, levels })
  return { ...sizes, values: rows, nulls: column.nulls, bounds: boundsOf(column, type, rows) }
}

/** Appends the chunk of a leaf within lists or objects. */
export function writeNestedChunk(out: ByteWriter, leaf: WrittenLeaf, type: WrittenType): WrittenChunk {
  const { held, entries, values } = leaf
  const levels = (body: ByteWriter) => {
    writeAllLevels(body, leaf.repetitions, leaf.repetition, entries)
    writeAllLevels(body, leaf.definitions, leaf.definition, entries)
  }
  const sizes = writePages(out, held, type, { rows: values, values: entries, levels })
  return { ...sizes, values: entries, nulls: entries - values, bounds: undefined }
}

/** Appends the dictionary, where there is one, and the data page: of so many values those of a column's first rows. */
function writePages(
  out: ByteWriter,
  column: HeldColumn,
  type: WrittenType,
  {
    rows,
    values,
    levels,
  }: { readonly rows: number; readonly values: number; levels(this: void, body: ByteWriter): void },
): Pick<WrittenChunk, "dictionaryBytes" | "packedBytes" | "unpackedBytes"> {
  const start = out.length
  const dictionary = dictionaryOf(column, rows)
  let unpackedBytes = 0
  if (dictionary !== undefined) unpackedBytes += writePage(out, DICTIONARY_PAGE, dictionary, column.texts.size)
  const dictionaryBytes = out.length - start
  const body = new ByteWriter(rows * 4)
  levels(body)
  if (dictionary === undefined) writeValues(body, column, type, rows)
  else writeIndexes(body, column, rows)
  unpackedBytes += writePage(out, DATA_PAGE, body.view(), values, dictionary !== undefined)
  return { dictionaryBytes, packedBytes: out.length - start, unpackedBytes }
}

/** Appends a page, and gives how many bytes it would take unpacked. */
function writePage(out: ByteWriter, kind: number, body: Uint8Array, values: number, isIndexed = false): number {
  const packed = packSnappy(body)
  const header = new ThriftWriter()
  header.element(() => {
    header.i32(1, kind)
    header.i32(2, body.length)
    header.i32(3, packed.length)
    if (kind === DATA_PAGE) {
      header.struct(5, () => {
        header.i32(1, values)
        header.i32(2, isIndexed ? ENCODING.rleDictionary : ENCODING.plain)
        header.i32(3, ENCODING.rle)
        header.i32(4, ENCODING.rle)
      })
    } else {
      header.struct(7, () => {
        header.i32(1, values)
        header.i32(2, ENCODING.plain)
      })
    }
  })
  out.raw(header.out.view())
  out.raw(packed)
  return header.out.length + body.length
}

/** The column's dictionary, where its texts repeat often enough. */
function dictionaryOf({ form, texts, nulls }: HeldColumn, rows: number): Uint8Array | undefined {
  if (form !== "texts" || texts.size === 0 || texts.size * 2 > rows - nulls) return undefined
  const out = new ByteWriter(texts.byteLength + texts.size * 4)
  for (let code = 0; code < texts.size; code++) writeText(out, texts.bytes(code))
  return out.view()
}

function writeText(out: ByteWriter, bytes: Uint8Array): void {
  out.uint32(bytes.length)
  out.raw(bytes)
}

function writeLevels(out: ByteWriter, { present, nulls }: HeldColumn, rows: number): void {
  const levels = new ByteWriter()
  if (nulls === 0 || nulls === rows) {
    levels.varint(rows * 2)
    levels.uint8(nulls === 0 ? 1 : 0)
  } else {
    writePacked(levels, rows, 1, (row) => present[row]!)
  }
  out.uint32(levels.length)
  out.raw(levels.view())
}

/** Levels of at most `most`, behind their length; none are written where all are 0. */
function writeAllLevels(out: ByteWriter, levels: Uint8Array, most: number, entries: number): void {
  if (most === 0) return
  const runs = new ByteWriter()
  const first = levels[0]!
  if (levels.subarray(0, entries).every((level) => level === first)) {
    runs.varint(entries * 2)
    runs.uint8(first)
  } else writePacked(runs, entries, 32 - Math.clz32(most), (index) => levels[index]!)
  out.uint32(runs.length)
  out.raw(runs.view())
}

function writeIndexes(out: ByteWriter, { present, words, texts, nulls }: HeldColumn, rows: number): void {
  const width = Math.max(1, 32 - Math.clz32(texts.size - 1))
  out.uint8(width)
  let row = -1
  writePacked(out, rows - nulls, width, () => {
    do row++
    while (present[row] === 0)
    return words[row]!
  })
}

/** A run of bit-packed values, the lowest bits first, in groups of eight of which the last is filled with zeros. */
function writePacked(out: ByteWriter, count: number, width: number, next: (index: number) => number): void {
  const groups = (count + 7) >> 3
  out.varint(groups * 2 + 1)
  const bytes = new Uint8Array(groups * width)
  let bit = 0
  for (let index = 0; index < count; index++, bit += width) {
    let value = next(index)
    let [at, shift, left] = [bit >> 3, bit & 7, width]
    while (left > 0) {
      bytes[at]! |= (value << shift) & 0xff
      value >>>= 8 - shift
      left -= 8 - shift
      at++
      shift = 0
    }
  }
  out.raw(bytes)
}

/** The values that are not null, PLAIN. */
function writeValues(out: ByteWriter, column: HeldColumn, { physical }: WrittenType, rows: number): void {
  const { present, words, doubles, texts } = column
  if (physical === "BOOLEAN") {
    const bits = new Uint8Array((rows - column.nulls + 7) >> 3)
    let bit = 0
    for (let row = 0; row < rows; row++) {
      if (present[row] === 0) continue
      if (words[row] !== 0) bits[bit >> 3]! |= 1 << (bit & 7)
      bit++
    }
    out.raw(bits)
    return
  }
  const single = new Float32Array(1)
  const singleWord = new Int32Array(single.buffer)
  const isHalved = column.form === "int64"
  for (let row = 0; row < rows; row++) {
    if (present[row] === 0) continue
    if (physical === "BYTE_ARRAY") writeText(out, texts.bytes(words[row]!))
    else if (physical === "INT64") out.halves(words[2 * row]!, words[2 * row + 1]!)
    else if (physical === "INT32") out.uint32(words[isHalved ? 2 * row : row]! >>> 0)
    else if (physical === "DOUBLE") out.float64(doubles[row]!)
    else {
      single[0] = doubles[row]!
      out.uint32(singleWord[0]! >>> 0)
    }
  }
}

/** The least and the greatest value, as they stand in a footer. */
function boundsOf(column: HeldColumn, type: WrittenType, rows: number): WrittenChunk["bounds"] {
  if (!type.isOrdered || column.nulls === rows) return undefined
  if (column.form === "texts") return textBounds(column)
  let [least, greatest] = [-1, -1]
  const compare = comparisonOf(column)
  for (let row = 0; row < rows; row++) {
    if (column.present[row] === 0) continue
    // Nothing is said where NaN is among the values: readers disagree on its place.
    if (column.form === "float64" && Number.isNaN(column.doubles[row])) return undefined
    if (least === -1 || compare(row, least) < 0) least = row
    if (greatest === -1 || compare(row, greatest) > 0) greatest = row
  }
  return [boundOf(column, type, least, -0), boundOf(column, type, greatest, 0)]
}

function comparisonOf({ form, words, doubles }: HeldColumn): (one: number, other: number) => number {
  if (form === "float64") return (one, other) => doubles[one]! - doubles[other]!
  if (form !== "int64") return (one, other) => words[one]! - words[other]!
  return (one, other) =>
    words[2 * one + 1]! - words[2 * other + 1]! || (words[2 * one]! >>> 0) - (words[2 * other]! >>> 0)
}

/** A bound, PLAIN. Zeros are told with the sign that leaves room for both. */
function boundOf(column: HeldColumn, { physical }: WrittenType, row: number, zero: number): Uint8Array {
  const out = new ByteWriter(16)
  const { words, doubles, form } = column
  if (physical === "INT64") out.halves(words[2 * row]!, words[2 * row + 1]!)
  else if (physical === "INT32") out.uint32(words[form === "int64" ? 2 * row : row]! >>> 0)
  else {
    const value = doubles[row] === 0 ? zero : doubles[row]!
    if (physical === "DOUBLE") out.float64(value)
    else out.uint32(new Uint32Array(Float32Array.of(value).buffer)[0]!)
  }
  return out.finish()
}

function textBounds({ texts }: HeldColumn): WrittenChunk["bounds"] {
  let [least, greatest] = [texts.bytes(0), texts.bytes(0)]
  for (let code = 1; code < texts.size; code++) {
    const bytes = texts.bytes(code)
    if (compareBytes(bytes, least) < 0) least = bytes
    if (compareBytes(bytes, greatest) > 0) greatest = bytes
  }
  return Math.max(least.length, greatest.length) > BOUND_BYTES_MAX ? undefined : [least.slice(), greatest.slice()]
}

function compareBytes(one: Uint8Array, other: Uint8Array): number {
  const length = Math.min(one.length, other.length)
  for (let at = 0; at < length; at++) if (one[at] !== other[at]) return one[at]! - other[at]!
  return one.length - other.length
}
