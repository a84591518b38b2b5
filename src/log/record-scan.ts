/**
 * Going through records that lie one behind the other, for readers of millions: nothing is made for each. Its twin, which reads one, is
 * `decodeRecord`.
 *
 * Invariant:
 * - RS1 `next` stops at the records that `decodeRecord` gives, each where the one before ends.
 */
import { crc32c } from "../base/crc32c.ts"
import { CHECKED_FROM, CHECKSUM_AT, MAX_PAYLOAD_BYTES, positionSeed, RECORD_HEADER_BYTES, SYNCED_AT } from "./record.ts"

/** A place among records, before the first of them at the beginning. */
export class RecordScan {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #generation: number
  readonly #startOffset: number
  /** Where the record lies in the bytes, and where it ends. */
  #at = 0
  #end = 0
  #type = 0

  /** @param offset where the bytes begin in their generation. */
  constructor(bytes: Uint8Array, generation: number, offset: number) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#generation = generation
    this.#startOffset = offset
  }

  /** Moves on by a record; stays where it is, and gives `false`, where none checks. */
  next(): boolean {
    const [bytes, view, at] = [this.#bytes, this.#view, this.#end]
    if (at + RECORD_HEADER_BYTES > bytes.length) return false
    const length = view.getUint32(at, true)
    const end = at + RECORD_HEADER_BYTES + length
    const type = bytes[at + CHECKED_FROM]!
    if (type === 0 || length > MAX_PAYLOAD_BYTES || end > bytes.length) return false
    const seed = positionSeed(this.#generation, this.#startOffset + at, length)
    if (view.getUint32(at + CHECKSUM_AT, true) !== crc32c(bytes, seed, at + CHECKED_FROM, end)) return false
    this.#at = at
    this.#end = end
    this.#type = type
    return true
  }

  /** Where the record lies. */
  get lsn(): { readonly generation: number; readonly offset: number } {
    return { generation: this.#generation, offset: this.offset }
  }

  /** Where it begins in its generation. */
  get offset(): number {
    return this.#startOffset + this.#at
  }

  /** Where it ends. */
  get endOffset(): number {
    return this.#startOffset + this.#end
  }

  get type(): number {
    return this.#type
  }

  get syncedThrough(): number {
    return this.#int64(this.#at + SYNCED_AT)
  }

  /** What its payload begins with, as a number of 64 bits. */
  get leadingInt64(): number {
    return this.#int64(this.#at + RECORD_HEADER_BYTES)
  }

  /** Its payload: a view. */
  get payload(): Uint8Array {
    return this.payloadFrom(0)
  }

  /** Its payload from a byte on. */
  payloadFrom(position: number): Uint8Array {
    return this.#bytes.subarray(this.#at + RECORD_HEADER_BYTES + position, this.#end)
  }

  #int64(at: number): number {
    return this.#view.getUint32(at, true) + this.#view.getInt32(at + 4, true) * 2 ** 32
  }
}
