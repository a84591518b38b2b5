/** The encoders together: what they write for one schema, byte by byte. */
import { describe, expect, it } from "vitest"
import { Arena } from "../batch/arena.ts"
import { batchOfRows } from "../batch/batch.ts"
import { schema, type Schema } from "../batch/schema.ts"
import { t } from "../batch/types.ts"
import { ByteOutput } from "./byte-output.ts"
import { CsvEncoder } from "./csv-encoder.ts"
import type { RecordEncoder } from "./decoder.ts"
import { JsonLinesEncoder } from "./json-lines-encoder.ts"

const arena = new Arena({ maxBytes: 16 * 1024 * 1024 })

function textOf(encoder: RecordEncoder, of: Schema, rows: readonly Readonly<Record<string, unknown>>[]): string {
  const out = new ByteOutput()
  const { batch, release } = batchOfRows(arena, of, rows)
  encoder.encode(batch, out)
  release()
  return new TextDecoder().decode(encoder.header) + new TextDecoder().decode(out.finish())
}

const All = schema({
  at: t.timestamp(),
  ms: t.timestamp({ format: "ms" }),
  id: t.int64,
  cents: t.int53,
  rate: t.float64,
  name: t.string.from("other").nullable(),
  kind: t.enum("a,b", "c"),
  payer: t.object({ 'x"': t.string, flag: t.bool.nullable() }).nullable(),
})

const ROWS = [
  {
    at: 0,
    ms: 1500,
    id: 2n ** 60n,
    cents: -7,
    rate: 0.1,
    name: 'say "é"\n\u0001',
    kind: "a,b",
    payer: { 'x"': "", flag: true },
  },
  { at: 1_000_001, ms: 1_000_000, id: -1n, cents: 0, rate: NaN, name: null, kind: "c", payer: null },
]

describe("JsonLinesEncoder", () => {
  it("JSONL7 writes every column under its own name, null included", () => {
    const lines = textOf(new JsonLinesEncoder({ arena, schema: All }), All, ROWS).split("\n")
    expect(lines).toEqual([
      '{"at":"1970-01-01T00:00:00Z","ms":1.5,"id":"1152921504606846976","cents":-7,"rate":0.1,"name":"say \\"é\\"\\n\\u0001","kind":"a,b","payer":{"x\\"":"","flag":true}}',
      '{"at":"1970-01-01T00:00:01.000001Z","ms":1000,"id":"-1","cents":0,"rate":"NaN","name":null,"kind":"c","payer":null}',
      "",
    ])
  })

  it("has no header", () => {
    expect(new JsonLinesEncoder({ arena, schema: All }).header).toHaveLength(0)
  })

  it("writes texts longer than any buffer it started with", () => {
    const Long = schema({ a: t.string, b: t.string })
    const row = { a: "\u0001".repeat(100_000), b: "é".repeat(100_000) }
    expect(textOf(new JsonLinesEncoder({ arena, schema: Long }), Long, [row])).toBe(`${JSON.stringify(row)}\n`)
  })
})

describe("CsvEncoder", () => {
  it("CSV7 writes a header and records, and quotes where it must", () => {
    expect(textOf(new CsvEncoder({ arena, schema: All }), All, ROWS)).toBe(
      "at,ms,id,cents,rate,name,kind,payer\n" +
        '1970-01-01T00:00:00Z,1.5,1152921504606846976,-7,0.1,"say ""é""\n\u0001","a,b","{""x\\"""":"""",""flag"":true}"\n' +
        "1970-01-01T00:00:01.000001Z,1000,-1,0,NaN,,c,\n",
    )
  })

  it("quotes names in the header where it must, and can leave the header out", () => {
    const Odd = schema({ "a,b": t.int32, 'c"': t.int32 })
    expect(new TextDecoder().decode(new CsvEncoder({ arena, schema: Odd }).header)).toBe('"a,b","c"""\n')
    expect(new CsvEncoder({ arena, schema: Odd }, { header: false }).header).toHaveLength(0)
  })

  it("TY21 writes null as nothing, and the empty text where that would read as null as two quotes", () => {
    const Texts = schema({ plain: t.string, nullable: t.string.nullable() })
    const rows = [
      { plain: "", nullable: "" },
      { plain: "a", nullable: null },
    ]
    expect(textOf(new CsvEncoder({ arena, schema: Texts }, { header: false }), Texts, rows)).toBe(',""\na,\n')
  })

  it("CE2 CSV7 writes no empty line", () => {
    const Only = schema({ count: t.int32.nullable() })
    expect(
      textOf(new CsvEncoder({ arena, schema: Only }, { header: false }), Only, [{ count: null }, { count: 1 }]),
    ).toBe('""\n1\n')
  })

  it("refuses a delimiter that cannot be one", () => {
    expect(() => new CsvEncoder({ arena, schema: All }, { delimiter: "ab" })).toThrow(
      expect.objectContaining({ code: "invalid-options" }),
    )
  })
})
