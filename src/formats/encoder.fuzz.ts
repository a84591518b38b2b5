/** The encoders together: held against their twins, and read back by the decoders, on random rows. */
import { describe, expect, it } from "vitest"
import { randomRow, randomSchema } from "../../test/random-values.ts"
import { forEachSeed } from "../../test/seeds.ts"
import type { Prng } from "../base/prng.ts"
import { Arena } from "../batch/arena.ts"
import { batchOfRows, type Batch } from "../batch/batch.ts"
import { START } from "../batch/position.ts"
import type { Schema } from "../batch/schema.ts"
import { ByteOutput } from "./byte-output.ts"
import { CsvDecoder } from "./csv-decoder.ts"
import { CsvEncoder } from "./csv-encoder.ts"
import { csvLayout } from "./csv-layout.ts"
import { decodeAll, expectSame, WHOLE } from "./decoder.conformance.ts"
import type { RecordDecoder, RecordEncoder } from "./decoder.ts"
import { csvText, jsonLinesText } from "./encoder.reference.ts"
import { JsonLinesDecoder } from "./json-lines-decoder.ts"
import { JsonLinesEncoder } from "./json-lines-encoder.ts"

const SPELLINGS = [
  { delimiter: ",", quote: '"' },
  { delimiter: ";", quote: "'" },
  { delimiter: "-", quote: "1" },
  { delimiter: ".", quote: "e" },
]

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
const arena = new Arena({ maxBytes: 64 * 1024 * 1024 })

/** Feeds the encoder batches with and without selections, and compares what it writes with its twin's text. */
function expectEncoded(prng: Prng, schema: Schema, encoder: RecordEncoder, textOf: (rows: readonly Row[]) => string) {
  const out = new ByteOutput()
  let expected = ""
  const kept: Row[] = []
  for (let batches = 1 + prng.below(3); batches > 0; batches--) {
    const all = Array.from({ length: 1 + prng.below(8) }, () => randomRow(prng, schema))
    const { batch, release } = batchOfRows(arena, schema, all)
    const selected = prng.chance(0.5) ? batch : selectSome(prng, batch)
    encoder.encode(selected, out)
    expected += textOf(selected.toRows())
    kept.push(...selected.toRows())
    release()
  }
  const text = strict.decode(out.finish())
  if (text !== expected) expect(text).toBe(expected)
  return { bytes: out.finish(), rows: kept }
}

type Row = Readonly<Record<string, unknown>>

function selectSome(prng: Prng, batch: Batch): Batch {
  const chosen = Array.from({ length: batch.length }, (_, row) => row).filter(() => prng.chance(0.5))
  return batch.with({ selection: Int32Array.from(chosen), count: chosen.length })
}

function expectReadBack(decoder: RecordDecoder, bytes: Uint8Array, rows: readonly Row[]) {
  const { rows: read, bad } = decodeAll(decoder, bytes, START, WHOLE)
  const position = START
  expectSame(
    { rows: read.map(({ row }) => ({ position, row })), bad },
    { rows: rows.map((row) => ({ position, row })), bad: [] },
  )
}

describe("JsonLinesEncoder", () => {
  it("JE1 TY9 writes what its twin does for 2,000 batches of random schemas, and the decoder reads it back", () => {
    let count = 0
    forEachSeed(400, (prng) => {
      const schema = randomSchema(prng)
      const encoder = new JsonLinesEncoder(schema)
      for (let times = 0; times < 5; times++) {
        const { bytes, rows } = expectEncoded(prng, schema, encoder, (some) => jsonLinesText(schema, some as Row[]))
        expectReadBack(new JsonLinesDecoder({ arena, schema }), bytes, rows)
        count += rows.length
      }
    })
    expect(count).toBeGreaterThan(2_000)
  })
})

describe("CsvEncoder", () => {
  it("CE1 CE2 TY9 writes what its twin does for 2,000 batches of random schemas, and the decoder reads it back", () => {
    let count = 0
    forEachSeed(400, (prng) => {
      const schema = randomSchema(prng)
      const { delimiter, quote } = prng.pick(SPELLINGS)
      const encoder = new CsvEncoder(schema, { delimiter, quote, header: false })
      const layout = csvLayout(
        schema,
        { bytes: new Uint8Array(0), isWhole: true, label: "" },
        { delimiter, quote, header: false },
      )
      for (let times = 0; times < 5; times++) {
        const { bytes, rows } = expectEncoded(prng, schema, encoder, (some) =>
          csvText(schema, some as Row[], delimiter, quote),
        )
        const [only] = schema.fields
        // The one thing that CSV cannot say: null in a file of one text column (CE2).
        const isMute = schema.fields.length === 1 && only!.type.kind === "string"
        if (!isMute) expectReadBack(new CsvDecoder({ arena, schema, layout }), bytes, rows)
        count += rows.length
      }
    })
    expect(count).toBeGreaterThan(2_000)
  })
})
