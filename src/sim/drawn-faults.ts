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
  type DiskOperation,
  type FaultKind,
  type FaultPlan,
} from "./faults.ts"
import { PROTOCOL_STEPS } from "./protocol-steps.ts"

const CHANGES_AND_SYNCS: readonly DiskOperation[] = [
  ...(["create", "write", "sync", "truncate", "make directory", "rename", "remove", "sync directory"] as const),
]
const WEIGHTY: readonly FaultKind[] = FAULT_KINDS.filter((kind) => isWeighty({ kind }))
const CRASHES: readonly FaultKind[] = ["crash-before", "crash-after"]
const DEATHS: readonly FaultKind[] = [...CRASHES, "kill-before", "kill-after"]

/** How many processes are disturbed, at most. */
const DISTURBANCES = 3

/** How many deaths follow mutants that show themselves, at most. */
const MUTANT_DEATHS = 5

/** A fault that is due after some more calls, and perhaps another one after it. */
interface DueFault {
  inCalls: number
  readonly kinds: readonly FaultKind[]
  readonly next?: DueFault
}

/** The faults of one simulation. */
export class DrawnFaults implements FaultPlan {
  readonly #random: RandomFaults
  readonly #prng: Prng
  readonly #burstChance: number
  #disturbances = DISTURBANCES
  #mutantDeaths = MUTANT_DEATHS
  #due: DueFault | undefined
  /** A death at one of the calls of some operation or of some step, early or late. */
  #death: { readonly at: string; inCalls: number } | undefined

  constructor(prng: Prng) {
    const intensity = prng.pick([0.03, 0.05, 0.1])
    this.#random = new RandomFaults(prng.fork(), { intensity, max: prng.pick([4, 6, 8]) })
    this.#burstChance = prng.pick([0, 0.3, 0.5])
    this.#prng = prng
    if (prng.chance(0.7)) {
      // Operations are called often and by many steps; a step that is called once or twice is met where it is drawn.
      const at = prng.pick<string>(prng.chance(0.5) ? CHANGES_AND_SYNCS : PROTOCOL_STEPS)
      this.#death = { at, inCalls: prng.below(prng.pick([1, 4, 40])) }
    }
  }

  /** Strikes one of the next calls, with more than a delay. */
  force(): void {
    const inCalls = this.#prng.below(30)
    if (this.#due === undefined || this.#due.inCalls > inCalls) this.#due = { inCalls, kinds: WEIGHTY }
  }

  /** A process begins that resets, or in which much is under way between two commits: perhaps strikes it. */
  disturb(): void {
    if (this.#disturbances === 0 || !this.#prng.chance(0.6)) return
    this.#disturbances--
    this.#due ??= { inCalls: this.#prng.below(this.#prng.pick([80, 200])), kinds: WEIGHTY }
  }

  /** A mutant has dropped a call that would have had an effect, or put it off: crashes the machine soon, now and then. */
  afterMutant(): void {
    if (this.#due !== undefined || this.#mutantDeaths === 0 || !this.#prng.chance(0.2)) return
    this.#mutantDeaths--
    this.#due = this.#crashSoon()
  }

  /**
   * The next call is one that a mutant has put off. Now and then it is not done any more: the machine crashes, or only the
   * process is killed, so that the next one builds on what a crash may still undo.
   */
  inMutantGap(): void {
    if (this.#mutantDeaths === 0 || !this.#prng.chance(0.5)) return
    this.#mutantDeaths--
    if (this.#prng.chance(0.5)) this.#due = { inCalls: 0, kinds: ["crash-before"] }
    else this.#due = { inCalls: 0, kinds: ["kill-before"], next: this.#crashSoon() }
  }

  strike(call: DiskCall): FaultKind | undefined {
    const kind = this.#draw(call)
    if (kind !== undefined && isWeighty({ kind }) && this.#prng.chance(this.#burstChance)) {
      this.#due ??= { inCalls: this.#prng.below(this.#prng.pick([10, 40])), kinds: CRASHES }
    }
    return kind
  }

  #crashSoon(): DueFault {
    return { inCalls: this.#prng.below(this.#prng.pick([4, 12, 60, 150])), kinds: CRASHES }
  }

  #draw(call: DiskCall): FaultKind | undefined {
    const death = this.#death
    if (death !== undefined && (death.at === call.operation || death.at === call.step) && death.inCalls-- === 0) {
      this.#death = undefined
      const possible = faultKindsOf(call.operation)
      return this.#prng.pick(DEATHS.filter((kind) => possible.includes(kind)))
    }
    if (this.#due === undefined) return this.#random.strike(call)
    if (this.#due.inCalls-- > 0) return undefined
    const { kinds, next } = this.#due
    this.#due = next
    const possible = faultKindsOf(call.operation)
    return this.#prng.pick(kinds.filter((kind) => possible.includes(kind)))
  }
}
