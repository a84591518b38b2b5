import { describe, expect, it } from "vitest"
import { Arena } from "../batch/arena.ts"
import { schema } from "../batch/schema.ts"
import { t } from "../batch/types.ts"
import { BatchBuilder } from "./batch-builder.ts"
import { CsvBlocks } from "./csv-blocks.ts"
import { CsvDecoder } from "./csv-decoder.ts"
import { CsvFieldReader } from "./csv-field.ts"
import { csvLayout } from "./csv-layout.ts"
import { DecodeRun } from "./decode-run.ts"
import { RecordBlocks } from "./record-blocks.ts"
import { decodeAll, expectSame, WHOLE } from "./decoder.conformance.ts"

const Row = schema({ id: t.int32, name: t.string.nullable() })
const syntax = { delimiter: 44, quote: 34 }
const encoder = new TextEncoder()
const recordsOf = (count: number) => Array.from({ length: count }, (_, id) => `${id},name ${id % 9}`)

/** One call of a reader of blocks on a text, which must be read from its start. */
function blocksOn(text: string, limits: { maxRows?: number; untilOffset?: number } = {}) {
  const arena = new Arena({ maxBytes: 16 * 1024 * 1024 })
  const builder = new BatchBuilder(arena, Row)
  const fields = new CsvFieldReader(syntax)
  const format = new CsvBlocks(builder.readers, fields, syntax)
  const blocks = new RecordBlocks({ arena, builder, maxRecordBytes: 1000 }, format)
  const bytes = encoder.encode(text)
  const position = { offset: 0, ordinal: 0 }
  const window = { bytes, from: 0, to: bytes.length, position, atEnd: true, partition: 0 }
  const run = new DecodeRun({ ...window, maxRows: 65_536, untilOffset: Infinity, ...limits })
  // Records are short, so that there is room for all.
  builder.observe(1, 2)
  builder.begin(bytes.length, limits.maxRows ?? 65_536)
  const hasBegun = blocks.begin()
  const read = hasBegun ? blocks.read(run) : 0
  return { arena, builder, blocks, run, read }
}

describe("CsvBlocks", () => {
  it("reads all records of plain fields, over many chunks, with their offsets and lines", () => {
    const lines = recordsOf(20_000)
    const { run, read, builder } = blocksOn(`${lines.join("\n")}\n`)
    expect([read, run.rows, run.lines]).toEqual([20_000, 20_000, 20_000])
    expect(run.at).toBe(lines.join("\n").length + 1)
    const before = lines.slice(0, 12_345).join("\n").length + 1
    expect([builder.offsets[12_345], builder.ordinals[12_345]]).toEqual([before, 12_345])
  })

  it("stops before the first record that is not of plain fields, and before one whose field is none of its type", () => {
    for (const odd of [
      '1,"over\ntwo lines"',
      '1,"stray"x',
      '1,stray"',
      "1",
      "1,2,3",
      "x,y",
      "",
      `1,${"long".repeat(300)}`,
    ]) {
      const { read, run } = blocksOn(`${[...recordsOf(700), odd, ...recordsOf(9)].join("\n")}\n`)
      expect([read, run.rows, run.lines], odd).toEqual([700, 700, 700])
    }
  })

  it("reads quoted fields, with delimiters, doubled quotes and nothing in them", () => {
    const lines = recordsOf(40).map((record, id) =>
      record.replace(/name (.)/, ['"name $1"', '"a,b"', '"a""b"', '""'][id % 4]!),
    )
    const { builder, run, read } = blocksOn(`${lines.join("\n").replace("8,", '"8",')}\n`)
    const { batch, release } = run.finish(builder)
    expect(read).toBe(40)
    expect([8, 1, 2, 3, 36].map((row) => batch!.row(row))).toEqual([
      { id: 8, name: "name 8" },
      { id: 1, name: "a,b" },
      { id: 2, name: 'a"b' },
      { id: 3, name: "" },
      { id: 36, name: "name 0" },
    ])
    release()
  })

  it("keeps to the limits of its window", () => {
    const text = `${recordsOf(900).join("\n")}\n`
    expect(blocksOn(text, { maxRows: 300 }).read).toBe(300)
    expect(blocksOn(text, { untilOffset: recordsOf(250).join("\n").length + 1 }).read).toBe(250)
    expect(blocksOn(text, { untilOffset: recordsOf(250).join("\n").length + 2 }).read).toBe(251)
  })

  it("RB2 leaves no null behind the rows that it has read", () => {
    const nulls = Array.from({ length: 100 }, (_, id) => `${id},`)
    const { builder, read } = blocksOn(`${[...nulls.slice(0, 10), "x,y", ...nulls].join("\n")}\n`)
    const { validity } = builder.readers[1]!
    const isNull = (row: number) => ((validity[row >> 3]! >> (row & 7)) & 1) === 0
    expect(read).toBe(10)
    expect(nulls.map((_, row) => isNull(row))).toEqual(nulls.map((_, row) => row < 10))
  })

  it("leaves more and more records to its caller where blocks are short, and begins anew after a long one", () => {
    const lines = recordsOf(300).map((line, id) => (id < 12 && id % 4 === 3 ? "x,y" : line))
    const { blocks, run } = blocksOn(`${lines.join("\n")}\n`)
    const seen = [blocks.patience]
    for (let times = 0; times < 2; times++) {
      // It does not try again before the record was read.
      expect(blocks.read(run)).toBe(0)
      run.goOn(run.at + 3, 1)
      expect(blocks.read(run)).toBe(3)
      seen.push(blocks.patience)
    }
    run.goOn(run.at + 3, 1)
    expect(blocks.read(run)).toBe(288)
    expect([...seen, blocks.patience]).toEqual([2, 4, 8, 1])
  })

  it("takes nothing of the arena past a call", () => {
    const { arena, blocks, builder, run } = blocksOn(`${recordsOf(100).join("\n")}\n`)
    blocks.end()
    run.finish(builder).release()
    expect(arena.usedBytes).toBe(0)
  })

  it("is for files of two columns or more, up to a thousand, and for quotes that do not stand within numbers", () => {
    expect([1, 2, 1024, 1025].map((columns) => CsvBlocks.isFor(columns, syntax))).toEqual([false, true, true, false])
    const quotes = ["'", "1", ".", "e"].map((quote) => ({ delimiter: 44, quote: quote.charCodeAt(0) }))
    expect(quotes.map((each) => CsvBlocks.isFor(2, each))).toEqual([true, false, false, false])
  })
})

describe("CsvDecoder by blocks", () => {
  function recordsOfDocument(document: Uint8Array, arena: Arena, blockWindowBytes: number) {
    const layout = csvLayout(Row, { bytes: document, isWhole: true, label: "a document" })
    const decoder = new CsvDecoder({ arena, schema: Row, layout, blockWindowBytes })
    return decodeAll(decoder, document, layout.start, WHOLE)
  }

  const roomy = () => new Arena({ maxBytes: 16 * 1024 * 1024 })

  it("reads record by record where the arena has no room for blocks", () => {
    const document = encoder.encode(`id,name\n${recordsOf(5000).join("\n")}\n`)
    const expected = recordsOfDocument(document, roomy(), Infinity)
    // Columns find room there. Blocks need more than 128 KiB, and so 256.
    const arena = new Arena({ maxBytes: 255 * 1024 })
    expect(arena.tryAllocate(128 * 1024 + 1)).toBeUndefined()
    expectSame(recordsOfDocument(document, arena, 0), expected)
    expect(expected.rows.length).toBe(5000)
  })

  it("refuses what is not UTF-8 in a column that it skips", () => {
    const document = encoder.encode(`id,other,name\n1,é,a\n2,?,b\n3,é,c\n`)
    document[document.indexOf(63)] = 0xff
    const { rows, bad } = recordsOfDocument(document, roomy(), 0)
    expect(rows.map(({ row }) => row["id"])).toEqual([1, 3])
    expect(bad.map(({ reason }) => reason)).toEqual(["the record is not valid UTF-8"])
  })

  it("reads records that are longer than a chunk among others", () => {
    const records = [...recordsOf(3), `3,${"long".repeat(50_000)}`, ...recordsOf(3)]
    const document = encoder.encode(`id,name\n${records.join("\n")}\n`)
    const { rows, bad } = recordsOfDocument(document, roomy(), 0)
    expect([rows.map(({ row }) => row["id"]), bad]).toEqual([[0, 1, 2, 3, 0, 1, 2], []])
    expect(rows[3]!.row["name"]).toHaveLength(200_000)
  })
})
