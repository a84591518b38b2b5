/**
 * Doubles as whole numbers: what a machine has written with a few decimals is a whole number, divided by a power of ten. That division
 * rounds as reading the decimals does, so it gives the same bits (Afroozeh, Kuffo, Boncz, "ALP: Adaptive Lossless floating-Point
 * Compression", SIGMOD 2023, has the idea and its vectors).
 *
 * Invariant:
 * - DC1 Where `toWholes` gives true, `fromWholes` gives the same bits.
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
export function toWholes(
  halves: Int32Array,
  rows: Int32Array | null,
  count: number,
  decimals: number,
  wholes: Int32Array,
): boolean {
  const doubles = doublesOf(halves)
  const scale = 10 ** decimals
  for (let index = 0; index < count; index++) {
    const double = doubles[rows === null ? index : rows[index]!]!
    const whole = Math.round(double * scale)
    // Of −0 the bits would be lost, and NaN equals nothing.
    const low = whole | 0
    if (whole / scale !== double || (low === 0 && 1 / double < 0 && whole === 0)) return false
    if (low === whole) {
      // Most have 32 bits: then the higher half is a shift, and no division.
      wholes[2 * index] = low
      wholes[2 * index + 1] = low >> 31
    } else if (whole > WHOLE_MAX || whole < -WHOLE_MAX) return false
    else writeInt53(wholes, index, whole)
  }
  return true
}

/** The least number of decimals with which doubles are whole numbers; `undefined` where none is. */
export function decimalsOf(halves: Int32Array, rows: Int32Array | null, count: number): number | undefined {
  const doubles = doublesOf(halves)
  for (let decimals = 0; decimals <= DECIMALS_MAX; decimals++) {
    const scale = 10 ** decimals
    let index = 0
    while (index < count && isWhole(doubles[rows === null ? index : rows[index]!]!, scale)) index++
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
