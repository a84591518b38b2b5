/**
 * The functions of `asyncMap` in a driven job: they are called in earnest, and what they give is heard as long as the life of
 * the job lasts that has called them.
 */
import type { Plan } from "../flow/plan.ts"
import type { AsyncCall } from "../stream/async-map-options.ts"
import type { Life } from "./input-script.ts"

type Ask = (row: unknown, params: unknown, call: AsyncCall) => unknown

/** See the head of this file. */
export class HeardCalls {
  readonly #life: Life
  readonly #underWay = new Set<Promise<unknown>>()

  constructor(life: Life) {
    this.#life = life
  }

  /** Whether a function was called that has not answered, and whose attempt is not given up. */
  get areUnderWay(): boolean {
    return this.#underWay.size > 0
  }

  /** Resolves with the next answer. */
  async nextAnswer(): Promise<void> {
    await Promise.race([...this.#underWay])
  }

  /** The plan, whose functions are heard. */
  heard(plan: Plan): Plan {
    const nodes = plan.nodes.map((node) => {
      if (node.kind !== "asyncMap") return node
      const ask = node.lambda as Ask
      const lambda: Ask = (row, params, call) => this.#hear(ask(row, params, call), call.signal)
      return { ...node, lambda }
    })
    return { ...plan, nodes }
  }

  #hear(given: unknown, signal: AbortSignal): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const answered = Promise.resolve(given).then(
        (value) => this.#life.isOver || resolve(value),
        (error: unknown) => this.#life.isOver || reject(error as Error),
      )
      const givenUp = new Promise<void>((end) => signal.addEventListener("abort", () => end(), { once: true }))
      const end = Promise.race([answered, givenUp])
      this.#underWay.add(end)
      void end.then(() => this.#underWay.delete(end))
    })
  }
}
