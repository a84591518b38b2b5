import { describe, expect, it } from "vitest"
import { forEachSeed } from "../../../test/seeds.ts"
import { Malformed } from "../parquet/malformed.ts"
import { packLz4 } from "./lz4.fixture.ts"
import { unpackLz4 } from "./lz4.ts"
import { xxHash32 } from "./xx-hash.ts"

const encoder = new TextEncoder()

/** A hundred lines, and what `lz4 -9 --content-size` and `lz4 -1 -BX -BD -B4` make of them. */
const LINES = Array.from({ length: 100 }, (_, id) => {
  return `{"id":${id},"text":"${["accepted", "cancelled", "under way"][id % 3]!}"}\n`
}).join("")
const FRAMES = [
  [
    "BCJNGGxAKAsAAAAAAAB6JwIAAPIMeyJpZCI6MCwidGV4dCI6ImFjY2VwdGVkIn0KGwAVMRsAd2NhbmNlbGwcABUyHACVdW5kZXIgd2F5HAAfM1",
    "MABx80UwAIHzVTAAgfNlMABx83UwAIHzhTAAgfOfkACB8wVAAILzExVQAILzEyVgAIHzNWAAkfNFYACR81VgAIHzZWAAkfN1YACR84VgAIHzn8",
    "AQkfMFYACC8yMVYABy8yMlYACR8zVgAJHzRWAAgfNVYACR82VgAJHzdWAAgfOFYACR85/wIJD1MDCB8zVAMJHzNVAwoPVgMIHzNXAwkfM1gDCR",
    "8zWQMIHzNaAwkfM1sDCR8zXAMIHzRcAwkfNFwDCR80XAMIHzRcAwkfNFwDCR80XAMIHzRcAwkfNFwDCR80XAMIHzRcAwkfNVwDCR81XAMIHzVc",
    "AwkfNVwDCR81XAMIHzVcAwkfNVwDCR81XAMIHzVcAwkfNVwDCR82XAMIHzZcAwkfNlwDCR82XAMIHzZcAwkfNrQGCg9cAwgfNlwDCR82XAMJHz",
    "ZcAwgfN1wDCR83XAMJHzdcAwgfN1wDCR83XAMJHzdcAwgfN1wDCR83XAMJHzdcAwgfN1wDCR84XAMJHzhcAwgfOFwDCR84XAMJHzhcAwgfOFwD",
    "CR84XAMJHzhcAwgfOFwDCR84XAMJHzlcAwgfOVwDCR85XAMJHzlcAwgfOVwDCR85XAMJHzlcAwgfOVwDCR85EwoKDFwDUGVkIn0KAAAAAOZBnR",
    "U=",
  ],
  [
    "BCJNGHRAvdgCAADyDHsiaWQiOjAsInRleHQiOiJhY2NlcHRlZCJ9ChsAFTEbAHdjYW5jZWxsHAAVMhwAlXVuZGVyIHdheTgAFTMcAA1TABU0Gw",
    "AOUwAVNRwADlMAFTYcAA1TABU3GwAOUwAVOBwADlMAFTkcAA1TABYxFQEOVAAWMRcBDlUAFjEYAQ5WAAYYAQ9WAAAGGgEPVgAABhsBDlYABhsB",
    "D1YAAAYdAQ9WAAAGHgEOVgAGHgEOVgAWMh8BDlYAFjIfAQ1WABYyHgEPVgAABh8BD1YAAAYfAQ5WAAYeAQ9WAAAGHwEPVgAABh8BDlYABh4BD1",
    "YAAAYfAQ5WABYzHwENVgAWMx4BDlYAFjMfAQ9WAAAGHwEOVgAGHgEPVgAABh8BD1YAAAYfAQ5WAAYeAQ9WAAAGHwEPVgAABh8BDVYAFjQeAQ5W",
    "ABY0HwEOVgAWNB8BDlYABh4BD1YAAAYfAQ9WAAAGHwEOVgAGHgEPVgAABh8BD1YAAAYfAQ5WAAYeAQ5WABY1HwEOVgAWNR8BDVYAFjUeAQ9WAA",
    "AGHwEPVgAABh8BDlYABh4BD1YAAAYfAQ9WAAAGHwEOVgAGHgEPVgAABh8BDlYAFjYfAQ1WABY2HgEOVgAWNh8BD1YAAAYfAQ5WAAYeAQ9WAAAG",
    "HwEPVgAABh8BDlYABh4BD1YAAAYfAQ9WAAAGHwENVgAWNx4BDlYAFjcfAQ5WABY3HwEOVgAGHgEPVgAABh8BD1YAAAYfAQ5WAAYeAQ9WAAAGHw",
    "EPVgAABh8BDlYABh4BDlYAFjgfAQ5WABY4HwENVgAWOB4BD1YAAAYfAQ9WAAAGHwEOVgAGHgEPVgAABh8BD1YAAAYfAQ5WAAYeAQ9WAAAGHwEO",
    "VgAWOR8BDVYAFjkeAQ5WABY5HwEPVgAABh8BDlYABh4BD1YAAAYfAQ9WAAAGHwEOVgAGHgEPVgAABh8BD1YAAAYfAbBhY2NlcHRlZCJ9Cl6cuS",
    "oAAAAA5kGdFQ==",
  ],
].map((parts) => Uint8Array.from(Buffer.from(parts.join(""), "base64")))

it("XXH32 is what others make of it", () => {
  const hashes = ["", "a", "abc", "Nobody inspects the spammish repetition"].map((text) =>
    xxHash32(encoder.encode(text)),
  )
  expect(hashes).toEqual([0x02cc_5d05, 0x550d_7456, 0x32d1_53ff, 0xe229_3b2f])
})

describe("LZ4 frames", () => {
  it("LZ1 are unpacked as the program lz4 has packed them", () => {
    for (const frame of FRAMES) expect(new TextDecoder().decode(unpackLz4(frame, LINES.length))).toBe(LINES)
  })

  it("LZ1 give back what was packed", () => {
    const wrong: number[] = []
    forEachSeed(60, (prng, seed) => {
      const letters = 1 + prng.below(prng.pick([3, 250]))
      const bytes = Uint8Array.from({ length: prng.below(prng.pick([20, 150_000])) }, () => prng.below(letters))
      for (let copies = prng.below(20); copies > 0 && bytes.length > 100; copies--) {
        const [from, to] = [prng.below(bytes.length - 50), prng.below(bytes.length - 50)]
        bytes.copyWithin(to, from, from + prng.below(bytes.length - Math.max(from, to)))
      }
      if (!Buffer.from(unpackLz4(packLz4(bytes), bytes.length)).equals(bytes)) wrong.push(seed)
    })
    expect(wrong).toEqual([])
  })

  it("LZ1 are refused where they are cut, damaged, or of another length", () => {
    const other: unknown[] = []
    const refused = (frame: Uint8Array, length: number) => {
      try {
        unpackLz4(frame, length)
        return false
      } catch (error) {
        if (!(error instanceof Malformed)) other.push(error)
        return true
      }
    }
    for (const frame of FRAMES) {
      const whole = LINES.length
      expect([refused(frame, whole - 1), refused(frame, whole + 1), refused(frame, 0)]).toEqual([true, true, true])
      for (let length = 0; length < frame.length; length++) expect(refused(frame.subarray(0, length), whole)).toBe(true)
      for (let at = 0; at < frame.length; at++) {
        const damaged = Uint8Array.from(frame)
        damaged[at]! ^= 0x11
        // All but how large a block may be is covered by a checksum, or asked for.
        expect([at, refused(damaged, whole)]).toEqual([at, true])
      }
    }
    expect(other).toEqual([])
  })
})
