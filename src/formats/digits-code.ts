/**
 * WebAssembly that makes numbers of digits, sixteen at a time: digits are moved to the right end of a vector, with zeros
 * before them, and added up in four steps, so that numbers of any length take the same way (Muła, "SIMD-ized faster parse
 * of IPv4 addresses" and "Parsing series of integers with SIMD", have the same steps with other instructions).
 */
import { i16x8, i32, i32x4, i64, i8x16, sequence, v128, type Code, type Local } from "../base/wasm-code.ts"
import { bytesOf } from "./field-code.ts"

/** How many digits a vector has. */
export const VECTOR_DIGITS = 16

const [ZERO, NINE] = [48, 9] as const
/** The place of each byte. */
export const PLACES = v128.const(Array.from({ length: VECTOR_DIGITS }, (_, place) => place))
/** Factors of neighbours, as 16 bits each: 100 and 1, 10,000 and 1. */
const HUNDREDS = v128.const(Array.from({ length: 16 }, (_, place) => [100, 0, 1, 0][place % 4]!))
const TEN_THOUSANDS = v128.const(
  Array.from({ length: 16 }, (_, place) => [10_000 & 255, 10_000 >> 8, 1, 0][place % 4]!),
)
const TENS = v128.const(Array.from({ length: 16 }, (_, place) => [10, 0][place % 2]!))
const LOW_BYTES = v128.const(Array.from({ length: 16 }, (_, place) => [255, 0][place % 2]!))

export const NINES = bytesOf(NINE)

/** Characters as the digits that they are: what is above nine is none. */
export function digitsOf(characters: Code<"v128">): Code<"v128"> {
  return v128.xor(characters, bytesOf(ZERO))
}

/** For each byte of a vector, the place from which it comes when the first `count` bytes are moved to the right end. */
export function placesFromRight(count: Code<"i32">): Code<"v128"> {
  return i8x16.add(PLACES, i8x16.splat(i32.sub(count, i32.const(VECTOR_DIGITS))))
}

/** The digits of the `count` characters at an address, at most sixteen, at the right end of a vector. */
export function digitsAt(address: Code<"i32">, count: Code<"i32">): Code<"v128"> {
  return i8x16.swizzle(digitsOf(v128.load(address)), placesFromRight(count))
}

/** The numbers of each two neighbouring digits, as 16 bits each. */
export function pairsOf(digits: Local<"v128">): Code<"v128"> {
  // Of a pair as 16 bits, the tens are the low byte.
  const tens = v128.and(i16x8.mul(digits.get, TENS), LOW_BYTES)
  return i16x8.add(tens, i16x8.shrU(digits.get, i32.const(8)))
}

/** The number of sixteen digits. `sums` is a variable for its setup. */
export function numberOf(
  digits: Local<"v128">,
  sums: Local<"v128">,
): { readonly setup: Code<"none">; readonly number: Code<"i64"> } {
  const half = (lane: number) => i64.extendU(i32x4.extractLane(sums.get, lane))
  return {
    setup: sequence(
      sums.set(i32x4.dotI16x8S(pairsOf(digits), HUNDREDS)),
      sums.set(i32x4.dotI16x8S(i16x8.narrowI32x4S(sums.get, sums.get), TEN_THOUSANDS)),
    ),
    number: i64.add(i64.mul(half(0), i64.const(100_000_000n)), half(1)),
  }
}
