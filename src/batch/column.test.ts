import { describe, expect, it } from "vitest"
import { randomType, randomValue } from "../../test/random-values.ts"
import { forEachSeed } from "../../test/seeds.ts"
import { AssertionError } from "../base/assert.ts"
import { Arena, type Block } from "./arena.ts"
import {
  allocateColumn,
  isValid,
  readInt53,
  readValue,
  writeInt53,
  writeValue,
  type Column,
  type DictionaryColumn,
  type Int64Column,
  type StructColumn,
} from "./column.ts"
import type { ColumnType } from "./type.ts"
import { t } from "./types.ts"

function columnOf(type: ColumnType, capacity: number): Column {
  const arena = new Arena({ maxBytes: 1024 * 1024 })
  // What is not written yet must not look as if it were zero.
  new Uint8Array(arena.buffer).fill(0xa5)
  return allocateColumn(arena, type, capacity, [])
}

describe("columns", () => {
  it("N1 N3 N4 read the values that were written, nulls too, in any order and again", () => {
    forEachSeed(150, (prng) => {
      const type = randomType(prng)
      const capacity = 1 + prng.below(20)
      const column = columnOf(type, capacity)
      const values = new Map<number, unknown>()
      for (let write = 0; write < 3 * capacity; write++) {
        const row = prng.below(capacity)
        const value = randomValue(prng, type)
        writeValue(column, row, value)
        values.set(row, value)
      }
      for (const [row, value] of values) {
        expect(readValue(column, row), type.label).toEqual(value)
        expect(isValid(column, row)).toBe(value !== null)
      }
    })
  })

  it("N1 has no bitmap where no value is null, and one bit a row, lowest first, where one may be", () => {
    expect(columnOf(t.int32, 10).validity).toBe(null)
    const { validity } = columnOf(t.int32.nullable(), 10)
    expect([...validity!]).toEqual([0, 0])
    const column = columnOf(t.bool.nullable(), 10)
    for (let row = 0; row < 10; row++) writeValue(column, row, row === 3 || row === 9 ? null : row % 2 === 0)
    expect([...column.validity!].map((byte, index) => (index === 0 ? byte : byte & 3))).toEqual([0b1111_0111, 0b01])
  })

  it("N2 leaves code 0 where a text is null, also within an object that is null", () => {
    const text = columnOf(t.string.nullable(), 2) as DictionaryColumn
    writeValue(text, 1, null)
    expect(text.values[1]).toBe(0)
    const type = t.object({ name: t.string, inner: t.object({ kind: t.enum("a", "b") }) }).nullable()
    const object = columnOf(type, 2) as StructColumn
    writeValue(object, 1, null)
    const [name, inner] = object.children as [DictionaryColumn, StructColumn]
    expect([name.values[1], (inner.children[0] as DictionaryColumn).values[1]]).toEqual([0, 0])
  })

  it("N3 lays int64 out as two's complement, low word first", () => {
    const column = columnOf(t.int64, 2) as Int64Column
    writeValue(column, 0, -2n)
    writeValue(column, 1, 0x1_0000_0002n)
    expect([...column.halves]).toEqual([-2, -1, 2, 1])
  })

  it("N4 reads and writes every safe integer as a pair of words", () => {
    const column = columnOf(t.int53, 1) as Int64Column
    forEachSeed(300, (prng) => {
      const magnitude = prng.below(2 ** prng.below(54))
      for (const value of [
        magnitude,
        0 - magnitude,
        Number.MAX_SAFE_INTEGER,
        -Number.MAX_SAFE_INTEGER,
        -(2 ** 32),
        2 ** 31,
      ]) {
        writeInt53(column.halves, 0, value)
        expect(column.values[0]).toBe(BigInt(value))
        expect(readInt53(column.halves, 0)).toBe(value)
      }
    })
  })

  it("refuses null where the type does", () => {
    expect(() => writeValue(columnOf(t.int32, 1), 0, null)).toThrow(AssertionError)
  })

  it("names every block that it took, so that all can be freed", () => {
    const arena = new Arena({ maxBytes: 1024 * 1024 })
    const blocks: Block[] = []
    allocateColumn(arena, t.object({ a: t.string.nullable(), b: t.int64, c: t.bool }).nullable(), 100, blocks)
    expect(blocks.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(arena.usedBytes)
    expect(blocks.length).toBe(5)
  })

  it("shares the dictionary of an enum between columns, and gives each text column its own", () => {
    const type = t.enum("a", "b")
    const dictionaryOf = (type: ColumnType) => (columnOf(type, 1) as DictionaryColumn).dictionary
    expect(dictionaryOf(type)).toBe(dictionaryOf(type.nullable()))
    expect(dictionaryOf(t.string)).not.toBe(dictionaryOf(t.string))
  })
})
