/**
 * Snappy, its raw format (https://github.com/google/snappy/blob/main/format_description.txt).
 *
 *   preamble: the unpacked length, a varint; then elements, each a tag of which the lowest two bits say
 *   0 a literal: length − 1 in the upper six bits, from 60 on in the 1 to 4 bytes that follow; then the bytes
 *   1 a copy: length − 4 in three bits, the offset in three bits and a byte    2, 3 a copy: length − 1 in six bits, the
 *   offset in two or four bytes
 *
 * A copy may overlap what it makes: it then repeats it.
 */
import { CutShort, demand } from "./malformed.ts"

/** Longer runs go through `copyWithin` and `set`, whose calls cost more than a few bytes. */
const SHORT_BYTES = 24

/**
 * Unpacks `source[at, end)` to `target[0, length)`.
 *
 * @throws Malformed where it is not what Snappy makes, or of another length.
 */
export function unpackSnappy(source: Uint8Array, at: number, end: number, target: Uint8Array, length: number): void {
  let from = at
  for (let factor = 1, said = 0; ; factor *= 128) {
    if (from >= end) throw new CutShort("a compressed page")
    const byte = source[from++]!
    said += (byte & 0x7f) * factor
    if (byte < 0x80) {
      demand(said === length, "a compressed page has another length than its header says")
      break
    }
    demand(factor < 2 ** 28, "a compressed page has no length")
  }
  let to = 0
  while (from < end) {
    const tag = source[from++]!
    const kind = tag & 3
    if (kind === 0) {
      let count = tag >> 2
      if (count >= 60) {
        const byteCount = count - 59
        if (from + byteCount > end) throw new CutShort("a compressed page")
        count = 0
        for (let index = 0; index < byteCount; index++) count += source[from++]! * 2 ** (8 * index)
      }
      count++
      if (count > end - from) throw new CutShort("a compressed page")
      demand(count <= length - to, "a compressed page is longer than its header says")
      if (count > SHORT_BYTES) target.set(source.subarray(from, from + count), to)
      else for (let index = 0; index < count; index++) target[to + index] = source[from + index]!
      from += count
      to += count
      continue
    }
    let count = (tag >> 2) + 1
    let offset: number
    if (kind === 1) {
      if (from >= end) throw new CutShort("a compressed page")
      count = ((tag >> 2) & 7) + 4
      offset = ((tag >> 5) << 8) | source[from++]!
    } else if (kind === 2) {
      if (from + 2 > end) throw new CutShort("a compressed page")
      offset = source[from]! | (source[from + 1]! << 8)
      from += 2
    } else {
      if (from + 4 > end) throw new CutShort("a compressed page")
      offset = (source[from]! | (source[from + 1]! << 8) | (source[from + 2]! << 16)) + source[from + 3]! * 2 ** 24
      from += 4
    }
    demand(offset > 0 && offset <= to, "a compressed page copies from before its start")
    demand(count <= length - to, "a compressed page is longer than its header says")
    if (count > SHORT_BYTES && offset >= count) target.copyWithin(to, to - offset, to - offset + count)
    else for (let own = to - offset, last = own + count, next = to; own < last;) target[next++] = target[own++]!
    to += count
  }
  demand(to === length, "a compressed page is shorter than its header says")
}
