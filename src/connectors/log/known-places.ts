/** Where the records lie that were read of late, by their ordinals: for people, who are told of bad ones. */
import type { LogPlace } from "../../log/log-reader.ts"

/** Of so many records it is known. */
const RECORDS_MAX = 65_536

/** Records that follow each other in one generation. */
interface Stretch {
  readonly ordinal: number
  readonly generation: number
  readonly offsets: Float64Array
}

/** See the head of this file. */
export class KnownPlaces {
  readonly #stretches: Stretch[] = []
  #count = 0

  /** Takes the places of records that follow those before, all in one generation; the first one has this ordinal. */
  add(ordinal: number, places: readonly LogPlace[]): void {
    const [first] = places
    if (first === undefined) return
    const offsets = Float64Array.from(places, ({ offset }) => offset)
    this.#stretches.push({ ordinal, generation: first.generation, offsets })
    this.#count += offsets.length
    while (this.#stretches.length > 1 && this.#count > RECORDS_MAX) {
      this.#count -= this.#stretches.shift()!.offsets.length
    }
  }

  /** The place of a record; `undefined` where that is not known any more. */
  find(ordinal: number): LogPlace | undefined {
    const stretch = this.#stretches.findLast((each) => each.ordinal <= ordinal)
    const offset = stretch?.offsets[ordinal - stretch.ordinal]
    return stretch === undefined || offset === undefined ? undefined : { generation: stretch.generation, offset }
  }
}
