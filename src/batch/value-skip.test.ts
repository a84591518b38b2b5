import { expect, test } from "vitest"
import { ByteReader, ByteWriter } from "../base/bytes.ts"
import { skipOf } from "./value-skip.ts"
import { settled, writeTyped } from "./value-codec.ts"
import type { ColumnType } from "./type.ts"
import { t } from "./types.ts"

const CASES: readonly (readonly [ColumnType, unknown])[] = [
  [t.bool, true],
  [t.int32, -7],
  [t.int53, 2 ** 52],
  [t.int64, -(2n ** 63n)],
  [t.uint64, 2n ** 64n - 1n],
  [t.float32, 0.5],
  [t.float64, NaN],
  [t.timestamp(), 1],
  [t.string, ""],
  [t.string, "日本".repeat(100)],
  [t.string.nullable(), null],
  [t.int32.nullable(), 3],
  [t.enum("a", "b"), "b"],
  [t.list(t.float64), [1, 2, 3]],
  [t.binary, Uint8Array.of(1, 255)],
  [t.json, { a: [null, "x"] }],
  [t.object({ x: t.int32, at: t.object({ s: t.string.nullable() }).nullable() }), { x: 1, at: { s: null } }],
  [t.object({ x: t.int32, at: t.object({ s: t.string }).nullable() }), { x: 1, at: null }],
]

const LABELLED = CASES.map(([type, value]) => [type.label, type, value] as const)

test.each(LABELLED)(
  "VK1 a value of %s ends where its skip ends, and none that is cut short is taken for whole",
  (_, type, value) => {
    const out = new ByteWriter()
    writeTyped(out, type, settled(type, value))
    const { length } = out
    out.uint8(77)
    const reader = new ByteReader(out.finish())
    skipOf(type)(reader)
    expect(reader.position).toBe(length)
    for (let count = 0; count < length; count++) {
      const cut = new ByteReader(out.finish().subarray(0, count))
      expect(() => {
        skipOf(type)(cut)
      }, `${count} of ${length} bytes`).toThrow(RangeError)
    }
  },
)
