/** Frames of Zstandard (RFC 8878) that are put together by hand, as Node 20 has no compressor. */

const MAGIC = [0x28, 0xb5, 0x2f, 0xfd]
/** A window of 1 MiB, and no more in the header. */
const HEADER = [...MAGIC, 0, 10 << 3]
const BLOCK_BYTES = 100_000
const [RAW, SAME] = [0, 1] as const

function blockHeader(isLast: boolean, type: number, size: number): number[] {
  const word = (isLast ? 1 : 0) | (type << 1) | (size << 3)
  return [word & 255, (word >> 8) & 255, word >> 16]
}

/** Bytes as they are, in blocks; with a window of so many times two, in KiB. */
export function storedFrame(bytes: Uint8Array, windowExponent = 10): Uint8Array {
  const parts: Uint8Array[] = [Uint8Array.from([...MAGIC, 0, windowExponent << 3])]
  for (let at = 0; at === 0 || at < bytes.length; at += BLOCK_BYTES) {
    const some = bytes.subarray(at, at + BLOCK_BYTES)
    parts.push(Uint8Array.from(blockHeader(at + BLOCK_BYTES >= bytes.length, RAW, some.length)), some)
  }
  return Buffer.concat(parts)
}

/** One byte, so many times 100,000: the densest there is. */
export function bombFrame(byte: number, blocks: number): Uint8Array {
  const all = Array.from({ length: blocks }, (_, block) => [
    ...blockHeader(block + 1 === blocks, SAME, BLOCK_BYTES),
    byte,
  ])
  return Uint8Array.from([...HEADER, ...all.flat()])
}

/** A frame that readers skip. */
export function skippedFrame(bytes: number): Uint8Array {
  const frame = new Uint8Array(8 + bytes)
  frame.set([0x50, 0x2a, 0x4d, 0x18])
  new DataView(frame.buffer).setUint32(4, bytes, true)
  return frame
}

/** A thousand lines of { id, text }, as \`zstd -19\` writes them, with a checksum. */
export const REAL_LINES = Array.from({ length: 1000 }, (_, id) => {
  return `{"id":${id},"text":"${["accepted", "cancelled", "under way"][id % 3]!}"}\n`
}).join("")
export const REAL_FRAME = Buffer.from(
  [
    "KLUv/WR0cj0iAApZTAoaoCnLAcXvSauPmW0C/x2SlFJKUkrgYq+4OQK2AJ8AlwBjEYflbrkWTaUSldMlV8ShCCV4d1yNZiKLyV3lqmhKSqLk5JJW",
    "REMiJEF3h6uhGZGJkVvKSdGIiITIw2WsaEJCQn6//F70uTx+u6ZXJo/F4bst1ypNpdHTLDkWcSgMfu641WgzWeyuFldVNCUVdTKVNCqiIaGgjzuc",
    "1dDMyMTcUuGkhEZEQu5yRQsQEgQ4cFAogGAIEDgkFEBIEAANDAqHBQOHhAQEw4FhQcFhwSAgDgwKAwwMArdLU9FYTGF6XXZFnZKUonfJFWlIwiDd",
    "K7eimYxi9HJZK6opkqKou8QV0RAJBdE95aZoRoZi6OJSViQjJEIhd4OroAmSoAi6X+5Fc/nE53bpFXk84gnfLVel6Uijc7Mci4bCCc7ncivabGQT",
    "u7kqmhqpqLmpHBUNCU3QfFzOimZmZCbmrnAlNDIiIXNHuSiaGImJmN/lV/S5yCV+11yZAiRJkiRJkiRJkiRJkiRJkiS3bdu2bdu2bdu2bdu2bdu2",
    "bdu2bdu2bdu2bdu2jWZmMou5K1wJjUwkZHeUi6KJSSxiv8uv6POSV/yuuTKNSxyuu+VaNJVWtE6XXBGHJazg3XE1mpUsVneVq6IpqYqqk0taEQ2V",
    "UAXdHa6GZkompm4pJ0UjIhVSD5exopgoiYqou+fqNCd5nAL/////////////////////////////////////////////////b9u2bdu2bdu2bdu2",
    "bdu2bdu2bdu2bdu2bdu2bdu2bdu2bdu2bdtt27Zt27Zt27Zt27Zt27Zt27Zt27Zt27Zt27Zt27Zt27Zt27ZtS5IkSZIkSZIkSZIkSZIkSZIkSZIk",
    "GYPrqCLAbpyG/QyiV1JQKQwHElAQSBBAEPgEAYLAAar6AdxifHX84evhL3tPfbl5+snv0h9+H/7o+vjGX8ef/B7+YvfUN5+nX/ku/cH34R+vj+/4",
    "dfzC7+Ffdk/98nnak+/SP3wf/vH66I1fxz/8Hv1l96Qvn2c/+W76w/fCH6+uPivwfuaV9RLtHL9Y9bjkGu8l3qw+qW5xTSufR17ZPtHO4otVn0uu",
    "8d3msZBGFIpaWEL3RtaILeb2DCV7MCg+AoDNKJ+T6QiPbNgE2U4GH3zEsjXw/UAm/YGU1ZnXxygj+Thp83pN2N3livDFenHG7mLfBzTRDSVsyXs9",
    "ToqNGUZvDVhx1G3mJIIjlhw6siyxOGlsZhHyAQKaIJuTwYePuGwNZC7BPCBzYvfx3HyGJyYxojEPpMUBLp3sLbbI7RlK7GBQfBQAm1F+TtIRHrGh",
    "CbKdGnz4iGXXwPuBTPQDKatz3qsSLkzC0gTY/lsoiUphFyaAVnwFKBhC3bYpENSVTkI2V4VfAEUFle1bUolKYRdmgFZ8BSgYPbMwYGG9tt9qPqL1",
    "kU/1p6I3XabIHeBoBeJRnjY=",
  ].join(""),
  "base64",
)
