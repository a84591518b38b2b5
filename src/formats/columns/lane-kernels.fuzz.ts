/** The kernels of lanes against the loops: the same numbers, frames and bits, whatever the numbers. */
import { expect, test } from "vitest"
import { forEachSeed } from "../../../test/seeds.ts"
import type { Prng } from "../../base/prng.ts"
import { bitsOf, unpackBits, wordsOf } from "./bit-packing.ts"
import { LANE_LOOPS, type Frame } from "./lane-arithmetic.ts"
import { LaneKernels } from "./lane-kernels.ts"
import { PACKED_SLACK_BYTES } from "./packing-kernel.ts"

const COUNT_MAX = 300
const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 })
const kernels = new LaneKernels(memory)
const lane = (at: number, words: number): Int32Array => new Int32Array(memory.buffer, 64 + 4 * at, words)
const halves = lane(0, 2 * COUNT_MAX)
const values = lane(2 * COUNT_MAX, COUNT_MAX)
const written = lane(3 * COUNT_MAX, COUNT_MAX)
const words = lane(4 * COUNT_MAX, COUNT_MAX + PACKED_SLACK_BYTES / 4)

const drawCount = (prng: Prng): number =>
  prng.pick([2, 3, 15, 16, 17, 18, 19, 20, 24, 31, 2 + prng.below(COUNT_MAX - 2)])

const EDGES = [0, 1, -1, 2 ** 31 - 1, -(2 ** 31), 2 ** 30, -(2 ** 30)]

function drawWords(prng: Prng, count: number): void {
  const range = prng.pick([1, 2, 5, 1000, 2 ** 31, 2 ** 32])
  const base = prng.pick(EDGES)
  let value = base
  const next = prng.pick<() => number>([
    () => base + Math.floor(prng.float() * range),
    () => (value += prng.below(5)),
    () => (prng.chance(0.9) ? value : (value = base + prng.below(3))),
    () => prng.pick(EDGES),
  ])
  for (let index = 0; index < count; index++) values[index] = next()
}

function drawPairs(prng: Prng, count: number): void {
  const longs = new BigInt64Array(memory.buffer, halves.byteOffset, COUNT_MAX)
  const base = prng.pick([0n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 31n, 2n ** 32n - 1n, 1_700_000_000_000_000n])
  const range = prng.pick([1, 1000, 2 ** 31, 2 ** 32, 2 ** 33])
  const odd = prng.pick([0, 0, 0.02])
  const edges = [2n ** 31n - 1n, 2n ** 31n, -(2n ** 31n), -(2n ** 31n) - 1n, 2n ** 32n, 2n ** 63n]
  const isRising = prng.chance(0.5)
  let value = base
  for (let index = 0; index < count; index++) {
    const distance = prng.chance(odd) ? prng.pick(edges) : BigInt(Math.floor((prng.float() - 0.5) * range))
    if (isRising) value += distance
    longs[index] = isRising ? value : base + distance
  }
}

const DOUBLES = [-0, NaN, Infinity, -Infinity, 5e-324, 1e300, 2 ** 31, -(2 ** 31) - 1, 0.1 + 0.2, 2 ** 52]

function drawDoubles(prng: Prng, count: number, decimals: number): void {
  const doubles = new Float64Array(memory.buffer, halves.byteOffset, COUNT_MAX)
  const range = prng.pick([1, 2000, 2 ** 31, 2 ** 32, 2 ** 34])
  const odd = prng.pick([0, 0, 0, 0.02])
  for (let index = 0; index < count; index++) {
    doubles[index] = prng.chance(odd) ? prng.pick(DOUBLES) : Math.floor((prng.float() - 0.5) * range) / 10 ** decimals
  }
}

/** Computes both ways into the same numbers, and holds one against the other. */
function expectSame(by: (arithmetic: typeof LANE_LOOPS) => unknown, to: Int32Array): void {
  to.fill(7)
  const expected = by(LANE_LOOPS)
  const numbers = to.slice()
  to.fill(9)
  expect(by(kernels)).toEqual(expected)
  if (expected !== undefined) expect(to.map((value, at) => (numbers[at] === 7 ? 7 : value))).toEqual(numbers)
}

test("LK1 of numbers: frames, deltas and runs", () => {
  forEachSeed(400, (prng) => {
    const count = drawCount(prng)
    drawWords(prng, count)
    expectSame((by) => by.frame(values, count), written)
    expectSame((by) => by.deltas(values, count, written), written)
    expectSame((by) => by.runs(values, count), written)
  })
})

test("LK1 of values of 64 bits: how far they are from the first, and from the one before", () => {
  forEachSeed(600, (prng) => {
    const count = drawCount(prng)
    drawPairs(prng, count)
    expectSame((by) => by.fromFirst(halves, count, written), written)
    expectSame((by) => by.fromBefore(halves, count, written), written)
  })
})

test("LK1 of doubles: which whole numbers they are, and that −0, NaN and what is too large are none", () => {
  forEachSeed(600, (prng) => {
    const count = drawCount(prng)
    const decimals = prng.below(10)
    drawDoubles(prng, count, decimals)
    const first = Math.round(new Float64Array(memory.buffer, halves.byteOffset, 1)[0]! * 10 ** decimals)
    expectSame((by) => by.wholesFromFirst(halves, count, decimals, first, written), written)
  })
})

test("LK1 LK2 PB1 of packing: the same words at each width, nothing far behind them, and the numbers back", () => {
  for (let width = 0; width <= 32; width++) {
    forEachSeed(20, (prng) => {
      const count = drawCount(prng)
      const base = prng.pick([...EDGES, prng.uint32() | 0])
      const greatest = 2 ** width - 1
      const frame: Frame = { base, width: bitsOf(greatest) }
      for (let index = 0; index < count; index++) {
        values[index] = base + (prng.chance(0.2) ? greatest : Math.floor(prng.float() * 2 ** width))
      }
      words.fill(-1)
      LANE_LOOPS.pack(values, count, frame, words)
      const expected = words.slice(0, wordsOf(count, width))
      words.fill(-1)
      kernels.pack(values, count, frame, words)
      expect(words.slice(0, expected.length)).toEqual(expected)
      const behind = words.subarray(expected.length + PACKED_SLACK_BYTES / 4)
      expect(behind.every((word) => word === -1)).toBe(true)
      unpackBits(words, count, base, width, written)
      expect(written.subarray(0, count)).toEqual(values.subarray(0, count))
    })
  }
})
