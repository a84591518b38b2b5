/** The slow twin of reading blocks: by the tables of the lanes, bit by bit, into plain values. */
import type { ByteReader } from "../../base/bytes.ts"
import type { Schema } from "../../batch/schema.ts"
import type { ColumnType } from "../../batch/type.ts"
import { unpackSnappy } from "../parquet/snappy.ts"

/** A value of a column: its bits, as a number of its storage; its text; the values of its fields; or null. */
export type PlainValue = boolean | bigint | string | null | readonly PlainValue[]

const WORD = 1n << 32n

/** The rows of a block, column by column. */
export function readBlockSlowly(from: ByteReader, schema: Schema): PlainValue[][] {
  const rows = from.varint()
  return schema.fields.map(({ type }) => (rows === 0 ? [] : readColumn(from, type, rows)))
}

function readColumn(from: ByteReader, type: ColumnType, rows: number): PlainValue[] {
  const valid = type.isNullable ? readBits(from, rows) : Array<boolean>(rows).fill(true)
  return readValues(from, type, rows).map((value, row) => (valid[row]! ? value : null))
}

function readValues(from: ByteReader, type: ColumnType, rows: number): PlainValue[] {
  const { symbols, fields } = type.definition
  switch (type.storage) {
    case "bit":
      return readBits(from, rows)
    case "int32":
      return readWords(from, rows)
    case "int64":
    case "float64":
      return readPairs(from, rows)
    case "dictionary":
      return symbols === undefined ? readTexts(from, rows) : readWords(from, rows).map((code) => symbols[Number(code)]!)
    case "struct": {
      const columns = fields!.map((field) => readColumn(from, field.type, rows))
      return Array.from({ length: rows }, (_, row) => columns.map((column) => column[row]!))
    }
  }
}

function readBits(from: ByteReader, rows: number): boolean[] {
  const way = from.uint8()
  if (way < 2) return Array<boolean>(rows).fill(way === 1)
  const bytes = from.raw(Math.ceil(rows / 8))
  return Array.from({ length: rows }, (_, row) => ((bytes[Math.floor(row / 8)]! >> (row % 8)) & 1) === 1)
}

function readPacked(from: ByteReader, count: number): bigint[] {
  const width = from.uint8()
  const bytes = from.raw(4 * Math.ceil((count * width) / 32))
  const all = bytes.reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n)
  return Array.from({ length: count }, (_, index) => (all >> BigInt(index * width)) % (1n << BigInt(width)))
}

const readBased = (from: ByteReader, count: number): bigint[] => {
  const base = BigInt(from.uint32())
  return readPacked(from, count).map((value) => (value + base) % WORD)
}

function repeated(values: readonly bigint[], lengths: readonly bigint[]): bigint[] {
  return values.flatMap((value, run) => Array<bigint>(Number(lengths[run]!) + 1).fill(value))
}

function readWords(from: ByteReader, count: number): bigint[] {
  const way = from.uint8()
  if (way === 0) return readBased(from, count)
  if (way === 1) {
    const values = [BigInt(from.uint32())]
    for (const delta of readBased(from, count - 1)) values.push((values.at(-1)! + delta) % WORD)
    return values
  }
  const size = from.varint()
  if (way === 2) return repeated(readBased(from, size), readPacked(from, size))
  const distinct = Array.from({ length: size }, () => BigInt(from.uint32()))
  return readPacked(from, count).map((number) => distinct[Number(number)]!)
}

function joined(lows: readonly bigint[], highs: readonly bigint[]): bigint[] {
  return lows.map((low, index) => highs[index]! * WORD + low)
}

function readPairs(from: ByteReader, count: number): bigint[] {
  const way = from.uint8()
  if (way < 2) {
    const first = from.int64()
    const distances = readWords(from, count).map((word) => BigInt.asIntN(32, word))
    let before = first
    return distances.map((distance) => {
      const value = BigInt.asUintN(64, (way === 0 ? first : before) + distance)
      before = value
      return value
    })
  }
  if (way === 3) return joined(readWords(from, count), readWords(from, count))
  if (way === 4) {
    const scale = 10 ** from.uint8()
    return readPairs(from, count).map((whole) => bitsOfDouble(Number(BigInt.asIntN(64, whole)) / scale))
  }
  const size = from.varint()
  const [lows, highs] = [0, 1].map(() => Array.from({ length: size }, () => BigInt(from.uint32())))
  const distinct = joined(lows!, highs!)
  return readPacked(from, count).map((number) => distinct[Number(number)]!)
}

/** A double as its 64 bits. */
export function bitsOfDouble(value: number): bigint {
  return new BigUint64Array(Float64Array.of(value).buffer)[0]!
}

function readTexts(from: ByteReader, count: number): string[] {
  const known = from.varint()
  if (known === 0) return Array<string>(count).fill("")
  const lengths = readWords(from, known)
  const length = from.varint()
  const isPacked = from.uint8() === 1
  const bytes = from.bytes()
  const all = new Uint8Array(length)
  if (isPacked) unpackSnappy(bytes, 0, bytes.length, all, length)
  else all.set(bytes)
  let start = 0
  const texts = lengths.map((each) =>
    new TextDecoder("utf-8", { ignoreBOM: true }).decode(all.subarray(start, (start += Number(each)))),
  )
  return readWords(from, count).map((number) => texts[Number(number)]!)
}
