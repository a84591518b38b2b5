/**
 * A network between senders and a server: messages are late, come in another order, come twice, or do not come; for a while nothing passes.
 * It knows nothing of what it carries.
 *
 * Invariant:
 * - NW1 What arrives was sent. When it has healed, all that is sent arrives.
 */
import type { Prng } from "../../base/prng.ts"
import type { SimScheduler } from "../scheduler.ts"
import type { NetworkShape } from "./live-scenario.ts"

/** Partitions begin within this time, and last so long at most. */
const [PARTITION_START_MICROS_MAX, PARTITION_MICROS_MAX] = [20_000_000, 8_000_000] as const
const HEALED_DELAY_MICROS = 1000

/** See the head of this file. */
export class SimNetwork {
  /** How many messages did not arrive, and how many came twice. */
  lost = 0
  repeated = 0
  readonly #scheduler: SimScheduler
  readonly #prng: Prng
  #shape: NetworkShape
  readonly #partitions: readonly { readonly from: number; to: number }[]

  constructor(scheduler: SimScheduler, prng: Prng, shape: NetworkShape) {
    this.#scheduler = scheduler
    this.#prng = prng
    this.#shape = shape
    this.#partitions = Array.from({ length: shape.partitions }, () => {
      const from = prng.below(PARTITION_START_MICROS_MAX)
      return { from, to: from + prng.below(PARTITION_MICROS_MAX) }
    })
  }

  /** Sends a message, whose arrival does something. */
  send(arrive: () => void): void {
    const { lossChance, repeatChance } = this.#shape
    const { now } = this.#scheduler
    const isCut = this.#partitions.some(({ from, to }) => now >= from && now < to)
    if (isCut || this.#prng.chance(lossChance)) {
      this.lost++
      return
    }
    this.#deliver(arrive)
    if (!this.#prng.chance(repeatChance)) return
    this.repeated++
    this.#deliver(arrive)
  }

  /** NW1. */
  heal(): void {
    this.#shape = { delayMicrosMax: HEALED_DELAY_MICROS, lossChance: 0, repeatChance: 0, partitions: 0 }
    for (const partition of this.#partitions) partition.to = 0
  }

  #deliver(arrive: () => void): void {
    this.#scheduler.schedule(1 + this.#prng.below(this.#shape.delayMicrosMax), arrive)
  }
}
