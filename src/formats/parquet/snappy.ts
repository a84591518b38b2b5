/**
 * Snappy, its raw format (https://github.com/google/snappy/blob/main/format_description.txt).
 *
 *   preamble: the unpacked length, a varint; then elements, each a tag of which the lowest two bits say
 *   0 a literal: length − 1 in the upper six bits, from 60 on in the 1 to 4 bytes that follow; then the bytes
 *   1 a copy: length − 4 in three bits, the offset in three bits and a byte    2, 3 a copy: length − 1 in six bits, the
 *   offset in two or four bytes
 *
 * A copy may overlap what it makes: it then repeats it. `snappy-kernel.ts` does the same faster.
 */
import { CutShort, demand, Malformed } from "./malformed.ts"

/** Longer literals go through `set`, whose call costs more than a few bytes. */
const SHORT_BYTES = 64

/**
 * Where the elements start, behind the preamble.
 *
 * @throws Malformed where it says another length than `length`.
 */
export function snappyStart(source: Uint8Array, at: number, end: number, length: number): number {
  let from = at
  for (let factor = 1, said = 0; ; factor *= 128) {
    if (from >= end) throw new CutShort("a compressed page")
    const byte = source[from++]!
    said += (byte & 0x7f) * factor
    if (byte < 0x80) {
      demand(said === length, "a compressed page has another length than its header says")
      return from
    }
    demand(factor < 2 ** 28, "a compressed page has no length")
  }
}

/**
 * Unpacks `source[at, end)` to `target[0, length)`.
 *
 * @throws Malformed where it is not what Snappy makes, or of another length.
 */
export function unpackSnappy(source: Uint8Array, at: number, end: number, target: Uint8Array, length: number): void {
  let from = snappyStart(source, at, end, length)
  // All numbers are int32: one that is greater comes out negative, and is refused as such.
  let to = 0
  while (from < end) {
    const tag = source[from++]!
    let count = (tag >> 2) + 1
    if ((tag & 3) === 0) {
      if (count > 60) {
        const byteCount = count - 60
        if (from + byteCount > end) throw new CutShort("a compressed page")
        count = wordAt(source, from, byteCount) + 1
        from += byteCount
      }
      if (count <= 0 || count > end - from) throw new CutShort("a compressed page")
      if (count > length - to) throw new Malformed("a compressed page is longer than its header says")
      if (count > SHORT_BYTES) {
        target.set(source.subarray(from, from + count), to)
        to += count
        from += count
      } else for (const last = from + count; from < last;) target[to++] = source[from++]!
      continue
    }
    let offset: number
    if ((tag & 3) === 1) {
      if (from >= end) throw new CutShort("a compressed page")
      count = ((tag >> 2) & 7) + 4
      offset = ((tag >> 5) << 8) | source[from++]!
    } else {
      const byteCount = (tag & 3) === 2 ? 2 : 4
      if (from + byteCount > end) throw new CutShort("a compressed page")
      offset = byteCount === 2 ? source[from]! | (source[from + 1]! << 8) : wordAt(source, from, 4)
      from += byteCount
    }
    if (offset <= 0 || offset > to) throw new Malformed("a compressed page copies from before its start")
    if (count > length - to) throw new Malformed("a compressed page is longer than its header says")
    for (let own = to - offset, last = to + count; to < last;) target[to++] = target[own++]!
  }
  demand(to === length, "a compressed page is shorter than its header says")
}

/** The int32 of up to four bytes, the lowest first. */
function wordAt(source: Uint8Array, at: number, byteCount: number): number {
  let word = 0
  for (let index = 0; index < byteCount; index++) word |= source[at + index]! << (8 * index)
  return word
}
