/**
 * Packs bytes by Snappy (`snappy.ts` has its format): of each four bytes the last place is remembered where they stood before,
 * and what is the same there is copied. What does not get smaller is left to the caller.
 */

const TABLE_BITS = 14
/** Copies reach back so far: an offset of two bytes. */
const WINDOW = 65_535
const [COPY_MIN, COPY_MAX] = [4, 64] as const

/** The packed bytes, which may be more than there were. */
export function packSnappy(source: Uint8Array): Uint8Array {
  const { length } = source
  const out = new Uint8Array(32 + length + Math.ceil(length / 6))
  let to = writeVarint(length, out)
  const table = new Int32Array(1 << TABLE_BITS).fill(-1)
  let from = 0
  let at = 0
  let misses = 0
  while (at + COPY_MIN <= length) {
    const word = wordAt(source, at)
    const slot = Math.imul(word, 0x1e35a7bd) >>> (32 - TABLE_BITS)
    const before = table[slot]!
    table[slot] = at
    if (before < 0 || at - before > WINDOW || wordAt(source, before) !== word) {
      // Where little repeats, fewer places are looked at.
      at += 1 + (misses++ >> 5)
      continue
    }
    misses = 0
    let end = at + COPY_MIN
    while (end < length && source[end] === source[before + end - at]) end++
    to = writeLiteral(source, from, at, out, to)
    to = writeCopies(at - before, end - at, out, to)
    from = at = end
  }
  return out.subarray(0, writeLiteral(source, from, length, out, to))
}

function wordAt(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
}

function writeVarint(value: number, out: Uint8Array): number {
  let [left, to] = [value, 0]
  for (; left >= 0x80; left = Math.floor(left / 128)) out[to++] = (left & 0x7f) | 0x80
  out[to++] = left
  return to
}

function writeLiteral(source: Uint8Array, from: number, end: number, out: Uint8Array, start: number): number {
  if (from === end) return start
  let to = start
  const length = end - from - 1
  if (length < 60) out[to++] = length << 2
  else {
    const bytes = length < 0x100 ? 1 : length < 0x10000 ? 2 : length < 0x1000000 ? 3 : 4
    out[to++] = (59 + bytes) << 2
    for (let shift = 0; shift < bytes * 8; shift += 8) out[to++] = (length >>> shift) & 0xff
  }
  out.set(source.subarray(from, end), to)
  return to + end - from
}

function writeCopies(offset: number, length: number, out: Uint8Array, start: number): number {
  let [left, to] = [length, start]
  while (left > 0) {
    const count = Math.min(left, COPY_MAX)
    out[to++] = ((count - 1) << 2) | 2
    out[to++] = offset & 0xff
    out[to++] = offset >> 8
    left -= count
  }
  return to
}
