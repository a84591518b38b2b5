/**
 * How many bytes of a log were appended and not read yet: by stretches, so that it takes little memory however many records there are.
 */
import type { LogPlace } from "../../log/log-reader.ts"
import { isBefore } from "../../log/records/lsn.ts"

/** Records that lie one behind the other. */
interface Stretch {
  /** Where the last one begins. */
  last: LogPlace
  bytes: number
}

/** See the head of this file. A stretch counts until all of it is read. */
export class Backlog {
  readonly #stretchBytes: number
  readonly #stretches: Stretch[] = []
  #bytes = 0

  constructor(stretchBytes: number) {
    this.#stretchBytes = stretchBytes
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Takes a record that begins at a place, behind all before. */
  add(place: LogPlace, bytes: number): void {
    this.#bytes += bytes
    const newest = this.#stretches.at(-1)
    if (newest === undefined || newest.bytes >= this.#stretchBytes) this.#stretches.push({ last: place, bytes })
    else {
      newest.last = place
      newest.bytes += bytes
    }
  }

  /** Everything before a place is read; gives how many bytes that were which had counted. */
  letGo(before: LogPlace): number {
    const kept = this.#stretches.findIndex(({ last }) => !isBefore(last, before))
    const gone = this.#stretches.splice(0, kept < 0 ? this.#stretches.length : kept)
    const bytes = gone.reduce((sum, stretch) => sum + stretch.bytes, 0)
    this.#bytes -= bytes
    return bytes
  }
}
