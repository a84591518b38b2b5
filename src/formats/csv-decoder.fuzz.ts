import { describe, expect, it } from "vitest"
import { broken, randomCsv, randomInputSchema } from "../../test/random-documents.ts"
import { forEachSeed } from "../../test/seeds.ts"
import type { Prng } from "../base/prng.ts"
import { TidemarkError } from "../base/errors.ts"
import { Arena } from "../batch/arena.ts"
import type { Schema } from "../batch/schema.ts"
import { CsvDecoder } from "./csv-decoder.ts"
import { csvLayout, type CsvLayout } from "./csv-layout.ts"
import { readCsv } from "./csv-decoder.reference.ts"
import { decodeAll, expectSame, randomFeeding, Tally, WHOLE } from "./decoder.conformance.ts"

/** So many documents for each schema. */
const DOCUMENTS = 25

const SPELLINGS = [
  { delimiter: ",", quote: '"' },
  { delimiter: ",", quote: '"' },
  { delimiter: ";", quote: "'" },
  { delimiter: "\t", quote: '"' },
  { delimiter: "|", quote: "`" },
  // Delimiters and quotes that also stand within values.
  { delimiter: " ", quote: '"' },
  { delimiter: "-", quote: "1" },
  { delimiter: "e", quote: "." },
]

/** A document and its layout; `undefined` where the document's header is broken. */
function randomDocument(prng: Prng, schema: Schema): { document: Uint8Array; layout: CsvLayout } | undefined {
  const header = prng.chance(0.7)
  const spelling = prng.pick(SPELLINGS)
  const document = broken(prng, randomCsv(prng, schema, header, spelling))
  try {
    const head = { bytes: document, isWhole: true, label: "a document" }
    return { document, layout: csvLayout(schema, head, { header, ...spelling }) }
  } catch (error) {
    if (error instanceof TidemarkError && error.code === "source-unreadable") return undefined
    throw error
  }
}

describe("CsvDecoder", () => {
  const arena = new Arena({ maxBytes: 64 * 1024 * 1024 })

  it("V1 V2 CV1 FM1 CSV5 reads 12,500 random and broken documents as its twin does, however they are cut", () => {
    const tally = new Tally()
    forEachSeed(500, (prng) => {
      const schema = randomInputSchema(prng)
      const maxRecordBytes = prng.pick([1024 * 1024, 1024 * 1024, 100, 10])
      for (let count = 0; count < DOCUMENTS; count++) {
        const made = randomDocument(prng, schema)
        if (made === undefined) continue
        const { document, layout } = made
        const expected = readCsv(document, schema, layout, maxRecordBytes)
        const decoder = new CsvDecoder({ arena, schema, layout, maxRecordBytes, blockWindowBytes: 0 })
        const feeding = prng.chance(0.7) ? WHOLE : randomFeeding(prng)
        expectSame(decodeAll(decoder, document, layout.start, feeding), expected)
        tally.add(expected)
      }
    })
    expect(tally.isVaried).toBe(true)
  })

  it("V1 gives the same for a document cut at each of its bytes, and read a record at a time", () => {
    const tally = new Tally()
    forEachSeed(60, (prng) => {
      const schema = randomInputSchema(prng)
      const maxRecordBytes = prng.pick([1024 * 1024, 50])
      const made = randomDocument(prng, schema)
      if (made === undefined) return
      const { document, layout } = made
      const expected = readCsv(document, schema, layout, maxRecordBytes)
      const decoder = new CsvDecoder({ arena, schema, layout, maxRecordBytes, blockWindowBytes: 0 })
      const { start } = layout
      for (let cut = 1; cut <= document.length; cut++) {
        let calls = 0
        const windowBytes = () => (calls++ === 0 ? cut : document.length)
        expectSame(decodeAll(decoder, document, start, { ...WHOLE, windowBytes }), expected)
      }
      expectSame(decodeAll(decoder, document, start, { ...WHOLE, maxRows: () => 1 }), expected)
      expectSame(decodeAll(decoder, document, start, { ...WHOLE, reach: () => 1 }), expected)
      tally.add(expected)
    })
    expect(tally.isVaried).toBe(true)
  })
})
