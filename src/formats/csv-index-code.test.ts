import { expect, it } from "vitest"
import { forEachSeed } from "../../test/seeds.ts"
import { Arena } from "../batch/arena.ts"
import { csvKernels } from "./csv-blocks.ts"
import { REPORT } from "./index-report.ts"
import { CsvRecordScan, ENDED } from "./csv-record.ts"

const arena = new Arena({ maxBytes: 1024 * 1024 })
const { indexRecords } = csvKernels.on(arena.memory)
const block = arena.allocate(256 * 1024)
const [FROM, INDEX, LINE_ENDS, REPORTED] = [64, 16_384, 131_072, 0].map((place) => block.offset + place) as number[]
const bytes = new Uint8Array(arena.buffer)
const view = new DataView(arena.buffer)
const encoder = new TextEncoder()

/** Indexes a text that stands at `FROM`; what is behind it could go on with it. */
function indexOf(text: string, columns: number, recordsMax = 1000, behind = '"\n,é') {
  const encoded = encoder.encode(text)
  bytes.fill(0, FROM!, INDEX)
  bytes.set(encoded, FROM)
  bytes.set(encoder.encode(behind.repeat(40)), FROM! + encoded.length)
  const to = FROM! + encoded.length
  const records = indexRecords(FROM!, to, INDEX!, LINE_ENDS!, columns, recordsMax, 44, 34, REPORTED!)
  const wordsAt = (address: number, count: number) =>
    Array.from({ length: count }, (_, place) => view.getInt32(address + place * 4, true) - FROM!)
  return {
    records,
    marks: wordsAt(INDEX!, 1 + records * columns),
    lineEnds: wordsAt(LINE_ENDS!, records),
    isOut: view.getInt32(REPORTED! + REPORT.isOut, true) === 1,
    isSpecial: view.getInt32(REPORTED! + REPORT.isSpecial, true) === 1,
  }
}

it("indexes delimiters and line ends, and where the last field ends without a carriage return", () => {
  expect(indexOf("a,b\ncc,\r\n,\r\r\nd,", 2, 1000, "x")).toEqual({
    ...{ records: 3, marks: [-1, 1, 3, 6, 8, 9, 12], lineEnds: [3, 7, 11], isOut: true, isSpecial: false },
  })
})

it("leaves out delimiters within quotes, over blocks, too", () => {
  const long = `"${",".repeat(150)}"`
  const text = `"a,b",c\n${long},"d"\n"",""""\ne,"f,"\n`
  expect(indexOf(text, 2)).toMatchObject({ records: 4, isOut: true, isSpecial: true })
  expect(indexOf(text, 2).lineEnds).toEqual([7, 7 + 157, 7 + 157 + 8, 7 + 157 + 8 + 7])
})

it("ends at a line feed within quotes, at a record of other fields, at an empty line, and at the number wanted, and says that it has not used up the bytes", () => {
  for (const text of [
    'a,b\nc,"d\n"\ne,f\n',
    'a,b\n"c\n",d\ne,f\n',
    "a,b\nc,d,e\nf,g\n",
    "a,b\nc\nf,g\n",
    "a,b\n\nc,d\n",
    "a,b\n\r\nc,d\n",
  ]) {
    expect(indexOf(text, 2), text).toMatchObject({ records: 1, isOut: false })
  }
  expect(indexOf("a,b\nc,d\ne,f\n", 2, 2)).toMatchObject({ records: 2, isOut: false })
  expect(indexOf(`a,b\n${",".repeat(2000)}`, 2)).toMatchObject({ records: 1, isOut: false })
})

it("says whether a byte is beyond ASCII, or a quote", () => {
  expect(indexOf("a,é\n", 2, 1000, "x").isSpecial).toBe(true)
  expect(indexOf('a,"b"\n', 2, 1000, "x").isSpecial).toBe(true)
  expect(indexOf("a,b\n", 2, 1000, "x").isSpecial).toBe(false)
})

it("CI1 indexes the records that the grammar's machine finds, of 5,000 random texts", () => {
  let indexed = 0
  forEachSeed(5000, (prng) => {
    const columns = 2 + prng.below(4)
    const text = () => prng.pick(["", "a", "bc", "é", "\r", "x".repeat(prng.below(80))])
    const within = () => prng.pick(["", "a", ",", '""', "x".repeat(prng.below(80)), prng.chance(0.05) ? "\n" : ""])
    const stray = () => prng.pick(['"', 'a"', '"a"b', '"a"b"'])
    const field = () => (prng.chance(0.8) ? text() : prng.chance(0.97) ? `"${within()}"` : stray())
    const record = () => Array.from({ length: columns }, field).join(prng.chance(0.99) ? "," : ",,")
    const records = Array.from({ length: prng.below(30) }, record)
    const document = records.join(prng.pick(["\n", "\r\n"])) + prng.pick(["", "\n"])
    const { records: found, marks, lineEnds } = indexOf(document, columns)
    const encoded = encoder.encode(document)
    const expectedMarks = [-1]
    const expectedEnds: number[] = []
    for (let at = 0, place = 0; place < found; place++) {
      const scan = new CsvRecordScan({ delimiter: 44, quote: 34 })
      const end = scan.run(encoded, at, encoded.length)
      if (scan.isBroken) break
      expect([scan.state, scan.lines, scan.starts.length]).toEqual([ENDED, 0, columns])
      expectedMarks.push(...scan.starts.slice(1).map((start) => start - 1), end)
      expectedEnds.push(encoded[end - 1] === 13 ? end - 1 : end)
      at = end + 1
    }
    expect(marks.slice(0, expectedMarks.length)).toEqual(expectedMarks)
    expect(lineEnds.slice(0, expectedEnds.length)).toEqual(expectedEnds)
    indexed += expectedEnds.length
  })
  expect(indexed).toBeGreaterThan(20_000)
})
