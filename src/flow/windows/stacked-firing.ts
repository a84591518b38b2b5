/**
 * Windows of which many overlap, over slices that are shared: each own slice is taken in once (`window-feed.ts`), and what
 * windows share is kept up in two stacks, as where a window is alone.
 */
import type { Emitter, OperatorContext } from "../operator.ts"
import type { SharedFiring } from "./shared-firing.ts"
import type { SharedSlices } from "./shared-slices.ts"
import { WindowFeed } from "./window-feed.ts"
import { WindowFiring, type FiredWindows } from "./window-firing.ts"
import { WindowMemory } from "./window-memory.ts"
import { WindowPieces } from "./window-pieces.ts"
import { WindowResults, type WindowResultsOptions } from "./window-results.ts"

/** See the head of this file. */
export class StackedFiring implements SharedFiring {
  readonly #shared: SharedSlices
  readonly #memory: WindowMemory
  readonly #pieces: WindowPieces
  readonly #results: WindowResults
  readonly #firing: WindowFiring
  readonly #feed: WindowFeed

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
    this.#shared = shared
    this.#memory = memory
    this.#pieces = pieces
    this.#results = new WindowResults(options, memory, context)
    this.#firing = new WindowFiring({ slices, memory, pieces, code: code.windows, results: this.#results })
    this.#feed = new WindowFeed(arena, { shared, slices, memory, pieces, fields, code: code.merging, sources })
  }

  fireUntil(lastDueEnd: number, fired: FiredWindows, out: Emitter): number {
    this.#feed.take(lastDueEnd, fired.floorEnd)
    if (this.#pieces.nextEnd(fired.floorEnd) > lastDueEnd) return -Infinity
    return this.#firing.fireUntil(lastDueEnd, fired, this.#shared.stored.keys, out)
  }

  neededFrom(): number {
    return this.#feed.nextStart
  }

  forget(floorEnd: number): void {
    this.#feed.forget(floorEnd)
  }

  release(): void {
    this.#feed.release()
    this.#memory.release()
    this.#pieces.release()
    this.#results.release()
  }
}
