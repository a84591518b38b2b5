/** LZ4 frames for tests: a packer that is slow and plain. */
import { xxHash32 } from "./xx-hash.ts"

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
