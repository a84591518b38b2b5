/**
 * Lanes as WebAssembly, eight rows at a time and row by row, against their slow twin: random graphs of operations, on
 * columns with hostile values.
 */
import { expect, it } from "vitest"
import { Prng } from "../base/prng.ts"
import { Arena } from "../batch/arena.ts"
import type { ColumnType } from "../batch/type.ts"
import { t } from "../batch/types.ts"
import { PICKS, wasmSource } from "./codegen-wasm-kernel.ts"
import type { KernelArgument } from "./wasm-argument.ts"
import { LaneGraph, type Lane, type LaneType, type OperationName } from "./wasm-lane.ts"
import { laneValue, type LaneValue } from "./wasm-lane.reference.ts"

const SCALE = Number(process.env.TIDEMARK_FUZZ_SCALE ?? 1)
const SEED = Number(process.env.TIDEMARK_FUZZ_SEED ?? 20_240_609)
const GRAPHS = Math.ceil(600 * SCALE)
/** Some times eight, and a rest. */
const ROWS = 43

const DOUBLES = [
  ...[0, -0, 1, -1, 0.5, -0.5, 1.5, -2.5, NaN, Infinity, -Infinity, 2 ** 31, -(2 ** 31), 2 ** 32, 2 ** 31 - 0.5],
  ...[-(2 ** 31) - 0.5, 2 ** 32 + 5.25, -(2 ** 40) - 3, 2 ** 52, 2 ** 53, -(2 ** 53), 2 ** 63, 2 ** 84, 1e300, 5e-324],
]
const INT32S = [0, 1, -1, 7, -8, 255, 2 ** 31 - 1, -(2 ** 31), 123_456_789]
const INT64S = [
  ...[0n, 1n, -1n, 2n ** 31n, -(2n ** 31n) - 1n, 2n ** 32n - 1n, -(2n ** 32n), 2n ** 53n + 1n, -(2n ** 53n) - 1n],
  ...[2n ** 63n - 1n, -(2n ** 63n), 2n ** 63n - 513n, 1_700_000_000_000_000n, 4_611_686_018_427_387_905n],
]
const SAFES = [0n, -1n, 2n ** 53n - 1n, -(2n ** 53n) + 1n, 2n ** 32n, -(2n ** 32n) - 7n, 1_700_000_000_000_000n]
const CODES = 9

const BINARY: Readonly<Record<LaneType, readonly OperationName[]>> = {
  f64: ["f64.add", "f64.sub", "f64.mul", "f64.div", "f64.min", "f64.max"],
  i32: ["i32.and", "i32.or", "i32.xor", "i32.mul"],
  i64: ["i64.add", "i64.sub", "i64.and", "i64.or", "i64.xor"],
  flag: ["flag.and", "flag.or", "flag.xor"],
}
const COMPARISONS = {
  f64: ["f64.eq", "f64.lt", "f64.le"],
  i32: ["i32.eq", "i32.lt", "i32.le"],
  i64: ["i64.eq", "i64.lt", "i64.le"],
} as const

const arena = new Arena({ maxBytes: 1 << 20 })

/** What stands at an argument: the value that the kernel is given, and what that means to the twin. */
interface Input {
  readonly given: number | bigint
  readonly means: LaneValue | readonly LaneValue[]
}

/** Draws lanes over random columns. */
class Drawing {
  readonly graph = new LaneGraph()
  readonly inputs: Input[] = []
  readonly #prng: Prng
  /** Multiplying and dividing int64 is for one row at a time. */
  readonly #hasScalarOperations: boolean

  constructor(prng: Prng, hasScalarOperations: boolean) {
    this.#prng = prng
    this.#hasScalarOperations = hasScalarOperations
  }

  /** A new argument; its path tells it from others. */
  #argument(type: "address" | "f64" | "i64" | "i32", input: Input): KernelArgument {
    const number = this.inputs.push(input) - 1
    if (type === "address") return { from: "column", path: [number], part: "values" }
    return { from: "param", param: number, as: ({ f64: "number", i64: "bigint", i32: "truth" } as const)[type] }
  }

  f64(depth: number): Lane<"f64"> {
    const { graph } = this
    const prng = this.#prng
    switch (prng.below(depth <= 0 ? 3 : 11)) {
      case 0:
        return graph.load(
          "f64",
          this.#column("f64", () => prng.pick(DOUBLES)),
        )
      case 1:
        return graph.constant("f64", prng.pick(DOUBLES))
      case 2: {
        const value = prng.pick(DOUBLES)
        return graph.argument("f64", this.#argument("f64", { given: value, means: value }))
      }
      case 3:
        return graph.operation("f64.fromI32", this.i32(depth - 1))
      case 4:
        return graph.operation("f64.fromU32", this.i32(depth - 1))
      case 5:
        return graph.operation("f64.fromI64", this.i64(depth - 1))
      case 6:
        return graph.operation("f64.fromFlag", this.flag(depth - 1))
      case 7:
        return graph.select(this.flag(depth - 1), this.f64(depth - 1), this.f64(depth - 1))
      case 8:
        return graph.lookUp(
          "f64",
          this.#table("f64", () => prng.pick(DOUBLES)),
          this.#code(),
        )
      case 9: {
        const sign = graph.operation("f64.mul", graph.operation("f64.fromI32", this.i32(0)), graph.constant("f64", -1))
        if (prng.chance(0.2)) return graph.operation("f64.copySign", this.f64(depth - 1), sign)
        const names = ["f64.neg", "f64.abs", "f64.ceil", "f64.floor", "f64.trunc", "f64.sqrt"] as const
        return graph.operation(prng.pick(names), this.f64(depth - 1))
      }
      default: {
        const a = this.f64(depth - 1)
        return graph.operation(prng.pick(BINARY.f64) as "f64.add", a, prng.chance(0.2) ? a : this.f64(depth - 1))
      }
    }
  }

  i32(depth: number): Lane<"i32"> {
    const { graph } = this
    const prng = this.#prng
    switch (prng.below(depth <= 0 ? 2 : 9)) {
      case 8: {
        const [factor, by] = [graph.constant("i32", prng.pick(INT32S)), graph.constant("i32", prng.below(64))]
        return graph.operation("i32.mulShrU", this.i32(depth - 1), factor, by)
      }
      case 0:
        return graph.load(
          "i32",
          this.#column("i32", () => prng.pick(INT32S)),
        )
      case 1:
        return graph.constant("i32", prng.pick(INT32S))
      case 2:
        return graph.operation(prng.pick(["i32.fromF64", "i32.saturated"] as const), this.f64(depth - 1))
      case 3:
        return graph.operation("i32.wrap", this.i64(depth - 1))
      case 4:
        return graph.select(this.flag(depth - 1), this.i32(depth - 1), this.i32(depth - 1))
      case 5:
        return graph.lookUp(
          "i32",
          this.#table("i32", () => prng.pick(INT32S)),
          this.#code(),
        )
      case 6: {
        const by = graph.constant("i32", prng.below(32))
        return graph.operation(prng.pick(["i32.shl", "i32.shrS", "i32.shrU"] as const), this.i32(depth - 1), by)
      }
      default:
        return graph.operation(prng.pick(BINARY.i32) as "i32.and", this.i32(depth - 1), this.i32(depth - 1))
    }
  }

  i64(depth: number): Lane<"i64"> {
    const { graph } = this
    const prng = this.#prng
    switch (prng.below(depth <= 0 ? 3 : this.#hasScalarOperations ? 9 : 7)) {
      case 0:
        return graph.load(
          "i64",
          this.#column("i64", () => prng.pick(INT64S)),
        )
      case 1:
        return graph.constant("i64", prng.pick(INT64S))
      case 2: {
        const value = prng.pick(INT64S)
        return graph.argument("i64", this.#argument("i64", { given: value, means: value }))
      }
      case 3:
        return graph.operation("i64.fromI32", this.i32(depth - 1))
      case 4: {
        const safe = graph.load(
          "i64",
          this.#column("i64", () => prng.pick(SAFES)),
        )
        return graph.operation("i64.fromSafe", graph.operation("f64.fromSafe", safe))
      }
      case 5:
        return graph.select(this.flag(depth - 1), this.i64(depth - 1), this.i64(depth - 1))
      case 6:
        return graph.operation(prng.pick(BINARY.i64) as "i64.add", this.i64(depth - 1), this.i64(depth - 1))
      case 7:
        return graph.operation("i64.mul", this.i64(depth - 1), this.i64(depth - 1))
      default: {
        const by = graph.constant("i64", prng.pick([3n, -7n, 1n, 2n ** 40n]))
        return graph.operation(prng.pick(["i64.div", "i64.rem"] as const), this.i64(depth - 1), by)
      }
    }
  }

  flag(depth: number): Lane<"flag"> {
    const { graph } = this
    const prng = this.#prng
    switch (prng.below(depth <= 0 ? 2 : 9)) {
      case 0:
        return graph.bit(this.#column("bit", () => prng.chance(0.5)))
      case 1: {
        const value = prng.chance(0.5)
        return graph.argument("flag", this.#argument("i32", { given: Number(value), means: value }))
      }
      case 2:
        return graph.not(this.flag(depth - 1))
      case 3:
        return graph.lookUp(
          "flag",
          this.#table("flag", () => prng.chance(0.5)),
          this.#code(),
        )
      case 4:
        return graph.operation(prng.pick(COMPARISONS.f64), this.f64(depth - 1), this.f64(depth - 1))
      case 5:
        return graph.operation(prng.pick(COMPARISONS.i32), this.i32(depth - 1), this.i32(depth - 1))
      case 6:
        return graph.operation(prng.pick(COMPARISONS.i64), this.i64(depth - 1), this.i64(depth - 1))
      default: {
        const flag = this.flag(depth - 1)
        const other = prng.chance(0.2) ? flag : this.flag(depth - 1)
        return graph.operation(prng.pick(BINARY.flag) as "flag.and", flag, other)
      }
    }
  }

  #code(): Lane<"i32"> {
    const code = this.graph.load(
      "i32",
      this.#column("i32", () => this.#prng.below(CODES)),
    )
    if (this.#prng.chance(0.5)) return code
    return this.graph.select(this.flag(0), code, this.graph.constant("i32", -1))
  }

  #column(type: LaneType | "bit", draw: () => LaneValue): KernelArgument {
    const values = Array.from({ length: ROWS }, draw)
    return this.#argument("address", { given: write(type, values), means: values })
  }

  /** The address of a table is that of its second entry. */
  #table(type: LaneType, draw: () => LaneValue): KernelArgument {
    const values = Array.from({ length: CODES + 1 }, draw)
    const bytes = { f64: 8, i64: 8, i32: 4, flag: 1 }[type]
    return this.#argument("address", { given: write(type, values) + bytes, means: values })
  }
}

const blocks: { readonly offset: number; readonly bytes: number }[] = []

/** Room in the arena, until `freeAll`. */
function take(bytes: number): number {
  const block = arena.allocate(bytes)
  blocks.push(block)
  new Uint8Array(arena.buffer, block.offset, block.bytes).fill(0xa5)
  return block.offset
}

/** Writes an array, and gives its address. */
function write(type: LaneType | "bit", values: readonly LaneValue[]): number {
  const address = take(values.length * 8)
  if (type === "bit") {
    const bits = new Uint8Array(arena.buffer, address, (values.length + 7) >> 3)
    values.forEach(
      (value, row) => (bits[row >> 3]! = (bits[row >> 3]! & ~(1 << (row & 7))) | (Number(value) << (row & 7))),
    )
  } else if (type === "i64") new BigInt64Array(arena.buffer, address, values.length).set(values as bigint[])
  else if (type === "f64") new Float64Array(arena.buffer, address, values.length).set(values as number[])
  else if (type === "i32") new Int32Array(arena.buffer, address, values.length).set(values as number[])
  else new Uint8Array(arena.buffer, address, values.length).set(values.map(Number))
  return address
}

function read(type: LaneType, address: number, row: number): LaneValue {
  switch (type) {
    case "f64":
      return new Float64Array(arena.buffer, address)[row]!
    case "i64":
      return new BigInt64Array(arena.buffer, address)[row]!
    case "i32":
      return new Int32Array(arena.buffer, address)[row]!
    case "flag":
      return ((new Uint8Array(arena.buffer, address)[row >> 3]! >> (row & 7)) & 1) === 1
  }
}

const TYPES: Readonly<Record<LaneType, ColumnType>> = { f64: t.float64, i32: t.int32, i64: t.int64, flag: t.bool }
type Kernel = (count: number, list: number, from: number, ...args: readonly (number | bigint)[]) => number

/** One random graph, run in both ways. */
function compare(prng: Prng, seed: string): boolean {
  const drawing = new Drawing(prng, prng.chance(0.2))
  const depth = prng.below(6)
  const draw = {
    f64: () => drawing.f64(depth),
    i32: () => drawing.i32(depth),
    i64: () => drawing.i64(depth),
    flag: () => drawing.flag(depth),
  }
  const roots: Lane[] = Array.from({ length: 1 + prng.below(4) }, () =>
    draw[prng.pick(["f64", "i32", "i64", "flag"] as const)](),
  )
  const listed = drawing.flag(depth)
  const { graph } = drawing
  const never = graph.constant("flag", false)
  const stores = roots.map((value, index) => ({
    ...{ index, type: TYPES[value.type], value, isFailed: never, sharesDictionaryOf: undefined },
    isPresent: index === 0 ? drawing.flag(1) : undefined,
  }))
  const plan = {
    lanes: { graph, params: [], tables: [] },
    stores,
    listed,
    areListedRare: prng.chance(0.5),
    unknown: never,
  }
  const source = wasmSource(plan)
  const kernels = source.module.instantiate<{ all: Kernel; some: Kernel }>(arena.memory)
  const inputs = graph.arguments.map((argument) =>
    argument.from === "column"
      ? drawing.inputs[argument.path[0]!]!.means
      : argument.from === "param"
        ? drawing.inputs[argument.param]!.means
        : 0,
  )
  const rows = Array.from({ length: ROWS }, (_, row) => row)
  const some = rows.filter(() => prng.chance(0.6))
  for (const [name, wanted] of [
    ["all", rows],
    ["some", some],
  ] as const) {
    const targets = stores.map(() => ({ values: take(ROWS * 8), validity: take(8) }))
    const args = source.arguments.map((argument) => {
      if (argument.from === "target") return targets[argument.target]![argument.part]
      return drawing.inputs[argument.from === "column" ? argument.path[0]! : (argument as { param: number }).param]!
        .given
    })
    const list = take(ROWS * 4)
    const from = name === "all" ? take(PICKS.length) : write("i32", some)
    if (name === "all") new Uint8Array(arena.buffer, from, PICKS.length).set(PICKS)
    const count = kernels[name](wanted.length, list, from, ...args)
    const outcome = {
      listed: [...new Int32Array(arena.buffer, list, count)],
      values: wanted.map((row) => stores.map(({ value, index }) => read(value.type, targets[index]!.values, row))),
      present: wanted.map((row) => read("flag", targets[0]!.validity, row)),
    }
    expect(outcome, `${seed}, ${name}`).toEqual({
      listed: wanted.filter((row) => laneValue(listed, inputs, row)),
      values: wanted.map((row) => stores.map(({ value }) => laneValue(value, inputs, row))),
      present: wanted.map((row) => laneValue(stores[0]!.isPresent!, inputs, row)),
    })
  }
  for (const block of blocks.splice(0)) arena.free(block)
  return source.isVectorised
}

it("WV1 LN2 lanes give in both ways what their twin gives", () => {
  let vectorised = 0
  for (let graph = 0; graph < GRAPHS; graph++) {
    if (compare(new Prng(SEED + graph), `seed ${SEED}, graph ${graph}`)) vectorised++
  }
  expect(vectorised / GRAPHS).toBeGreaterThan(0.7)
})
