/** Ids by value: which values get covered, what hostile ones cost, and that keys have one id whoever finds them. */
import { beforeEach, describe, expect, it } from "vitest"
import { Arena, type Block } from "../../../batch/arena.ts"
import { allocateColumns } from "../../../batch/batch.ts"
import { writeValue, type Int32Column } from "../../../batch/column.ts"
import { Schema } from "../../../batch/schema.ts"
import { t } from "../../../batch/types.ts"
import { Prng } from "../../../base/prng.ts"
import { KeyTable } from "./key-table.ts"

const BATCH_ROWS = 4096
const INT32_MIN = -(2 ** 31)
const INT32_MAX = 2 ** 31 - 1

describe("ids by value", () => {
  let arena: Arena
  beforeEach(() => {
    arena = new Arena({ maxBytes: 1 << 28 })
  })

  /** Finds the ids of values, by kernels or in JavaScript as `bySlowTwin` says. */
  function resolve(
    table: KeyTable,
    type: typeof t.int32,
    values: readonly (number | null)[],
    bySlowTwin: () => boolean,
  ): number[] {
    const schema = new Schema([{ name: "key", type }])
    const { columns, release } = allocateColumns(arena, schema, Math.max(1, values.length))
    values.forEach((value, row) => writeValue(columns[0]!, row, value))
    const block = arena.allocate(4 * values.length)
    const ids = new Int32Array(arena.buffer, block.offset, values.length)
    for (let at = 0; at < values.length; at += BATCH_ROWS) {
      const end = Math.min(values.length, at + BATCH_ROWS)
      if (bySlowTwin()) table.resolveSlowly(columns, null, at, end, ids)
      else table.resolve(columns, null, at, end, ids)
    }
    const found = [...ids]
    arena.free(block)
    release()
    return found
  }

  /** How many values a table of keys covers. */
  function coveredBy(table: KeyTable): number {
    const { columns, release } = allocateColumns(arena, new Schema([{ name: "key", type: t.int32 }]), 1)
    const found = table.idTable([columns[0] as Int32Column])
    release()
    return found!.count
  }

  function tableOf(values: readonly number[]): KeyTable {
    const table = new KeyTable([t.int32], arena)
    resolve(table, t.int32, values, () => false)
    return table
  }

  const numbers = (count: number, valueOf: (index: number) => number) =>
    Array.from({ length: count }, (_, index) => valueOf(index))

  it.each([
    ["in order", 300_000, (n: number) => n],
    ["in no order", 300_000, (n: number) => (n * 7919) % 300_007],
    ["every third", 100_000, (n: number) => n * 3],
  ])("BV1 cover values that lie close together, %s", (_, count, valueOf) => {
    const table = tableOf(numbers(count, valueOf))
    expect(coveredBy(table)).toBeGreaterThan(299_000)
    table.release()
  })

  it.each([
    ["far apart", 50_000, (n: number) => n * 40_000],
    ["negative", 50_000, (n: number) => -1 - n],
    ["at both ends", 50_000, (n: number) => (n % 2 === 0 ? INT32_MIN + n : INT32_MAX - n)],
    ["close together but for one", 1000, (n: number) => (n === 500 ? INT32_MAX : n)],
  ])("BV2 take no more room for values %s", (_, count, valueOf) => {
    const table = tableOf(numbers(count, valueOf))
    expect(coveredBy(table)).toBeLessThan(65_536)
    // Words, index and ids by value of that many keys; rooms take 4 bytes a MiB of the arena.
    expect(arena.usedBytes).toBeLessThan(count * 4 * 8 * 4 + (1 << 20))
    table.release()
    expect(arena.usedBytes).toBe(0)
  })

  it("stay as they are where the arena has no room for more of them", () => {
    arena = new Arena({ maxBytes: 1 << 22 })
    const table = new KeyTable([t.int32], arena)
    const taken: Block[] = []
    for (let first = 0; first < 66_000; first += 1000) {
      const values = numbers(1000, (n) => first + n)
      expect(resolve(table, t.int32, values, () => false)).toEqual(values)
      if (first !== 64_000) continue
      // Room for the words of twice as many keys is left, and none for ids of twice as many values.
      const left = arena.allocate(1 << 19)
      for (let block = left; block !== undefined; block = arena.tryAllocate(1 << 19)!) taken.push(block)
      arena.free(taken.shift()!)
    }
    expect(coveredBy(table)).toBe(65_535)
    for (const block of taken) arena.free(block)
    table.release()
    expect(arena.usedBytes).toBe(0)
  })

  it("KT1 KK1 are those of keys that came before they were covered, in any order and by whomever they are found", () => {
    for (let seed = 0; seed < 30; seed++) {
      const prng = new Prng(seed)
      const type = prng.chance(0.5) ? t.int32 : t.int32.nullable()
      const table = new KeyTable([type], arena)
      const twin = new Map<number | null, number>()
      const range = prng.pick([300, 70_000, 400_000, 2 ** 31])
      const slowly = prng.pick([0, 0.3])
      for (let batches = 0; batches < 20; batches++) {
        // At first few and far apart, so that the index has them when they get covered.
        const below = Math.min(range, 2 ** (8 + batches))
        const values = numbers(6000, () =>
          prng.chance(0.05)
            ? prng.pick([INT32_MIN, INT32_MAX, -1, below, 65_534, 65_535, 65_536])
            : prng.chance(0.1)
              ? prng.below(range)
              : prng.below(below),
        ).map((value) => (type.isNullable && prng.chance(0.01) ? null : value))
        const expected = values.map((value) => {
          if (!twin.has(value)) twin.set(value, twin.size)
          return twin.get(value)!
        })
        expect(
          resolve(table, type as typeof t.int32, values, () => prng.chance(slowly)),
          `seed ${seed}`,
        ).toEqual(expected)
      }
      expect(table.size).toBe(twin.size)
      table.release()
      expect(arena.usedBytes, `KT3 seed ${seed}`).toBe(0)
    }
  })
})
