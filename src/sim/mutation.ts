/**
 * Mutations of the commit protocol: every call of one step is dropped, swapped with the call after it, or put off until a
 * later step.
 *
 * A protocol whose every call is needed, in its order, is one of which no mutant survives the simulator. No dropped call
 * may: it is superfluous, or a fault is missing here. A swap may survive, because a protocol asks for the order of a few
 * calls and makes all of them one after the other; then `explained-survivors.ts` names the step before which the call has
 * to be done, and putting it off until behind that step must be found out.
 *
 * Invariants:
 * - I1 A dropped call has no effect and seems to have succeeded.
 * - I2 A swapped call seems to have succeeded at once and takes effect behind the next call of any step, a swapped sync
 *   behind the next change; files stay open for it. Calls without a step (`stat`, `list`, `size`) are not waited for.
 * - I3 A call that is put off takes effect behind the next call of the step that the mutant names.
 * - I4 What has not taken effect when the program has ended does so then.
 *
 * A sync is swapped with the next change, past reads and other syncs: all that a sync does is to take outcomes of a crash
 * away, so with nothing but a read or another sync in between, a crash would hardly ever tell the one order from the other.
 */
import { assert } from "../base/assert.ts"
import type { StepName } from "../env/env.ts"
import type { DiskOperation } from "./faults.ts"
import type { InterceptedCall, Interceptor } from "./intercepted-disk.ts"

/** What is done to the calls of a step, each of them by itself. */
export type MutationKind = "drop" | "swap" | "late"

/** A change of the protocol. */
export interface Mutant {
  readonly step: StepName
  readonly kind: MutationKind
  /** The step behind which a late call takes effect. */
  readonly behind?: StepName
}

/** A mutant as text, such as `drop log.commit.sync` or `late sink.checkpoint.sync behind log.roll.rename`. */
export function formatMutant({ kind, step, behind }: Mutant): string {
  return `${kind} ${step}${behind === undefined ? "" : ` behind ${behind}`}`
}

/** The mutant that such a text means, or `undefined`. */
export function parseMutant(text: string): Mutant | undefined {
  const [, kind, step, behind] = /^(drop|swap|late) (\S+)(?: behind (\S+))?$/.exec(text) ?? []
  if (step === undefined || (kind === "late") !== (behind !== undefined)) return undefined
  return { kind: kind as MutationKind, step, ...(behind !== undefined && { behind }) }
}

/** Whether an operation makes durable what others have done. */
export function isSync(operation: DiskOperation): boolean {
  return SYNCS.has(operation)
}

const SYNCS: ReadonlySet<DiskOperation> = new Set(["sync", "sync directory"])
const CHANGES: ReadonlySet<DiskOperation> = new Set(["write", "truncate", "make directory", "rename", "remove"])

/** The operations that can be dropped or swapped: those that do something to the disk and give nothing. */
export const MUTABLE_OPERATIONS: ReadonlySet<DiskOperation> = new Set([...SYNCS, ...CHANGES])

interface DeferredCall {
  readonly operation: DiskOperation
  readonly hasEffect: boolean
  readonly perform: () => Promise<void>
}

/** Takes note of what a mutation does. */
export interface MutationWatcher {
  /** A call was dropped, swapped or put off. Gives whether it would have had any effect. */
  onHit(call: InterceptedCall): boolean
  /** What such a call was put off for is done, and it is not yet: the moment that shows whether the order counts. */
  onGap(): void
}

/** Applies a mutant to the calls of one process. */
export class Mutation implements Interceptor {
  readonly #mutant: Mutant
  readonly #watcher: MutationWatcher | undefined
  #deferred: DeferredCall | undefined
  #closes: (() => Promise<void>)[] = []

  constructor(mutant: Mutant, watcher?: MutationWatcher) {
    assert((mutant.kind === "late") === (mutant.behind !== undefined), "late is later than something")
    this.#mutant = mutant
    this.#watcher = watcher
  }

  async change(call: InterceptedCall, perform: () => Promise<void>): Promise<void> {
    if (call.step === this.#mutant.step && this.#deferred === undefined) {
      const hasEffect = this.#watcher?.onHit(call) ?? false
      if (this.#mutant.kind !== "drop") this.#deferred = { operation: call.operation, hasEffect, perform }
      return
    }
    await perform()
    await this.#catchUpBehind(call)
  }

  async ask<T>(call: InterceptedCall, perform: () => Promise<T>): Promise<T> {
    const answer = await perform()
    await this.#catchUpBehind(call)
    return answer
  }

  async close(perform: () => Promise<void>): Promise<void> {
    if (this.#deferred === undefined) await perform()
    else this.#closes.push(perform)
  }

  /** The program has ended: what was put off takes effect (I4). */
  async finish(): Promise<void> {
    const deferred = this.#deferred
    if (deferred === undefined) return
    this.#deferred = undefined
    const closes = this.#closes
    this.#closes = []
    if (deferred.hasEffect) this.#watcher?.onGap()
    try {
      await deferred.perform()
    } finally {
      for (const close of closes) await close()
    }
  }

  async #catchUpBehind({ operation, step }: InterceptedCall): Promise<void> {
    if (this.#deferred === undefined) return
    if (this.#mutant.kind === "late") {
      if (step === this.#mutant.behind) await this.finish()
    } else if (!isSync(this.#deferred.operation) || operation === "create" || CHANGES.has(operation)) {
      await this.finish()
    }
  }
}
