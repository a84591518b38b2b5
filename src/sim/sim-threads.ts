/**
 * Simulated threads: each message is dealt with at a random virtual time behind the one before it, its answer is heard
 * of later still, and now and then a thread dies with whatever it had not answered. In a calm world all is at once, and none dies.
 */
import { Prng } from "../base/prng.ts"
import type { Thread, ThreadEvents, Threads } from "../env/env.ts"
import type { SimScheduler } from "./scheduler.ts"

/** What threads run: it takes messages, and gives an answer or `undefined`, or sends some. */
export type ThreadProgram = (data: unknown, send: (answer: unknown) => void) => { take(message: never): unknown }

/** The world that threads live in. */
export interface ThreadWorld {
  readonly scheduler: SimScheduler
  readonly isCalm: boolean
  record(kind: string, text: string): void
}

const MESSAGE_MICROS_MAX = 400
const DEATH_CHANCE = 0.01

/** Threads of one simulated process. */
export class SimThreads implements Threads {
  readonly parallelism = 2
  readonly #world: ThreadWorld
  readonly #isAlive: () => boolean
  readonly #program: ThreadProgram
  readonly #prng: Prng

  constructor(world: ThreadWorld, isAlive: () => boolean, program: ThreadProgram, seed: number) {
    this.#world = world
    this.#isAlive = isAlive
    this.#program = program
    this.#prng = new Prng(seed)
  }

  start(data: unknown, events: ThreadEvents): Thread {
    const { scheduler, isCalm } = this.#world
    let isRunning = true
    let dueMicros = scheduler.now
    const later = (perform: () => void): void => {
      const takes = isCalm ? 0 : 1 + this.#prng.below(MESSAGE_MICROS_MAX)
      dueMicros = Math.max(dueMicros, scheduler.now) + takes
      scheduler.schedule(dueMicros - scheduler.now, () => {
        if (isRunning && this.#isAlive()) perform()
      })
    }
    const answer = (given: unknown): void => {
      const copy = structuredClone(given)
      if (copy !== undefined) later(() => events.onMessage(copy))
    }
    const program = this.#program(data, answer)
    return {
      send: (message) => {
        // What is sent is copied, so that nobody changes it on its way.
        const sent = structuredClone(message) as never
        later(() => {
          if (!isCalm && this.#prng.chance(DEATH_CHANCE)) {
            isRunning = false
            this.#world.record("thread", "died")
            events.onDeath("the simulation has ended it")
            return
          }
          const given = program.take(sent)
          this.#world.record("thread", "answered")
          answer(given)
        })
      },
      stop: () => {
        isRunning = false
        return Promise.resolve()
      },
    }
  }
}
