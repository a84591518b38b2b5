/** Instructions of WebAssembly beside what JavaScript gives for them, and values at the edges of their types, for tests. */
import type { Prng } from "./prng.ts"
import { f64, i32, i64, v128, type Code, type WasmType } from "./wasm-code.ts"

interface Values {
  readonly i32: number
  readonly i64: bigint
  readonly f64: number
  readonly v128: Uint8Array
}
export type Value = Values[WasmType]
type Codes<A extends readonly WasmType[]> = { [I in keyof A]: Code<A[I]> }
type ValuesOf<A extends readonly WasmType[]> = { [I in keyof A]: Values[A[I]] }

/** An instruction as a function of the memory: operands stand every 16 bytes, and behind three of them the result. */
export interface Instruction {
  readonly takes: readonly WasmType[]
  /** How the result is to be read. */
  readonly gives: WasmType | "f64x2"
  write(at: Code<"i32">): Code<"none">
  /** `undefined` where the instruction traps. */
  twin(operands: readonly Value[]): Value | undefined
}

export const RESULT = 48

/** An instruction on values. */
export function on<const A extends readonly WasmType[], T extends WasmType>(
  takes: A,
  gives: T,
  write: (...codes: Codes<A>) => Code<T>,
  twin: (...values: ValuesOf<A>) => Values[T] | undefined,
): Instruction {
  return {
    takes,
    gives,
    write(at) {
      const codes = takes.map((type, index) => loadOf(type, at, index * 16)) as unknown as Codes<A>
      return storeOf(gives, at, write(...codes))
    },
    twin: (operands) => twin(...(operands as ValuesOf<A>)),
  }
}

function loadOf(type: WasmType, at: Code<"i32">, offset: number): Code<WasmType> {
  return { i32: i32.load, i64: i64.load, f64: f64.load, v128: v128.load }[type](at, offset)
}

function storeOf<T extends WasmType>(type: T, at: Code<"i32">, value: Code<T>): Code<"none"> {
  const stores = { i32: i32.store, i64: i64.store, f64: f64.store, v128: v128.store }
  return (stores[type] as (at: Code<"i32">, value: Code<T>, offset: number) => Code<"none">)(at, value, RESULT)
}

/** An instruction that reads some of 16 bytes, at an odd address. */
export function reads<T extends WasmType>(
  gives: T,
  write: (at: Code<"i32">, offset: number) => Code<T>,
  twin: (bytes: DataView) => Values[T],
): Instruction {
  return {
    takes: ["v128", "v128"],
    gives,
    write: (at) => storeOf(gives, at, write(at, 13)),
    twin: (operands) => twin(new DataView(Uint8Array.of(...bytesOf(operands), ...new Uint8Array(8)).buffer, 13)),
  }
}

function bytesOf(operands: readonly Value[]): number[] {
  return (operands as readonly Uint8Array[]).flatMap((bytes) => [...bytes])
}

/** An instruction that writes some bytes of the result, which is 0 before. */
export function writes<T extends WasmType>(
  takes: T,
  write: (at: Code<"i32">, value: Code<T>, offset: number) => Code<"none">,
  twin: (bytes: DataView, value: Values[T]) => void,
): Instruction {
  return {
    takes: [takes],
    gives: "v128",
    write: (at) => write(at, loadOf(takes, at, 0) as Code<T>, RESULT),
    twin([value]) {
      const bytes = new Uint8Array(16)
      twin(new DataView(bytes.buffer), value as Values[T])
      return bytes
    },
  }
}

type Lanes = { [index: number]: number; readonly length: number; fill(value: number): unknown }
type LaneArray<L extends Lanes | BigInt64Array> = new (buffer: ArrayBufferLike) => L

/** Lane by lane. */
export function lanewise<L extends Lanes | BigInt64Array>(
  Array: LaneArray<L>,
  twin: (...lanes: L[number][]) => L[number],
) {
  return (...vectors: Uint8Array[]): Uint8Array => {
    const [first, ...rest] = vectors.map((bytes) => new Array(bytes.slice().buffer))
    for (let lane = 0; lane < first!.length; lane++) {
      first![lane] = twin(first![lane]!, ...rest.map((other) => other[lane]!))
    }
    return new Uint8Array((first as Int32Array).buffer)
  }
}

export const V = ["v128"] as const
export const VV = ["v128", "v128"] as const
export const I = ["i32", "i32"] as const
export const L = ["i64", "i64"] as const
export const F = ["f64", "f64"] as const

type Vectors = (a: Code<"v128">, b: Code<"v128">) => Code<"v128">
type Vector = (a: Code<"v128">) => Code<"v128">

export const words = (write: Vectors, twin: (a: number, b: number) => number): Instruction =>
  on(VV, "v128", write, lanewise(Int32Array, twin))
export const longs = (write: Vectors, twin: (a: bigint, b: bigint) => bigint): Instruction =>
  on(VV, "v128", write, lanewise(BigInt64Array, twin))
export const doubles = (write: Vectors, twin: (a: number, b: number) => number): Instruction => ({
  ...on(VV, "v128", write, lanewise(Float64Array, twin)),
  gives: "f64x2",
})
export const double = (write: Vector, twin: (a: number) => number): Instruction => ({
  ...on(V, "v128", write, lanewise(Float64Array, twin)),
  gives: "f64x2",
})
/** A comparison of doubles sets all bits of a lane, or none. */
export const compares = (write: Vectors, twin: (a: number, b: number) => boolean): Instruction =>
  on(VV, "v128", write, (a, b) => {
    const [x, y] = [new Float64Array(a.slice().buffer), new Float64Array(b.slice().buffer)]
    return new Uint8Array(BigInt64Array.from([0, 1], (lane) => (twin(x[lane]!, y[lane]!) ? -1n : 0n)).buffer)
  })
export const bitmask = (
  write: (a: Code<"v128">) => Code<"i32">,
  Array: LaneArray<Lanes | BigInt64Array>,
): Instruction =>
  on(V, "i32", write, (a) => {
    const lanes = new Array(a.slice().buffer)
    return [...(lanes as Iterable<number | bigint>)].reduce<number>(
      (bits, lane, index) => bits | (lane < 0 ? 1 << index : 0),
      0,
    )
  })
/** A vector is shifted by as many bits as the count says, modulo the width of a lane. */
export const shifts = (
  write: (a: Code<"v128">, by: Code<"i32">) => Code<"v128">,
  twin: (by: number) => (a: Uint8Array) => Uint8Array,
): Instruction => on(["v128", "i32"], "v128", write, (a, by) => twin(by)(a))

export const bytesOfWords = (...values: number[]): Uint8Array => new Uint8Array(Int32Array.from(values).buffer)
export const bytesOfDoubles = (...values: number[]): Uint8Array => new Uint8Array(Float64Array.from(values).buffer)
export const bytesOfLongs = (...values: bigint[]): Uint8Array => new Uint8Array(BigInt64Array.from(values).buffer)
export const LANES_OF_FOUR = [0, 1, 2, 3]

const DOUBLES = [
  ...[
    0,
    -0,
    1,
    -1,
    0.5,
    -0.5,
    2.5,
    NaN,
    Infinity,
    -Infinity,
    2 ** 31,
    -(2 ** 31) - 1,
    2 ** 32,
    2 ** 53 - 1,
    -(2 ** 53),
  ],
  ...[2 ** 63, -(2 ** 63), 2 ** 64, 1e300, 5e-324, Number.MAX_VALUE],
]
const WORDS = [0, 1, -1, 2, 7, 31, 32, 33, 65, 255, 256, 65_535, 32_768, -32_769, 2 ** 31 - 1, -(2 ** 31), 123_456_789]
const LONGS = [
  ...[0n, 1n, -1n, 3n, 31n, 63n, 64n, 65n, 2n ** 31n, -(2n ** 31n) - 1n, 2n ** 32n, 2n ** 53n + 1n, -(2n ** 53n) - 1n],
  ...[2n ** 63n - 1n, -(2n ** 63n), 0x7ff8_0000_0000_0000n, 0x0123_4567_89ab_cdefn],
]

export function draw(prng: Prng, type: WasmType): Value {
  switch (type) {
    case "i32":
      return prng.pick(WORDS)
    case "i64":
      return prng.pick(LONGS)
    case "f64":
      return prng.pick(DOUBLES)
    case "v128":
      return prng.pick([
        () => bytesOfWords(...LANES_OF_FOUR.map(() => prng.pick(WORDS))),
        () => bytesOfLongs(prng.pick(LONGS), prng.pick(LONGS)),
        () => bytesOfDoubles(prng.pick(DOUBLES), prng.pick(DOUBLES)),
        () => Uint8Array.from({ length: 16 }, () => prng.below(256)),
        () => new Uint8Array(16).fill(prng.pick([0, 1, 15, 16, 255])),
      ])()
  }
}
