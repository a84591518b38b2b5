/**
 * The partial results of all aggregates of a window together.
 *
 * Invariants (rules of docs/spec/windows.md):
 * - W12 Aggregates skip null.
 * - W8 A record that one aggregate refuses is in none of them: those that may refuse change nothing in place and are
 *   asked first, for all the partial results that the record would be added to.
 */
import type { ByteReader, ByteWriter } from "../../../base/bytes.ts"
import { TidemarkError } from "../../../base/errors.ts"
import type { Accumulator } from "../../aggregates/accumulator.ts"

/** An aggregate of a window. */
export interface NamedAccumulator {
  readonly name: string
  readonly accumulator: Accumulator
}

/** See the head of this file. */
export class Partials {
  readonly #accumulators: readonly Accumulator[]
  readonly #names: readonly string[]
  /** The places of those that may refuse a record. */
  readonly #refusing: readonly number[]

  constructor(aggregates: readonly NamedAccumulator[]) {
    this.#refusing = aggregates.flatMap(({ accumulator }, index) => (accumulator.mayRefuse === true ? index : []))
    this.#accumulators = aggregates.map(({ accumulator }) => accumulator)
    this.#names = aggregates.map(({ name }) => name)
  }

  /** Those of no record. */
  none(): unknown[] {
    return this.#accumulators.map((accumulator) => accumulator.init())
  }

  /** Partial results that come to the same, and may be changed. */
  copy(partials: readonly unknown[]): unknown[] {
    const copy = this.none()
    this.merge(copy, partials)
    return copy
  }

  /** Whether `check` may throw. */
  get mayRefuse(): boolean {
    return this.#refusing.length > 0
  }

  /** @throws what an aggregate throws that refuses the record. Nothing has changed then. */
  check(partials: readonly unknown[], values: readonly unknown[], time: number): void {
    for (const index of this.#refusing) {
      if (values[index] !== null) this.#accumulators[index]!.add(partials[index], values[index], time)
    }
  }

  /** Adds a record: what each aggregate reads of it. Where it may be refused, `check` has not thrown. */
  add(partials: unknown[], values: readonly unknown[], time: number): void {
    for (let index = 0; index < values.length; index++) {
      const value = values[index]
      if (value !== null) partials[index] = this.#accumulators[index]!.add(partials[index], value, time)
    }
  }

  /** Adds those of later records. */
  merge(partials: unknown[], later: readonly unknown[]): void {
    for (let index = 0; index < later.length; index++) {
      partials[index] = this.#accumulators[index]!.merge(partials[index], later[index])
    }
  }

  /** The results; where an aggregate has none, the error in its place is told. */
  results(partials: readonly unknown[], onError: (index: number, error: unknown) => void): unknown[] {
    return this.#accumulators.map((accumulator, index) => {
      try {
        return accumulator.result(partials[index])
      } catch (error) {
        onError(index, this.#named(error, index))
        return undefined
      }
    })
  }

  #named(error: unknown, index: number): unknown {
    if (!(error instanceof TidemarkError)) return error
    const { hint } = error
    const details = hint === undefined ? { cause: error } : { hint, cause: error }
    return new TidemarkError(error.code, `${JSON.stringify(this.#names[index])}: ${error.message}`, details)
  }

  write(partials: readonly unknown[], out: ByteWriter): void {
    this.#accumulators.forEach((accumulator, index) => accumulator.write(partials[index], out))
  }

  /** @throws RangeError where the bytes are no partial results. */
  read(from: ByteReader): unknown[] {
    return this.#accumulators.map((accumulator) => accumulator.read(from))
  }
}
