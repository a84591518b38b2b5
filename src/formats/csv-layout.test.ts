import { describe, expect, it } from "vitest"
import { schema } from "../batch/schema.ts"
import { t } from "../batch/types.ts"
import { csvLayout, csvSyntax, type CsvOptions } from "./csv-layout.ts"

const encoder = new TextEncoder()
const Trip = schema({ fare: t.float64, tip: t.float64.nullable(), zone: t.string.from("PULocationID") })

function layoutOf(text: string, options: CsvOptions = {}, isWhole = true) {
  return csvLayout(
    Trip,
    { bytes: encoder.encode(text), isWhole, label: 'the file "a.csv" of the input trips' },
    options,
  )
}

describe("csvLayout", () => {
  it("finds columns by name, whatever their order, and where records start", () => {
    expect(layoutOf('PULocationID,"x ""y""\nz",fare\n1,2,3\n')).toMatchObject({
      columns: [2, -1, 0],
      names: ["PULocationID", 'x "y"\nz', "fare"],
      start: { offset: 30, ordinal: 2 },
    })
  })

  it("skips a byte order mark and empty lines before the header", () => {
    expect(layoutOf("\ufeff\n\r\nfare,PULocationID").start).toEqual({ offset: 23, ordinal: 3 })
    expect(layoutOf("\ufeff1,2,3", { header: false }).start).toEqual({ offset: 3, ordinal: 0 })
  })

  it("finds nothing lacking in a file without content", () => {
    expect(layoutOf("")).toMatchObject({ names: [], columns: [], start: { offset: 0 } })
    expect(layoutOf("\ufeff\r\n\r")).toMatchObject({ names: [], start: { offset: 6 } })
  })

  it.each([
    ["lacks a column", "fare,tip\n", 'has no column "PULocationID"'],
    ["names a column twice", "fare,PULocationID,fare\n", 'names the column "fare" twice'],
    ["has a stray quote", 'fare,PU"LocationID\n', "is not a line of CSV"],
    ["has a quote that is never closed", 'fare,"PULocationID\n', "is not a line of CSV"],
  ])("says so where the header %s", (_what, text, message) => {
    const problem = expect.objectContaining({
      code: "source-unreadable",
      message: expect.stringContaining(message) as string,
    })
    expect(() => layoutOf(text)).toThrow(problem)
    expect(() => layoutOf(text)).toThrow(/the file "a\.csv" of the input trips/)
  })

  it("names the file's columns where one is lacking", () => {
    const hint = expect.objectContaining({ hint: expect.stringContaining('"fare", "tipp"') as string })
    expect(() => layoutOf("fare,tipp\n")).toThrow(hint)
  })

  it("refuses a header that is not UTF-8, and one that does not end within the head", () => {
    const bytes = Uint8Array.from("fare,\xff\n", (character) => character.charCodeAt(0))
    expect(() => csvLayout(Trip, { bytes, isWhole: true, label: "it" })).toThrow(/is not a line of CSV in UTF-8/)
    expect(() => layoutOf("fare,tip", {}, false)).toThrow(/does not end within 8 bytes/)
  })

  it("hints at the column that was meant, and at another delimiter", () => {
    expect(() => layoutOf("fare,PULocationId\n")).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('Did you mean "PULocationId"?') as string }),
    )
    expect(() => layoutOf("fare;PULocationID\n")).toThrow(
      expect.objectContaining({
        hint: 'Its only column is "fare;PULocationID". Where ";" stands between columns, give the option { delimiter: ";" }.',
      }),
    )
    const many = Array.from({ length: 5000 }, (_, index) => `c${index}`).join(",")
    expect(() => layoutOf(`${many}\n`)).toThrow(
      expect.objectContaining({ hint: expect.stringMatching(/"c19" and 4980 more\. Name the column/) as string }),
    )
  })

  it("takes a header that ends with the file", () => {
    expect(layoutOf("fare,PULocationID").start).toEqual({ offset: 17, ordinal: 1 })
  })
})

describe("csvSyntax", () => {
  it("takes one ASCII character each", () => {
    expect(csvSyntax({ delimiter: "\t", quote: "'" })).toEqual({ delimiter: 9, quote: 39 })
    for (const wrong of ["", ",,", "\n", "\r", "é", "\0"]) {
      const problem = expect.objectContaining({ code: "invalid-options" })
      expect(() => csvSyntax({ delimiter: wrong })).toThrow(problem)
      expect(() => csvSyntax({ quote: wrong })).toThrow(problem)
    }
    expect(() => csvSyntax({ delimiter: ";", quote: ";" })).toThrow(/cannot both be/)
  })
})
