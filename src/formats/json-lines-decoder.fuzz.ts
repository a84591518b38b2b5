import { describe, expect, it } from "vitest"
import { broken, randomInputSchema, randomJsonLines } from "../../test/random-documents.ts"
import { forEachSeed } from "../../test/seeds.ts"
import { Arena } from "../batch/arena.ts"
import { START } from "../batch/position.ts"
import { decodeAll, expectSame, randomFeeding, Tally, WHOLE } from "./decoder.conformance.ts"
import { JsonLinesDecoder } from "./json-lines-decoder.ts"
import { readJsonLines } from "./json-lines-decoder.reference.ts"

/** So many documents for each schema: a decoder learns from what it reads, which must not show. */
const DOCUMENTS = 25

describe("JsonLinesDecoder", () => {
  const arena = new Arena({ maxBytes: 64 * 1024 * 1024 })

  it("V1 V2 JL1 FM1 JSONL6 reads 12,500 random and broken documents as its twin does, however they are cut", () => {
    const tally = new Tally()
    forEachSeed(500, (prng) => {
      const schema = randomInputSchema(prng)
      const maxRecordBytes = prng.pick([1024 * 1024, 1024 * 1024, 100, 10])
      const decoder = new JsonLinesDecoder({ arena, schema, maxRecordBytes, blockWindowBytes: 0 })
      for (let count = 0; count < DOCUMENTS; count++) {
        const document = broken(prng, randomJsonLines(prng, schema))
        const expected = readJsonLines(document, schema, maxRecordBytes)
        const feeding = prng.chance(0.7) ? WHOLE : randomFeeding(prng)
        expectSame(decodeAll(decoder, document, START, feeding), expected)
        tally.add(expected)
      }
    })
    expect(tally.isVaried).toBe(true)
  })

  it("V1 gives the same for a document cut at each of its bytes, and read a record at a time", () => {
    const tally = new Tally()
    forEachSeed(40, (prng) => {
      const schema = randomInputSchema(prng)
      const maxRecordBytes = prng.pick([1024 * 1024, 50])
      const decoder = new JsonLinesDecoder({ arena, schema, maxRecordBytes, blockWindowBytes: 0 })
      const document = broken(prng, randomJsonLines(prng, schema))
      const expected = readJsonLines(document, schema, maxRecordBytes)
      for (let cut = 1; cut <= document.length; cut++) {
        let calls = 0
        const windowBytes = () => (calls++ === 0 ? cut : document.length)
        expectSame(decodeAll(decoder, document, START, { ...WHOLE, windowBytes }), expected)
      }
      expectSame(decodeAll(decoder, document, START, { ...WHOLE, maxRows: () => 1 }), expected)
      expectSame(decodeAll(decoder, document, START, { ...WHOLE, reach: () => 1 }), expected)
      tally.add(expected)
    })
    expect(tally.isVaried).toBe(true)
  })
})
