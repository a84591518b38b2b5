/** The encoders together: held against their twins, and read back by the decoders, on random rows. */
import { describe, expect, it } from "vitest"
import { randomRow, randomSchema } from "../../test/random-values.ts"
import { forEachSeed } from "../../test/seeds.ts"
import type { Prng } from "../base/prng.ts"
import { Arena } from "../batch/arena.ts"
import { batchOfRows, type Batch } from "../batch/batch.ts"
import { START } from "../batch/position.ts"
import { schema, type Schema } from "../batch/schema.ts"
import { t } from "../batch/types.ts"
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
function expectEncoded(prng: Prng, of: Schema, encoder: RecordEncoder, textOf: (rows: readonly Row[]) => string) {
  const out = new ByteOutput()
  let expected = ""
  const kept: Row[] = []
  for (let batches = 1 + prng.below(3); batches > 0; batches--) {
    const all = Array.from({ length: 1 + prng.below(prng.chance(0.2) ? 100 : 8) }, () => randomRow(prng, of))
    const { batch, release } = batchOfRows(arena, of, all)
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
      const made = randomSchema(prng)
      const encoder = new JsonLinesEncoder({ arena, schema: made })
      for (let times = 0; times < 5; times++) {
        const { bytes, rows } = expectEncoded(prng, made, encoder, (some) => jsonLinesText(made, some as Row[]))
        expectReadBack(new JsonLinesDecoder({ arena, schema: made }), bytes, rows)
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
      const made = randomSchema(prng)
      const { delimiter, quote } = prng.pick(SPELLINGS)
      const encoder = new CsvEncoder({ arena, schema: made }, { delimiter, quote, header: false })
      const layout = csvLayout(
        made,
        { bytes: new Uint8Array(0), isWhole: true, label: "" },
        { delimiter, quote, header: false },
      )
      for (let times = 0; times < 5; times++) {
        const { bytes, rows } = expectEncoded(prng, made, encoder, (some) =>
          csvText(made, some as Row[], delimiter, quote),
        )
        const [only] = made.fields
        // The one thing that CSV cannot say: null in a file of one column of texts or bytes (CE2).
        const isMute = made.fields.length === 1 && ["string", "binary"].includes(only!.type.kind)
        if (!isMute) expectReadBack(new CsvDecoder({ arena, schema: made, layout }), bytes, rows)
        count += rows.length
      }
    })
    expect(count).toBeGreaterThan(2_000)
  })
})

/** Texts that formats spell otherwise, wherever they stand among sixteen bytes, and lone surrogates, which are stored as U+FFFD. */
const PIECES = [
  '"',
  "\\",
  "\n",
  "\r",
  ",",
  "\u0000",
  "\u001f",
  "\b",
  "\f",
  "\u007f",
  "\u2028",
  "\ufeff",
  "é",
  "日",
  "😀",
  "\ud83d",
  "\udc00",
]

function hostileText(prng: Prng): string {
  const count = prng.chance(0.05) ? prng.below(8000) : prng.below(5)
  return Array.from({ length: count }, () => (prng.chance(0.5) ? prng.pick(PIECES) : "x".repeat(prng.below(20)))).join(
    "",
  )
}

const Wide = schema({
  text: t.string,
  other: t.string.nullable(),
  few: t.string.nullable(),
  kind: t.enum("a,b", "c", 'say "d"'),
  rate: t.float64.nullable(),
  count: t.int32,
  big: t.int64.nullable(),
  at: t.timestamp().nullable(),
  seconds: t.timestamp({ format: "s" }),
  flag: t.bool.nullable(),
  payer: t.object({ name: t.string, paid: t.float64.nullable() }).nullable(),
})

/** Rows of which one in ten, or all, have texts that no other has. */
function wideRows(prng: Prng, count: number): Row[] {
  const few = Array.from({ length: 20 }, () => hostileText(prng))
  const distinct = prng.pick([0.1, 1])
  return Array.from({ length: count }, (_, index) => ({
    ...randomRow(prng, Wide),
    text: prng.chance(distinct) ? hostileText(prng) : prng.pick(few),
    other: prng.chance(0.2) ? null : `${index} ${"y".repeat(prng.below(40))}`,
    few: prng.chance(0.2) ? null : prng.pick(few),
  }))
}

describe("encoders by blocks", () => {
  it("WB1 RW1 write what their twins do for batches of up to 3,000 rows with hostile texts", () => {
    const encoders = [
      { encoder: new JsonLinesEncoder({ arena, schema: Wide }), textOf: jsonLinesText },
      { encoder: new CsvEncoder({ arena, schema: Wide }), textOf: csvOf(",", '"') },
      { encoder: new CsvEncoder({ arena, schema: Wide }, { delimiter: ";", quote: "'" }), textOf: csvOf(";", "'") },
    ]
    let rows = 0
    forEachSeed(12, (prng) => {
      const { batch, release } = batchOfRows(arena, Wide, wideRows(prng, 1 + prng.below(3000)))
      const selected = prng.chance(0.5) ? batch : selectSome(prng, batch)
      for (const { encoder, textOf } of encoders) {
        const out = new ByteOutput()
        encoder.encode(selected, out)
        const [text, expected] = [strict.decode(out.finish()), textOf(Wide, selected.toRows())]
        if (text !== expected) expect(text.split("\n")).toEqual(expected.split("\n"))
        rows += selected.count
      }
      release()
    })
    expect(rows).toBeGreaterThan(0)
    expect(arena.usedBytes).toBe(0)
  })

  it("WB1 write what they do without room in the arena", () => {
    const small = new Arena({ maxBytes: 64 * 1024 })
    const Few = schema({ id: t.int32, text: t.string })
    const rows = Array.from({ length: 100 }, (_, id) => ({ id, text: `text ${id}` }))
    const { batch } = batchOfRows(small, Few, rows)
    const out = new ByteOutput()
    new JsonLinesEncoder({ arena: small, schema: Few }).encode(batch, out)
    expect(strict.decode(out.finish())).toBe(jsonLinesText(Few, rows))
  })
})

function csvOf(delimiter: string, quote: string) {
  return (of: Schema, rows: readonly Row[]) => csvText(of, rows, delimiter, quote)
}
