/**
 * Room for the numbers of a block while it is written or read: one for all lanes of a thread, as each is done before the next begins. It lies in one
 * memory, so that kernels can work on all of it.
 */
import type { LinearMemory } from "../../base/linear-memory.ts"
import { MAX_BATCH_ROWS } from "../../batch/batch.ts"
import { DistinctValues } from "./distinct-values.ts"
import { LANE_LOOPS, type LaneArithmetic } from "./lane-arithmetic.ts"
import { LaneKernels } from "./lane-kernels.ts"
import { PACKED_SLACK_BYTES } from "./packing-kernel.ts"

/** Lanes have at most so many numbers. */
export const LANE_COUNT_MAX = MAX_BATCH_ROWS

/** When so many numbers were written, loops have taken as long as it takes to make kernels. */
const WORTH_KERNELS_COUNT = 2 ** 16

const PAGE_BYTES = 65_536
const LANE_BYTES = 4 * LANE_COUNT_MAX
/** What kernels give lies before all numbers. */
const FIRST_LANE_AT = 64
const LANES = 9

/** See the head of this file. */
export class LaneScratch {
  readonly #memory: LinearMemory
  #kernels: LaneArithmetic | undefined
  #written = 0
  /** Values of a column of one or two words each, as they are written: those of some rows, and those of nulls replaced. */
  readonly values: Int32Array
  /** Whole numbers of two words that stand for doubles. */
  readonly wholes: Int32Array
  /** The halves of values of two words, or how far these are from each other. */
  readonly lows: Int32Array
  readonly highs: Int32Array
  /** What is packed for them: distances, runs, numbers of distinct ones; and the lengths of runs. */
  readonly parts: Int32Array
  readonly lengths: Int32Array
  /** Packed bits. */
  readonly packed: Int32Array
  readonly distinct = new DistinctValues()

  constructor() {
    const pages = Math.ceil((FIRST_LANE_AT + LANES * LANE_BYTES + PACKED_SLACK_BYTES) / PAGE_BYTES)
    const { buffer } = (this.#memory = new WebAssembly.Memory({ initial: pages, maximum: pages }))
    const lanes = (lane: number, count = 1): Int32Array =>
      new Int32Array(buffer, FIRST_LANE_AT + lane * LANE_BYTES, count * LANE_COUNT_MAX)
    this.values = lanes(0, 2)
    this.wholes = lanes(2, 2)
    this.lows = lanes(4)
    this.highs = lanes(5)
    this.parts = lanes(6)
    this.lengths = lanes(7)
    // The last one, as kernels write some bytes behind it.
    this.packed = lanes(8)
  }

  /** What is computed of all numbers of a lane, all of which lie here. */
  get arithmetic(): LaneArithmetic {
    return this.#kernels ?? LANE_LOOPS
  }

  /** So many numbers are written next. */
  begin(count: number): void {
    if (this.#kernels !== undefined) return
    this.#written += count
    if (this.#written > WORTH_KERNELS_COUNT) this.#kernels = new LaneKernels(this.#memory)
  }
}

let ofThread: LaneScratch | undefined

/** That of this thread. */
export function laneScratch(): LaneScratch {
  return (ofThread ??= new LaneScratch())
}
