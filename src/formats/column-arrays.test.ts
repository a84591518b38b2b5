/** Arrays of columns become what their rows, as objects, become. */
import { describe, expect, test } from "vitest"
import { Prng } from "../base/prng.ts"
import { Arena } from "../batch/arena.ts"
import { isValid, readValue } from "../batch/column.ts"
import type { Schema } from "../batch/schema.ts"
import { schema } from "../batch/schema.ts"
import type { ColumnType } from "../batch/type.ts"
import { t } from "../batch/types.ts"
import { ColumnArrays, GivenColumns } from "./column-arrays.ts"
import { RowObjects } from "./row-objects.ts"

const SCALE = Number(process.env["TIDEMARK_FUZZ_SCALE"] ?? 1)

const TYPES: readonly ColumnType[] = [
  t.int8,
  t.uint16,
  t.int32,
  t.uint32,
  t.int53,
  t.int64,
  t.uint64,
  t.float32,
  t.float64,
  t.bool,
  t.date,
  t.timestamp(),
  t.duration(),
  t.string,
  t.enum("a", "b"),
  t.list(t.int32),
  t.object({ x: t.float64, y: t.string.nullable() }),
]

const NUMBERS = [
  0,
  -0,
  1,
  -1,
  0.5,
  127,
  128,
  255,
  65_535,
  2 ** 31 - 1,
  2 ** 31,
  -(2 ** 31),
  2 ** 32,
  2 ** 53 - 1,
  2 ** 53,
]
const STRANGE = [
  1e39,
  3.5e38,
  NaN,
  Infinity,
  -Infinity,
  -(2 ** 53 - 1),
  4e9,
  1e300,
  "a",
  "b",
  "c",
  "\ud800",
  true,
  false,
  null,
]
const MORE = [undefined, 1n, -1n, 2n ** 63n, -(2n ** 63n), 2n ** 64n, [1, 2], [0.5], { x: 1, y: null }, { x: "1" }]
const ANY: readonly unknown[] = [...NUMBERS, ...STRANGE, ...MORE]

const TYPED = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
] as const

/** An array of a column: values that its type has, or some that it has not, in whatever array can hold them. */
function arrayOf(prng: Prng, type: ColumnType, count: number): unknown {
  const fitting = ANY.filter((value) => value !== undefined && type.check(value) === undefined)
  const numbers = fitting.filter((value): value is number => typeof value === "number")
  const ofNumbers = ANY.filter((value): value is number => typeof value === "number")
  const from = prng.chance(0.1) ? ANY : prng.chance(0.2) ? ofNumbers : fitting
  const ofTyped = numbers.length === 0 || prng.chance(0.2) ? ofNumbers : numbers
  switch (prng.below(4)) {
    case 0: {
      const array = new (prng.pick(TYPED))(count + 3)
      for (let row = 0; row < array.length; row++) array[row] = prng.pick(ofTyped)
      return array.subarray(1, 1 + count)
    }
    case 1: {
      const array = prng.chance(0.5) ? new BigInt64Array(count + 1) : new BigUint64Array(count + 1)
      const shift = prng.chance(0.3) ? prng.below(60) : 0
      const isSigned = prng.chance(0.3)
      for (let row = 0; row < array.length; row++) {
        const value = BigInt(prng.below(100)) << BigInt(shift)
        array[row] = isSigned && prng.chance(0.1) ? -value : value
      }
      return array.subarray(1)
    }
    default:
      return Array.from({ length: count }, () => prng.pick(from))
  }
}

/** What comes of all rows: values and whether they are null, and bad records, each with its number. */
function read(take: (first: number) => ReturnType<ColumnArrays["take"]>, count: number, wanted: ReadonlySet<string>) {
  const [values, bad] = [[] as unknown[], [] as unknown[]]
  for (let first = 0; first < count;) {
    const taken = take(first)
    const { batch } = taken
    for (let row = 0; batch !== undefined && row < batch.length; row++) {
      const columns = batch.columns.flatMap((column, index) =>
        wanted.has(batch.schema.fields[index]!.name) ? column : [],
      )
      values.push(columns.map((column) => [isValid(column, row), readValue(column, row)]))
    }
    bad.push(
      ...taken.bad.map(({ reason, field, raw, position }) => ({
        reason,
        field,
        raw,
        number: first + position.ordinal,
      })),
    )
    first += taken.records
    taken.release()
  }
  return { values, bad }
}

test("PU8 CA1 CA2 CN1 columns of any type, in arrays of any kind, good and bad, become what their rows become", () => {
  let [good, bad] = [0, 0]
  for (let seed = 1; seed <= 300 * SCALE; seed++) {
    const prng = new Prng(seed)
    const types = Array.from({ length: 1 + prng.below(4) }, () => {
      const type = prng.pick(TYPES)
      return prng.chance(0.3) ? type.nullable() : type
    })
    const columns: Schema = schema(Object.fromEntries(types.map((type, index) => [`c${index}`, type])))
    const count = prng.pick([1, 7, 100, 100, 5000])
    const arrays: Record<string, unknown> = {}
    for (const { name, type } of columns.fields) {
      if (name === "c0" || !type.isNullable || prng.chance(0.8)) arrays[name] = arrayOf(prng, type, count)
    }
    const wanted = new Set(columns.fields.flatMap(({ name }) => (prng.chance(0.8) ? name : [])))
    const arena = new Arena({ maxBytes: 1 << 20 })
    const given = new GivenColumns(columns, arrays)
    const own = new ColumnArrays(arena, columns, wanted)
    const rows = new RowObjects(arena, columns, wanted)
    const range = (first: number) => ({ first: 0, count: count - first, stride: 1, partition: 0 })
    const ours = read((first) => own.take(given, first), count, wanted)
    expect(ours, `seed ${seed}`).toEqual(
      read((first) => rows.take(range(first), (number) => given.row(first + number)), count, wanted),
    )
    expect(arena.usedBytes).toBe(0)
    good += ours.values.length
    bad += ours.bad.length
  }
  expect(Math.min(good, bad)).toBeGreaterThan(5000)
})

describe("PU8 what are no columns", () => {
  const Pair = schema({ a: t.int32, b: t.string.nullable() })
  const of = (given: object) => () => new GivenColumns(Pair, given)

  test("is refused", () => {
    expect(of({ a: [1, 2], b: ["x"] })).toThrow('The column "b" has 1 values, where others have 2.')
    expect(of({ a: 1 })).toThrow('The column "a" is 1, not an array.')
    expect(of({ a: new DataView(new ArrayBuffer(8)) })).toThrow("not an array")
    expect(of({ c: [1] })).toThrow("none of the columns")
    expect(of({ a: [1], c: 5 })).not.toThrow()
    expect(new GivenColumns(Pair, { a: new Int32Array(0) }).count).toBe(0)
  })
})
