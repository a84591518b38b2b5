/**
 * Where a job is among the blocks that were kept: beside the position of its partition.
 *
 * Changes, and all of it (nothing before anything was read): varint generation, varint offset of the last block of which it has read
 * something, uint32 its checksum, varint how many of its records were read: 0 where all were; else, as text, in which form they were counted, and varint how many had been read as they were pushed, before that.
 */
import type { ByteReader, ByteWriter } from "../../base/bytes.ts"
import type { SourceState } from "../../connect/source.ts"
import type { BlockPlace } from "./pushed-block.ts"

/** The last block of which something was read. */
export interface LastBlock {
  readonly place: BlockPlace
  /** How many of its records were read, where that is not all of them. */
  readonly taken: number | undefined
  /** The `form` and `skipped` of the block, as they were counted. */
  readonly form: string
  readonly skipped: number
}

/** See the head of this file. */
export class PushedPosition implements SourceState {
  #last: LastBlock | undefined
  #hasChanged = false

  get last(): LastBlock | undefined {
    return this.#last
  }

  move(to: LastBlock): void {
    this.#last = to
    this.#hasChanged = true
  }

  writeChanges(out: ByteWriter): void {
    if (this.#hasChanged) this.writeAll(out)
    this.#hasChanged = false
  }

  writeAll(out: ByteWriter): void {
    if (this.#last === undefined) return
    const { place, taken, form, skipped } = this.#last
    out.varint(place.generation)
    out.varint(place.offset)
    out.uint32(place.checksum)
    out.varint(taken ?? 0)
    if (taken === undefined) return
    out.text(form)
    out.varint(skipped)
  }

  applyChanges(changes: ByteReader): void {
    if (changes.remaining === 0) return
    const place = { generation: changes.varint(), offset: changes.varint(), checksum: changes.uint32() }
    const taken = changes.varint()
    const part = taken === 0 ? undefined : { taken, form: changes.text(), skipped: changes.varint() }
    this.#last = { place, ...(part ?? { taken: undefined, form: "", skipped: 0 }) }
  }
}
