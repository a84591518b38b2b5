/**
 * The sparse index of a segment: of a record each 64 KiB, where it lies and what its time is. It is gathered while records are appended,
 * and is the last entry of a segment that was finished in order:
 *
 * | bytes | what |
 * |---|---|
 * | 4 | number of entries, n |
 * | 16 n | of each the offset of a record (8) and its time in µs since 1970 (8), ascending |
 * | 4 | length of the whole entry with its header, so that it is found from the end |
 *
 * A segment without it, as its process died, is searched from its start.
 *
 * Invariant:
 * - SI1 `floor` and `before` give the offset of a record, or of the segment's start, that is not behind what is looked for.
 */
import { ByteReader, ByteWriter } from "../../base/bytes.ts"
import { RECORD_HEADER_BYTES } from "../record.ts"

/** Between two records of the index lie so many bytes, at least. */
const STRIDE_BYTES = 64 * 1024

/** Bytes at the end of a segment in which the length of its index lies. */
export const INDEX_LENGTH_BYTES = 4

/** Where some of the records of a segment lie, and of which times they are. */
export class SegmentIndex {
  readonly #startOffset: number
  readonly #offsets: number[] = []
  readonly #times: number[] = []

  constructor(startOffset: number) {
    this.#startOffset = startOffset
  }

  /** Takes note of a record, perhaps. */
  add(offset: number, micros: number): void {
    if (this.#offsets.length > 0 && offset - this.#offsets.at(-1)! < STRIDE_BYTES) return
    this.#offsets.push(offset)
    this.#times.push(micros)
  }

  /** The last place known at or before an offset. */
  floor(offset: number): number {
    return this.#at(countBelow(this.#offsets, offset + 1))
  }

  /** The last place known before which all records are older than a time. */
  before(micros: number): number {
    return this.#at(countBelow(this.#times, micros))
  }

  /** The payload of the entry that ends the segment. */
  encode(): Uint8Array {
    const count = this.#offsets.length
    const out = new ByteWriter(2 * INDEX_LENGTH_BYTES + 16 * count)
    out.uint32(count)
    this.#offsets.forEach((offset, index) => {
      out.int64(BigInt(offset))
      out.int64(BigInt(this.#times[index]!))
    })
    out.uint32(RECORD_HEADER_BYTES + out.length + INDEX_LENGTH_BYTES)
    return out.finish()
  }

  static decode(startOffset: number, payload: Uint8Array): SegmentIndex {
    const reader = new ByteReader(payload)
    const index = new SegmentIndex(startOffset)
    for (let left = reader.uint32(); left > 0; left--) {
      index.#offsets.push(Number(reader.int64()))
      index.#times.push(Number(reader.int64()))
    }
    return index
  }

  #at(count: number): number {
    return count === 0 ? this.#startOffset : this.#offsets[count - 1]!
  }
}

/** How many of ascending numbers are below a limit. */
function countBelow(ascending: readonly number[], limit: number): number {
  let [low, high] = [0, ascending.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (ascending[middle]! < limit) low = middle + 1
    else high = middle
  }
  return low
}
