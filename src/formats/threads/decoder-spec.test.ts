import { expect, it } from "vitest"
import { schema } from "../../batch/schema.ts"
import { schemaData } from "../../batch/schema-data.ts"
import type { ColumnType } from "../../batch/type.ts"
import { t } from "../../batch/types.ts"
import { specKey, type DecoderSpec } from "./decoder-spec.ts"

const LAYOUT = { syntax: { delimiter: 44, quote: 34 }, hasHeader: true, columns: [0], names: ["a"] }

const withDefault = (type: ColumnType): DecoderSpec => ({
  format: "jsonl",
  schema: schemaData(schema({ a: type })),
  maxRecordBytes: 100,
})

it("gives another key to every spec that reads otherwise, defaults that JSON cannot tell apart included", () => {
  const double = t.float64.nullable()
  const specs: DecoderSpec[] = [
    ...[NaN, Infinity, -Infinity, 0, -0, null].map((value) => withDefault(double.default(value))),
    withDefault(double),
    withDefault(t.int64.default(5n)),
    withDefault(t.string.default("5")),
    withDefault(t.string.from("b")),
    { ...withDefault(double), maxRecordBytes: 101 },
    { ...withDefault(double), format: "csv", layout: LAYOUT },
    { ...withDefault(double), format: "csv", layout: { ...LAYOUT, columns: [-1] } },
    { ...withDefault(double), format: "csv", layout: { ...LAYOUT, hasHeader: false } },
  ]
  expect(new Set(specs.map(specKey)).size).toBe(specs.length)
})

it("gives the same key to specs that read alike", () => {
  expect(specKey(withDefault(t.float64.default(NaN)))).toBe(specKey(withDefault(t.float64.default(NaN))))
})
