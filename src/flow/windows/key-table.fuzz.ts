import { expect, it } from "vitest"
import { Arena } from "../../batch/arena.ts"
import { allocateColumns, batchOfRows } from "../../batch/batch.ts"
import { readValue } from "../../batch/column.ts"
import { ByteReader, ByteWriter } from "../../base/bytes.ts"
import { Prng } from "../../base/prng.ts"
import { Schema } from "../../batch/schema.ts"
import type { ColumnType } from "../../batch/type.ts"
import { t } from "../../batch/types.ts"
import { KeyTable } from "./key-table.ts"

const SCALE = Number(process.env["TIDEMARK_FUZZ_SCALE"] ?? 1)
const TYPES: readonly ColumnType[] = [
  t.bool,
  t.int32,
  t.int53,
  t.int64,
  t.float64,
  t.string,
  t.enum("a", "b", "é"),
  t.timestamp(),
]
const VALUES: Readonly<Record<string, readonly unknown[]>> = {
  bool: [true, false],
  int32: [0, 1, -1, -(2 ** 31)],
  int53: [0, 1, 2 ** 32, -(2 ** 32), 2 ** 53 - 1],
  int64: [0n, 1n, 2n ** 32n, -(2n ** 63n)],
  float64: [0, -0, NaN, 1.5, -Infinity],
  string: ["", "a", "b", "ab", "\uFEFFa", "日本"],
  enum: ["a", "b", "é"],
  timestamp: [0, -1, 2 ** 53 - 1],
}

const arena = new Arena({ maxBytes: 1 << 20 })

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

it("KT1 equal keys have one id, ids go by first appearance, and keys come back as they went in", () => {
  for (let seed = 0; seed < 400 * SCALE; seed++) {
    const prng = new Prng(seed)
    const types = Array.from({ length: prng.pick([1, 1, 2, 3]) }, () => {
      const type = prng.pick(TYPES)
      return prng.chance(0.4) ? type.nullable() : type
    })
    const fields = types.map((type, part) => ({ name: `part${part}`, type }))
    const table = new KeyTable(types, arena)
    const twin = new Map<string, unknown[]>()
    for (let batches = 1 + prng.below(3); batches > 0; batches--) {
      const keys = Array.from({ length: 1 + prng.below(20) }, () =>
        types.map((type) => (type.isNullable && prng.chance(0.3) ? null : prng.pick(VALUES[type.kind]!))),
      )
      const records = keys.map((key) => Object.fromEntries(key.map((part, at) => [`part${at}`, part])))
      const { batch, release } = batchOfRows(arena, new Schema(fields), records)
      // Every other row, from the second on, to see that rows and places are not mixed up.
      const rows = Int32Array.from(keys.keys()).filter((row) => row % 2 === 1)
      const ids = new Int32Array(rows.length + 1)
      const start = Math.min(1, rows.length)
      table.resolve(batch.columns, rows, start, rows.length, ids)
      release()
      for (let at = start; at < rows.length; at++) {
        const key = keys[rows[at]!]!
        const text = textOf(key)
        if (!twin.has(text))
          twin.set(
            text,
            key.map((part) => (part === 0 ? 0 : part)),
          )
        expect([...twin.keys()].indexOf(text), `seed ${seed}`).toBe(ids[at])
      }
    }
    const all = Array.from({ length: table.size }, (_, id) => id)
    expect(readKeys(table, types, all), `seed ${seed}`).toEqual([...twin.values()])
    checkState(table, types, prng.shuffle(all))
    checkCollected(table, types, prng.shuffle(all).slice(0, prng.below(all.length + 1)))
    table.release()
  }
  expect(arena.usedBytes).toBe(0)
})

it("KT1 KT3 ids stay as the table grows, and all memory comes back", () => {
  const types = [t.int64.nullable(), t.string]
  const table = new KeyTable(types, arena)
  const KeySchema = new Schema(types.map((type, part) => ({ name: `part${part}`, type })))
  for (let from = 0; from < 5000; from += 500) {
    const keys = Array.from({ length: 1000 }, (_, at) => {
      const number = from + (at >> 1)
      return { part0: number % 7 === 0 ? null : BigInt(number) << 40n, part1: `text ${number}` }
    })
    const { batch, release } = batchOfRows(arena, KeySchema, keys)
    const ids = new Int32Array(keys.length)
    table.resolve(batch.columns, null, 0, keys.length, ids)
    release()
    expect([...ids]).toEqual(keys.map((_, at) => from + (at >> 1)))
  }
  expect(readKeys(table, types, [4900, 1])).toEqual([
    [null, "text 4900"],
    [1n << 40n, "text 1"],
  ])
  table.release()
  expect(arena.usedBytes).toBe(0)
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
