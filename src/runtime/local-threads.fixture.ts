/** Threads that are none: what they are sent is dealt with on this thread, a while later, in an order drawn from a seed. */
import type { Prng } from "../base/prng.ts"
import type { Thread, ThreadEvents, Threads } from "../env/env.ts"
import { PartThread } from "../flow/parts/part-thread.ts"
import type { PartTask, PartThreadStart } from "../flow/parts/part-messages.ts"

/** See the head of this file. `deathChance` is that of a message to be a thread's last. */
export function localThreads(prng: Prng, deathChance = 0): Threads {
  return { parallelism: 2, start: (data, events) => localThread(data as PartThreadStart, events, prng, deathChance) }
}

function localThread(start: PartThreadStart, events: ThreadEvents, prng: Prng, deathChance: number): Thread {
  let isRunning = true
  /** A thread takes one message after the other, and its answers come in order. */
  let last = Promise.resolve()
  const later = (perform: () => void) => {
    last = last.then(async () => {
      for (let turns = prng.below(3); turns >= 0; turns--) await new Promise((resolve) => setImmediate(resolve))
      if (isRunning) perform()
    })
  }
  const thread = new PartThread(start, {
    send: (answer) => {
      const copy = structuredClone(answer)
      later(() => events.onMessage(copy))
    },
    sleep: () => false,
  })
  return {
    send: (task) => {
      const copy = structuredClone(task) as PartTask
      later(() => {
        if (!prng.chance(deathChance)) return thread.take(copy)
        isRunning = false
        events.onDeath("it was to die")
      })
    },
    stop: () => {
      isRunning = false
      return Promise.resolve()
    },
  }
}
