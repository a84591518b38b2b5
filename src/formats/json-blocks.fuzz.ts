import { describe, expect, it } from "vitest"
import { EVERY_WAY, randomFieldText } from "../../test/random-fields.ts"
import { forEachSeed } from "../../test/seeds.ts"
import type { Prng } from "../base/prng.ts"
import { Arena } from "../batch/arena.ts"
import { START } from "../batch/position.ts"
import { decodeAll, expectSame, randomFeeding, Tally, WHOLE } from "./decoder.conformance.ts"
import { JsonLinesDecoder } from "./json-lines-decoder.ts"

const encoder = new TextEncoder()
const names = EVERY_WAY.fields.map(({ name }) => name)
const STRINGS = new Set(["at", "local", "text", "name", "kind"])

/** How the lines of a document are written. */
interface LineStyle {
  readonly order: readonly string[]
  readonly comma: string
  readonly colon: string
  readonly lineEnd: string
  /** Whether int64 are strings. */
  readonly longIsString: boolean
}

function randomStyle(prng: Prng): LineStyle {
  const order = prng.chance(0.7) ? [...names] : prng.shuffle([...names, "other"])
  // This one has a default: lines may lack it.
  if (prng.chance(0.3)) order.splice(order.indexOf("count"), 1)
  return {
    order,
    comma: prng.pick([",", ",", ", "]),
    colon: prng.pick([":", ":", ": "]),
    lineEnd: prng.pick(["\n", "\n", "\r\n"]),
    longIsString: prng.chance(0.5),
  }
}

function randomMember(prng: Prng, name: string, chanceOfChange: number, style: LineStyle): string {
  if (name === "other") return prng.pick(["1", '"x"', '"é"', "-1.5e3", "null", "true", "01", '"\\n"', "[1]"])
  const text = randomFieldText(prng, name, chanceOfChange)
  if (prng.chance(chanceOfChange)) return prng.pick(["null", `"${text}"`, text, "{}", "1.0", '"\\u0041"', '"\\q"'])
  const isString = STRINGS.has(name) || ((name === "long" || name === "huge") && style.longIsString)
  if (text === "") return name === "text" ? '""' : name === "count" ? "1" : "null"
  return isString ? (prng.chance(0.97) ? JSON.stringify(text) : `"${text}"`) : text
}

/** Lines of a column of every kind, each value changed with some chance, and each line with less. */
function randomLines(prng: Prng, count: number, chanceOfChange: number): Uint8Array {
  const style = randomStyle(prng)
  const { comma, colon, lineEnd } = style
  let text = prng.chance(0.1) ? "\ufeff" : ""
  for (let record = 0; record < count; record++) {
    const order = prng.chance(chanceOfChange) ? prng.shuffle([...style.order]) : style.order
    const members = order.map((name) => `"${name}"${colon}${randomMember(prng, name, chanceOfChange, style)}`)
    const line = `{${members.join(comma)}}`
    const at = prng.below(line.length)
    text += prng.chance(chanceOfChange)
      ? line.slice(0, at) + prng.pick([" ", '"', "\\", "}", ","]) + line.slice(at)
      : line
    text += lineEnd
  }
  const bytes = encoder.encode(prng.chance(0.2) ? text.slice(0, -1) : text)
  if (prng.chance(chanceOfChange)) bytes[prng.below(bytes.length)] = prng.pick([0xff, 0xc0, 0x80, 0, 9])
  return bytes
}

describe("JsonBlocks", () => {
  const arena = new Arena({ maxBytes: 64 * 1024 * 1024 })

  function decoders(maxRecordBytes: number) {
    const options = { arena, schema: EVERY_WAY, maxRecordBytes }
    const byBlocks = new JsonLinesDecoder({ ...options, blockWindowBytes: 0 })
    return { byBlocks, oneByOne: new JsonLinesDecoder({ ...options, blockWindowBytes: Infinity }) }
  }

  it("RB1 FC1 reads 2,000 documents of all types as they are read line by line, however they are cut", () => {
    const tally = new Tally()
    forEachSeed(2000, (prng) => {
      const document = randomLines(prng, 1 + prng.below(12), prng.pick([0, 0.003, 0.02]))
      const { byBlocks, oneByOne } = decoders(prng.pick([1024 * 1024, 1024 * 1024, 300]))
      const expected = decodeAll(oneByOne, document, START, WHOLE)
      // The first time teaches how lines are written.
      expectSame(decodeAll(byBlocks, document, START, prng.chance(0.7) ? WHOLE : randomFeeding(prng)), expected)
      expectSame(decodeAll(byBlocks, document, START, prng.chance(0.7) ? WHOLE : randomFeeding(prng)), expected)
      tally.add(expected)
    })
    expect(tally.isVaried).toBe(true)
  })

  it("RB1 RB2 reads documents of many blocks and chunks as they are read line by line", () => {
    const tally = new Tally()
    forEachSeed(6, (prng) => {
      const document = randomLines(prng, 3000, prng.pick([0, 0.0003, 0.02]))
      const { byBlocks, oneByOne } = decoders(1024 * 1024)
      const expected = decodeAll(oneByOne, document, START, WHOLE)
      const windows = { ...WHOLE, windowBytes: () => 1 + prng.below(400_000), maxRows: () => 1 + prng.below(5000) }
      expectSame(decodeAll(byBlocks, document, START, windows), expected)
      expectSame(decodeAll(byBlocks, document, START, WHOLE), expected)
      tally.add(expected)
    })
    expect(tally.isVaried).toBe(true)
  })

  it("V1 gives the same for a document cut at each of its bytes", () => {
    const tally = new Tally()
    forEachSeed(15, (prng) => {
      const document = randomLines(prng, 4, 0.02)
      const { byBlocks, oneByOne } = decoders(1024 * 1024)
      const expected = decodeAll(oneByOne, document, START, WHOLE)
      for (let cut = 1; cut <= document.length; cut++) {
        let calls = 0
        const windowBytes = () => (calls++ === 0 ? cut : document.length)
        expectSame(decodeAll(byBlocks, document, START, { ...WHOLE, windowBytes }), expected)
      }
      tally.add(expected)
    })
    expect(tally.isVaried).toBe(true)
  })
})
