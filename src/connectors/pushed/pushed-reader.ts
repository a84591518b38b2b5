/** Gives what was pushed to the job: first what was kept before, then what comes, block by block, in pieces as they are asked for. */
import { assert } from "../../base/assert.ts"
import { Batch } from "../../batch/batch.ts"
import type { BadRecord, Position } from "../../batch/position.ts"
import { UNPACED_STRIDE } from "../../connect/numbered-source.ts"
import type { PartitionReader, ReadLimits, SourceBatch, SourceNotice } from "../../connect/source.ts"
import type { BlockQueue } from "./block-queue.ts"
import { NumberedOrigin } from "./numbered-origin.ts"
import { countOf, type PushedBlock } from "./pushed-block.ts"
import type { PushedPosition } from "./pushed-position.ts"

/** A block that was kept before. */
export interface KeptRead {
  readonly block: PushedBlock
  /** How many of its records were read. */
  readonly taken: number
  /** Whether an earlier program has kept it, with another prefix of its plan. */
  readonly isOther: boolean
}

/** What a reader is made of. */
export interface PushedReaderParts {
  readonly input: string
  readonly partition: number
  readonly position: Position
  readonly state: PushedPosition
  readonly queue: BlockQueue
  readonly kept: AsyncIterator<KeptRead, void, undefined>
}

const NOTHING = () => {}

/** See the head of this file. */
export class PushedReader implements PartitionReader {
  readonly #parts: PushedReaderParts
  #position: Position
  /** The block that is being read, and how many of its records were. */
  #block: PushedBlock | undefined
  #taken = 0
  readonly #notices: SourceNotice[] = []
  #isToldOfOther = false
  /** What was kept before is read. */
  #isKeptDone = false

  constructor(parts: PushedReaderParts) {
    this.#parts = parts
    this.#position = parts.position
  }

  async read(limits: ReadLimits): Promise<SourceBatch> {
    await this.#fetch()
    const block = this.#block
    const told = this.#notices.splice(0)
    const notices = told.length === 0 ? {} : { notices: told }
    if (block === undefined) {
      return { batch: undefined, bad: [], next: this.#position, end: this.#hasEnded, ...notices, release: NOTHING }
    }
    const first = this.#position.ordinal
    const room = Math.min(limits.rows, Math.ceil(limits.untilOffset / UNPACED_STRIDE) - first)
    const from = this.#taken
    const until = Math.min(countOf(block), from + Math.max(1, room))
    this.#taken = until
    const isDone = until === countOf(block)
    const { place, dropped, form, skipped } = block
    // Those of which nothing is left count behind the others.
    this.#position = positionAt(first + until - from + (isDone ? dropped : 0))
    if (place !== undefined) this.#parts.state.move({ place, taken: isDone ? undefined : until, form, skipped })
    if (isDone) this.#block = undefined
    return {
      ...this.#piece(block, from, until, first),
      ...(isDone && dropped > 0 ? { dropped } : {}),
      ...notices,
      next: this.#position,
      end: isDone && this.#hasEnded,
      release: isDone ? () => block.release() : NOTHING,
    }
  }

  whenReadable(signal: AbortSignal): Promise<void> | undefined {
    if (!this.#isKeptDone || this.#block !== undefined) return undefined
    return this.#parts.queue.arrival(signal)
  }

  get isBusy(): boolean {
    return this.#parts.queue.isBusy
  }

  async close(): Promise<void> {
    this.#block?.release()
    this.#block = undefined
    await this.#parts.kept.return?.()
  }

  get #hasEnded(): boolean {
    return this.#isKeptDone && this.#parts.queue.hasEnded
  }

  /** Takes the block that comes next, where none is being read. */
  async #fetch(): Promise<void> {
    while (this.#block === undefined && !this.#isKeptDone) {
      const next = await this.#parts.kept.next()
      if (next.done === true) this.#isKeptDone = true
      else {
        const { block, taken, isOther } = next.value
        if (isOther) this.#tellOfOther()
        this.#begin(block, taken)
      }
    }
    if (this.#block === undefined && this.#parts.queue.head !== undefined) this.#begin(this.#parts.queue.shift(), 0)
  }

  #begin(block: PushedBlock, taken: number): void {
    const count = countOf(block)
    assert(taken <= count, "no more of a block was read than it has")
    this.#block = block
    this.#taken = taken
  }

  #tellOfOther(): void {
    if (this.#isToldOfOther) return
    this.#isToldOfOther = true
    const message = `Some of what was pushed into the input ${this.#parts.input} was kept by an earlier program, whose operators have filtered it.`
    const hint = "What they have dropped is not there any more; what they have left counts."
    this.#notices.push({ message, hint, isGap: false })
  }

  /** The records of a block from one up to another, the first of which has an ordinal. */
  #piece(
    { batch, bad }: PushedBlock,
    from: number,
    until: number,
    ordinal: number,
  ): Pick<SourceBatch, "batch" | "bad"> {
    const rows = batch?.length ?? 0
    const badRecords = bad.slice(Math.max(0, from - rows), Math.max(0, until - rows)).map((each, index): BadRecord => {
      return { ...each, position: positionAt(ordinal + Math.max(0, rows - from) + index) }
    })
    if (batch === undefined || from >= rows) return { batch: undefined, bad: badRecords }
    const { schema, columns } = batch
    const origin = new NumberedOrigin(this.#parts.partition, ordinal - from, rows)
    const count = Math.min(rows, until) - from
    if (count === rows) return { batch: new Batch({ schema, columns, length: rows, origin }), bad: badRecords }
    const selection = Int32Array.from({ length: count }, (_, index) => from + index)
    return { batch: new Batch({ schema, columns, length: rows, origin, selection, count }), bad: badRecords }
  }
}

function positionAt(ordinal: number): Position {
  return { offset: ordinal * UNPACED_STRIDE, ordinal }
}
