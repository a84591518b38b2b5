/** Where rows that were pushed stand in their partition: one behind the other, as far apart as those of arrays. Made when it is asked for. */
import type { Origin } from "../../batch/batch.ts"
import { UNPACED_STRIDE } from "../../connect/numbered-source.ts"

/** See the head of this file. */
export class NumberedOrigin implements Origin {
  readonly partition: number
  readonly #first: number
  readonly #count: number
  #offsets: Float64Array | undefined
  #ordinals: Float64Array | undefined

  /** @param first the ordinal of the first row. */
  constructor(partition: number, first: number, count: number) {
    this.partition = partition
    this.#first = first
    this.#count = count
  }

  get offsets(): Float64Array {
    return (this.#offsets ??= this.ordinals.map((ordinal) => ordinal * UNPACED_STRIDE))
  }

  get ordinals(): Float64Array {
    return (this.#ordinals ??= Float64Array.from({ length: this.#count }, (_, index) => this.#first + index))
  }
}
