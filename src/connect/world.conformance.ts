/**
 * What the conformance suites ask of the world they run in: processes that die at a chosen call, on a disk (or whatever
 * holds the target) that stays. `SimWorld` of `sim` is one.
 */
import type { Env } from "../env/env.ts"

/** What can go wrong with a call to the world. */
export type ConformanceFault =
  "eio" | "enospc" | "stall" | "crash-before" | "crash-after" | "kill-before" | "kill-after"

/** The faults by which a process dies. */
export const DEATHS = ["crash-before", "crash-after", "kill-before", "kill-after"] as const

/** A world with at most one process at a time. */
export interface ConformanceWorld {
  /** Starts a process. */
  boot(): Env
  readonly isAlive: boolean
  /** Lets time pass until the promise settles or the process dies. */
  run(promise: Promise<unknown>): Promise<"settled" | "died">
  /** Ends the process; what it wrote stays. */
  kill(): void
  /** Ends the process by a loss of power: what was not synced may be lost. */
  crash(): void
  /** Decides which calls go wrong. */
  faults: { strike(call: { readonly step: string }): ConformanceFault | undefined }
}

/** Strikes one call: the `call`-th from now on, counted from 0. */
export class FaultAt {
  readonly #call: number
  readonly #kind: ConformanceFault
  /** How many calls were made. */
  calls = 0

  constructor(call: number, kind: ConformanceFault) {
    this.#call = call
    this.#kind = kind
  }

  /** Whether the fault has struck. */
  get hasStruck(): boolean {
    return this.calls > this.#call
  }

  strike(): ConformanceFault | undefined {
    return this.calls++ === this.#call ? this.#kind : undefined
  }
}

/** No call goes wrong; how many there were is counted. */
export function noFaults(): FaultAt {
  return new FaultAt(Infinity, "stall")
}

/**
 * Runs a program in a new process and ends the process after it.
 *
 * @returns what the program gave, or `undefined` where the process died on the way.
 * @throws what the program threw.
 */
export async function runProcess<T>(
  world: ConformanceWorld,
  program: (env: Env) => Promise<T>,
): Promise<{ value: T } | undefined> {
  const promise = program(world.boot())
  const end = await world.run(promise)
  if (end === "died") return undefined
  try {
    return { value: await promise }
  } finally {
    if (world.isAlive) world.kill()
  }
}
