/**
 * Faults drawn from a seed, as one simulation needs them: at random; in bursts, because what a fault leaves half done
 * shows when the next one comes soon; and on demand.
 */
import type { Prng } from "../base/prng.ts"
import {
  FAULT_KINDS,
  faultKindsOf,
  isWeighty,
  RandomFaults,
  type DiskCall,
  type FaultKind,
  type FaultPlan,
} from "./faults.ts"

const WEIGHTY: readonly FaultKind[] = FAULT_KINDS.filter((kind) => isWeighty({ kind }))
const CRASHES: readonly FaultKind[] = ["crash-before", "crash-after"]

/** How many crashes follow mutants that show themselves, at most. */
const MUTANT_CRASHES = 5

/** The faults of one simulation. */
export class DrawnFaults implements FaultPlan {
  readonly #random: RandomFaults
  readonly #prng: Prng
  readonly #burstChance: number
  #mutantCrashes = MUTANT_CRASHES
  /** A fault that is due after some more calls. */
  #due: { inCalls: number; readonly kinds: readonly FaultKind[] } | undefined

  constructor(prng: Prng) {
    const intensity = prng.pick([0.03, 0.05, 0.1])
    this.#random = new RandomFaults(prng.fork(), { intensity, max: prng.pick([4, 6, 8]) })
    this.#burstChance = prng.pick([0, 0.3, 0.5])
    this.#prng = prng
  }

  /** Strikes one of the next calls, with more than a delay. */
  force(): void {
    this.#due ??= { inCalls: this.#prng.below(30), kinds: WEIGHTY }
  }

  /** A mutant has shown itself: crashes the machine soon, now and then. */
  afterMutant(): void {
    if (this.#due !== undefined || this.#mutantCrashes === 0 || !this.#prng.chance(0.3)) return
    this.#mutantCrashes--
    // Where calls are swapped, the moment between the two is the one that counts: the next call is done, then comes the end.
    if (this.#prng.chance(0.5)) this.#due = { inCalls: 0, kinds: ["crash-after"] }
    else this.#due = { inCalls: this.#prng.below(this.#prng.pick([4, 12, 60, 150])), kinds: CRASHES }
  }

  strike(call: DiskCall): FaultKind | undefined {
    const kind = this.#draw(call)
    if (kind !== undefined && isWeighty({ kind }) && this.#prng.chance(this.#burstChance)) {
      this.#due ??= { inCalls: this.#prng.below(this.#prng.pick([10, 40])), kinds: CRASHES }
    }
    return kind
  }

  #draw(call: DiskCall): FaultKind | undefined {
    if (this.#due === undefined) return this.#random.strike(call)
    if (this.#due.inCalls-- > 0) return undefined
    const { kinds } = this.#due
    this.#due = undefined
    const possible = faultKindsOf(call.operation)
    return this.#prng.pick(kinds.filter((kind) => possible.includes(kind)))
  }
}
