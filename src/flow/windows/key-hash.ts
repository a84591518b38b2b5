/**
 * The hash of a key: 32 bits of its words.
 *
 * Each word goes through a step that no two values leave alike, and what was mixed so far moves through all bits before
 * the next word comes in: keys that differ only in high bits, or in one word of several, differ in the low bits, which
 * name a bucket. The constants are the finaliser's of MurmurHash3 and the golden ratio's.
 *
 * Invariants:
 * - KH1 Keys of one word have different hashes.
 * - KH2 Of keys of several words no hash is 0, so that a free lane is never taken for a key.
 */

/** The hash of the key with `stride` words from `from` on. */
export function hashOf(words: Int32Array, from: number, stride: number): number {
  let hash = 0
  for (let at = from; at < from + stride; at++) {
    hash = Math.imul(hash ^ words[at]!, 0x9e3779b1)
    hash ^= hash >>> 15
  }
  hash = Math.imul(hash, 0x85ebca6b)
  hash ^= hash >>> 13
  return stride === 1 ? hash : hash | 0x80000000
}
