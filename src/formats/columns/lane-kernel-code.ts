/**
 * Kernels over the numbers of a lane, four at a time. Each goes over its input once; the least and the greatest of what it writes lie at the memory's
 * start then. The last four numbers are taken by themselves, some of them perhaps once more: what is written of them is the same.
 */
import {
  block,
  branch,
  branchIf,
  f64,
  f64x2,
  i32,
  i32x4,
  i64,
  i64x2,
  i8x16,
  loop,
  sequence,
  v128,
  whileLoop,
  type Code,
  type Local,
  type WasmType,
} from "../../base/wasm-code.ts"
import type { FunctionScope, WasmModule } from "../../base/wasm-module.ts"

const WORDS_OF_VECTOR = 4
const WORD_BYTES = 4
const PAIR_BYTES = 8

/** The low words of the pairs of two vectors. */
const LOW_WORDS = [0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27]
/** The low halves of two vectors. */
const LOW_HALVES = [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]
/** Halves and words of a vector, exchanged. */
const SWAPPED_HALVES = [8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7]
const SWAPPED_WORDS = [4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11]

/** The least and the greatest numbers so far, in each of four lanes, and how they are found. */
class Bounds {
  readonly #least: Local<"v128">
  readonly #greatest: Local<"v128">

  constructor(scope: FunctionScope) {
    this.#least = scope.local("v128")
    this.#greatest = scope.local("v128")
  }

  get begin(): Code<"none">[] {
    const least = i32x4.splat(i32.const(2 ** 31 - 1))
    return [this.#least.set(least), this.#greatest.set(i32x4.splat(i32.const(-(2 ** 31))))]
  }

  take(numbers: Code<"v128">): Code<"none">[] {
    const [least, greatest] = [this.#least, this.#greatest]
    return [least.set(i32x4.minS(least.get, numbers)), greatest.set(i32x4.maxS(greatest.get, numbers))]
  }

  /** Stores them as results. */
  get end(): Code<"none"> {
    const store = (bound: Local<"v128">, join: typeof i32x4.minS, at: number): Code<"none">[] => [
      bound.set(join(bound.get, i8x16.shuffle(bound.get, bound.get, SWAPPED_HALVES))),
      bound.set(join(bound.get, i8x16.shuffle(bound.get, bound.get, SWAPPED_WORDS))),
      i32.store(i32.const(0), i32x4.extractLane(bound.get, 0), at),
    ]
    return sequence(...store(this.#least, i32x4.minS, 0), ...store(this.#greatest, i32x4.maxS, WORD_BYTES))
  }
}

/** Goes by fours over `count` numbers, at least four, that take so many bytes each where an address stands; the last four may be taken twice. */
function byFours(
  scope: FunctionScope,
  count: Local<"i32">,
  addresses: readonly { readonly at: Local<"i32">; readonly bytes: number }[],
  body: readonly Code<"none">[],
): Code<"none">[] {
  const left = scope.local("i32")
  const step = scope.local("i32")
  const four = i32.const(WORDS_OF_VECTOR)
  return [
    left.set(i32.sub(count.get, four)),
    block((done) => [
      loop((again) => [
        ...body,
        branchIf(done, i32.eqz(left.get)),
        step.set(i32.select(i32.gtS(left.get, four), four, left.get)),
        left.set(i32.sub(left.get, step.get)),
        ...addresses.map(({ at, bytes }) => at.set(i32.add(at.get, i32.mul(step.get, i32.const(bytes))))),
        branch(again),
      ]),
    ]),
  ]
}

/** `frame`: the bounds alone. */
export function addFrame(module: WasmModule): void {
  const signature = { parameters: { from: "i32", count: "i32" }, result: "none" } as const
  module.function("frame", signature, ({ from, count }, scope) => {
    const bounds = new Bounds(scope)
    const numbers = scope.local("v128")
    const body = [numbers.set(v128.load(from.get)), ...bounds.take(numbers.get)]
    const fours = byFours(scope, count, [{ at: from, bytes: WORD_BYTES }], body)
    return [...bounds.begin, ...fours, bounds.end]
  })
}

const FROM_TO = { from: "i32", to: "i32", count: "i32" } as const satisfies Record<string, WasmType>

/** `deltas`: how far each is from the one before; `from` is where the one before the first lies. */
export function addDeltas(module: WasmModule): void {
  module.function("deltas", { parameters: FROM_TO, result: "none" }, ({ from, to, count }, scope) => {
    const bounds = new Bounds(scope)
    const deltas = scope.local("v128")
    const addresses = [from, to].map((at) => ({ at, bytes: WORD_BYTES }))
    const body = [
      deltas.set(i32x4.sub(v128.load(from.get, WORD_BYTES), v128.load(from.get))),
      v128.store(to.get, deltas.get),
      ...bounds.take(deltas.get),
    ]
    return [...bounds.begin, ...byFours(scope, count, addresses, body), bounds.end]
  })
}

/** `near`, from the first value, and `steps`, from the one before, where `from` is the place of the one before the first. They give whether one takes more than 32 bits. */
export function addDistances(module: WasmModule): void {
  for (const name of ["near", "steps"] as const) {
    module.function(name, { parameters: FROM_TO, result: "i32" }, ({ from, to, count }, scope) => {
      const bounds = new Bounds(scope)
      const vector = (): Local<"v128"> => scope.local("v128")
      const [first, exceeded, ones, others, numbers] = [vector(), vector(), vector(), vector(), vector()]
      const distances = (at: number): Code<"v128"> =>
        name === "near"
          ? i64x2.sub(v128.load(from.get, at), first.get)
          : i64x2.sub(v128.load(from.get, at + PAIR_BYTES), v128.load(from.get, at))
      // From −2³¹ on, what 32 bits with a sign hold is below 2³².
      const excess = (pair: Code<"v128">): Code<"v128"> =>
        i64x2.shrU(i64x2.add(pair, i64x2.splat(i64.const(2n ** 31n))), i32.const(32))
      const body = [
        ones.set(distances(0)),
        others.set(distances(2 * PAIR_BYTES)),
        exceeded.set(v128.or(exceeded.get, v128.or(excess(ones.get), excess(others.get)))),
        numbers.set(i8x16.shuffle(ones.get, others.get, LOW_WORDS)),
        v128.store(to.get, numbers.get),
        ...bounds.take(numbers.get),
      ]
      const addresses = [
        { at: from, bytes: PAIR_BYTES },
        { at: to, bytes: WORD_BYTES },
      ]
      return [
        first.set(v128.load64Splat(from.get)),
        ...bounds.begin,
        ...byFours(scope, count, addresses, body),
        bounds.end,
        v128.anyTrue(exceeded.get),
      ]
    })
  }
}

/** `wholes`: gives whether a double is none; the bounds are those of the whole numbers, and what is written is how far they are from the first. */
export function addWholes(module: WasmModule): void {
  const parameters = { ...FROM_TO, scale: "f64", first: "i32" } as const
  module.function("wholes", { parameters, result: "i32" }, ({ from, to, count, scale, first }, scope) => {
    const bounds = new Bounds(scope)
    const vector = (): Local<"v128"> => scope.local("v128")
    const [scales, firsts, others, numbers] = [vector(), vector(), vector(), vector()]
    const pairs = [0, 2 * PAIR_BYTES].map((at) => ({ at, doubles: vector(), words: vector() }))
    const half = f64x2.splat(f64.const(0.5))
    const body = [
      ...pairs.flatMap(({ at, doubles, words }) => {
        const back = f64x2.div(f64x2.convertLowI32x4S(words.get), scales.get)
        const scaled = f64x2.mul(doubles.get, scales.get)
        return [
          doubles.set(v128.load(from.get, at)),
          words.set(i32x4.truncSatF64x2SZero(f64x2.floor(f64x2.add(scaled, half)))),
          others.set(v128.or(others.get, v128.xor(back, doubles.get))),
        ]
      }),
      numbers.set(i8x16.shuffle(pairs[0]!.words.get, pairs[1]!.words.get, LOW_HALVES)),
      ...bounds.take(numbers.get),
      v128.store(to.get, i32x4.sub(numbers.get, firsts.get)),
    ]
    const addresses = [
      { at: from, bytes: PAIR_BYTES },
      { at: to, bytes: WORD_BYTES },
    ]
    return [
      scales.set(f64x2.splat(scale.get)),
      firsts.set(i32x4.splat(first.get)),
      ...bounds.begin,
      ...byFours(scope, count, addresses, body),
      bounds.end,
      v128.anyTrue(others.get),
    ]
  })
}

/** `runs`: how many numbers are others than the one before, from the one behind `from` on. */
export function addRuns(module: WasmModule): void {
  const signature = { parameters: { from: "i32", count: "i32" }, result: "i32" } as const
  module.function("runs", signature, ({ from, count }, scope) => {
    const same = scope.local("v128")
    const end = scope.local("i32")
    const runs = scope.local("i32")
    const isMore = (numbers: number): Code<"i32"> =>
      i32.leU(i32.add(from.get, i32.const(numbers * WORD_BYTES)), end.get)
    return [
      end.set(i32.add(from.get, i32.mul(count.get, i32.const(WORD_BYTES)))),
      whileLoop(isMore(WORDS_OF_VECTOR), [
        same.set(i32x4.sub(same.get, i32x4.ne(v128.load(from.get, WORD_BYTES), v128.load(from.get)))),
        from.set(i32.add(from.get, i32.const(WORDS_OF_VECTOR * WORD_BYTES))),
      ]),
      ...[0, 1, 2, 3].map((lane) => runs.set(i32.add(runs.get, i32x4.extractLane(same.get, lane)))),
      whileLoop(isMore(1), [
        runs.set(i32.add(runs.get, i32.ne(i32.load(from.get, WORD_BYTES), i32.load(from.get)))),
        from.set(i32.add(from.get, i32.const(WORD_BYTES))),
      ]),
      runs.get,
    ]
  })
}
