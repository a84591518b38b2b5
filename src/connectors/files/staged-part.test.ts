/** The records of file sinks in the log: there and back, and damaged. */
import { expect, test } from "vitest"
import { TidemarkError } from "../../base/errors.ts"
import {
  decodeCursor,
  decodeStagedPart,
  encodeCursor,
  encodeStagedPart,
  NOTHING_STAGED,
  type StagedPart,
} from "./staged-part.ts"

const staged: StagedPart = {
  token: 0xfedcba98,
  part: 70_000,
  start: 2 ** 40,
  end: 2 ** 40 + 3,
  openedAtMicros: 1_700_000_000_123_456,
  publish: true,
  inline: Uint8Array.of(1, 2, 3),
}

test("what is staged comes back as it was", () => {
  expect(decodeStagedPart(encodeStagedPart(staged))).toEqual(staged)
  const bulk = { ...staged, publish: false, inline: undefined }
  expect(decodeStagedPart(encodeStagedPart(bulk))).toEqual(bulk)
  expect(decodeStagedPart(NOTHING_STAGED)).toBeUndefined()
})

test("a checkpoint comes back as it was", () => {
  const cursor = { token: 5, part: 3, length: 2 ** 45, openedAtMicros: 1_700_000_000_000_000 }
  expect(decodeCursor(encodeCursor(cursor))).toEqual(cursor)
})

test("bytes that were cut off or added are corruption, never something else", () => {
  const bytes = encodeStagedPart(staged)
  for (let length = 1; length < bytes.length; length++) {
    expect(() => decodeStagedPart(bytes.subarray(0, length))).toThrow(
      expect.objectContaining({ code: "state-corrupt" }),
    )
  }
  expect(() => decodeStagedPart(Uint8Array.of(...bytes, 0))).toThrow(TidemarkError)
})

test("a record of a newer format is named so", () => {
  const bytes = encodeStagedPart(staged)
  bytes[0] = 2
  expect(() => decodeStagedPart(bytes)).toThrow(expect.objectContaining({ code: "state-newer-format" }))
})
