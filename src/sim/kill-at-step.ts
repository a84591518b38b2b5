/**
 * Death at a named step of the protocol: for runs with real processes, in which `kill` is a SIGKILL of this process.
 *
 * Invariant:
 * - A1 `kill` is called once, at the call that was named: before it begins, while it is under way, or when it is done
 *   and its caller has not heard of it.
 */
import type { StepName } from "../env/env.ts"
import type { InterceptedCall, Interceptor } from "./intercepted-disk.ts"

/** When, relative to the call, the process dies. */
export type KillMoment = "before" | "during" | "after"

/** Which call is the last one. */
export interface KillPoint {
  readonly step: StepName
  /** Which call of the step, from 1. */
  readonly call: number
  readonly moment: KillMoment
}

/** Kills at a point; every other call goes through. */
export class KillAtStep implements Interceptor {
  readonly #point: KillPoint
  readonly #kill: () => void
  #calls = 0

  constructor(point: KillPoint, kill: () => void) {
    this.#point = point
    this.#kill = kill
  }

  change({ step }: InterceptedCall, perform: () => Promise<void>): Promise<void> {
    return this.#pass(step, perform)
  }

  ask<T>({ step }: InterceptedCall, perform: () => Promise<T>): Promise<T> {
    return this.#pass(step, perform)
  }

  close(perform: () => Promise<void>): Promise<void> {
    return perform()
  }

  async #pass<T>(step: StepName, perform: () => Promise<T>): Promise<T> {
    if (step !== this.#point.step || ++this.#calls !== this.#point.call) return await perform()
    if (this.#point.moment === "before") this.#kill()
    const result = perform()
    if (this.#point.moment === "during") this.#kill()
    const value = await result
    if (this.#point.moment === "after") this.#kill()
    return value
  }
}
