/**
 * Code that numbers the slices of rows, four at a time: the slides from an origin to the one that holds the row's time or,
 * where a slide has two slices, twice as many, and one more behind the edge between them.
 *
 * With d = 2 · (time − origin) + 1, an odd number, the number of the slide is ⌊d · 0.5 / slide⌋ in doubles, and exact where
 * |d| < 2⁵¹: the true quotient is at least 0.5 / slide away from a whole number, and the two roundings (of 0.5 / slide and of
 * the product) move it by less than |d| · 0.5 / slide · 2⁻⁵². A division of integers would take as long as all the rest.
 *
 * Invariant:
 * - NC1 Two times that are no further from the origin than `reachOf` have one number where they are in one slice, and else two.
 */
import type { LinearMemory } from "../../../base/linear-memory.ts"
import { compiledModule } from "../../../expr/compiled-module.ts"
import {
  f64,
  f64x2,
  i32,
  i64,
  i64x2,
  i8x16,
  sequence,
  v128,
  when,
  whileLoop,
  type Code,
  type Local,
} from "../../../base/wasm-code.ts"
import { WasmModule } from "../../../base/wasm-module.ts"
import { increment, itemAddress } from "./code-places.ts"
import { DISORDER } from "./disorder-control.ts"

/** Writes the numbers of the slices of `count` rows to an address, and up to three more numbers behind them. */
export type NumberSlices = (disorder: number, times: number, rows: number, count: number, to: number) => void

/** How far times may be from the origin, in microseconds, by the length of a slide. Numbers have 30 bits and a sign, too. */
export function reachOf(slide: number): number {
  return Math.min(2 ** 49, slide * 2 ** 28)
}

/** A double that whole numbers of less than 2⁵¹ are added to or taken from so that their bits are those of an int64. */
const WHOLE = 1.5 * 2 ** 52
const WHOLE_BITS = 0x4338000000000000n
/** What is added to numbers, so that none is 0. */
const BIAS = 2 ** 30
const ROWS = 4
/** The low words of the lanes of two vectors. */
const LOW_WORDS = [0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27]

/** The kernel, working on `memory`. */
export function numberSlices(memory: LinearMemory): NumberSlices {
  return compiledModule("slice numbers", numberModule).instantiate<{ numberSlices: NumberSlices }>(memory).numberSlices
}

function numberModule(): WasmModule {
  const module = new WasmModule()
  const parameters = { disorder: "i32", times: "i32", rows: "i32", count: "i32", to: "i32" } as const
  return module.function(
    "numberSlices",
    { parameters, result: "none" },
    ({ disorder, times, rows, count, to }, scope) => {
      const [at, last] = [scope.local("i32"), scope.local("i32")]
      const vector = () => scope.local("v128")
      const [doubleOrigin, scale, slides, edge] = [vector(), vector(), vector(), vector()]
      const [whole, wholeBits, biased, one] = [vector(), vector(), vector(), vector()]
      const [numbers, doubled] = [[vector(), vector()] as const, vector()]
      const place = (row: number) => i32.add(at.get, i32.const(row))
      // Behind the last row it is read again.
      const rowAt = (row: number) => i32.load(itemAddress(rows.get, lesser(place(row), last.get), 2))
      const timeAddress = (row: number) => itemAddress(times.get, rowAt(row), 3)
      const pair = (row: number) =>
        f64x2.replaceLane(v128.load64Splat(timeAddress(row)), 1, f64.load(timeAddress(row + 1)))
      const numberOf = (number: Local<"v128">, row: number): Code<"none">[] => [
        doubled.set(i64x2.sub(i64x2.shl(pair(row), i32.const(1)), doubleOrigin.get)),
        doubled.set(f64x2.sub(i64x2.add(doubled.get, wholeBits.get), whole.get)),
        number.set(f64x2.floor(f64x2.mul(doubled.get, scale.get))),
        when(i32.load(disorder.get, DISORDER.hasTwoEdges), [
          doubled.set(f64x2.sub(doubled.get, f64x2.mul(number.get, slides.get))),
          doubled.set(v128.and(f64x2.ge(doubled.get, edge.get), one.get)),
          number.set(f64x2.add(f64x2.add(number.get, number.get), doubled.get)),
        ]),
        number.set(f64x2.add(number.get, biased.get)),
      ]
      const splat = (offset: number) => f64x2.splat(f64.load(disorder.get, offset))
      return [
        doubleOrigin.set(i64x2.splat(i64.load(disorder.get, DISORDER.doubleOrigin))),
        scale.set(splat(DISORDER.scale)),
        slides.set(splat(DISORDER.doubleSlide)),
        edge.set(splat(DISORDER.doubleEdge)),
        whole.set(f64x2.splat(f64.const(WHOLE))),
        wholeBits.set(i64x2.splat(i64.const(WHOLE_BITS))),
        biased.set(f64x2.splat(f64.const(WHOLE + BIAS))),
        one.set(f64x2.splat(f64.const(1))),
        last.set(i32.sub(count.get, i32.const(1))),
        whileLoop(i32.ltU(at.get, count.get), [
          ...numberOf(numbers[0], 0),
          ...numberOf(numbers[1], 2),
          v128.store(to.get, i8x16.shuffle(numbers[0].get, numbers[1].get, LOW_WORDS)),
          increment(to, ROWS * 4),
          increment(at, ROWS),
        ]),
        sequence(),
      ]
    },
  )
}

function lesser(one: Code<"i32">, other: Code<"i32">): Code<"i32"> {
  return i32.select(i32.ltU(one, other), one, other)
}
