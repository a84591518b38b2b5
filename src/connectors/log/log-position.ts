/**
 * Where a job is in a log: what it keeps beside the position of its partition, as a number of 64 bits is none that offsets can be.
 *
 * Changes, and all of it (nothing before anything was read): the place to go on at and the place of the last record that was read, each
 * varint generation, varint offset; then float64 that record's time. Where the record at the place to go on at has several within, and
 * some of them were read, a varint behind that: how many.
 */
import type { ByteReader, ByteWriter } from "../../base/bytes.ts"
import type { SourceState } from "../../connect/source.ts"
import type { LogPlace } from "../../log/log-reader.ts"

/** A record that was read. */
export interface ReadPlace {
  readonly place: LogPlace
  /** Where the next one may begin. */
  readonly next: LogPlace
  readonly timeMicros: number
  /** How many of the records within the one at `next` were read. */
  readonly pieces: number
}

/** See the head of this file. */
export class LogPosition implements SourceState {
  #last: ReadPlace | undefined
  #hasChanged = false

  /** The last record that was read. */
  get last(): ReadPlace | undefined {
    return this.#last
  }

  move(to: ReadPlace): void {
    this.#last = to
    this.#hasChanged = true
  }

  writeChanges(out: ByteWriter): void {
    if (this.#hasChanged) this.writeAll(out)
    this.#hasChanged = false
  }

  writeAll(out: ByteWriter): void {
    if (this.#last === undefined) return
    const { place, next, timeMicros, pieces } = this.#last
    for (const each of [next, place]) {
      out.varint(each.generation)
      out.varint(each.offset)
    }
    out.float64(timeMicros)
    if (pieces > 0) out.varint(pieces)
  }

  applyChanges(changes: ByteReader): void {
    if (changes.remaining === 0) return
    const next = { generation: changes.varint(), offset: changes.varint() }
    const place = { generation: changes.varint(), offset: changes.varint() }
    const timeMicros = changes.float64()
    this.#last = { place, next, timeMicros, pieces: changes.remaining > 0 ? changes.varint() : 0 }
  }
}
