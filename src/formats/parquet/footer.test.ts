import { expect, it } from "vitest"
import { readFooter } from "./footer.ts"

const MARK = [0x50, 0x41, 0x52, 0x31]

/** A file that is nothing but a footer. */
function fileOf(metadata: readonly number[]): { bytes: Uint8Array; fileBytes: number; label: string } {
  const length = [metadata.length & 255, (metadata.length >> 8) & 255, 0, 0]
  const bytes = Uint8Array.from([...metadata, ...length, ...MARK])
  return { bytes, fileBytes: bytes.length + MARK.length, label: "the file f.parquet" }
}

const HOSTILE = [
  {
    name: "a list of billions",
    metadata: [0x29, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x0f, 0],
    reason: "a list is longer than",
  },
  { name: "lists within lists", metadata: [0x29, ...Array<number>(40).fill(0x19), 0, 0], reason: "nested too deep" },
  { name: "a number without end", metadata: [0x16, ...Array<number>(40).fill(0x80), 0], reason: "too many bytes" },
  { name: "no schema", metadata: [0], reason: "it does not say what a footer must say" },
  { name: "a field of an unknown type", metadata: [0x1d, 0], reason: "unknown type 13" },
  { name: "no end", metadata: [0x15, 0x02], reason: "a struct is cut short" },
]
for (const { name, metadata, reason } of HOSTILE) {
  it(`TH1 PQ5 refuses a footer with ${name}`, () => {
    expect(() => readFooter(fileOf(metadata))).toThrow(
      expect.objectContaining({
        code: "source-unreadable",
        message: expect.stringMatching(new RegExp(`^The footer of the file f\\.parquet is damaged: .*${reason}`)),
      }),
    )
  })
}

it("PQ5 refuses a footer that is longer than the file", () => {
  const { bytes, ...file } = fileOf([0])
  bytes[1] = 200
  expect(() => readFooter({ bytes, ...file })).toThrow("it would begin before the file does")
})
