/**
 * The threads that decode, as the coordinator sees them. Each has a part of the arena's memory, in which it makes
 * batches that are read where they lie: bytes come to it and batches come from it without being copied.
 *
 * A thread holds nothing that cannot be made again. Where one dies, another takes its place and its tasks; batches that it
 * had made stay until they are released, in a part of the memory that nobody else is given before.
 *
 * Threads are started once there is something to do for them. Where what else there is may come to need their memory, they end, and
 * it is given back: a job that fits without them fits.
 *
 * Invariants:
 * - DP1 A thread has at most `TASKS_MAX` tasks that are not released, so that its memory is enough for their batches.
 * - DP2 Every task is answered once, also where threads die. After `DEATHS_MAX` deaths without an answer between them all
 *   that are open are answered by "could not", and no thread is started any more.
 * - DP3 Once less memory is beside the threads' than twice what all else holds, no place is given any more, and each thread's part
 *   comes back when its tasks are released.
 */
import { assert } from "../base/assert.ts"
import type { Arena, Block } from "../batch/arena.ts"
import type { DecodedTask, Decoders, DecodeSlot, DecodeTask, ThreadDecoder } from "../connect/decoders.ts"
import type { Thread, Threads } from "../env/env.ts"
import { keptModules } from "../expr/compiled-module.ts"
import type { DecodeThreadStart, FromDecodeThread, ToDecodeThread } from "../formats/threads/decode-messages.ts"
import { specKey, type DecoderSpec } from "../formats/threads/decoder-spec.ts"
import type { ThreadTexts } from "../formats/threads/thread-texts.ts"
import { PoolDecoder } from "./pool-decoder.ts"
import type { RunJobOptions } from "./run-options.ts"

/** How many tasks a thread may have at once: those under way, and those whose batches wait or are read. */
const TASKS_MAX = 6
/** The most and the least of a thread's part of the memory. It is reserved, and touched as far as it is needed. */
const [THREAD_BYTES_MAX, THREAD_BYTES_MIN] = [32 * 1024 * 1024, 256 * 1024]
/** Threads are started when so many places were asked for: what has less to read is done before they are of use. */
const ASKED_MIN = 16
/** The share of the memory that one thread may get, and that of all. */
const [THREAD_SHARE, THREADS_SHARE] = [1 / 8, 1 / 2]
/** So many threads may die one after the other. */
const DEATHS_MAX = 3

/** What a pool may use. */
export interface DecodePoolOptions {
  readonly threads: Threads
  readonly arena: Arena
  /** How many threads: at least 1. There are fewer where the memory is not enough for them. */
  readonly count: number
  /** Threads are started when so many places were asked for; default 16. */
  readonly askedMin?: number | undefined
  /** Told of each death, and whether another thread takes the place. */
  readonly onDeath?: (reason: string, isReplaced: boolean) => void
}

/** See the head of this file. */
export class DecodePool implements Decoders {
  readonly #options: DecodePoolOptions
  readonly #seats: Seat[] = []
  /** By the keys of their specs. */
  readonly #decoders = new Map<string, PoolDecoder>()
  readonly slots: number
  readonly #askedMin: number
  readonly #threadBytes: number
  #asked = 0
  #tasks = 0
  #deaths = 0
  #isClosed = false
  /** Threads that have given way, until they are no more. */
  readonly #leaving = new Set<Seat>()

  constructor(options: DecodePoolOptions) {
    assert(options.count >= 1, "a pool has a thread")
    this.#options = options
    this.#askedMin = options.askedMin ?? ASKED_MIN
    const { maxBytes } = options.arena
    this.#threadBytes = Math.min(THREAD_BYTES_MAX, 2 ** Math.floor(Math.log2(maxBytes * THREAD_SHARE)))
    const most = this.#threadBytes < THREAD_BYTES_MIN ? 0 : Math.floor((maxBytes * THREADS_SHARE) / this.#threadBytes)
    this.slots = Math.min(options.count, most) * TASKS_MAX
  }

  /** The threads of a run, where it asks for them and they can be had. */
  static of(options: RunJobOptions, arena: Arena, onDeath: DecodePoolOptions["onDeath"]): DecodePool | undefined {
    const { env, parallelism = 1, stretchesBeforeThreads: askedMin } = options
    const { threads } = env
    if (threads === undefined || parallelism < 2) return undefined
    return new DecodePool({ threads, arena, count: parallelism, askedMin, ...(onDeath && { onDeath }) })
  }

  decoder(spec: DecoderSpec): ThreadDecoder {
    const key = specKey(spec)
    let decoder = this.#decoders.get(key)
    if (decoder === undefined) {
      decoder = new PoolDecoder(this.#decoders.size, spec, this.#options.arena.buffer, (each) => this.#slot(each))
      this.#decoders.set(key, decoder)
    }
    return decoder
  }

  get leaving(): Promise<void> | undefined {
    const ends = [...this.#leaving].flatMap(({ ending }) => ending ?? [])
    return ends.length === 0 ? undefined : Promise.all(ends).then(() => undefined)
  }

  /** Ends all threads. What they have made is void. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const seat of [...this.#seats.splice(0), ...this.#leaving]) {
      seat.giveUp()
      await seat.stop()
    }
  }

  #slot(decoder: PoolDecoder): DecodeSlot | undefined {
    if (this.#isClosed || ++this.#asked < this.#askedMin) return undefined
    if (this.#isCrowded()) return this.#giveWay()
    while (this.#seats.length * TASKS_MAX < this.slots) {
      const seat = this.#open()
      if (seat === undefined) break
      this.#seats.push(seat)
    }
    let best: Seat | undefined
    for (const seat of this.#seats) if (best === undefined || seat.tasks.size < best.tasks.size) best = seat
    if (best === undefined || best.tasks.size >= TASKS_MAX) return undefined
    return new Task(++this.#tasks, decoder, best)
  }

  /** Whether what else there is could not grow as tables do, which are moved to a place of twice the size. */
  #isCrowded(): boolean {
    const { usedBytes, maxBytes } = this.#options.arena
    const others = usedBytes - this.#seats.length * this.#threadBytes
    return (this.slots / TASKS_MAX) * this.#threadBytes + 2 * others > maxBytes
  }

  /** For good: what has grown so far seldom shrinks, and to start threads again and again would cost more than they save. */
  #giveWay(): undefined {
    this.#isClosed = true
    for (const seat of this.#seats.splice(0)) {
      this.#leaving.add(seat)
      seat.leave(() => this.#leaving.delete(seat))
    }
  }

  /** A thread with memory of its own, or `undefined` where there is neither. */
  #open(): Seat | undefined {
    const { arena, threads } = this.#options
    const block = this.#deaths < DEATHS_MAX ? arena.tryAllocate(this.#threadBytes) : undefined
    if (block === undefined) return undefined
    const seat: Seat = new Seat(arena, block, {
      onAnswer: () => void (this.#deaths = 0),
      onDeath: (reason) => this.#replace(seat, reason),
    })
    if (seat.start(threads)) return seat
    arena.free(block)
    this.#deaths = DEATHS_MAX
    return undefined
  }

  #replace(dead: Seat, reason: string): void {
    const place = this.#seats.indexOf(dead)
    if (place < 0) return dead.giveUp()
    this.#deaths++
    const seat = this.#open()
    if (seat === undefined) this.#seats.splice(place, 1)
    else this.#seats[place] = seat
    if (seat === undefined) dead.giveUp()
    else dead.handOver(seat)
    this.#options.onDeath?.(reason, seat !== undefined)
  }
}

/** A task, from when its place was taken until it is released. */
class Task implements DecodeSlot {
  readonly number: number
  readonly decoder: PoolDecoder
  #seat: Seat
  #range: DecodeTask | undefined
  /** Who waits for the answer. */
  #waiting: { resolve(decoded: DecodedTask | undefined): void; reject(error: unknown): void } | undefined
  #isReleased = false

  constructor(number: number, decoder: PoolDecoder, seat: Seat) {
    this.number = number
    this.decoder = decoder
    this.#seat = seat
    seat.tasks.set(number, this)
  }

  /** Whether a thread is to answer. */
  get isOpen(): boolean {
    return this.#waiting !== undefined
  }

  decode(range: DecodeTask): Promise<DecodedTask | undefined> {
    assert(this.#range === undefined && !this.#isReleased, "a place is for one task")
    this.#range = range
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
      this.#seat.ask(this, range)
    })
  }

  answer(decoded: DecodedTask | undefined): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.resolve(decoded)
  }

  /** What the thread has answered could not be taken. */
  fail(error: unknown): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.reject(error)
  }

  /** Goes to another thread: it has not been answered. */
  moveTo(seat: Seat): void {
    this.#seat.tasks.delete(this.number)
    this.#seat = seat
    seat.tasks.set(this.number, this)
    if (this.#range !== undefined) seat.ask(this, this.#range)
  }

  release(): void {
    assert(!this.isOpen, "a task is released when it has been answered")
    if (this.#isReleased) return
    this.#isReleased = true
    this.#seat.release(this.number)
  }

  /** Whether it was asked and answered: then it has a batch in the thread's memory. */
  get isAnswered(): boolean {
    return this.#range !== undefined && !this.isOpen
  }
}

/** A thread, its memory and its tasks. */
class Seat {
  /** Those that are not released. */
  readonly tasks = new Map<number, Task>()
  readonly #arena: Arena
  readonly #block: Block
  readonly #events: { onAnswer(): void; onDeath(reason: string): void }
  #thread: Thread | undefined
  /** Told when its memory is given back: set where it is to leave. */
  #onLeft: (() => void) | undefined
  /** Its thread is ending: until it has. */
  ending: Promise<void> | undefined
  #isFreed = false
  /** The decoders that the thread knows, and its texts by text column. */
  readonly #texts = new Map<PoolDecoder, ThreadTexts[]>()

  constructor(arena: Arena, block: Block, events: { onAnswer(): void; onDeath(reason: string): void }) {
    this.#arena = arena
    this.#block = block
    this.#events = events
  }

  /** Starts its thread. Gives whether it could. */
  start(threads: Threads): boolean {
    const { offset, bytes } = this.#block
    const data: DecodeThreadStart = { memory: this.#arena.memory, modules: keptModules(), from: offset, bytes }
    this.#thread = threads.start(data, {
      onMessage: (message) => this.#receive(message as FromDecodeThread),
      onDeath: (reason) => {
        this.#thread = undefined
        this.#events.onDeath(reason)
      },
    })
    return this.#thread !== undefined
  }

  ask(task: Task, { address, length, offset, untilOffset }: DecodeTask): void {
    // Its bytes may have come from the disk only after the thread had died, and none had taken its place.
    if (this.#thread === undefined) return task.answer(undefined)
    const { number, decoder } = task
    if (!this.#texts.has(decoder)) {
      this.#texts.set(decoder, [])
      this.#send({ kind: "decoder", decoder: decoder.number, spec: decoder.spec })
    }
    this.#send({ kind: "decode", task: number, decoder: decoder.number, address, length, offset, untilOffset })
  }

  release(number: number): void {
    this.tasks.delete(number)
    if (this.#thread !== undefined) this.#send({ kind: "release", task: number })
    else this.#freeIfDone()
    if (this.#onLeft !== undefined) this.#endIfDone()
  }

  /** Ends the thread when its tasks are released, and gives its memory back. */
  leave(onLeft: () => void): void {
    this.#onLeft = onLeft
    this.#endIfDone()
  }

  #endIfDone(): void {
    const thread = this.#thread
    if (this.tasks.size > 0 || thread === undefined || this.ending !== undefined) return
    const end = () => {
      this.#thread = undefined
      this.#freeIfDone()
    }
    // It touches its memory no more once it has ended, and not before.
    this.ending = thread.stop().then(end, end)
  }

  /** Leaves to another thread what it has not answered. */
  handOver(seat: Seat): void {
    for (const task of [...this.tasks.values()]) if (!task.isAnswered) task.moveTo(seat)
    this.#freeIfDone()
  }

  /** Answers that it could not. */
  giveUp(): void {
    for (const task of [...this.tasks.values()]) task.answer(undefined)
    if (this.#thread === undefined) this.#freeIfDone()
  }

  /** Gives the memory of a thread that is no more back, once nobody reads what it had made. */
  #freeIfDone(): void {
    if (this.tasks.size > 0 || this.#isFreed) return
    this.#isFreed = true
    this.#arena.free(this.#block)
    this.#onLeft?.()
  }

  async stop(): Promise<void> {
    await this.#thread?.stop()
  }

  #send(message: ToDecodeThread): void {
    this.#thread?.send(message)
  }

  /** Nothing is thrown here, as it would end the process: the task fails, and with it the job that waits for it. */
  #receive(message: FromDecodeThread): void {
    const task = this.tasks.get(message.task)
    // Where the pool was closed nobody waits any more.
    if (task?.isOpen !== true) return
    const { decoder } = task
    try {
      task.answer(message.kind === "failed" ? undefined : decoder.receive(message, this.#texts.get(decoder)!))
      this.#events.onAnswer()
    } catch (error) {
      task.fail(error)
    }
  }
}
