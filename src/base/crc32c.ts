/**
 * CRC-32C (Castagnoli, reflected polynomial 0x82F63B78; RFC 3720 appendix B.4): of short inputs here, eight bytes a step ("slicing-by-8",
 * Kounavis and Berry, 2005), of long ones in WebAssembly (`crc32c-kernel.ts`).
 *
 * Invariants:
 * - C1 `crc32c(bytes)` of the ASCII text "123456789" is 0xE3069283.
 * - C2 A checksum goes on over several pieces: it is that of all of them in one.
 * - C3 `crc32cBehind(one, crc32c(bytes), bytes.length)` is `crc32c(bytes, one)`.
 */
import { Crc32cKernel } from "./crc32c-kernel.ts"
import { POLYNOMIAL, slicingTables } from "./crc32c-tables.ts"

/** Inputs of so many bytes or more are long: to copy one and call the kernel takes 0.1 µs. */
const LONG_BYTES = 256
/** When so many bytes of long inputs have come, they have taken as long as it takes to make a kernel, in a process that has just begun. */
const WORTH_A_KERNEL_BYTES = 2 << 20

const TABLES = slicingTables(8)

let longBytes = 0
let kernel: Crc32cKernel | undefined

/**
 * The checksum of `bytes[start, end)` as an unsigned 32-bit number.
 *
 * @param seed the checksum of what came before, so that a checksum can go on over several pieces; 0 at the start.
 */
export function crc32c(bytes: Uint8Array, seed = 0, start = 0, end = bytes.length): number {
  if (end - start < LONG_BYTES) return crc32cByTables(bytes, seed, start, end)
  if (kernel === undefined) {
    longBytes += end - start
    if (longBytes < WORTH_A_KERNEL_BYTES) return crc32cByTables(bytes, seed, start, end)
    kernel = new Crc32cKernel()
  }
  return kernel.checksum(bytes, seed, start, end)
}

/** As `crc32c`, for short inputs; and the slow twin for long ones. */
export function crc32cByTables(bytes: Uint8Array, seed: number, start: number, end: number): number {
  const t = TABLES
  let crc = ~seed
  let at = start
  for (; at + 8 <= end; at += 8) {
    const low = crc ^ (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24))
    crc =
      t[1792 + (low & 0xff)]! ^
      t[1536 + ((low >>> 8) & 0xff)]! ^
      t[1280 + ((low >>> 16) & 0xff)]! ^
      t[1024 + (low >>> 24)]! ^
      t[768 + bytes[at + 4]!]! ^
      t[512 + bytes[at + 5]!]! ^
      t[256 + bytes[at + 6]!]! ^
      t[bytes[at + 7]!]!
  }
  for (; at < end; at++) crc = (crc >>> 8) ^ t[(crc ^ bytes[at]!) & 0xff]!
  return ~crc >>> 0
}

/** The checksum of four numbers of 32 bits, as they lie in memory with the lowest byte first. */
export function crc32cOfWords(one: number, two: number, three: number, four: number): number {
  return ~behindWords(behindWords(-1, one, two), three, four) >>> 0
}

/** The state behind two more numbers. */
function behindWords(crc: number, one: number, two: number): number {
  const t = TABLES
  const low = crc ^ one
  return (
    t[1792 + (low & 0xff)]! ^
    t[1536 + ((low >>> 8) & 0xff)]! ^
    t[1280 + ((low >>> 16) & 0xff)]! ^
    t[1024 + (low >>> 24)]! ^
    t[768 + (two & 0xff)]! ^
    t[512 + ((two >>> 8) & 0xff)]! ^
    t[256 + ((two >>> 16) & 0xff)]! ^
    t[two >>> 24]!
  )
}

/**
 * The checksum of two pieces, of which only their checksums and the length of the second are known; in a time that hardly
 * depends on that length.
 *
 * A checksum is a polynomial over GF(2), and to put a piece behind another multiplies that one's by a power of x.
 */
export function crc32cBehind(first: number, second: number, secondLength: number): number {
  let power = ONE
  let rest = secondLength
  for (let exponent = BYTE_EXPONENT; rest > 0; exponent++) {
    if (rest % 2 === 1) power = multiply(POWERS[exponent]!, power)
    rest = Math.floor(rest / 2)
  }
  return (multiply(power, first) ^ second) >>> 0
}

/** The polynomial 1: the highest bit is the lowest power. */
const ONE = 1 << 31

/** x^(2^exponent) shifts by a byte. */
const BYTE_EXPONENT = 3

/** x^(2^n) at n, enough for any length that is a safe integer. */
const POWERS = makePowers()

function makePowers(): Int32Array {
  const powers = new Int32Array(BYTE_EXPONENT + 54)
  powers[0] = 1 << 30
  for (let index = 1; index < powers.length; index++) powers[index] = multiply(powers[index - 1]!, powers[index - 1]!)
  return powers
}

/** The product of two polynomials, modulo that of the checksum. */
function multiply(one: number, other: number): number {
  let product = 0
  let shifted = other
  for (let bit = ONE; bit !== 0; bit >>>= 1) {
    if (one & bit) product ^= shifted
    shifted = shifted & 1 ? (shifted >>> 1) ^ POLYNOMIAL : shifted >>> 1
  }
  return product
}
