/**
 * The hash of a key: 32 bits of its words, in JavaScript and as WebAssembly.
 *
 * Keys of one word go through the finaliser of MurmurHash3, in which no step makes two values alike. Longer keys are taken
 * as limbs of 64 bits, two words each, low word first. The limbs are multiplied by constants of their own, which can go on
 * side by side, and added, the sum being rotated from limb to limb: so limbs that differ only in high bits, as doubles that
 * are whole numbers do, do not meet there. Rotations then bring the high bits of the sum to the low ones (no two sums
 * become alike, as there is an odd number of terms), and one more multiplication brings all of them to its high word.
 *
 * Nothing of this is secret: it is for keys as they come, not for keys that somebody has chosen to be slow.
 *
 * Invariants:
 * - KH1 Keys of one word have different hashes.
 * - KH2 Of longer keys no hash is 0, so that a free lane is never taken for a key.
 */
import { i32, i64, withValue, type Code, type Local } from "../../../base/wasm-code.ts"

/** See KH2. */
const NOT_ZERO = 0x80000000
const [ONE_WORD_FIRST, ONE_WORD_SECOND] = [0x85ebca6b, 0xc2b2ae35]

/** How far a sum is rotated to the left before the next limb is added. */
const STEP = 23
/** Of which rotations of the sum, and of itself, the last product is made. */
const [NEAR, FAR] = [29, 47]

/** Steps of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators), as odd numbers. */
function oddConstant(index: number): bigint {
  const wrap = (value: bigint) => BigInt.asUintN(64, value)
  let mixed = wrap(0x9e3779b97f4a7c15n * BigInt(index + 1))
  mixed = wrap((mixed ^ (mixed >> 30n)) * 0xbf58476d1ce4e5b9n)
  mixed = wrap((mixed ^ (mixed >> 27n)) * 0x94d049bb133111ebn)
  return (mixed ^ (mixed >> 31n)) | 1n
}

/** The multiplier of each limb, behind that of the sum. A key has up to 32 columns of two words, and null bits. */
const MULTIPLIERS = Array.from({ length: 34 }, (_, index) => oddConstant(index))
/** The same as words: low, high. */
const MULTIPLIER_WORDS = Int32Array.from(
  MULTIPLIERS.flatMap((each) => [Number(BigInt.asIntN(32, each)), Number(BigInt.asIntN(32, each >> 32n))]),
)

/** The hash of the key with `stride` words from `from` on: one, or an even number. */
export function hashOf(words: Int32Array, from: number, stride: number): number {
  if (stride === 1) return hashOfWord(words[from]!)
  let low = 0
  let high = 0
  for (let at = 0; at < stride; at += 2) {
    const limbLow = words[from + at]!
    const limbHigh = words[from + at + 1]!
    const sum = (rotatedHigh(high, low, STEP) >>> 0) + (Math.imul(limbLow, MULTIPLIER_WORDS[at + 2]!) >>> 0)
    const carry = sum >= 2 ** 32 ? 1 : 0
    high = (rotatedHigh(low, high, STEP) + highOfProduct(limbLow, limbHigh, at + 2) + carry) | 0
    low = sum | 0
  }
  // To rotate by more than half is to change places and to rotate by the rest.
  const mixedLow = low ^ rotatedHigh(high, low, NEAR) ^ rotatedHigh(low, high, FAR - 32)
  const mixedHigh = high ^ rotatedHigh(low, high, NEAR) ^ rotatedHigh(high, low, FAR - 32)
  return highOfProduct(mixedLow, mixedHigh, 0) | NOT_ZERO
}

/** The high word of a number of 64 bits that is rotated to the left; with its words in the other order, the low one. */
function rotatedHigh(low: number, high: number, by: number): number {
  return (high << by) | (low >>> (32 - by))
}

function hashOfWord(word: number): number {
  let hash = Math.imul(word ^ (word >>> 16), ONE_WORD_FIRST)
  hash = Math.imul(hash ^ (hash >>> 13), ONE_WORD_SECOND)
  return hash ^ (hash >>> 16)
}

/** The high word of the low 64 bits of a number times the multiplier whose words are at `at`. */
function highOfProduct(low: number, high: number, at: number): number {
  const factorLow = MULTIPLIER_WORDS[at]!
  const factorHigh = MULTIPLIER_WORDS[at + 1]!
  const lowest = low & 0xffff
  const lower = low >>> 16
  const first = lower * (factorLow & 0xffff) + ((lowest * (factorLow & 0xffff)) >>> 16)
  const second = lowest * (factorLow >>> 16) + (first & 0xffff)
  const ofLows = lower * (factorLow >>> 16) + (first >>> 16) + (second >>> 16)
  return (ofLows + Math.imul(high, factorLow) + Math.imul(low, factorHigh)) | 0
}

/** Sets `hash` to that of a key of one word. */
export function hashWordCode(hash: Local<"i32">, word: Code<"i32">): Code<"none">[] {
  const fold = (shift: number) => i32.xor(hash.get, i32.shrU(hash.get, i32.const(shift)))
  return [
    hash.set(word),
    hash.set(i32.mul(fold(16), i32.const(ONE_WORD_FIRST))),
    hash.set(i32.mul(fold(13), i32.const(ONE_WORD_SECOND))),
    hash.set(fold(16)),
  ]
}

function rotated(value: Code<"i64">, by: number): Code<"i64"> {
  return i64.rotl(value, i64.const(BigInt(by)))
}

/** Sets `hash` to that of a longer key; `sum` is for use in between. */
export function hashLimbsCode(hash: Local<"i32">, sum: Local<"i64">, limbs: readonly Local<"i64">[]): Code<"none">[] {
  const terms = limbs.map((limb, index) => i64.mul(limb.get, i64.const(MULTIPLIERS[index + 1]!)))
  const product = withValue(
    [sum.set(terms.reduce((one, other) => i64.add(rotated(one, STEP), other)))],
    i64.mul(i64.xor(i64.xor(sum.get, rotated(sum.get, NEAR)), rotated(sum.get, FAR)), i64.const(MULTIPLIERS[0]!)),
  )
  return [hash.set(i32.or(i32.wrap(i64.shrU(product, i64.const(32n))), i32.const(NOT_ZERO)))]
}
