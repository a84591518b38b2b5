/** LZ4 frames for tests: some that the program lz4 has made, and a packer that is slow and plain. */
import { xxHash32 } from "./xx-hash.ts"

/** A hundred lines, and what `lz4 -9 --content-size` and `lz4 -1 -BX -BD -B4` make of them. */
export const LINES = Array.from({ length: 100 }, (_, id) => {
  return `{"id":${id},"text":"${["accepted", "cancelled", "under way"][id % 3]!}"}\n`
}).join("")
export const FRAMES = [
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

const [BLOCK_BYTES, MATCH_MIN, LAST_LITERALS] = [65_536, 4, 12] as const

/** Packs bytes in blocks that refer to those before, with the frame's checksum. */
export function packLz4(bytes: Uint8Array): Uint8Array {
  const header = Uint8Array.of(0x44, 0x40)
  const out: number[] = [4, 0x22, 0x4d, 0x18, ...header, (xxHash32(header) >>> 8) & 255]
  const known = new Map<number, number>()
  for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
    const block = packBlock(bytes, at, Math.min(bytes.length, at + BLOCK_BYTES), known)
    out.push(...wordOf(block.length), ...block)
  }
  out.push(...wordOf(0), ...wordOf(xxHash32(bytes)))
  return Uint8Array.from(out)
}

function packBlock(bytes: Uint8Array, start: number, end: number, known: Map<number, number>): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const out: number[] = []
  let literals = start
  for (let at = start; at + LAST_LITERALS < end;) {
    const word = view.getUint32(at, true)
    const before = known.get(word)
    known.set(word, at)
    if (before === undefined || at - before > 65_535) {
      at++
      continue
    }
    let length = MATCH_MIN
    while (at + length < end - LAST_LITERALS && bytes[before + length] === bytes[at + length]) length++
    putSequence(out, bytes.subarray(literals, at), length - MATCH_MIN)
    const offset = at - before
    out.push(offset & 255, offset >> 8)
    putMore(out, length - MATCH_MIN)
    at += length
    literals = at
  }
  putSequence(out, bytes.subarray(literals, end), 0)
  return out
}

function putSequence(out: number[], literals: Uint8Array, match: number): void {
  out.push((Math.min(15, literals.length) << 4) | Math.min(15, match))
  putMore(out, literals.length)
  out.push(...literals)
}

function putMore(out: number[], length: number): void {
  if (length < 15) return
  for (let rest = length - 15; ; rest -= 255) {
    out.push(Math.min(255, rest))
    if (rest < 255) return
  }
}

function wordOf(word: number): number[] {
  return [word & 255, (word >>> 8) & 255, (word >>> 16) & 255, word >>> 24]
}
