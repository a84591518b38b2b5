/**
 * Mutations of the commit protocol: every call of one step is dropped, or swapped with the call after it.
 *
 * A protocol whose every call is needed, in its order, is one of which no mutant survives the simulator. So a mutant
 * that does survive says that a call is superfluous, that a fault is missing here, or it is explained in words in
 * `explained-survivors.ts`.
 *
 * Invariants:
 * - I1 A dropped call has no effect and seems to have succeeded.
 * - I2 A swapped call seems to have succeeded at once and takes effect behind the next call of any step; files stay open
 *   for it. Calls without a step (`stat`, `list`, `size`) are not waited for.
 */
import type { StepName } from "../env/env.ts"
import type { DiskOperation } from "./faults.ts"
import type { Interceptor } from "./intercepted-disk.ts"

/** What is done to the calls of a step. */
export type MutationKind = "drop" | "swap"

/** A change of the protocol. */
export interface Mutant {
  readonly step: StepName
  readonly kind: MutationKind
}

/** The operations that can be dropped or swapped: those that change the disk and give nothing. */
export const MUTABLE_OPERATIONS: ReadonlySet<DiskOperation> = new Set([
  "write",
  "sync",
  "truncate",
  "make directory",
  "rename",
  "remove",
  "sync directory",
])

/** Applies a mutant to the calls of one process. */
export class Mutation implements Interceptor {
  readonly #mutant: Mutant
  readonly #onHit: () => void
  #deferred: (() => Promise<void>) | undefined
  #closes: (() => Promise<void>)[] = []

  /** @param onHit called for each call that was dropped or swapped. */
  constructor(mutant: Mutant, onHit: () => void) {
    this.#mutant = mutant
    this.#onHit = onHit
  }

  async change(_operation: DiskOperation, step: StepName, perform: () => Promise<void>): Promise<void> {
    if (step === this.#mutant.step && this.#deferred === undefined) {
      this.#onHit()
      if (this.#mutant.kind === "swap") this.#deferred = perform
      return
    }
    await perform()
    await this.#catchUp()
  }

  async ask<T>(_operation: DiskOperation, _step: StepName, perform: () => Promise<T>): Promise<T> {
    const answer = await perform()
    await this.#catchUp()
    return answer
  }

  async close(perform: () => Promise<void>): Promise<void> {
    if (this.#deferred === undefined) await perform()
    else this.#closes.push(perform)
  }

  async #catchUp(): Promise<void> {
    const deferred = this.#deferred
    if (deferred === undefined) return
    this.#deferred = undefined
    const closes = this.#closes
    this.#closes = []
    await deferred()
    for (const close of closes) await close()
  }
}
