/**
 * The arithmetic of lanes in WebAssembly, four numbers at a time: what `LANE_LOOPS` computes (`lane-kernel-code.ts`, `packing-kernel.ts`).
 *
 * All that a kernel reads and writes lies in one memory (`lane-scratch.ts`). Each finds the least and the greatest of what it writes, and leaves
 * them at the memory's start.
 *
 * Invariant:
 * - LK1 Each gives what the loop of its name gives, whatever the numbers.
 */
import { assert } from "../../base/assert.ts"
import type { LinearMemory } from "../../base/linear-memory.ts"
import { WasmModule } from "../../base/wasm-module.ts"
import { frameBetween, LANE_LOOPS, type Frame, type LaneArithmetic } from "./lane-arithmetic.ts"
import { addDeltas, addDistances, addFrame, addRuns, addWholes } from "./lane-kernel-code.ts"
import { addPack } from "./packing-kernel.ts"

/** Fewer numbers are a matter for the loops. */
const KERNEL_COUNT_MIN = 16
const WORD_BYTES = 4

interface KernelFunctions {
  readonly frame: (from: number, count: number) => void
  readonly deltas: (from: number, to: number, count: number) => void
  readonly near: (from: number, to: number, count: number) => number
  readonly steps: (from: number, to: number, count: number) => number
  readonly wholes: (from: number, to: number, count: number, scale: number, first: number) => number
  readonly runs: (from: number, count: number) => number
  readonly pack: (from: number, to: number, count: number, base: number, width: number) => void
}

/** See the head of this file. */
export class LaneKernels implements LaneArithmetic {
  readonly #buffer: ArrayBufferLike
  readonly #results: Int32Array
  readonly #functions: KernelFunctions

  /** @param memory where all numbers lie. */
  constructor(memory: LinearMemory) {
    this.#buffer = memory.buffer
    this.#results = new Int32Array(memory.buffer, 0, 2)
    this.#functions = kernelModule().instantiate(memory)
  }

  frame(values: Int32Array, count: number): Frame {
    if (count < KERNEL_COUNT_MIN) return LANE_LOOPS.frame(values, count)
    this.#functions.frame(this.#placeOf(values), count)
    return this.#frame
  }

  deltas(values: Int32Array, count: number, to: Int32Array): Frame {
    if (count <= KERNEL_COUNT_MIN) return LANE_LOOPS.deltas(values, count, to)
    this.#functions.deltas(this.#placeOf(values), this.#placeOf(to), count - 1)
    return this.#frame
  }

  runs(values: Int32Array, count: number): number {
    if (count <= KERNEL_COUNT_MIN) return LANE_LOOPS.runs(values, count)
    return 1 + this.#functions.runs(this.#placeOf(values), count - 1)
  }

  fromFirst(halves: Int32Array, count: number, to: Int32Array): Frame | undefined {
    if (count < KERNEL_COUNT_MIN) return LANE_LOOPS.fromFirst(halves, count, to)
    const isExceeded = this.#functions.near(this.#placeOf(halves), this.#placeOf(to), count)
    return isExceeded === 0 ? this.#frame : undefined
  }

  fromBefore(halves: Int32Array, count: number, to: Int32Array): Frame | undefined {
    if (count <= KERNEL_COUNT_MIN) return LANE_LOOPS.fromBefore(halves, count, to)
    const isExceeded = this.#functions.steps(this.#placeOf(halves), this.#placeOf(to) + WORD_BYTES, count - 1)
    to[0] = 0
    const [least, greatest] = this.#results
    return isExceeded === 0 ? frameBetween(Math.min(0, least!), Math.max(0, greatest!)) : undefined
  }

  wholesFromFirst(
    halves: Int32Array,
    count: number,
    decimals: number,
    first: number,
    to: Int32Array,
  ): Frame | undefined {
    if (count < KERNEL_COUNT_MIN) return LANE_LOOPS.wholesFromFirst(halves, count, decimals, first, to)
    if ((first | 0) !== first) return undefined
    const scale = 10 ** decimals
    const isNone = this.#functions.wholes(this.#placeOf(halves), this.#placeOf(to), count, scale, first)
    // The least and the greatest are those of the whole numbers, and not yet of how far they are.
    const [least, greatest] = [this.#results[0]! - first, this.#results[1]! - first]
    if (isNone !== 0 || (least | 0) !== least || (greatest | 0) !== greatest) return undefined
    return frameBetween(least, greatest)
  }

  pack(values: Int32Array, count: number, { base, width }: Frame, words: Int32Array): void {
    if (width === 0) return
    if (count < KERNEL_COUNT_MIN || width === 32) LANE_LOOPS.pack(values, count, { base, width }, words)
    else this.#functions.pack(this.#placeOf(values), this.#placeOf(words), count, base, width)
  }

  get #frame(): Frame {
    return frameBetween(this.#results[0]!, this.#results[1]!)
  }

  #placeOf(words: Int32Array): number {
    assert(words.buffer === this.#buffer, "what a kernel works on lies in its memory")
    return words.byteOffset
  }
}

function kernelModule(): WasmModule {
  const module = new WasmModule("own")
  addFrame(module)
  addDeltas(module)
  addDistances(module)
  addWholes(module)
  addRuns(module)
  addPack(module)
  return module
}
