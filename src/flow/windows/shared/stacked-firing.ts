/**
 * Windows of which many overlap, over slices that are shared: each own slice is taken in once (`window-feed.ts`), and what
 * windows share is kept up in two stacks, as where a window is alone.
 */
import type { Emitter, OperatorContext } from "../../operator.ts"
import { floorEndBehind, type FiredTogether, type SharedFiring } from "./shared-firing.ts"
import { NOBODY, type SharedSlices } from "./shared-slices.ts"
import type { Slices } from "../kernels/slices.ts"
import { WindowFeed } from "./window-feed.ts"
import { WindowFiring, type FiredWindows } from "../window-firing.ts"
import { WindowMemory } from "../window-memory.ts"
import { WindowPieces } from "../window-pieces.ts"
import { WindowResults, type WindowResultsOptions } from "../window-results.ts"

/** See the head of this file. */
export class StackedFiring implements SharedFiring, FiredTogether, FiredWindows {
  readonly #slices: Slices
  readonly #shared: SharedSlices
  readonly #memory: WindowMemory
  readonly #pieces: WindowPieces
  readonly #results: WindowResults
  readonly #firing: WindowFiring
  readonly #feed: WindowFeed
  #out: Emitter = NOBODY
  #floorEnd = -Infinity

  /** @param fields by field of the window's entries: which of the shared ones it is. */
  constructor(
    options: WindowResultsOptions,
    fields: readonly number[],
    shared: SharedSlices,
    context: OperatorContext,
  ) {
    const { shape } = options
    const { slices } = shape
    const { arena } = context
    const memory = new WindowMemory(arena, shape)
    const pieces = new WindowPieces(arena, slices, memory)
    const code = shared.codeOf(shape)
    const sources = shared.runs.tablesOf(fields)
    this.#slices = slices
    this.#shared = shared
    this.#memory = memory
    this.#pieces = pieces
    this.#results = new WindowResults(options, memory, context)
    this.#firing = new WindowFiring({ slices, memory, pieces, code: code.windows, results: this.#results })
    this.#feed = new WindowFeed(arena, { shared, slices, memory, pieces, fields, code: code.merging, sources })
  }

  /** What windows share is their own. */
  get together(): this {
    return this
  }

  get floorEnd(): number {
    return this.#floorEnd
  }

  get neededFrom(): number {
    return this.#feed.nextStart
  }

  bind(out: Emitter): void {
    this.#out = out
  }

  fireDue(watermark: number): number {
    this.#fireUntil(watermark + 1)
    this.pass(watermark)
    return this.#floorEnd
  }

  fireAll(): number {
    return this.#fireUntil(Infinity)
  }

  #fireUntil(lastDueEnd: number): number {
    this.#feed.take(lastDueEnd, this.#floorEnd)
    if (this.#pieces.nextEnd(this.#floorEnd) > lastDueEnd) return -Infinity
    return this.#firing.fireUntil(lastDueEnd, this, this.#shared.stored.keys, this.#out)
  }

  passWindow(end: number): void {
    this.#floorEnd = end + this.#slices.slide
  }

  pass(watermark: number): void {
    this.#floorEnd = floorEndBehind(watermark, this.#floorEnd, this.#slices)
  }

  forget(): void {
    this.#feed.forget(this.#floorEnd)
  }

  release(): void {
    this.#feed.release()
    this.#memory.release()
    this.#pieces.release()
    this.#results.release()
  }
}
