/** A thread that computes parts of a stream, and the memory that is its own. */
import { assert } from "../base/assert.ts"
import type { Arena, Block } from "../batch/arena.ts"
import type { Dictionary } from "../batch/dictionary.ts"
import type { Thread, Threads } from "../env/env.ts"
import { keptModules } from "../expr/compiled-module.ts"
import {
  SIGNALS,
  type FromPartThread,
  type PartTask,
  type PartThreadStart,
  type Texts,
} from "../flow/parts/part-messages.ts"
import type { PartPlanData } from "../flow/parts/part-plan.ts"
import { ThreadTexts } from "../formats/threads/thread-texts.ts"

/** What it is started with. */
export interface PartSeatOptions {
  readonly arena: Arena
  readonly threads: Threads
  readonly plan: PartPlanData
  readonly states: ReadonlyMap<string, Uint8Array>
  /** Bytes of memory that are its own. */
  readonly bytes: number
  /** Bytes of results that nobody has taken, before it waits. */
  readonly resultBytesMax: number
  readonly onAnswer: (answer: FromPartThread) => void
  readonly onDeath: (reason: string) => void
}

/** See the head of this file. */
export class PartSeat {
  readonly #arena: Arena
  readonly #blocks: readonly Block[]
  readonly #thread: Thread
  readonly #words: Int32Array
  /** The number of the batch behind the last one that it was given: its states are those from there on. */
  position = 0
  /** By the number of a dictionary: how many of its texts the thread knows. */
  readonly #told = new Map<number, number>()
  readonly #resultTexts = new Map<string, ThreadTexts>()
  /** How many parts it has that are not computed. */
  openParts = 0

  private constructor(arena: Arena, blocks: readonly Block[], thread: Thread, words: Int32Array) {
    this.#arena = arena
    this.#blocks = blocks
    this.#thread = thread
    this.#words = words
  }

  /** A thread with memory of its own, or `undefined` where there is neither. */
  static start(options: PartSeatOptions): PartSeat | undefined {
    const { arena, threads, plan, states, bytes, resultBytesMax } = options
    const [block, signals] = [bytes, SIGNALS.words * Int32Array.BYTES_PER_ELEMENT].map((each) =>
      arena.tryAllocate(each),
    )
    const blocks = [block, signals].flatMap((each) => each ?? [])
    const words = signals && new Int32Array(arena.buffer, signals.offset, SIGNALS.words).fill(0)
    const free = () => blocks.forEach((each) => arena.free(each))
    if (block === undefined || words === undefined) {
      free()
      return undefined
    }
    const data: PartThreadStart = {
      role: "parts",
      memory: arena.memory,
      modules: keptModules(),
      from: block.offset,
      bytes: block.bytes,
      signals: words.byteOffset,
      resultBytesMax,
      plan,
      states,
    }
    const thread = threads.start(data, {
      onMessage: (message) => options.onAnswer(message as FromPartThread),
      onDeath: options.onDeath,
    })
    if (thread !== undefined) return new PartSeat(arena, blocks, thread, words)
    free()
    return undefined
  }

  /** What it has not been told of dictionaries; what is not among them it forgets. */
  textsOf(dictionaries: ReadonlyMap<number, Dictionary>): Map<number, Texts> {
    for (const number of this.#told.keys()) if (!dictionaries.has(number)) this.#told.delete(number)
    const texts = new Map<number, Texts>()
    for (const [number, dictionary] of dictionaries) {
      texts.set(number, dictionary.textsFrom(this.#told.get(number) ?? 0))
      this.#told.set(number, dictionary.size)
    }
    return texts
  }

  /** The texts of a column of an output as the thread numbers them. */
  resultTexts(output: string, column: number): ThreadTexts {
    const key = `${column} ${output}`
    let texts = this.#resultTexts.get(key)
    if (texts === undefined) this.#resultTexts.set(key, (texts = new ThreadTexts()))
    return texts
  }

  /** Gives it a part that ends before the batch of that number. */
  compute(task: PartTask, end: number): void {
    assert(task.from >= this.position, "a thread goes forward")
    this.position = end
    this.openParts++
    this.#thread.send(task)
  }

  /** Takes note that one of its results was read: its memory may serve again. */
  release(): void {
    Atomics.add(this.#words, SIGNALS.released, 1)
    Atomics.notify(this.#words, SIGNALS.released)
  }

  /** Ends the thread, whatever it does. Its results are void. */
  async stop(): Promise<void> {
    await this.#thread.stop()
    for (const block of this.#blocks) this.#arena.free(block)
  }
}
