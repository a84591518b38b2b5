/**
 * Blocks in memory, from when they are pushed until the job has computed them: in the order in which they were pushed, each given when it
 * is durable. Who pushes waits where there is no room, or where others shall come first.
 *
 * Invariants:
 * - BQ1 Blocks are given in the order in which `push` was called, however long each waits for room or the disk; between those of one push is none
 *   of another.
 * - BQ2 Beyond `bytesMax` of columns nothing is taken in, but for one block where there is none.
 */
import { assert } from "../../base/assert.ts"
import type { PushedBlock } from "./pushed-block.ts"

/** A block's place in the queue. */
export interface QueueEntry {
  bytes: number
  block: PushedBlock | undefined
}

/** Who waits for room; it is told once, and stays in front until it has entered. */
interface Waiting {
  readonly resolve: () => void
  /** Whether its block is made as soon as it may. */
  readonly isFast: boolean
  isTold: boolean
}

/** See the head of this file. */
export class BlockQueue {
  readonly #bytesMax: number
  readonly #entries: QueueEntry[] = []
  #bytes = 0
  /** Who waits for room, in turn. */
  readonly #waiting: Waiting[] = []
  /** Who waits for a block. */
  #arrival: (() => void) | undefined
  #isPaused = false
  /** Whether anybody had to wait for room, or a turn, since the job has committed. */
  #hasBeenAwaited = false
  #isEnding = false
  #isClosed = false
  #failure: { readonly error: unknown } | undefined

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /**
   * Resolves when it is the caller's turn, and there is room; then it must `enter` at once. `undefined` where that is now.
   *
   * @param isGoingOn whether the block before was the caller's, of the same push.
   * @param isFast whether the block is made in no time, so that others may wait for it.
   */
  room(isGoingOn = false, isFast = false): Promise<void> | undefined {
    const isNext = isGoingOn || this.#waiting.length === 0
    if (this.#isClosed || (isNext && this.#hasRoom && !this.#isPaused)) return undefined
    this.#hasBeenAwaited = true
    return new Promise((resolve) => {
      const waiting = { resolve, isFast, isTold: false }
      if (isGoingOn) this.#waiting.unshift(waiting)
      else this.#waiting.push(waiting)
    })
  }

  /** Nobody is let in until a promise has resolved. */
  pause(until: Promise<void>): void {
    this.#isPaused = true
    void until.then(() => {
      this.#isPaused = false
      this.#admit()
    })
  }

  /** Whether another block comes at once, or as soon as others have had their turn: one of the same push where that goes on, or a fast one of who waits. */
  isFollowed(goesOn: boolean): boolean {
    return !this.#isClosed && this.#hasRoom && (goesOn || (this.#isPaused && (this.#waiting.at(0)?.isFast ?? false)))
  }

  /** Whether more is pushed than there is time for: something is on its way, and of late somebody had to wait for room or a turn. */
  get isBusy(): boolean {
    return this.#hasBeenAwaited && this.#entries.length + this.#waiting.length > 0
  }

  /** The job has committed. */
  committed(): void {
    this.#hasBeenAwaited = false
  }

  /** A block comes next; how large it is is told before anything is waited for. */
  enter(): QueueEntry {
    // Nobody else may enter while one waits: it is the one that was told.
    if (this.#waiting[0]?.isTold) this.#waiting.shift()
    const entry: QueueEntry = { bytes: 0, block: undefined }
    this.#entries.push(entry)
    return entry
  }

  /** The block takes so many bytes. @param goesOn whether its push goes on: then nobody else is let in. */
  fill(entry: QueueEntry, bytes: number, goesOn = false): void {
    entry.bytes = bytes
    this.#bytes += bytes
    if (!goesOn) this.#admit()
  }

  /** There is no such block after all. */
  leave(entry: QueueEntry): void {
    const place = this.#entries.indexOf(entry)
    if (place >= 0) this.#entries.splice(place, 1)
    this.#bytes -= entry.bytes
    this.#admit()
    this.#wake()
  }

  /** The block has become durable. */
  ready(entry: QueueEntry, block: PushedBlock): void {
    if (this.#isClosed) {
      block.release()
      return
    }
    entry.block = block
    this.#wake()
  }

  /** Nothing comes behind what is in it. */
  end(): void {
    this.#isEnding = true
    this.#wake()
  }

  /** Nothing is given any more. */
  fail(error: unknown): void {
    this.#failure ??= { error }
    this.#wake()
  }

  /** The block that comes next, where it is there. */
  get head(): PushedBlock | undefined {
    if (this.#failure !== undefined) throw this.#failure.error
    return this.#entries[0]?.block
  }

  get hasEnded(): boolean {
    return this.#isEnding && this.#entries.length === 0 && this.#waiting.length === 0
  }

  /** The block that comes next is read; its room is free when it is released. */
  shift(): PushedBlock {
    const entry = this.#entries.shift()
    assert(entry?.block !== undefined, "a block is given when it is durable")
    const { block, bytes } = entry
    return {
      ...block,
      release: () => {
        block.release()
        this.#bytes -= bytes
        this.#admit()
      },
    }
  }

  /** Resolves when there is a block, nothing comes any more, or the signal is aborted; `undefined` where that is so now. */
  arrival(signal: AbortSignal): Promise<void> | undefined {
    if (this.#failure !== undefined || this.hasEnded || this.#entries[0]?.block !== undefined) return undefined
    return new Promise((resolve) => {
      this.#arrival = resolve
      if (signal.aborted) resolve()
      else signal.addEventListener("abort", () => resolve(), { once: true })
    })
  }

  /** Lets go what is in it, and whoever waits for room. */
  close(): void {
    this.#isClosed = true
    for (const { block } of this.#entries.splice(0)) block?.release()
    for (const { resolve } of this.#waiting.splice(0)) resolve()
    this.#wake()
  }

  get #hasRoom(): boolean {
    return this.#entries.length === 0 || this.#bytes < this.#bytesMax
  }

  /** Lets the next one in where there is room: it enters before another is let in. */
  #admit(): void {
    const first = this.#waiting[0]
    if (first === undefined || first.isTold || !this.#hasRoom || this.#isPaused) return
    first.isTold = true
    first.resolve()
  }

  #wake(): void {
    this.#arrival?.()
    this.#arrival = undefined
  }
}
