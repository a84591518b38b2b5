/** Random rows with hostile values, for the fuzzer of lambdas. */
import type { Prng } from "../base/prng.ts"
import type { Arena } from "../batch/arena.ts"
import { batchOfRows, type Batch } from "../batch/batch.ts"
import { isValid, type Column } from "../batch/column.ts"
import { schema } from "../batch/schema.ts"
import { t } from "../batch/types.ts"

/** Of each batch. */
export const ROWS = 60

/** The schema of the rows. */
export const ROW = schema({
  f: t.float64,
  g: t.float64.nullable(),
  i: t.int32,
  j: t.int53.nullable(),
  at: t.timestamp(),
  b: t.int64,
  c: t.int64.nullable(),
  s: t.string,
  u: t.string.nullable(),
  e: t.enum("red", "green", "😀"),
  l: t.uint8,
  m: t.int16.nullable(),
  v: t.uint32,
  w: t.uint64,
  x: t.float32,
  yes: t.bool,
  maybe: t.bool.nullable(),
  o: t.object({ x: t.float64.nullable(), y: t.string, p: t.object({ z: t.int32, w: t.string.nullable() }).nullable() }),
  q: t.object({ x: t.float64, y: t.string.nullable(), n: t.int64, m: t.float64.nullable() }).nullable(),
  tags: t.list(t.string.nullable()).nullable(),
  raw: t.binary,
})
/** The schema of the parameters. */
export const PARAMS = schema({
  limit: t.float64,
  some: t.float64.nullable(),
  word: t.string,
  big: t.int64,
  on: t.bool,
  at: t.object({ x: t.float64, y: t.string.nullable() }).nullable(),
})

/** Numbers at the edges of types. */
export const NUMBERS = [
  0,
  -0,
  1,
  -1,
  0.5,
  1e300,
  -1e-300,
  2 ** 53,
  2 ** 53 - 1,
  2 ** 53 + 2,
  -(2 ** 53),
  2 ** 31,
  -(2 ** 31),
  4294967296.5,
]
const DOUBLES = [...NUMBERS, NaN, Infinity, -Infinity, 5e-324, 1.7976931348623157e308, 3, 100, 12.75]
const SINGLES = [0, -0, 1, -1, 0.1, 16_777_217, 1e-45, 3.4e38, NaN, Infinity, -Infinity]
const INT32S = [0, 1, -1, 3, 100, 2 ** 31 - 1, -(2 ** 31)]
const INT53S = [...INT32S, 2 ** 53 - 1, -(2 ** 53 - 1), 2 ** 32, 2 ** 32 - 1, -(2 ** 32), 1_700_000_000_000_000]
const INT64S = [
  ...[0n, 1n, -1n, 3n, 100n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 32n, -(2n ** 32n) - 1n],
  ...[2n ** 53n - 1n, 2n ** 53n + 1n, -(2n ** 53n) - 1n, 2n ** 62n],
]
const TEXTS = [
  "",
  "a",
  "A",
  "JFK",
  "red",
  "10",
  " 10 ",
  "0x1f",
  "😀",
  "e\u0301",
  "\u2028",
  '"]; throw 1; //',
  "null",
  "\ufffd",
]
/** No column can hold a lone surrogate, but a literal or a parameter may. */
export const LITERALS = [...TEXTS, "\ud800", "a\udc00"]

function randomRow(prng: Prng): Record<string, unknown> {
  const orNull = (value: unknown): unknown => (prng.chance(0.3) ? null : value)
  return {
    f: prng.chance(0.5) ? prng.pick(DOUBLES) : (prng.float() - 0.5) * 1000,
    g: orNull(prng.pick(DOUBLES)),
    i: prng.pick(INT32S),
    j: orNull(prng.pick(INT53S)),
    at: prng.pick(INT53S),
    b: prng.pick(INT64S),
    c: orNull(prng.pick(INT64S)),
    s: prng.pick(TEXTS),
    u: orNull(prng.pick(TEXTS)),
    e: prng.pick(["red", "green", "😀"]),
    l: prng.pick([0, 1, 7, 255]),
    m: orNull(prng.pick([0, 1, -1, 32_767, -32_768])),
    v: prng.pick([0, 1, 2 ** 31, 2 ** 32 - 1]),
    w: prng.pick([0n, 1n, 2n ** 63n, 2n ** 64n - 1n]),
    x: Math.fround(prng.pick(SINGLES)),
    yes: prng.chance(0.5),
    maybe: orNull(prng.chance(0.5)),
    o: {
      x: orNull(prng.pick(DOUBLES)),
      y: prng.pick(TEXTS),
      p: orNull({ z: prng.pick(INT32S), w: orNull(prng.pick(TEXTS)) }),
    },
    q: orNull({
      x: prng.pick(DOUBLES),
      y: orNull(prng.pick(TEXTS)),
      n: prng.pick(INT64S),
      m: orNull(prng.pick(DOUBLES)),
    }),
    tags: orNull(prng.pick([[], ["a", null]])),
    raw: prng.pick([Uint8Array.of(), Uint8Array.of(0, 255)]),
  }
}

function randomParams(prng: Prng): Record<string, unknown> {
  return Object.freeze({
    limit: prng.pick(DOUBLES),
    some: prng.chance(0.5) ? null : prng.pick(DOUBLES),
    word: prng.pick(LITERALS),
    big: prng.pick(INT64S),
    on: prng.chance(0.5),
    at: prng.chance(0.5) ? null : { x: prng.pick(DOUBLES), y: prng.chance(0.5) ? null : prng.pick(LITERALS) },
  })
}

/** Batches of random rows, some with a selection, some without bitmaps where nothing is null. */
export function randomBatches(
  arena: Arena,
  prng: Prng,
  count: number,
): { batch: Batch; params: Record<string, unknown> }[] {
  return Array.from({ length: count }, () => {
    const isFull = prng.chance(0.2)
    const rows = Array.from({ length: ROWS }, () => randomRow(prng)).map((row) =>
      isFull ? { ...row, g: 1.5, u: "x" } : row,
    )
    const { batch } = batchOfRows(arena, ROW, rows)
    if (isFull) for (const name of ["g", "u"]) batch.columns[ROW.indexOf(name)]!.validity = null
    for (const column of batch.columns) spoilNulls(column, ROWS, prng, () => false)
    const params = randomParams(prng)
    if (prng.chance(0.6)) return { batch, params }
    const kept = [...rows.keys()].filter(() => prng.chance(0.7))
    return { batch: batch.with({ selection: Int32Array.from(kept), count: kept.length }), params }
  })
}

/** Fills the slots of nulls with what earlier batches may have left there (N2). */
function spoilNulls(column: Column, rows: number, prng: Prng, isNullAbove: (row: number) => boolean): void {
  const isNull = (row: number): boolean => isNullAbove(row) || !isValid(column, row)
  if (column.storage === "struct") for (const child of column.children) spoilNulls(child, rows, prng, isNull)
  for (let row = 0; row < rows; row++) {
    if (!isNull(row)) continue
    if (isNullAbove(row) && column.validity !== null && prng.chance(0.5)) column.validity[row >> 3]! ^= 1 << (row & 7)
    if (column.storage === "bit" && prng.chance(0.5)) column.values[row >> 3]! |= 1 << (row & 7)
    if (column.storage === "int32" || column.storage === "float64") column.values[row] = prng.pick([1, 2, 1000])
    if (column.storage === "int64") column.values[row] = prng.pick([1n, 2n, 1000n])
  }
}
