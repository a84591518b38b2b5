import { expect, it } from "vitest"
import { Arena, type Block } from "../../../batch/arena.ts"
import { allocateColumns, batchOfRows } from "../../../batch/batch.ts"
import { readValue, writeValue, type Column } from "../../../batch/column.ts"
import { Dictionary } from "../../../batch/dictionary.ts"
import { ByteReader, ByteWriter } from "../../../base/bytes.ts"
import { Prng } from "../../../base/prng.ts"
import { Schema } from "../../../batch/schema.ts"
import type { ColumnType } from "../../../batch/type.ts"
import { t } from "../../../batch/types.ts"
import { KeyTable } from "./key-table.ts"

const SCALE = Number(process.env["TIDEMARK_FUZZ_SCALE"] ?? 1)
const SYMBOLS = ["a", "b", "é"] as const
const TYPES: readonly ColumnType[] = [
  t.bool,
  t.int32,
  t.int53,
  t.int64,
  t.float64,
  t.string,
  t.enum(...SYMBOLS),
  t.timestamp(),
]
const TEXTS = ["", "a", "b", "ab", "\uFEFFa", "日本"]

const arena = new Arena({ maxBytes: 1 << 25 })

/** A value of a type, out of a few or of many. */
function randomValue(prng: Prng, type: ColumnType, range: number): unknown {
  const number = prng.below(range)
  switch (type.kind) {
    case "bool":
      return prng.chance(0.5)
    case "int32":
      return prng.chance(0.1) ? prng.pick([-1, -number, -(2 ** 31), 2 ** 31 - 1, number << 16]) : number
    case "int53":
    case "timestamp":
      return prng.chance(0.1) ? prng.pick([-1, 2 ** 53 - 1, 2 ** 32, -(2 ** 32)]) : number * prng.pick([1, 2 ** 32])
    case "int64":
      return BigInt.asIntN(64, BigInt(number) << BigInt(prng.pick([0, 0, 20, 32, 48, 60])))
    case "float64":
      return prng.chance(0.1) ? prng.pick([0, -0, NaN, -Infinity, 5e-324]) : number / prng.pick([1, 1, 8])
    case "string":
      return range < 100 ? TEXTS[number % TEXTS.length] : `text ${number}`
    default:
      return prng.pick(SYMBOLS)
  }
}

/** A key as a `Map` would compare it. */
function textOf(key: readonly unknown[]): string {
  return key.map((part) => `${typeof part} ${String(part)}`).join("|")
}

function readKeys(table: KeyTable, types: readonly ColumnType[], ids: readonly number[]): unknown[][] {
  const fields = types.map((type, part) => ({ name: `part${part}`, type }))
  const { columns, release } = allocateColumns(arena, new Schema(fields), Math.max(1, ids.length))
  columns.forEach((column, part) => table.write(part, Int32Array.from(ids), 0, ids.length, column, 0))
  const keys = ids.map((_, row) => columns.map((column) => readValue(column, row)))
  release()
  return keys
}

/** Fills the slot of a null as memory that is used again may be filled; codes stay in range (N2). */
function spoil(prng: Prng, column: Column, row: number): void {
  if (column.storage === "bit") column.values[row >> 3]! |= 1 << (row & 7)
  else if (column.storage === "int32") column.values[row] = prng.uint32()
  else if (column.storage === "int64") column.halves[row * 2 + prng.below(2)] = prng.uint32()
  else if (column.storage === "float64") column.values[row] = NaN
}

/** Keys in columns, whose dictionaries may be those of the batch before, and what goes with them. */
class KeyRows {
  readonly columns: readonly Column[]
  readonly release: () => void

  constructor(
    prng: Prng,
    types: readonly ColumnType[],
    keys: readonly (readonly unknown[])[],
    last: readonly Column[],
  ) {
    const schema = new Schema(types.map((type, part) => ({ name: `part${part}`, type })))
    const { columns, release } = allocateColumns(arena, schema, keys.length)
    this.columns = columns
    this.release = release
    columns.forEach((column, part) => {
      const before = last[part]
      if (column.storage === "dictionary" && before?.storage === "dictionary" && prng.chance(0.8)) {
        column.dictionary = before.dictionary
      } else if (column.storage === "dictionary" && column.type.kind === "string") column.dictionary = new Dictionary()
      keys.forEach((key, row) => {
        writeValue(column, row, key[part])
        if (key[part] === null && prng.chance(0.5)) spoil(prng, column, row)
      })
    })
  }
}

/** Rows at places `from` … of a list, or all rows, and room for ids; either may lie outside of the arena. */
function randomPlaces(prng: Prng, length: number, blocks: Block[]) {
  const take = (array: Int32Array): Int32Array => {
    if (prng.chance(0.2)) return array
    const block = arena.allocate(4 * array.length)
    blocks.push(block)
    const copy = new Int32Array(arena.buffer, block.offset, array.length)
    copy.set(array)
    return copy
  }
  const isListed = prng.chance(0.5)
  const listed = Int32Array.from({ length }, (_, row) => row).filter(() => prng.chance(0.8))
  const count = isListed ? listed.length : length
  const start = prng.chance(0.5) ? 0 : prng.below(count + 1)
  const end = prng.chance(0.5) ? count : start + prng.below(count - start + 1)
  return { rows: isListed ? take(listed) : null, ids: take(new Int32Array(count).fill(-7)), start, end }
}

it("KT1 KK1 equal keys have one id, ids go by first appearance, and keys come back as they went in", () => {
  for (let seed = 0; seed < 1000 * SCALE; seed++) {
    const prng = new Prng(seed)
    const types = Array.from({ length: prng.pick([1, 1, 1, 2, 2, 3, 5]) }, () => {
      const type = prng.pick(TYPES)
      return prng.chance(0.4) ? type.nullable() : type
    })
    const range = prng.pick([3, 3, 200, 70_000])
    const table = new KeyTable(types, arena)
    /** Ids by key, and the keys in order. */
    const twin = new Map<string, number>()
    const found: unknown[][] = []
    let last: readonly Column[] = []
    for (let batches = 1 + prng.below(4); batches > 0; batches--) {
      const keys = Array.from({ length: 1 + prng.below(prng.pick([20, 20, 500])) }, () =>
        types.map((type) => (type.isNullable && prng.chance(0.2) ? null : randomValue(prng, type, range))),
      )
      const batch = new KeyRows(prng, types, keys, last)
      last = batch.columns
      const blocks: Block[] = []
      const { rows, ids, start, end } = randomPlaces(prng, keys.length, blocks)
      if (prng.chance(0.3)) table.resolveSlowly(batch.columns, rows, start, end, ids)
      else table.resolve(batch.columns, rows, start, end, ids)
      const expected = Array.from(ids, (_, at) => {
        if (at < start || at >= end) return -7
        const key = keys[rows === null ? at : rows[at]!]!
        const text = textOf(key)
        if (!twin.has(text)) {
          twin.set(text, found.length)
          found.push(key.map((part) => (part === 0 ? 0 : part)))
        }
        return twin.get(text)!
      })
      expect([...ids], `seed ${seed}`).toEqual(expected)
      for (const block of blocks) arena.free(block)
      batch.release()
    }
    const all = [...found.keys()]
    expect(table.size).toBe(all.length)
    expect(readKeys(table, types, all), `seed ${seed}`).toEqual(found)
    checkState(table, types, prng.shuffle(all))
    checkCollected(table, types, prng.shuffle(all).slice(0, prng.below(all.length + 1)))
    table.release()
    expect(arena.usedBytes, `KT3 seed ${seed}`).toBe(0)
  }
})

it("KT1 KK1 ids stay as the table grows, from any number of keys to any other", () => {
  const KeySchema = new Schema([{ name: "part0", type: t.int64 }])
  const { columns, release } = allocateColumns(arena, KeySchema, 4096)
  const [column] = columns
  if (column?.storage !== "int64") throw new Error("a column of int64")
  for (let row = 0; row < 4096; row++) column.values[row] = BigInt(row) << 20n
  const ids = arena.allocate(4 * 4096)
  const idArray = new Int32Array(arena.buffer, ids.offset, 4096)
  for (let first = 0; first < 600; first++) {
    const table = new KeyTable([t.int64], arena)
    const end = first + 600
    table.resolve(columns, null, 0, first, idArray)
    table.resolve(columns, null, 0, end, idArray)
    for (let row = 0; row < end; row++) if (idArray[row] !== row) expect.fail(`row ${row} has the id ${idArray[row]}`)
    table.release()
  }
  arena.free(ids)
  release()
  expect(arena.usedBytes).toBe(0)
})

const LARGE: readonly (readonly [name: string, types: readonly ColumnType[], keyOf: (number: number) => unknown[]])[] =
  [
    ["int32", [t.int32], (n) => [n * 3]],
    ["int32?", [t.int32.nullable()], (n) => [n === 70_000 ? null : n * 3]],
    ["int64", [t.int64], (n) => [BigInt(n) << 30n]],
    ["float64?", [t.float64.nullable()], (n) => [n === 500 ? null : n / 8]],
    ["string", [t.string], (n) => [`text ${n}`]],
    [
      "int32?, string",
      [t.int32.nullable(), t.string],
      (n) => (n % 10 === 0 ? [null, `text ${n}`] : [n, `text ${n % 100}`]),
    ],
  ]

it.each(LARGE)("KT1 KK1 %s: keys are found in an index of many segments", (_, types, keyOf) => {
  const KeySchema = new Schema(types.map((type, part) => ({ name: `part${part}`, type })))
  const texts = new Dictionary()
  const table = new KeyTable(types, arena)
  const ids = arena.allocate(4 * 30_000)
  const idArray = new Int32Array(arena.buffer, ids.offset, 30_000)
  const prng = new Prng(1)
  for (let round = 0; round < 12; round++) {
    const { columns, release } = allocateColumns(arena, KeySchema, 30_000)
    // In the second half, keys come again.
    const numbers = Array.from({ length: 30_000 }, (_, row) => (round % 6) * 30_000 + row)
    columns.forEach((column, part) => {
      if (column.storage === "dictionary") column.dictionary = texts
      numbers.forEach((number, row) => writeValue(column, row, keyOf(number)[part]))
    })
    for (let at = 0; at < 30_000;) {
      const to = Math.min(30_000, at + 1 + prng.below(5000))
      if (prng.chance(0.2)) table.resolveSlowly(columns, null, at, to, idArray)
      else table.resolve(columns, null, at, to, idArray)
      at = to
    }
    expect(Array.from(idArray).findIndex((id, row) => id !== numbers[row])).toBe(-1)
    release()
  }
  expect(table.size).toBe(180_000)
  table.release()
  arena.free(ids)
  expect(arena.usedBytes).toBe(0)
})

it("KT1 what is known of dictionaries is forgotten where there are many, and keys are found all the same", () => {
  // Numbers of dictionaries take at most 1/64 of the arena.
  const small = new Arena({ maxBytes: 1 << 20 })
  const KeySchema = new Schema([t.string, t.string.nullable()].map((type, part) => ({ name: `part${part}`, type })))
  const pairs = new KeyTable([t.string, t.string.nullable()], small)
  const ones = new KeyTable([t.string], small)
  const used = small.usedBytes
  const ids = small.allocate(4 * 300)
  const idArray = new Int32Array(small.buffer, ids.offset, 300)
  for (let round = 0; round < 40; round++) {
    const keys = Array.from({ length: 300 }, (_, row) => ({ part0: `one ${row}`, part1: row % 3 === 0 ? null : "two" }))
    const { batch, release } = batchOfRows(small, KeySchema, keys)
    pairs.resolve(batch.columns, null, 0, 300, idArray)
    expect([...idArray], `round ${round}`).toEqual([...keys.keys()])
    ones.resolve([batch.columns[0]!], null, 0, 300, idArray)
    expect([...idArray], `round ${round}`).toEqual([...keys.keys()])
    release()
  }
  // Words and index of 300 keys, and what is known.
  expect(small.usedBytes - used).toBeLessThan(2 * 24 * 1024 + 3 * (small.maxBytes / 64))
  small.free(ids)
  pairs.release()
  ones.release()
  expect(small.usedBytes).toBe(0)
})

/** Keys that were written as state are found by their values in another table. */
function checkState(table: KeyTable, types: readonly ColumnType[], ids: readonly number[]): void {
  const out = new ByteWriter()
  for (const id of ids) table.writeState(id, out)
  const restored = new KeyTable(types, arena)
  const reader = new ByteReader(out.finish())
  expect(ids.map(() => restored.readState(reader))).toEqual([...ids.keys()])
  expect(readKeys(restored, types, [...ids.keys()])).toEqual(readKeys(table, types, ids))
  restored.release()
}

/** Keys that are kept have the same values under their new ids. */
function checkCollected(table: KeyTable, types: readonly ColumnType[], ids: readonly number[]): void {
  const before = readKeys(table, types, ids)
  const list = { ids: Int32Array.from(ids), size: ids.length }
  const collected = table.withOnly([list])
  expect(collected.size).toBe(ids.length)
  expect(readKeys(collected, types, [...list.ids])).toEqual(before)
  collected.release()
}
