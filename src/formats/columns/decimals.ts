/**
 * Doubles as whole numbers: what a machine has written with a few decimals is a whole number, divided by a power of ten. That division
 * rounds as reading the decimals does, so it gives the same bits (Afroozeh, Kuffo, Boncz, "ALP: Adaptive Lossless floating-Point
 * Compression", SIGMOD 2023, has the idea and its vectors).
 *
 * Invariant:
 * - DC1 Where `toWholes` gives true, `fromWholes` gives the same bits; so it does of what `toWordWholes` is of.
 */
import { readInt53, writeInt53 } from "../../batch/column.ts"

/** Up to so many decimals are looked for. */
export const DECIMALS_MAX = 9
/** Whole numbers up to here, and their halves, are exact on the way. */
const WHOLE_MAX = 2 ** 51

function doublesOf(halves: Int32Array): Float64Array {
  return new Float64Array(halves.buffer, halves.byteOffset, halves.length / 2)
}

/** Writes the whole numbers that stand for doubles with so many decimals; gives false where one is none. */
export function toWholes(halves: Int32Array, count: number, decimals: number, wholes: Int32Array): boolean {
  const doubles = doublesOf(halves)
  const scale = 10 ** decimals
  for (let index = 0; index < count; index++) {
    const whole = wholeOf(doubles[index]!, scale)
    if (!(whole <= WHOLE_MAX && whole >= -WHOLE_MAX)) return false
    writeInt53(wholes, index, whole)
  }
  return true
}

/**
 * Writes how far the whole numbers are from the first of them, which is given; gives false where a double is none, or 32 bits with a sign do not
 * hold a whole number or how far it is.
 */
export function toWordWholes(
  halves: Int32Array,
  count: number,
  decimals: number,
  first: number,
  distances: Int32Array,
): boolean {
  const doubles = doublesOf(halves)
  const scale = 10 ** decimals
  for (let index = 0; index < count; index++) {
    const whole = wholeOf(doubles[index]!, scale)
    const distance = (whole - first) | 0
    if ((whole | 0) !== whole || distance !== whole - first) return false
    distances[index] = distance
  }
  return true
}

/** The whole number that stands for a double of 10ⁿ parts; NaN where none does: of −0 the bits would be lost. */
function wholeOf(double: number, scale: number): number {
  const whole = Math.round(double * scale)
  return whole / scale !== double || (whole === 0 && 1 / double < 0) ? NaN : whole
}

/** The whole number that stands for a double with so many decimals, where one does. */
export function wholeAt(halves: Int32Array, index: number, decimals: number): number {
  return wholeOf(doublesOf(halves)[index]!, 10 ** decimals)
}

/** The least number of decimals with which doubles are whole numbers; `undefined` where none is. */
export function decimalsOf(halves: Int32Array, count: number): number | undefined {
  const doubles = doublesOf(halves)
  for (let decimals = 0; decimals <= DECIMALS_MAX; decimals++) {
    const scale = 10 ** decimals
    let index = 0
    while (index < count && isWhole(doubles[index]!, scale)) index++
    if (index === count) return decimals
  }
  return undefined
}

function isWhole(double: number, scale: number): boolean {
  return Math.round(double * scale) / scale === double
}

/** The doubles that whole numbers stand for, as pairs of words. */
export function fromWholes(wholes: Int32Array, count: number, decimals: number, halves: Int32Array): void {
  const doubles = doublesOf(halves)
  const scale = 10 ** decimals
  for (let index = 0; index < count; index++) doubles[index] = readInt53(wholes, index) / scale
}
