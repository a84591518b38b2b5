/** Blocks of columns: what is written is read back, bit for bit, fast and slowly; and bytes that are none are refused. */
import { describe, expect, test } from "vitest"
import { randomSchema, randomValue } from "../../../test/random-values.ts"
import { forEachSeed } from "../../../test/seeds.ts"
import { ByteReader, ByteWriter } from "../../base/bytes.ts"
import type { Prng } from "../../base/prng.ts"
import { Arena } from "../../batch/arena.ts"
import { allocateColumns, Batch, batchOfRows } from "../../batch/batch.ts"
import { isValid, readValue, type Column } from "../../batch/column.ts"
import { schema, type Schema } from "../../batch/schema.ts"
import { t } from "../../batch/types.ts"
import { ColumnBlockReader, ColumnBlockWriter } from "./column-block.ts"
import { bitsOfDouble, readBlockSlowly, type PlainValue } from "./column-block.reference.ts"

const arena = new Arena({ maxBytes: 64 * 2 ** 20 })

/** A value with all of its bits. */
function plainValue(column: Column, row: number): PlainValue {
  if (!isValid(column, row)) return null
  switch (column.storage) {
    case "bit":
      return readValue(column, row) as boolean
    case "int32":
      return BigInt(column.values[row]! >>> 0)
    case "int64":
      return BigInt.asUintN(64, column.values[row]!)
    case "float64": {
      const words = new Uint32Array(column.values.buffer, column.values.byteOffset, 2 * column.values.length)
      return (BigInt(words[2 * row + 1]!) << 32n) + BigInt(words[2 * row]!)
    }
    case "dictionary":
      return column.dictionary.text(column.values[row]!)
    case "struct":
      return column.children.map((child) => plainValue(child, row))
  }
}

const plainColumns = ({ columns, selection, count }: Batch): PlainValue[][] =>
  columns.map((column) => Array.from({ length: count }, (_, at) => plainValue(column, selection?.[at] ?? at)))

function selected(prng: Prng, batch: Batch): Batch {
  if (prng.chance(0.5)) return batch
  const rows = Array.from({ length: batch.length }, (_, row) => row).filter(() => prng.chance(0.6))
  return batch.with({ selection: Int32Array.from(rows), count: rows.length })
}

/** Writes and reads a batch in both ways; gives how many bytes it took. */
function expectBack(batch: Batch, writer: ColumnBlockWriter, reader: ColumnBlockReader): number {
  const out = new ByteWriter()
  writer.write(out, batch)
  const bytes = out.finish()
  const from = new ByteReader(bytes)
  const { columns, rows, release } = reader.read(from)
  expect(from.remaining).toBe(0)
  const expected = plainColumns(batch)
  expect(plainColumns(new Batch({ schema: batch.schema, columns, length: rows }))).toEqual(expected)
  expect(readBlockSlowly(new ByteReader(bytes), batch.schema)).toEqual(expected)
  release()
  return bytes.length
}

/** Whole numbers of one shape, such as streams have. */
function shapedNumbers(prng: Prng, count: number): number[] {
  const start = prng.pick([0, 1, -1, 2 ** 31, -(2 ** 40), 2 ** 52, 1.6e15, Number.MIN_SAFE_INTEGER])
  const range = prng.pick([1, 2, 3, 200, 70_000, 2 ** 31, 2 ** 32])
  const few = Array.from({ length: 1 + prng.below(30) }, () => Math.floor(prng.float() * 2 ** 50))
  let value = start
  const next = prng.pick<() => number>([
    () => start,
    () => start + Math.floor(prng.float() * range),
    () => (value += prng.below(7)),
    () => (value += prng.below(2000) - 1000),
    () => (prng.chance(0.95) ? value : (value = start + prng.below(9))),
    () => prng.pick(few),
    () => Math.floor((prng.float() - 0.5) * 2 ** 53),
  ])
  const safe = (number: number) => Math.max(Number.MIN_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, number))
  return Array.from({ length: count }, () => safe(next()))
}

const Shaped = schema({
  word: t.int32,
  whole: t.int53,
  long: t.int64.nullable(),
  double: t.float64,
  text: t.string.nullable(),
  flag: t.bool,
})
const DOUBLES = [0, -0, NaN, Infinity, 5e-324, 0.1 + 0.2, 1e300]

function shapedRows(prng: Prng, count: number): Record<string, unknown>[] {
  const [words, wholes, longs, doubles, texts] = Array.from({ length: 5 }, () => shapedNumbers(prng, count))
  const [decimals, isExact, odd] = [10 ** prng.below(6), prng.chance(0.5), prng.chance(0.3) ? 0.01 : 0]
  const nulls = prng.pick([0, 0, 0.2, 1])
  const factor = prng.pick([1n, 1n, 1000n])
  return Array.from({ length: count }, (_, row) => ({
    word: words![row]! | 0,
    whole: wholes![row],
    long: prng.chance(nulls) ? null : BigInt.asIntN(64, BigInt(longs![row]!) * factor),
    double: prng.chance(odd)
      ? prng.pick(DOUBLES)
      : isExact
        ? (doubles![row]! % 2 ** 45) / decimals
        : doubles![row]! / 3,
    text: prng.chance(nulls) ? null : `text ${texts![row]! % 1000}`,
    flag: words![row]! % 2 === 0,
  }))
}

describe("a block of columns", () => {
  test("CB1 of any schema gives its rows back", () => {
    forEachSeed(60, (prng) => {
      const any = randomSchema(prng)
      const [writer, reader] = [new ColumnBlockWriter(any), new ColumnBlockReader(arena, any)]
      for (let block = prng.below(4); block >= 0; block--) {
        const rows = Array.from({ length: prng.below(40) }, () =>
          Object.fromEntries(any.fields.map(({ name, type }) => [name, randomValue(prng, type)])),
        )
        const { batch, release } = batchOfRows(arena, any, rows)
        expectBack(selected(prng, batch), writer, reader)
        release()
      }
    })
    expect(arena.usedBytes).toBe(0)
  })

  test("CB1 of numbers as streams have them gives its rows back, also where they become others from block to block", () => {
    forEachSeed(25, (prng) => {
      const [writer, reader] = [new ColumnBlockWriter(Shaped), new ColumnBlockReader(arena, Shaped)]
      for (let block = 0; block < 6; block++) {
        const { batch, release } = batchOfRows(arena, Shaped, shapedRows(prng, prng.pick([1, 2, 33, 700])))
        expectBack(selected(prng, batch), writer, reader)
        release()
      }
    })
    expect(arena.usedBytes).toBe(0)
  })

  test("CB1 PU6 keeps the payloads of NaN, and −0", () => {
    const Doubles = schema({ double: t.float64 })
    const [writer, reader] = [new ColumnBlockWriter(Doubles), new ColumnBlockReader(arena, Doubles)]
    const patterns = [0x7ff8000000000001n, 0xfff8000000000000n, 0x7ff0000000000001n, bitsOfDouble(-0), bitsOfDouble(0)]
    for (const count of [5, 500]) {
      const { columns, release } = allocateColumns(arena, Doubles, count)
      const [column] = columns
      if (column?.storage !== "float64") throw new TypeError("the column has doubles")
      const bits = new BigUint64Array(column.values.buffer, column.values.byteOffset, count)
      for (let row = 0; row < count; row++) bits[row] = patterns[row % patterns.length]!
      expectBack(new Batch({ schema: Doubles, columns, length: count }), writer, reader)
      release()
    }
  })

  test("takes fewer bytes where its values repeat, follow each other or lie near each other", () => {
    const bytesOf = (one: Schema, valueOf: (row: number) => unknown) => {
      const name = one.fields[0]!.name
      const { batch, release } = batchOfRows(
        arena,
        one,
        Array.from({ length: 4096 }, (_, row) => ({ [name]: valueOf(row) })),
      )
      const bytes = expectBack(batch, new ColumnBlockWriter(one), new ColumnBlockReader(arena, one))
      release()
      return bytes
    }
    const base = 1_700_000_000_000_000
    expect(bytesOf(schema({ at: t.timestamp() }), (row) => base + row * 1000)).toBeLessThan(40)
    expect(bytesOf(schema({ at: t.timestamp() }), (row) => base + ((row * 7919) % 1024))).toBeLessThan(5200)
    expect(bytesOf(schema({ n: t.int32 }), (row) => row >> 9)).toBeLessThan(40)
    expect(bytesOf(schema({ id: t.int64 }), (row) => BigInt((row * 7919) % 16) << 58n)).toBeLessThan(2300)
    expect(bytesOf(schema({ fare: t.float64 }), (row) => ((row * 7919) % 5000) / 100)).toBeLessThan(7000)
    expect(bytesOf(schema({ zone: t.string }), (row) => `zone ${(row * 7919) % 8}`)).toBeLessThan(1700)
    expect(bytesOf(schema({ name: t.string }), (row) => `the same beginning ${row}`)).toBeLessThan(70_000)
  })

  test("CB2 that is damaged is refused, or holds what columns hold", () => {
    let refused = 0
    forEachSeed(400, (prng) => {
      const any = prng.chance(0.5) ? Shaped : randomSchema(prng)
      const rows =
        any === Shaped
          ? shapedRows(prng, 1 + prng.below(60))
          : Array.from({ length: 1 + prng.below(20) }, () =>
              Object.fromEntries(any.fields.map(({ name, type }) => [name, randomValue(prng, type)])),
            )
      const { batch, release } = batchOfRows(arena, any, rows)
      const out = new ByteWriter()
      new ColumnBlockWriter(any).write(out, batch)
      release()
      const bytes = out.finish().slice(0, prng.chance(0.2) ? prng.below(out.length) : out.length)
      for (let times = prng.below(4); times >= 0; times--) {
        if (bytes.length > 0) bytes[prng.below(bytes.length)] = prng.below(256)
      }
      try {
        const read = new ColumnBlockReader(arena, any).read(new ByteReader(bytes))
        const damaged = new Batch({ schema: any, columns: read.columns, length: read.rows })
        expect(() => plainColumns(damaged)).not.toThrow()
        read.release()
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError)
        refused++
      }
    })
    expect(refused).toBeGreaterThan(100)
    expect(arena.usedBytes).toBe(0)
  })
})
