/** What sinks write, sources with the same columns read back: `docs/spec/types.md` by way of the encoders and decoders. */
import { describe, expect, it } from "vitest"
import type { Prng } from "../src/base/prng.ts"
import { Arena } from "../src/batch/arena.ts"
import { batchOfRows } from "../src/batch/batch.ts"
import { START } from "../src/batch/position.ts"
import { schema, type Schema } from "../src/batch/schema.ts"
import { t } from "../src/batch/types.ts"
import { ByteOutput, writeBytes } from "../src/formats/byte-output.ts"
import { CsvDecoder } from "../src/formats/csv-decoder.ts"
import { CsvEncoder } from "../src/formats/csv-encoder.ts"
import { csvLayout } from "../src/formats/csv-layout.ts"
import { decodeAll, randomFeeding, WHOLE } from "../src/formats/decoder.conformance.ts"
import type { RecordDecoder, RecordEncoder } from "../src/formats/decoder.ts"
import { JsonLinesDecoder } from "../src/formats/json-lines-decoder.ts"
import { JsonLinesEncoder } from "../src/formats/json-lines-encoder.ts"
import { randomRow, randomSchema } from "./random-values.ts"
import { forEachSeed } from "./seeds.ts"

const arena = new Arena({ maxBytes: 64 * 1024 * 1024 })
const text = new TextEncoder()

function csvDecoder(schema: Schema, document: Uint8Array): RecordDecoder {
  return new CsvDecoder({
    arena,
    schema,
    layout: csvLayout(schema, { bytes: document, isWhole: true, label: "a document" }),
  })
}

function encoded(encoder: RecordEncoder, schema: Schema, rows: readonly Record<string, unknown>[]): Uint8Array {
  const { batch, release } = batchOfRows(arena, schema, rows)
  const out = new ByteOutput()
  writeBytes(encoder.header, out)
  encoder.encode(batch, out)
  release()
  return out.finish()
}

/** At least two columns: a null that stands alone in a CSV record is a case of its own (CE2). */
function randomWideSchema(prng: Prng): Schema {
  for (;;) {
    const made = randomSchema(prng)
    if (made.fields.length > 1) return made
  }
}

describe("values at the edges", () => {
  it.each(["CSV", "JSON lines"])("TY9 what is written as %s is read back as the same values", (format) => {
    forEachSeed(150, (prng) => {
      const made = randomWideSchema(prng)
      const rows = Array.from({ length: prng.below(20) }, () => randomRow(prng, made))
      const document = encoded(
        format === "CSV" ? new CsvEncoder({ arena, schema: made }) : new JsonLinesEncoder({ arena, schema: made }),
        made,
        rows,
      )
      const isCsv = format === "CSV"
      const decoder = isCsv ? csvDecoder(made, document) : new JsonLinesDecoder({ arena, schema: made })
      const start = isCsv ? csvLayout(made, { bytes: document, isWhole: true, label: "a document" }).start : START
      const read = decodeAll(decoder, document, start, randomFeeding(prng))
      expect(read.bad).toEqual([])
      expect(read.rows.map(({ row }) => row)).toEqual(rows)
    })
    expect(arena.usedBytes).toBe(0)
  })

  it("TY5 TY6 TY7 checks every declared field, skips others, renames and fills in", () => {
    const made = schema({
      id: t.int53.from("ID"),
      note: t.string.nullable(),
      rate: t.float64.default(1.5),
    })
    const lines = [
      '{"ID":1,"other":[{"x":null}],"note":"a","rate":2}',
      '{"ID":2}',
      '{"ID":3,"rate":"2"}',
      '{"id":4}',
      '{"ID":5,"rate":null}',
    ]
    const json = decodeAll(new JsonLinesDecoder({ arena, schema: made }), text.encode(lines.join("\n")), START, WHOLE)
    const document = text.encode(["other,note,ID,rate", "x,a,1,2", "x,,2,", "x,,3,two", "x,,4.0,1"].join("\n"))
    const { start } = csvLayout(made, { bytes: document, isWhole: true, label: "a document" })
    const csv = decodeAll(csvDecoder(made, document), document, start, WHOLE)
    const good = [
      { id: 1, note: "a", rate: 2 },
      { id: 2, note: null, rate: 1.5 },
    ]
    expect(json.rows.map(({ row }) => row)).toEqual(good)
    expect(csv.rows.map(({ row }) => row)).toEqual(good)
    expect(json.bad.map(({ field }) => field)).toEqual(["rate", "id", "rate"])
    expect(csv.bad.map(({ field }) => field)).toEqual(["rate", "id"])
    expect(new TextDecoder().decode(encoded(new JsonLinesEncoder({ arena, schema: made }), made, good))).toBe(
      '{"id":1,"note":"a","rate":2}\n{"id":2,"note":null,"rate":1.5}\n',
    )
  })
})
