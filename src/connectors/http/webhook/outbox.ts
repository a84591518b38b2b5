/**
 * The requests of committed epochs that are not acknowledged: in which order they may be sent, how much there is of them, and what is known of how
 * far they have come.
 *
 * Invariants:
 * - OB1 Of the requests of a lane one is given out at a time, in their order: the next when it is acknowledged.
 * - OB2 Requests whose lanes were made otherwise (the order or the concurrency of the output has changed) do not overtake each other.
 * - OB3 A request that has failed comes behind the others that may be sent.
 * - OB4 As many are given out or looked at as `LOOKED_AT_MAX`, however many there are.
 */
import type { EpochMark } from "../../../connect/epoch-mark.ts"
import type { PendingEpoch } from "./pending-epoch.ts"
import { NO_LANES } from "./staged-requests.ts"

const LOOKED_AT_MAX = 4096

/** A request that may be sent. */
export interface OutboxRequest {
  readonly epoch: PendingEpoch
  /** Its number in the epoch. */
  readonly number: number
  /** How often it has failed, and since when it is tried. */
  failures: number
  firstTriedMicros: number | undefined
}

/** See the head of this file. */
export class Outbox {
  readonly #epochs: PendingEpoch[] = []
  /** The last epoch up to which all are acknowledged. */
  #done: EpochMark
  #rows = 0
  #bytes = 0
  /** The next request to look at. */
  #nextEpoch = 0
  #nextNumber = 0
  #lookedAt = 0
  /** Of those that are looked at. */
  #lanes = 0
  readonly #waiting = new Map<number, OutboxRequest[]>()
  readonly #ready: OutboxRequest[] = []

  /** @param done the last epoch up to which all are acknowledged. */
  constructor(done: EpochMark) {
    this.#done = done
  }

  /** What is not acknowledged. */
  get rows(): number {
    return this.#rows
  }

  get bytes(): number {
    return this.#bytes
  }

  get isEmpty(): boolean {
    return this.#epochs.length === 0
  }

  /** The last epoch up to which all are acknowledged. */
  get done(): EpochMark {
    return this.#done
  }

  /** The epochs that are not all acknowledged, and those behind them. */
  get epochs(): readonly PendingEpoch[] {
    return this.#epochs
  }

  add(epoch: PendingEpoch): void {
    this.#epochs.push(epoch)
    this.#rows += epoch.rowsLeft
    for (let number = 0; number < epoch.count; number++) {
      if (!epoch.isDone(number)) this.#bytes += epoch.bytesOf(number)
    }
    this.#letGo()
  }

  /** A request to be sent now, as no other of its lane is before it. It comes back by `acknowledge` or `putBack`. */
  take(): OutboxRequest | undefined {
    this.#look()
    return this.#ready.shift()
  }

  /** A request is to be tried again (OB3). */
  putBack(request: OutboxRequest): void {
    this.#ready.push(request)
  }

  acknowledge({ epoch, number }: OutboxRequest): void {
    epoch.finish(number)
    this.#lookedAt--
    this.#rows -= epoch.rowsOf(number)
    this.#bytes -= epoch.bytesOf(number)
    if (epoch.staged.lanes !== NO_LANES) {
      const lane = epoch.laneOf(number)
      const next = this.#waiting.get(lane)!.shift()
      if (next === undefined) this.#waiting.delete(lane)
      else this.#ready.push(next)
    }
    this.#letGo()
  }

  /** Looks at more requests, as long as it may. */
  #look(): void {
    while (this.#lookedAt < LOOKED_AT_MAX) {
      const epoch = this.#epochs[this.#nextEpoch]
      if (epoch === undefined) return
      if (this.#nextNumber === epoch.count) {
        this.#nextEpoch++
        this.#nextNumber = 0
        continue
      }
      const { lanes } = epoch.staged
      if (this.#lookedAt > 0 && lanes !== this.#lanes) return
      this.#lanes = lanes
      const number = this.#nextNumber++
      if (epoch.isDone(number)) continue
      this.#lookedAt++
      this.#line({ epoch, number, failures: 0, firstTriedMicros: undefined })
    }
  }

  #line(request: OutboxRequest): void {
    const { epoch, number } = request
    if (epoch.staged.lanes === NO_LANES) {
      this.#ready.push(request)
      return
    }
    const lane = epoch.laneOf(number)
    const before = this.#waiting.get(lane)
    if (before !== undefined) {
      before.push(request)
      return
    }
    this.#waiting.set(lane, [])
    this.#ready.push(request)
  }

  /** Lets go the epochs that are all acknowledged, up to the first that is not. */
  #letGo(): void {
    const found = this.#epochs.findIndex(({ left }) => left > 0)
    const count = found < 0 ? this.#epochs.length : found
    if (count === 0) return
    const { sequence, id } = this.#epochs[count - 1]!.staged
    this.#done = { sequence, id }
    this.#epochs.splice(0, count)
    this.#nextEpoch -= count
    if (this.#nextEpoch < 0) [this.#nextEpoch, this.#nextNumber] = [0, 0]
  }
}
