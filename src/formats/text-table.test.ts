import { beforeEach, expect, it } from "vitest"
import { Dictionary } from "../batch/dictionary.ts"
import { kernels, memory, readTexts, values, type Reader } from "./field-kernels.fixture.ts"
import { MASK_BYTES, TABLE_BYTES, TABLE_TEXT_BYTES, TABLE_TEXTS_MAX } from "./text-code.ts"
import { TextTable } from "./text-table.ts"

const encoder = new TextEncoder()
const { bytes, view } = memory
/** The fixture's memory has room behind its texts. */
const [masks, tableAddress, scratch] = [1_200_000, 1_200_064, 1_400_000] as const
const tableBytes = new Uint8Array(bytes.buffer, tableAddress, TABLE_BYTES)
const readText = ((...[starts, step, before, ends, endStep, count, row, into, validity, unread, quote]) =>
  kernels.readText(
    ...([starts, step, before, ends, endStep, count, row, into, validity, unread, quote] as const),
    tableAddress,
    masks,
  )) satisfies Reader

function add(table: TextTable, text: string, code: number): number {
  const encoded = encoder.encode(text)
  bytes.set(encoded, scratch)
  const added = kernels.addText(table.address, masks, scratch, encoded.length, code)
  if (added === 1) table.count()
  return added
}

/** The codes of texts, -1 where one is listed. */
function codesOf(texts: readonly string[]): number[] {
  const { unread } = readTexts(readText, texts)
  return texts.map((_, row) => (unread.includes(row) ? -1 : view.getInt32(values + row * 4, true)))
}

beforeEach(() => {
  bytes.fill(255, masks, masks + MASK_BYTES)
  bytes.fill(0, masks + MASK_BYTES, masks + 2 * MASK_BYTES)
})

it("finds the codes of texts of all lengths that were added, and no others", () => {
  const table = new TextTable()
  table.begin(tableBytes, new Dictionary())
  const texts = Array.from({ length: TABLE_TEXT_BYTES + 1 }, (_, length) =>
    "abcdefghijklmnopqrstuvwxyz0123456789".slice(0, length),
  )
  texts.slice(1).forEach((text, code) => expect(add(table, text, code)).toBe(1))
  expect(codesOf(texts)).toEqual([-1, ...texts.slice(1).map((_, code) => code)])
  const others = texts.slice(1).map((text) => `${text.slice(0, -1)}!`)
  expect(codesOf([...others, "abcdefghijklmnopqrstuvwxyz0123456"])).toEqual([...others, ""].map(() => -1))
})

it("tells zeros at a text's end from those behind it", () => {
  const table = new TextTable()
  table.begin(tableBytes, new Dictionary())
  add(table, "a", 1)
  expect(codesOf(["a", "a\0", "\0"])).toEqual([1, -1, -1])
  add(table, "a\0", 2)
  expect(codesOf(["a", "a\0"])).toEqual([1, 2])
})

it("adds a text once", () => {
  const table = new TextTable()
  table.begin(tableBytes, new Dictionary())
  expect([add(table, "a", 1), add(table, "a", 1)]).toEqual([1, 0])
})

it("holds as many texts as it admits", () => {
  const table = new TextTable()
  table.begin(tableBytes, new Dictionary())
  const texts = Array.from({ length: TABLE_TEXTS_MAX }, (_, index) => `text ${index}`)
  texts.forEach((text, code) => {
    expect(table.admits(text.length)).toBe(true)
    add(table, text, code)
  })
  expect([table.admits(1), new TextTable().admits(33)]).toEqual([false, false])
  expect(codesOf(texts)).toEqual(texts.map((_, code) => code))
})

it("keeps its texts from call to call, and forgets them with their dictionary", () => {
  const table = new TextTable()
  const dictionary = new Dictionary()
  table.begin(tableBytes, dictionary)
  add(table, "a", 1)
  table.end()
  tableBytes.fill(7)
  table.begin(tableBytes, dictionary)
  expect(codesOf(["a", "b"])).toEqual([1, -1])
  table.end()
  table.begin(tableBytes, new Dictionary())
  expect(codesOf(["a"])).toEqual([-1])
})
