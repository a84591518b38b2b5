import { describe, expect, it } from "vitest"
import { Arena } from "../batch/arena.ts"
import { schema, type Schema } from "../batch/schema.ts"
import { t } from "../batch/types.ts"
import { CsvDecoder } from "./csv-decoder.ts"
import { csvLayout, type CsvOptions } from "./csv-layout.ts"
import { decodeAll, WHOLE, type Feeding } from "./decoder.conformance.ts"

const encoder = new TextEncoder()
const arena = new Arena({ maxBytes: 64 * 1024 * 1024 })
const Pair = schema({ a: t.string.nullable(), b: t.int32.nullable() })

function decode(
  of: Schema,
  text: string | Uint8Array,
  options: CsvOptions & Partial<Feeding> & { maxRecordBytes?: number } = {},
) {
  const document = typeof text === "string" ? encoder.encode(text) : text
  const layout = csvLayout(of, { bytes: document, isWhole: true, label: "the file" }, options)
  const decoder = new CsvDecoder({ arena, schema: of, layout, maxRecordBytes: options.maxRecordBytes ?? 1024 * 1024 })
  return decodeAll(decoder, document, layout.start, { ...WHOLE, ...options })
}

const rowsOf = (of: Schema, text: string, options?: CsvOptions) => decode(of, text, options).rows.map(({ row }) => row)

describe("rows", () => {
  it("CSV1 CSV3 FM6 reads every type, by the names in the header, and skips other columns", () => {
    const Trip = schema({
      at: t.timestamp({ format: "ms" }),
      zone: t.string.from("PULocationID"),
      id: t.int64,
      fare: t.float64,
      kind: t.enum("cash", "card"),
      isTest: t.bool,
      payer: t.object({ id: t.int64, name: t.string.nullable() }),
      tip: t.float64.nullable(),
    })
    const text = `fare,PULocationID,extra,at,id,kind,isTest,payer,tip
12.5,"a,b",x,1700000000000,9223372036854775807,cash,TRUE,"{""id"":""7"",""name"":null}",
-0,"say ""hi""
there","""",-1,-1,"card",0,"{""id"":1,""name"":""N""}",1e3
`
    expect(rowsOf(Trip, text)).toEqual([
      {
        at: 1_700_000_000_000_000,
        zone: "a,b",
        id: 2n ** 63n - 1n,
        fare: 12.5,
        kind: "cash",
        isTest: true,
        payer: { id: 7n, name: null },
        tip: null,
      },
      {
        at: -1000,
        zone: 'say "hi"\nthere',
        id: -1n,
        fare: -0,
        kind: "card",
        isTest: false,
        payer: { id: 1n, name: "N" },
        tip: 1000,
      },
    ])
  })

  it("TY21 tells an empty field from a quoted empty one", () => {
    const Texts = schema({
      plain: t.string,
      nullable: t.string.nullable(),
      filled: t.string.default("d"),
      count: t.int32.nullable(),
    })
    expect(rowsOf(Texts, 'plain,nullable,filled,count\n,,,\n"","","",""\n')).toEqual([
      { plain: "", nullable: null, filled: "d", count: null },
      { plain: "", nullable: "", filled: "", count: null },
    ])
  })

  it("CSV3 fills columns that the file does not have", () => {
    const More = schema({
      a: t.string,
      b: t.int32.nullable(),
      c: t.string.default("x"),
      d: t.object({ e: t.bool }).nullable(),
    })
    expect(rowsOf(More, "a\n1\n2\n")).toEqual([
      { a: "1", b: null, c: "x", d: null },
      { a: "2", b: null, c: "x", d: null },
    ])
  })

  it.each([
    ["LF", "a,b\nx,1\ny,2\n"],
    ["CRLF", "a,b\r\nx,1\r\ny,2\r\n"],
    ["both, and none at the end", "a,b\r\nx,1\ny,2"],
    ["a CR at the end", "a,b\nx,1\ny,2\r"],
    ["quotes around everything", '"a","b"\r\n"x","1"\r\n"y","2"'],
    ["a byte order mark", "\ufeffa,b\nx,1\ny,2"],
    ["a byte order mark and quotes", '\ufeff"a",b\nx,1\ny,2'],
    ["empty lines", "\n\r\na,b\n\nx,1\r\n\r\n\ny,2\n\r"],
  ])("FM3 FM4 reads a file with %s", (_what, text) => {
    expect(rowsOf(Pair, text)).toEqual([
      { a: "x", b: 1 },
      { a: "y", b: 2 },
    ])
  })

  it("CSV1 reads other delimiters and quotes, also such as stand within numbers", () => {
    expect(rowsOf(Pair, "b;a\n1;'x;''y'\n", { delimiter: ";", quote: "'" })).toEqual([{ a: "x;'y", b: 1 }])
    expect(rowsOf(Pair, "a-b\nx-'-1'\nx-1\n", { delimiter: "-", quote: "'" })).toEqual([
      { a: "x", b: -1 },
      { a: "x", b: 1 },
    ])
    const Times = schema({ a: t.timestamp(), b: t.float64 })
    const hour = 3_600_000_000
    expect(rowsOf(Times, 'a b\n1970-01-01T01:00:00Z 1\n"1970-01-01 02:00:00Z" 2\n', { delimiter: " " })).toEqual([
      { a: hour, b: 1 },
      { a: 2 * hour, b: 2 },
    ])
  })

  it("CSV3 reads a file without a header by position", () => {
    expect(rowsOf(Pair, "x,1\ny,\n", { header: false })).toEqual([
      { a: "x", b: 1 },
      { a: "y", b: null },
    ])
  })

  it("CC1 reads files of many columns, of each of which some are skipped", () => {
    const names = Array.from({ length: 40 }, (_, index) => `c${index}`)
    const Wide = schema(Object.fromEntries(names.filter((_, index) => index % 3 > 0).map((name) => [name, t.int32])))
    const text = [names, names.map((_, index) => index), names.map((_, index) => `"${-index}"`)].map(String).join("\n")
    const expected = (sign: number) =>
      Object.fromEntries(Wide.fields.map(({ name }) => [name, sign * Number(name.slice(1))]))
    expect(rowsOf(Wide, `${text}\n`)).toEqual([expected(1), expected(-1)])
  })

  it("I1 gives equal texts one code, however they are spelled", () => {
    const document = encoder.encode('a,b\nabc,1\n"abc",2\nabc,3\n"a""b",4\n"a""b",5')
    const layout = csvLayout(Pair, { bytes: document, isWhole: true, label: "the file" })
    const decoder = new CsvDecoder({ arena, schema: Pair, layout })
    const limits = { atEnd: true, maxRows: 100, untilOffset: Infinity, partition: 0 }
    const window = { bytes: document, from: layout.start.offset, to: document.length, position: layout.start }
    const { batch, release } = decoder.decode({ ...window, ...limits })
    const column = batch!.columns[0]!
    expect(column.storage === "dictionary" && [...column.values.subarray(0, 5)]).toEqual([0, 0, 0, 1, 1])
    release()
  })

  it("CSV6 counts lines, those within quotes and in the header too", () => {
    const { rows, bad } = decode(Pair, '"a","b"\n"1\n2\r\n3",1\n\nx,y\n"4\n",z\nlast,9')
    expect(rows.map(({ position }) => position.ordinal)).toEqual([1, 8])
    expect(bad.map(({ position }) => position.ordinal)).toEqual([5, 6])
    expect(bad.map(({ position }) => position.offset)).toEqual([20, 24])
  })
})

const OUTSIDE_INT32 = 'the field "b" is 2147483648, outside the range of int32 (-2147483648 to 2147483647)'

describe("bad records", () => {
  it.each([
    ["a stray quote", 'x"y,1', "a quote stands where none can, or something behind a quoted field"],
    ["text behind a quoted field", '"x"y,1', "a quote stands where none can, or something behind a quoted field"],
    ["too few fields", "x", "the record has 1 field, and the header has 2"],
    ["too many fields", "x,1,2", "the record has 3 fields, and the header has 2"],
    ["a delimiter too many at the end", "x,1,", "the record has 3 fields, and the header has 2"],
    ["a wrong type", "x,1.5", 'the field "b" is not a whole number'],
    ["a quoted wrong type", 'x,"1""2"', 'the field "b" is not a whole number'],
    ["white space", "x, 1", 'the field "b" is not a whole number'],
    ["a number out of range", "x,2147483648", OUTSIDE_INT32],
  ])("FM2 CSV2 CSV4 refuses %s and reads on", (_what, line, reason) => {
    const { rows, bad } = decode(Pair, `a,b\n${line}\nz,3\n`)
    expect(bad).toMatchObject([{ reason, raw: line, position: { offset: 4, ordinal: 1 } }])
    expect(rows.map(({ row }) => row)).toEqual([{ a: "z", b: 3 }])
  })

  it("names the field at fault by its name in the file, and its column", () => {
    const Renamed = schema({ count: t.int32.from("n") })
    expect(decode(Renamed, "n\nx\n").bad).toMatchObject([
      { field: "count", reason: 'the field "n" is not a whole number' },
    ])
  })

  it("CV1 CSV5 tells the worst fault of a record that has several", () => {
    const reasons = (line: number[]) =>
      decode(Pair, Uint8Array.from([...encoder.encode("a,b\n"), ...line])).bad.map(({ reason }) => reason)
    const bytes = (text: string) => [...encoder.encode(text)]
    expect(reasons([...bytes('x"'), 0xff, ...bytes(",y,z")])).toEqual(["the record is not valid UTF-8"])
    expect(reasons(bytes('x"y,y,z'))).toEqual(["a quote stands where none can, or something behind a quoted field"])
    expect(reasons(bytes("x,y,z"))).toEqual(["the record has 3 fields, and the header has 2"])
  })

  it("FM4 FM6 refuses invalid UTF-8 in any field, declared or not", () => {
    for (const line of ["\xff,1,2", "x,1,\xff", '"\xff",1,2', 'x,1,"\xff"']) {
      const bytes = Uint8Array.from(`a,b,c\n${line}\n`, (character) => character.charCodeAt(0))
      expect(decode(Pair, bytes).bad.map(({ reason }) => reason)).toEqual(["the record is not valid UTF-8"])
    }
  })

  it("CSV2 reads to the end of the file where a quote is never closed", () => {
    const { rows, bad } = decode(Pair, 'a,b\nx,1\n"y,2\nz,3\n')
    expect(rows).toHaveLength(1)
    expect(bad).toMatchObject([
      { reason: "the last field is quoted and the quote is never closed", raw: '"y,2\nz,3\n' },
    ])
  })

  it("CSV2 loses one line to a stray quote, and not the rest of the file", () => {
    const { rows, bad } = decode(Pair, 'a,b\n5" pipe,1\n"y",2\n')
    expect(rows.map(({ row }) => row)).toEqual([{ a: "y", b: 2 }])
    expect(bad).toHaveLength(1)
  })
})

describe("V3 hostile records", () => {
  it("reads NULs, control characters and lone carriage returns as text", () => {
    expect(rowsOf(Pair, "a,b\n\0\x01\x7f,1\nx\ry,2\n\rx,3\n")).toEqual([
      { a: "\0\x01\x7f", b: 1 },
      { a: "x\ry", b: 2 },
      { a: "\rx", b: 3 },
    ])
  })

  it("V1 FM5 reads a record of exactly maxRecordBytes and refuses one byte more, however they are cut", () => {
    for (let windowBytes = 1; windowBytes < 60; windowBytes++) {
      for (const skips of [true, false]) {
        const long = `"${"x\n".repeat(8)}",123`
        const text = `a,b\n${"x".repeat(18)},1\n${"x".repeat(18)},12\n${long}\n"${'y""'.repeat(9)}",1\nz,4`
        const options = { windowBytes: () => windowBytes, skipsOversized: () => skips, maxRecordBytes: 20 }
        const { rows, bad } = decode(Pair, text, options)
        expect(rows.map(({ position, row }) => [position.ordinal, row["b"]])).toEqual([
          [1, 1],
          [13, 4],
        ])
        expect(bad.map(({ position, raw }) => [position.ordinal, raw])).toEqual([
          [2, `${"x".repeat(18)},1`],
          [3, long.slice(0, 20)],
          [12, `"${'y""'.repeat(9)}`.slice(0, 20)],
        ])
      }
    }
  })

  it("V3 FM5 skips a record of 10 MB, line ends and quotes in it, in windows that stay small", () => {
    const document = encoder.encode(`a,b\n"${'line ""\n'.repeat(1_250_000)}",1\nz,4\n`)
    const options = { windowBytes: () => 50_000, maxRecordBytes: 100_000 }
    const { rows, bad } = decode(Pair, document, options)
    expect(bad).toMatchObject([
      { reason: "the record is longer than 100000 bytes", position: { offset: 4, ordinal: 1 } },
    ])
    expect(rows).toEqual([{ position: { offset: document.length - 4, ordinal: 1_250_002 }, row: { a: "z", b: 4 } }])
  })

  it("V3 CSV2 makes one bad record of 10 MB behind a quote that is never closed, in windows that stay small", () => {
    const document = encoder.encode(`a,b\n"${"x,1\n".repeat(2_500_000)}`)
    const options = { windowBytes: () => 50_000, maxRecordBytes: 100_000 }
    const { rows, bad } = decode(Pair, document, options)
    expect(rows).toEqual([])
    expect(bad).toMatchObject([{ position: { offset: 4, ordinal: 1 } }])
  })
})
