/**
 * What a test has pushed to the inputs of a job, in one order over all of them: the world outside, which outlives the job's
 * crashes and gives the same again.
 *
 * A partition's offsets count what was pushed to it: records, watermarks and its end. Its ordinals count the records.
 *
 * Invariants:
 * - IS1 Records are read in the order in which they were pushed, over all inputs, however reads are limited and whenever the
 *   job dies: what is next is a function of how far the partitions were read.
 * - IS2 A reader of a life that is over never hears of anything.
 */
import { assert } from "../base/assert.ts"
import type { BadRecord } from "../batch/position.ts"
import type { PartitionProgress } from "../state/commit-record.ts"
import type { PlainRow } from "./run-plan.ts"

/** Something that was pushed. */
export type Pushed =
  | { readonly kind: "row"; readonly row: PlainRow }
  | { readonly kind: "bad"; readonly bad: Omit<BadRecord, "position"> }
  | { readonly kind: "watermark"; readonly micros: number }
  | { readonly kind: "end" }

/** Its place: among all that was pushed, and the number of records of its partition before it. */
export type ScriptEntry = Pushed & { readonly turn: number; readonly ordinal: number }

/** One run of the job, from its start to its end or death. */
export interface Life {
  isOver: boolean
}

/** What was pushed to one partition. */
export class ScriptPartition {
  readonly entries: ScriptEntry[] = []
  #records = 0

  get hasEnded(): boolean {
    return this.entries.at(-1)?.kind === "end"
  }

  add(pushed: Pushed, turn: number): void {
    assert(!this.hasEnded, "nothing comes behind the end")
    this.entries.push({ ...pushed, turn, ordinal: this.#records })
    if (pushed.kind === "row" || pushed.kind === "bad") this.#records++
  }
}

/** See the head of this file. */
export class InputScript {
  /** By input, then by number. */
  readonly partitions: ReadonlyMap<string, readonly ScriptPartition[]>
  #turns = 0
  /** Whether something was pushed since the last `tell`. */
  #hasMore = false
  readonly #waiting = new Set<() => void>()

  constructor(partitionCounts: ReadonlyMap<string, number>) {
    this.partitions = new Map(
      [...partitionCounts].map(([input, count]) => [input, Array.from({ length: count }, () => new ScriptPartition())]),
    )
  }

  /** Puts something behind all that was pushed before; `tell` says that there is something. */
  add(input: string, partition: number, pushed: Pushed): void {
    this.#hasMore = true
    this.#partition(input, partition).add(pushed, this.#turns++)
  }

  /** Wakes who waits for something to be pushed, where something was. */
  tell(): void {
    if (!this.#hasMore) return
    this.#hasMore = false
    for (const wake of this.#waiting) wake()
  }

  /** Resolves at the next `tell`, or when the signal aborts. */
  untilTold(signal: AbortSignal, life: Life): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake)
        signal.removeEventListener("abort", wake)
        if (!life.isOver) resolve()
      }
      this.#waiting.add(wake)
      signal.addEventListener("abort", wake)
    })
  }

  /** IS1: the partition with what was pushed first of all that is not read; any where all is. */
  next(open: readonly PartitionProgress[]): PartitionProgress {
    let first: PartitionProgress | undefined
    let firstTurn = Infinity
    for (const each of open) {
      const turn = this.#partition(each.input, Number(each.id)).entries[each.offset]?.turn ?? Infinity
      if (first === undefined || turn < firstTurn) [first, firstTurn] = [each, turn]
    }
    assert(first !== undefined, "a partition is open")
    return first
  }

  #partition(input: string, number: number): ScriptPartition {
    const partition = this.partitions.get(input)?.[number]
    assert(partition !== undefined, "what is pushed has a partition")
    return partition
  }
}
