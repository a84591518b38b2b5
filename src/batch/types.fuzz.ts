import { describe, expect, it } from "vitest"
import { randomScalarType, randomType, randomValue } from "../../test/random-values.ts"
import { forEachSeed } from "../../test/seeds.ts"
import type { Prng } from "../base/prng.ts"
import { Arena, type Block } from "./arena.ts"
import { allocateColumn, readValue, slotsOf, writeValue } from "./column.ts"
import { Invalid, NUMBER_BYTES_MAX, type ColumnType } from "./type.ts"
import { t } from "./types.ts"
import { fromTree, parseJson } from "./types/json-tree.ts"

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const arena = new Arena({ maxBytes: 1024 * 1024 })

/** A column of three rows, whose middle one tests look at. */
function columnOf(type: ColumnType) {
  const blocks: Block[] = []
  const column = allocateColumn(arena, type, 3, blocks)
  for (const block of blocks) arena.free(block)
  return column
}

/** Text as it stands in the world's files: numbers, times and words, and what is nearly so. */
function randomText(prng: Prng): string {
  const digits = () => String(prng.below(10 ** prng.below(16)))
  const text = prng.pick([
    () =>
      prng.pick([
        "",
        "-",
        "+",
        "0",
        "-0",
        "00",
        "007",
        "1.0",
        "1e3",
        ".5",
        "5.",
        "0x10",
        "NaN",
        "Infinity",
        "-Infinity",
        "inf",
      ]),
    () =>
      prng.pick([
        "true",
        "TRUE",
        "False",
        "yes",
        "a",
        "Zürich",
        "null",
        "{}",
        '{"a":1}',
        "[]",
        '"a"',
        " 1",
        "1 ",
        "1,5",
        "1_0",
        "١",
      ]),
    () => digits(),
    () => `-${digits()}`,
    () => `${digits()}.${digits()}`,
    () => `${digits()}${digits()}.${digits()}`,
    () => `${digits()}${digits()}`,
    () => `${digits()}.${digits()}${prng.pick(["e", "E"])}${prng.pick(["", "+", "-"])}${prng.below(400)}`,
    () => `${prng.pick(["", "-"])}${prng.below(1e10)}${String(prng.below(1e9)).padStart(9, "0")}`,
    () =>
      `20${10 + prng.below(20)}-0${prng.below(10)}-1${prng.below(10)}T0${prng.below(10)}:30:00${prng.pick(["", "Z", "+01:00", ".5Z"])}`,
  ])()
  if (prng.chance(0.9)) return text
  const at = prng.below(text.length + 1)
  return text.slice(0, at) + prng.pick([" ", "-", "e", ".", "0", "é"]) + text.slice(at + prng.below(2))
}

/** What JSON parsers give: values of every kind. */
function randomJson(prng: Prng, depth = 2): unknown {
  return prng.pick<() => unknown>([
    () => randomText(prng),
    () => randomValue(prng, t.float64),
    () => prng.pick([true, false, {}, [], 1e400, -0, 9007199254740992, 1e21]),
    () => randomValue(prng, t.int53),
    () =>
      depth === 0 ? 0 : { a: randomJson(prng, depth - 1), b: prng.chance(0.2) ? null : randomJson(prng, depth - 1) },
  ])()
}

function passes(type: ColumnType, value: unknown): boolean {
  return value instanceof Invalid ? value.reason !== "" : type.check(value) === undefined
}

describe("every type", () => {
  it("Y2 reads back from text and from JSON what it writes", () => {
    forEachSeed(300, (prng) => {
      const type = randomType(prng)
      for (let index = 0; index < 10; index++) {
        const value = randomValue(prng, type)
        expect(type.check(value), type.label).toBeUndefined()
        const [text, json] = [type.toText(value), type.toJson(value)]
        // An empty text is written as a quoted field (TY21).
        expect(type.fromText(text, value !== null), `${type.label} ${text}`).toEqual(value)
        expect(fromTree(type, parseJson(json)), `${type.label} ${json}`).toEqual(value)
      }
    })
  })

  it("Y3 makes of any text and JSON value one of its own or Invalid", () => {
    let valid = 0
    forEachSeed(300, (prng) => {
      const type = randomType(prng)
      for (let index = 0; index < 10; index++) {
        const [text, json] = [randomText(prng), randomJson(prng)]
        const [fromText, fromJson] = [type.fromText(text, prng.chance(0.5)), type.fromJson(json)]
        expect(passes(type, fromText), `${type.label} from text ${text}`).toBe(true)
        expect(passes(type, fromJson), `${type.label} from JSON ${JSON.stringify(json)}`).toBe(true)
        if (!(fromText instanceof Invalid)) valid++
      }
    })
    expect(valid).toBeGreaterThan(100)
  })

  it("Y5 reads from bytes what it reads from text, or leaves it", () => {
    let read = 0
    forEachSeed(300, (prng) => {
      const type = randomScalarType(prng).required()
      const { definition, label } = type
      if (definition.fromBytes === undefined) return
      const column = columnOf(type)
      for (let index = 0; index < 40; index++) {
        const text = randomText(prng)
        const [before, after] = [prng.pick(["", "-", "7", "."]), prng.pick(["", "7", "e1", ".5", "Z"])]
        const bytes = encoder.encode(before + text + after)
        const afterBytes = encoder.encode(after).length
        const end = bytes.length - afterBytes
        if (!definition.fromBytes(bytes, before.length, end, slotsOf(column), 1)) continue
        expect(readValue(column, 1), `${label} ${text}`).toBe(definition.fromText(text))
        read++
      }
    })
    expect(read).toBeGreaterThan(1000)
  })

  it("Y5 reads the usual numbers from bytes: hardly any is left to the slow way", () => {
    const left = { long: 0, short: 0 }
    forEachSeed(500, (prng) => {
      const short = String(prng.below(1e9) / 10 ** prng.below(7))
      const long = String(prng.float() * 10 ** prng.below(6))
      const { fromBytes } = t.float64.definition
      const isRead = (text: string) => fromBytes!(encoder.encode(text), 0, text.length, new Float64Array(1), 0)
      if (!isRead(short)) left.short++
      if (!isRead(long)) left.long++
    })
    expect(left.short).toBe(0)
    expect(left.long).toBeLessThan(25)
  })

  it.each([
    "1",
    "999",
    "1000",
    "-1",
    "-1000",
    "-1001",
    "-999999999",
    "1700000000123456789",
    "5-12",
    "5-00",
    "12.345",
    "-0000",
  ])("Y5 cuts %s nanoseconds towards the past, or leaves them", (text) => {
    const type = t.timestamp({ format: "ns" })
    const column = columnOf(type)
    const isRead = type.definition.fromBytes!(encoder.encode(text), 0, text.length, slotsOf(column), 1)
    const expected = type.fromText(text)
    expect(isRead ? readValue(column, 1) : expected).toEqual(expected)
    expect(isRead).toBe(/^-?[0-9]{4,}$/.test(text))
  })

  it("Y5 writes to bytes what it writes as text, or leaves it", () => {
    let written = 0
    forEachSeed(300, (prng) => {
      const type = randomScalarType(prng).required()
      const { definition, label } = type
      if (definition.toBytes === undefined) return
      const column = columnOf(type)
      const bytes = new Uint8Array(NUMBER_BYTES_MAX + 4).fill(0xaa)
      for (let index = 0; index < 20; index++) {
        const value = randomValue(prng, type)
        writeValue(column, 1, value)
        const end = definition.toBytes(slotsOf(column), 1, bytes, 2)
        if (end === -1) continue
        const text = decoder.decode(bytes.subarray(2, end))
        expect(text, label).toBe(definition.toText(value))
        expect(definition.isQuotedInJson ? `"${text}"` : text).toBe(definition.toJson(value))
        expect([...bytes.subarray(NUMBER_BYTES_MAX + 2)]).toEqual([0xaa, 0xaa])
        written++
      }
    })
    expect(written).toBeGreaterThan(1000)
  })
})
