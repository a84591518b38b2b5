/**
 * For how long there has been nothing to read of partitions. A read that brings nothing, as what has come is no whole record, ends no
 * silence.
 *
 * Invariant (a rule of docs/spec/time.md):
 * - T13 Only what was not there when somebody looked counts: not that others were read, or that a commit took its time.
 */
import type { Clock } from "../env/env.ts"

/** A partition, and for how long there must be nothing to read of it until it is idle. */
export interface Listened {
  readonly index: number
  readonly input: string
  readonly idleAfterMicros: number
}

/** A partition that is idle. */
export interface FallenSilent {
  readonly index: number
  readonly input: string
  /** For how long there has been nothing to read of it. */
  readonly silentMicros: number
}

/** See the head of this file. */
export class Silence {
  readonly #clock: Clock
  /** By partition: since when there is nothing, on the monotonic clock. */
  readonly #since = new Map<number, number>()
  /** Those of which there is something to read now. */
  readonly #readable = new Set<number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Takes note whether there is something to read of a partition now. */
  heard(index: number, isReadable: boolean): void {
    if (isReadable) this.#readable.add(index)
    else {
      this.#readable.delete(index)
      if (!this.#since.has(index)) this.#since.set(index, this.#clock.monotonicMicros())
    }
  }

  /** Takes note that a partition was read, and whether that has brought something. */
  read(index: number, isForward: boolean): void {
    this.#readable.delete(index)
    if (isForward) this.#since.delete(index)
  }

  /** Those of the partitions that have been silent for long enough. */
  due(partitions: readonly Listened[]): FallenSilent[] {
    return partitions.flatMap(({ index, input, idleAfterMicros }) => {
      const silentMicros = this.#silentMicros(index)
      return silentMicros >= idleAfterMicros ? [{ index, input, silentMicros }] : []
    })
  }

  /** In how many µs the next of them has been; +∞ where none will. */
  untilDue(partitions: readonly Listened[]): number {
    const rests = partitions.map(({ index, idleAfterMicros }) => idleAfterMicros - this.#silentMicros(index))
    return Math.max(0, Math.min(Infinity, ...rests))
  }

  /** −∞ where there is something. */
  #silentMicros(index: number): number {
    const since = this.#since.get(index)
    return since === undefined || this.#readable.has(index) ? -Infinity : this.#clock.monotonicMicros() - since
  }
}
