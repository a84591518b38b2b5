/**
 * LZ4 frames (https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md), unpacked:
 *
 *      frame       0x184D2204, flags, block size, [bytes unpacked (8)], [dictionary (4)], checksum (1), blocks, 0, [checksum (4)]
 *      block       its bytes (uint32; with the highest bit: as they are), them, [checksum (4)]
 *      sequence    lengths (4 bits of literals, 4 of the match), [more literals], literals, offset (uint16), [more match]
 *
 * A length of 15 goes on in bytes, up to the first below 255; a match has four bytes more than its length says.
 *
 * Invariant:
 * - LZ1 What it gives has the length that it was asked for, and the checksums that the frame has; else it is `Malformed`.
 */
import { demand } from "../parquet/malformed.ts"
import { xxHash32 } from "./xx-hash.ts"

const MAGIC = 0x184d_2204
const VERSION = 1
const STORED = 0x8000_0000
const [MATCH_MIN, LENGTH_MORE, BYTE_MORE] = [4, 15, 255] as const

/** Unpacks a frame to exactly `length` bytes. */
export function unpackLz4(source: Uint8Array, length: number): Uint8Array {
  const view = new DataView(source.buffer, source.byteOffset, source.length)
  const word = (at: number): number => {
    demand(at + 4 <= source.length, "an LZ4 frame is cut short")
    return view.getUint32(at, true)
  }
  demand(word(0) === MAGIC && source.length >= 7, "a buffer is no LZ4 frame")
  const flags = source[4]!
  demand(flags >> 6 === VERSION, "an LZ4 frame has another version")
  const [hasBlockChecksums, hasSize, hasChecksum, hasDictionary] = [16, 8, 4, 1].map((bit) => (flags & bit) !== 0)
  demand(!hasDictionary, "an LZ4 frame asks for a dictionary")
  const header = 6 + (hasSize ? 8 : 0)
  demand(header < source.length, "an LZ4 frame is cut short")
  const headerHash = (xxHash32(source.subarray(4, header)) >>> 8) & 255
  demand(headerHash === source[header], "an LZ4 frame's header has another checksum than it says")
  const target = new Uint8Array(length)
  let done = 0
  let at = header + 1
  for (;;) {
    const size = word(at)
    at += 4
    if (size === 0) break
    const end = at + (size % STORED)
    demand(end <= source.length, "an LZ4 frame is cut short")
    if (size >= STORED) {
      demand(done + (end - at) <= length, TOO_LONG)
      target.set(source.subarray(at, end), done)
      done += end - at
    } else done = unpackBlock(source, at, end, target, done)
    if (hasBlockChecksums) {
      demand(word(end) === xxHash32(source.subarray(at, end)), "an LZ4 block has another checksum than it says")
    }
    at = end + (hasBlockChecksums ? 4 : 0)
  }
  demand(done === length, "an LZ4 frame has fewer bytes than its buffer says")
  if (hasChecksum) demand(word(at) === xxHash32(target), "an LZ4 frame has another checksum than it says")
  return target
}

const TOO_LONG = "an LZ4 frame has more bytes than its buffer says"

/** Unpacks a block behind what was unpacked, to which it may refer, and gives where it ends. */
function unpackBlock(source: Uint8Array, start: number, end: number, target: Uint8Array, done: number): number {
  let at = start
  let to = done
  const moreLength = (): number => {
    let length = 0
    for (let byte = BYTE_MORE as number; byte === BYTE_MORE; length += byte) {
      demand(at < end, "an LZ4 block is cut short")
      byte = source[at++]!
    }
    return length
  }
  while (at < end) {
    const token = source[at++]!
    let literals = token >> 4
    if (literals === LENGTH_MORE) literals += moreLength()
    demand(at + literals <= end, "an LZ4 block is cut short")
    demand(to + literals <= target.length, TOO_LONG)
    for (let count = literals; count > 0; count--) target[to++] = source[at++]!
    // The last sequence has literals only.
    if (at === end) return to
    demand(at + 2 <= end, "an LZ4 block is cut short")
    const offset = source[at]! | (source[at + 1]! << 8)
    at += 2
    let match = (token & LENGTH_MORE) + MATCH_MIN
    if (match === LENGTH_MORE + MATCH_MIN) match += moreLength()
    demand(offset > 0 && offset <= to, "an LZ4 block refers to what is before its start")
    demand(to + match <= target.length, TOO_LONG)
    for (let from = to - offset; match > 0; match--) target[to++] = target[from++]!
  }
  return to
}
