/**
 * A 64-bit fingerprint of text (two rounds of MurmurHash3's 32-bit finaliser over differently seeded FNV-1a streams),
 * for telling plans and file heads apart. It is no protection against an adversary.
 */

function mix(hash: number): number {
  let h = hash
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/** Sixteen hexadecimal digits that depend on every UTF-16 unit of the text and on their order. */
export function fingerprint(text: string): string {
  let first = 0x811c9dc5
  let second = 0x01000193
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    first = Math.imul(first ^ unit, 0x01000193)
    second = Math.imul(mix(second ^ unit) + at, 0x85ebca6b)
  }
  return mix(first).toString(16).padStart(8, "0") + mix(second).toString(16).padStart(8, "0")
}
