import { describe, expect, it } from "vitest"
import { EVERY_WAY, randomFieldText } from "../../test/random-fields.ts"
import { forEachSeed } from "../../test/seeds.ts"
import type { Prng } from "../base/prng.ts"
import { Arena } from "../batch/arena.ts"
import { CsvDecoder } from "./csv-decoder.ts"
import { csvLayout } from "./csv-layout.ts"
import { decodeAll, expectSame, randomFeeding, Tally, WHOLE } from "./decoder.conformance.ts"

const encoder = new TextEncoder()
const names = EVERY_WAY.fields.map(({ name }) => name)

/** Records of a column of every kind and one that is skipped, each field changed with some chance. */
function randomRecords(prng: Prng, count: number, chanceOfChange: number): Uint8Array {
  const lineEnd = prng.pick(["\n", "\n", "\r\n"])
  const chanceOfQuotes = prng.pick([0, 0.01, 1])
  let text = `${["other", ...names].join(",")}${lineEnd}`
  for (let record = 0; record < count; record++) {
    const fields = names.map((name) => randomFieldText(prng, name, chanceOfChange))
    const quoted = fields.map((field) => (prng.chance(chanceOfQuotes) ? `"${field.replaceAll('"', '""')}"` : field))
    text += `${prng.pick(["", "x", "é"])},${quoted.join(",")}${lineEnd}`
  }
  return encoder.encode(prng.chance(0.2) ? text.slice(0, -1) : text)
}

describe("CsvBlocks", () => {
  const arena = new Arena({ maxBytes: 64 * 1024 * 1024 })

  function decoders(document: Uint8Array, maxRecordBytes: number) {
    const layout = csvLayout(EVERY_WAY, { bytes: document, isWhole: true, label: "a document" })
    const options = { arena, schema: EVERY_WAY, layout, maxRecordBytes }
    const byBlocks = new CsvDecoder({ ...options, blockWindowBytes: 0 })
    const oneByOne = new CsvDecoder({ ...options, blockWindowBytes: Infinity })
    return { start: layout.start, byBlocks, oneByOne }
  }

  it("RB1 FC1 reads 5,000 documents of all types as they are read record by record, however they are cut", () => {
    const tally = new Tally()
    forEachSeed(5000, (prng) => {
      const document = randomRecords(prng, 1 + prng.below(12), prng.pick([0, 0.003, 0.02]))
      const { start, byBlocks, oneByOne } = decoders(document, prng.pick([1024 * 1024, 1024 * 1024, 200]))
      const expected = decodeAll(oneByOne, document, start, WHOLE)
      expectSame(decodeAll(byBlocks, document, start, prng.chance(0.7) ? WHOLE : randomFeeding(prng)), expected)
      tally.add(expected)
    })
    expect(tally.isVaried).toBe(true)
  })

  it("RB1 RB2 reads documents of many blocks and chunks as they are read record by record", () => {
    const tally = new Tally()
    forEachSeed(12, (prng) => {
      const document = randomRecords(prng, 3000, prng.pick([0, 0.0003, 0.02]))
      const { start, byBlocks, oneByOne } = decoders(document, 1024 * 1024)
      const expected = decodeAll(oneByOne, document, start, WHOLE)
      const windows = { ...WHOLE, windowBytes: () => 1 + prng.below(400_000), maxRows: () => 1 + prng.below(5000) }
      expectSame(decodeAll(byBlocks, document, start, prng.chance(0.5) ? WHOLE : windows), expected)
      tally.add(expected)
    })
    expect(tally.isVaried).toBe(true)
  })

  it("V1 gives the same for a document cut at each of its bytes", () => {
    const tally = new Tally()
    forEachSeed(18, (prng) => {
      const document = randomRecords(prng, 4, 0.02)
      const { start, byBlocks, oneByOne } = decoders(document, 1024 * 1024)
      const expected = decodeAll(oneByOne, document, start, WHOLE)
      for (let cut = 1; cut <= document.length; cut++) {
        let calls = 0
        const windowBytes = () => (calls++ === 0 ? cut : document.length)
        expectSame(decodeAll(byBlocks, document, start, { ...WHOLE, windowBytes }), expected)
      }
      tally.add(expected)
    })
    expect(tally.isVaried).toBe(true)
  })
})
