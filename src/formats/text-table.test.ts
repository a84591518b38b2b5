import { beforeEach, expect, it } from "vitest"
import { Dictionary } from "../batch/dictionary.ts"
import { kernels, memory, readTexts, values, type Reader } from "./field-kernels.fixture.ts"
import { MASK_BYTES, TABLE_TEXT_BYTES } from "./text-code.ts"
import { TextTable, type AddText } from "./text-table.ts"

const encoder = new TextEncoder()
const { bytes, view } = memory
/** The fixture's memory has room behind its texts. */
const [masks, tableAddress, scratch, staged] = [1_200_000, 1_200_064, 1_400_064, 1_500_032] as const
const staging = new Uint8Array(bytes.buffer, staged, 65_536)
const addText: AddText = (table, entries, start, length, code) =>
  kernels.addText(table, entries, masks, start, length, code)

/** Begins a call of the table. */
function begin(table: TextTable, dictionary: Dictionary): void {
  table.begin(new Uint8Array(bytes.buffer, tableAddress, table.byteLength), dictionary, staging, addText)
}

function begun(): TextTable {
  const table = new TextTable()
  begin(table, new Dictionary())
  return table
}

function add(table: TextTable, text: string, code: number): number {
  const encoded = encoder.encode(text)
  bytes.set(encoded, scratch)
  const added = addText(table.address, table.entries, scratch, encoded.length, code)
  if (added === 1) table.count()
  return added
}

/** Adds as many texts as the table admits, from some number on, and gives where it ends. */
function fill(table: TextTable, from = 0): number {
  let code = from
  for (; table.admits(10); code++) add(table, `text ${code}`, code)
  return code
}

const texts = (count: number) => Array.from({ length: count }, (_, code) => `text ${code}`)

/** The codes of texts, -1 where one is listed. */
function codesOf({ address, entries }: TextTable, of: readonly string[]): number[] {
  const reader = ((...given) => {
    const [starts, step, before, ends, endStep, count, row, into, validity, unread, quote] = given
    const fields = [starts, step, before, ends, endStep, count, row, into, validity, unread, quote] as const
    return kernels.readText(...fields, address, entries, masks)
  }) satisfies Reader
  const { unread } = readTexts(reader, of)
  return of.map((_, row) => (unread.includes(row) ? -1 : view.getInt32(values + row * 4, true)))
}

beforeEach(() => {
  bytes.fill(255, masks, masks + MASK_BYTES)
  bytes.fill(0, masks + MASK_BYTES, masks + 2 * MASK_BYTES)
})

it("finds the codes of texts of all lengths that were added, and no others", () => {
  const table = begun()
  const all = Array.from({ length: TABLE_TEXT_BYTES + 1 }, (_, length) =>
    "abcdefghijklmnopqrstuvwxyz0123456789".slice(0, length),
  )
  all.slice(1).forEach((text, code) => expect(add(table, text, code)).toBe(1))
  expect(codesOf(table, all)).toEqual([-1, ...all.slice(1).map((_, code) => code)])
  const others = all.slice(1).map((text) => `${text.slice(0, -1)}!`)
  expect(codesOf(table, [...others, "abcdefghijklmnopqrstuvwxyz0123456"])).toEqual([...others, ""].map(() => -1))
})

it("tells zeros at a text's end from those behind it", () => {
  const table = begun()
  add(table, "a", 1)
  expect(codesOf(table, ["a", "a\0", "\0"])).toEqual([1, -1, -1])
  add(table, "a\0", 2)
  expect(codesOf(table, ["a", "a\0"])).toEqual([1, 2])
})

it("adds a text once", () => {
  const table = begun()
  expect([add(table, "a", 1), add(table, "a", 1)]).toEqual([1, 0])
})

it("admits short texts while half of its entries are free, and none outside of a call", () => {
  const table = begun()
  expect([table.admits(0), table.admits(32), table.admits(33), table.admits(-1)]).toEqual([true, true, false, false])
  expect(fill(table)).toBe(128)
  expect(codesOf(table, texts(129))).toEqual([...texts(128).map((_, code) => code), -1])
  expect(new TextTable().admits(1)).toBe(false)
})

it("keeps its texts from call to call, and forgets them with their dictionary", () => {
  const table = new TextTable()
  const dictionary = new Dictionary()
  begin(table, dictionary)
  add(table, "a", 1)
  table.end()
  bytes.fill(7, tableAddress, tableAddress + table.byteLength)
  begin(table, dictionary)
  expect(codesOf(table, ["a", "b"])).toEqual([1, -1])
  table.end()
  begin(table, new Dictionary())
  expect(codesOf(table, ["a"])).toEqual([-1])
})

it("is four times as large after it was full, up to 4,096 entries, and keeps its texts", () => {
  const table = new TextTable()
  const dictionary = new Dictionary()
  let count = 0
  for (const most of [128, 512, 2048, 2048]) {
    begin(table, dictionary)
    expect(codesOf(table, texts(count))).toEqual(texts(count).map((_, code) => code))
    count = fill(table, count)
    expect(count).toBe(most)
    table.note(100, 50)
    table.end()
  }
  expect(table.byteLength).toBe(4096 * 48)
})

it("is not used once the largest one finds less than half of the fields, until there is another dictionary", () => {
  const table = new TextTable()
  const dictionary = new Dictionary()
  for (let calls = 0, count = 0; calls < 3; calls++) {
    begin(table, dictionary)
    expect(table.isUsed).toBe(true)
    count = fill(table, count)
    table.note(100, 49)
    table.end()
  }
  expect(table.byteLength).toBe(0)
  begin(table, dictionary)
  expect([table.isUsed, table.admits(1)]).toEqual([false, false])
  table.end()
  begin(table, new Dictionary())
  table.end()
  expect(table.byteLength).toBe(4096 * 48)
})
