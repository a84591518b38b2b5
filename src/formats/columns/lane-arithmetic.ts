/**
 * What is computed of all numbers of a lane when it is written: in loops here, and by vectors in `lane-kernels.ts`. The loops are the slow twin.
 *
 * Numbers have 32 bits, and all arithmetic is modulo 2³². Values of 64 bits are pairs of words (low, high). A `Frame` is of what was written, or is
 * looked at.
 */
import { bitsOf, packBits } from "./bit-packing.ts"
import { distancesFromBefore, distancesFromFirst } from "./distances.ts"
import { toWordWholes } from "./decimals.ts"

/** What numbers have in common: all lie from `base` on, and have so many bits above it. */
export interface Frame {
  readonly base: number
  readonly width: number
}

/** See the head of this file. `count` is at least one, and at least two where there are differences. */
export interface LaneArithmetic {
  /** That of all numbers. */
  frame(values: Int32Array, count: number): Frame
  /** Writes how far each number but the first is from the one before. */
  deltas(values: Int32Array, count: number, to: Int32Array): Frame
  /** How many stretches of one value there are. */
  runs(values: Int32Array, count: number): number
  /** Writes how far each value of 64 bits is from the first one; `undefined` where 32 bits with a sign do not hold that. */
  fromFirst(halves: Int32Array, count: number, to: Int32Array): Frame | undefined
  /** The same from the one before; the first one from itself. */
  fromBefore(halves: Int32Array, count: number, to: Int32Array): Frame | undefined
  /**
   * Writes how far whole numbers that stand for doubles with so many decimals are from the first of them, which is given; `undefined` where a
   * double is none, or 32 bits with a sign do not hold a number or how far it is.
   */
  wholesFromFirst(halves: Int32Array, count: number, decimals: number, first: number, to: Int32Array): Frame | undefined
  /** Packs numbers, each less the base. */
  pack(values: Int32Array, count: number, frame: Frame, words: Int32Array): void
}

/** The frame of numbers between two. */
export function frameBetween(least: number, greatest: number): Frame {
  return { base: least, width: bitsOf(greatest - least) }
}

/** In loops. */
export const LANE_LOOPS: LaneArithmetic = {
  frame(values, count) {
    let least = values[0]!
    let greatest = least
    for (let index = 1; index < count; index++) {
      const value = values[index]!
      if (value < least) least = value
      else if (value > greatest) greatest = value
    }
    return frameBetween(least, greatest)
  },

  deltas(values, count, to) {
    for (let index = 1; index < count; index++) to[index - 1] = values[index]! - values[index - 1]!
    return LANE_LOOPS.frame(to, count - 1)
  },

  runs(values, count) {
    let runs = 1
    for (let index = 1; index < count; index++) if (values[index] !== values[index - 1]) runs++
    return runs
  },

  fromFirst: (halves, count, to) => (distancesFromFirst(halves, count, to) ? LANE_LOOPS.frame(to, count) : undefined),

  fromBefore: (halves, count, to) => (distancesFromBefore(halves, count, to) ? LANE_LOOPS.frame(to, count) : undefined),

  wholesFromFirst: (halves, count, decimals, first, to) =>
    toWordWholes(halves, count, decimals, first, to) ? LANE_LOOPS.frame(to, count) : undefined,

  pack(values, count, { base, width }, words) {
    packBits(values, count, base, width, words)
  },
}
