import { expect, test } from "vitest"
import type { ColumnType } from "./type.ts"
import { t } from "./types.ts"
import { wideningOf } from "./widening.ts"

const point = t.object({ x: t.int32 })
const WIDER: readonly (readonly [ColumnType, ColumnType, unknown, unknown])[] = [
  [t.int8, t.int16, -128, -128],
  [t.uint8, t.int16, 255, 255],
  [t.uint32, t.int53, 4_294_967_295, 4_294_967_295],
  [t.int53, t.float64, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  [t.int53, t.int64, Number.MIN_SAFE_INTEGER, -9_007_199_254_740_991n],
  [t.uint32, t.uint64, 7, 7n],
  [t.float32, t.float64, Math.fround(0.1), Math.fround(0.1)],
  [t.string, t.string.nullable(), "a", "a"],
  [t.int32.nullable(), t.int64.nullable(), null, null],
  [t.enum("a", "b"), t.enum("b", "c", "a"), "a", "a"],
  [t.enum("a", "b"), t.string, "b", "b"],
  [t.timestamp(), t.timestamp({ zone: "Europe/Berlin" }), 1_000_000, 1_000_000],
  [t.timestamp({ format: "ms" }), t.timestamp(), 5, 5],
  [t.list(t.int32), t.list(t.int64.nullable()), [1, 2], [1n, 2n]],
  [point, t.object({ y: t.string.nullable(), x: t.float64 }), { x: 1 }, { y: null, x: 1 }],
  [point, t.object({ x: t.int32, n: t.int53.default(3) }), { x: 1 }, { x: 1, n: 3 }],
  [t.list(point), t.list(t.object({ x: t.int64 })), [{ x: 1 }], [{ x: 1n }]],
  [point.nullable(), t.object({ x: t.int53 }).nullable(), null, null],
]

test.each(WIDER.map((each) => [each[0].label, each[1].label, each] as const))(
  "WI1 %s goes into %s",
  (_from, _to, [from, to, value, wider]) => {
    const made = wideningOf(from, to)!(value)
    expect(made).toEqual(wider)
    expect(to.check(made)).toBeUndefined()
    expect(wideningOf(from, from)!(value)).toEqual(value)
  },
)

const NOT_WIDER: readonly (readonly [ColumnType, ColumnType])[] = [
  [t.int16, t.int8],
  [t.int8, t.uint16],
  [t.int8, t.uint64],
  [t.int64, t.int53],
  [t.int64, t.float64],
  [t.uint64, t.int64],
  [t.float64, t.float32],
  [t.int32, t.float32],
  [t.float64, t.int64],
  [t.string.nullable(), t.string],
  [t.string, t.enum("a")],
  [t.enum("a", "b"), t.enum("a")],
  [t.int53, t.timestamp()],
  [t.timestamp(), t.int53],
  [t.date, t.int32],
  [t.duration(), t.float64],
  [t.bool, t.int8],
  [t.int32, t.string],
  [t.list(t.int64), t.list(t.int32)],
  [t.list(t.int32), t.int32],
  [point, t.object({ x: t.int32, y: t.string })],
  [t.object({ x: t.int32, y: t.string }), point],
  [point, t.json],
]

test.each(NOT_WIDER.map(([from, to]) => [from.label, to.label, from, to] as const))(
  "WI1 %s does not go into %s",
  (_from, _to, from, to) => {
    expect(wideningOf(from, to)).toBeUndefined()
  },
)
