import { describe, expect, it } from "vitest"
import { Arena } from "../batch/arena.ts"
import { START } from "../batch/position.ts"
import { schema, type Schema } from "../batch/schema.ts"
import { t } from "../batch/types.ts"
import { decodeAll, WHOLE, type Feeding } from "./decoder.conformance.ts"
import { JsonLinesDecoder } from "./json-lines-decoder.ts"

const encoder = new TextEncoder()
const arena = new Arena({ maxBytes: 64 * 1024 * 1024 })
const Named = schema({ name: t.string })

function decode(of: Schema, text: string | Uint8Array, feeding: Partial<Feeding> = {}, maxRecordBytes?: number) {
  const decoder = new JsonLinesDecoder({
    arena,
    schema: of,
    ...(maxRecordBytes === undefined ? {} : { maxRecordBytes }),
  })
  const document = typeof text === "string" ? encoder.encode(text) : text
  return decodeAll(decoder, document, START, { ...WHOLE, ...feeding })
}

const rowsOf = (of: Schema, text: string | Uint8Array) => decode(of, text).rows.map(({ row }) => row)
const reasonsOf = (of: Schema, text: string | Uint8Array) => decode(of, text).bad.map(({ reason }) => reason)

describe("rows", () => {
  it("JSONL2 JSONL4 FM6 reads every type, with fields in any order and unknown ones skipped", () => {
    const Payment = schema({
      at: t.timestamp({ zone: "Europe/Berlin" }),
      id: t.int64,
      cents: t.int53,
      count: t.int32,
      rate: t.float64,
      note: t.string.nullable(),
      currency: t.enum("EUR", "USD"),
      payer: t.object({ name: t.string.from("n"), big: t.int64 }).nullable(),
      isTest: t.bool.default(false),
    })
    const text = `{"x":[{"y":"}"}],"rate":-1.5e-3,"at":"2024-07-01T12:00:00","count":-7,"payer":{"n":"A","big":9223372036854775807,"z":null},"id":"-9223372036854775808","cents":9007199254740991,"currency":"USD","note":"\\ud83d\\ude00"}
{"at":"2024-07-01 12:00:00Z","id":12345678901234567890123,"cents":1,"count":1,"rate":1,"currency":"EUR"}
{"at":"2024-07-01T12:00Z","id":1,"cents":1.0,"count":1e1,"rate":"NaN","currency":"EUR","note":null,"payer":null,"isTest":true}
`
    const { rows, bad } = decode(Payment, text)
    expect(rows.map(({ row }) => row)).toEqual([
      {
        at: Date.UTC(2024, 6, 1, 10) * 1000,
        id: -(2n ** 63n),
        cents: Number.MAX_SAFE_INTEGER,
        count: -7,
        rate: -0.0015,
        note: "😀",
        currency: "USD",
        payer: { name: "A", big: 2n ** 63n - 1n },
        isTest: false,
      },
      {
        at: Date.UTC(2024, 6, 1, 12) * 1000,
        id: 1n,
        cents: 1,
        count: 10,
        rate: NaN,
        note: null,
        currency: "EUR",
        payer: null,
        isTest: true,
      },
    ])
    expect(bad).toMatchObject([
      {
        field: "id",
        reason:
          'the field "id" is 12345678901234567890123, outside the range of int64 (-9223372036854775808 to 9223372036854775807)',
        position: { ordinal: 1 },
      },
    ])
  })

  it("JSONL2 takes the last of a field that stands twice, also where an earlier one is of another type", () => {
    const text = '{"name":1,"name":"a"}\n{"name":"a","name":"b"}\n{"name":"a","name":1}\n'
    expect(rowsOf(Named, text)).toEqual([{ name: "a" }, { name: "b" }])
    expect(reasonsOf(Named, text)).toEqual(['the field "name" is not a string'])
  })

  it("JSONL2 takes the whole of the last object of two, and nothing of the first", () => {
    const Nested = schema({ o: t.object({ a: t.int32.nullable(), b: t.int32.nullable() }) })
    expect(rowsOf(Nested, '{"o":{"a":1},"o":{"b":2}}')).toEqual([{ o: { a: null, b: 2 } }])
  })

  it("V2 JSONL1 skips lines of white space, and counts them", () => {
    const { rows, bad } = decode(Named, '\n \t\r\n{"name":"a"}\r\n\n  {"name":"b"}  ')
    expect(rows).toEqual([
      { position: { offset: 5, ordinal: 2 }, row: { name: "a" } },
      { position: { offset: 20, ordinal: 4 }, row: { name: "b" } },
    ])
    expect(bad).toEqual([])
  })

  it("FM4 skips a byte order mark at the start of a file, and nowhere else", () => {
    expect(rowsOf(Named, '\ufeff{"name":"a"}\n')).toEqual([{ name: "a" }])
    expect(reasonsOf(Named, '{"name":"a"}\n\ufeff{"name":"b"}\n')).toEqual(["the line is not JSON"])
    expect(decode(Named, '\ufeff{"name":"a"}\n', { windowBytes: () => 1 }).rows[0]!.position.offset).toBe(3)
  })

  it("JSONL5 finds a field by a name that is escaped, whatever is in it", () => {
    const Odd = schema({ 'a"\\\n': t.int32, é: t.int32 })
    expect(rowsOf(Odd, '{"a\\"\\\\\\n":1,"\\u00e9":2}\n{"\\u00e9":4,"\\u0061\\"\\\\\\n":3}\n')).toEqual([
      { 'a"\\\n': 1, é: 2 },
      { 'a"\\\n': 3, é: 4 },
    ])
    expect(reasonsOf(Odd, '{"a\\":1,"é":2}')).toEqual(["the line is not JSON"])
  })

  it("reads a field named __proto__ as a field that it does not know", () => {
    expect(rowsOf(Named, '{"__proto__":{"name":"x"},"name":"a"}')).toEqual([{ name: "a" }])
  })
})

describe("V3 hostile lines", () => {
  it.each([
    [
      "deep nesting",
      '{"name":"a","x":' + "[".repeat(100_000) + "]".repeat(100_000) + "}",
      "the line is nested deeper than 64 levels",
    ],
    ["deep nesting that never ends", '{"x":' + '{"a":'.repeat(100_000), "the line is not JSON"],
    ["a NUL in a string", '{"name":"a\0"}', "the line is not JSON"],
    ["a NUL between values", '{"name":\0"a"}', "the line is not JSON"],
    ["a trailing comma", '{"name":"a",}', "the line is not JSON"],
    ["something behind the object", '{"name":"a"} x', "the line is not JSON"],
    ["two objects on a line", '{"name":"a"}{"name":"b"}', "the line is not JSON"],
    ["a truncated escape", '{"name":"\\u00"}', "the line is not JSON"],
    ["a truncated escape at the end", '{"name":"\\u00', "the line is not JSON"],
    ["a leading zero in a field nobody declared", '{"name":"a","x":01}', "the line is not JSON"],
    ["an array", '[{"name":"a"}]', "the line is not a JSON object"],
    ["null", "null", "the line is not a JSON object"],
    ["a name without quotes", '{name:"a"}', "the line is not JSON"],
  ])("FM2 JSONL1 JSONL3 refuses %s and reads on", (_what, line, reason) => {
    const { rows, bad } = decode(Named, `${line}\n{"name":"b"}\n`)
    expect(bad.map((record) => record.reason)).toEqual([reason])
    expect(bad[0]!.raw).toBe(line.slice(0, 4096))
    expect(rows.map(({ row, position }) => [row, position.ordinal])).toEqual([[{ name: "b" }, 1]])
  })

  it.each([
    ["the value", '{"name":"', '"}'],
    ["the name", '{"name', '":"a"}'],
    ["a field nobody declared", '{"name":"a","x":["', '"]}'],
    ["white space", '{"name":"a"}', ""],
  ])("FM4 refuses invalid UTF-8 in %s", (_where, before, behind) => {
    for (const invalid of [[0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82]]) {
      const line = Uint8Array.from([...encoder.encode(before), ...invalid, ...encoder.encode(`${behind}\n`)])
      expect(reasonsOf(Named, line)).toEqual(["the line is not valid UTF-8"])
    }
  })

  it("JSONL5 reads a lone surrogate as U+FFFD, also next to a whole pair", () => {
    expect(rowsOf(Named, '{"name":"\\ud800x\\ud83d\\ude00\\udc00"}')).toEqual([{ name: "\ufffdx😀\ufffd" }])
  })

  it("V1 FM5 reads a line of exactly maxRecordBytes and refuses one byte more, however they are cut", () => {
    const line = (length: number) => `{"name":"${"a".repeat(length - 11)}"}`
    for (let windowBytes = 1; windowBytes < 70; windowBytes++) {
      for (const skips of [true, false]) {
        const text = `${line(30)}\n${line(31)}\n${line(30)}\n${" ".repeat(31)}\n${line(20)}`
        const feeding = { windowBytes: () => windowBytes, skipsOversized: () => skips }
        const { rows, bad } = decode(Named, text, feeding, 30)
        expect(rows.map(({ position }) => position)).toEqual([
          { offset: 0, ordinal: 0 },
          { offset: 63, ordinal: 2 },
          { offset: 126, ordinal: 4 },
        ])
        const refused = { field: undefined, reason: "the record is longer than 30 bytes" }
        expect(bad).toEqual([
          { position: { offset: 31, ordinal: 1 }, raw: line(31).slice(0, 30), ...refused },
          { position: { offset: 94, ordinal: 3 }, raw: " ".repeat(30), ...refused },
        ])
      }
    }
  })

  it("V3 FM5 skips a line of 10 MB in windows that stay small", () => {
    const document = new Uint8Array(10_000_000).fill(0x61)
    document.set(encoder.encode('\n{"name":"b"}\n'), document.length - 14)
    const decoder = new JsonLinesDecoder({ arena, schema: Named, maxRecordBytes: 100_000 })
    let largest = 0
    let position = START
    let oversized
    const found: unknown[] = []
    while (position.offset < document.length) {
      const from = oversized?.resumeOffset ?? position.offset
      // Until the decoder says that the record is too long, its bytes must be kept.
      const to: number = Math.min(document.length, Math.max(from + 50_000, largest > 0 ? 0 : position.offset + 100_001))
      largest = Math.max(largest, to - from)
      const limits = { atEnd: to === document.length, maxRows: 10, untilOffset: Infinity, partition: 0 }
      const decoded = decoder.decode({ bytes: document, from, to, position, oversized, ...limits })
      found.push(...decoded.bad.map(({ reason }) => reason), ...(decoded.batch?.toRows() ?? []))
      position = decoded.next
      oversized = decoded.oversized
      decoded.release()
    }
    expect(found).toEqual(["the record is longer than 100000 bytes", { name: "b" }])
    expect(largest).toBe(100_001)
  })

  it("V3 reads a million empty objects into a wide schema in batches of bounded size", () => {
    const Wide = schema(
      Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`f${index}`, t.int53.nullable()])),
    )
    const decoder = new JsonLinesDecoder({ arena, schema: Wide })
    const bytes = encoder.encode("{}\n".repeat(20_000))
    const before = arena.usedBytes
    const limits = { atEnd: true, maxRows: 65_536, untilOffset: Infinity, partition: 0 }
    const decoded = decoder.decode({ bytes, from: 0, to: bytes.length, position: START, ...limits })
    expect(decoded.batch!.length).toBeGreaterThan(100)
    expect(arena.usedBytes - before).toBeLessThanOrEqual(arena.maxBytes / 8)
    decoded.release()
    expect(arena.usedBytes).toBe(before)
  })
})

describe("dictionaries", () => {
  it("I1 gives equal texts one code, however they are spelled", () => {
    const bytes = encoder.encode('{"name":"aé"}\n{"name":"\\u0061é"}\n{"name":"aé","name":"aé"}\n{"name":"b"}\n')
    const limits = { atEnd: true, maxRows: 100, untilOffset: Infinity, partition: 0 }
    const decoder = new JsonLinesDecoder({ arena, schema: Named })
    const { batch, release } = decoder.decode({ bytes, from: 0, to: bytes.length, position: START, ...limits })
    const column = batch!.columns[0]!
    expect(column.storage === "dictionary" && [...column.values.subarray(0, 4)]).toEqual([0, 0, 0, 1])
    release()
  })

  /** The sizes of the dictionaries of batches of 20,000 rows. */
  function dictionarySizes(names: readonly number[]): number[] {
    const decoder = new JsonLinesDecoder({ arena, schema: Named })
    const document = encoder.encode(names.map((name) => `{"name":"${name}"}\n`).join(""))
    const sizes: number[] = []
    let position = START
    while (position.offset < document.length) {
      const limits = { atEnd: true, maxRows: 20_000, untilOffset: Infinity, partition: 0 }
      const from = position.offset
      const decoded = decoder.decode({ bytes: document, from, to: document.length, position, ...limits })
      const [column] = decoded.batch!.columns
      sizes.push(column?.storage === "dictionary" ? column.dictionary.size : -1)
      position = decoded.next
      decoded.release()
    }
    return sizes
  }

  it("starts another when one has grown too large, at the next batch", () => {
    const twice = Array.from({ length: 150_000 }, (_, index) => index >> 1)
    expect(dictionarySizes(twice)).toEqual([10_000, 20_000, 30_000, 40_000, 50_000, 60_000, 70_000, 5_000])
  })

  it("starts another where hardly a text comes twice, so that unique texts are not kept", () => {
    const unique = Array.from({ length: 60_000 }, (_, index) => index)
    expect(Math.max(...dictionarySizes(unique))).toBe(20_000)
  })
})
