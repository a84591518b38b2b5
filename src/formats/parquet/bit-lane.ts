/** Booleans: pages of bits, or of runs of bits, into the bits of a column. */
import type { FieldReader } from "../field-reader.ts"
import { PlainBits, rleBits, type BitValues } from "./fixed-values.ts"
import type { Lane } from "./lane.ts"
import { demand, Malformed } from "./malformed.ts"
import { ENCODING } from "./page-header.ts"

/** Reads booleans, which have no dictionary. */
export class BitLane implements Lane {
  readonly heldBytes = 0
  #values: BitValues | undefined

  beginDictionary(): void {
    demand(false, "booleans have a dictionary")
  }

  dropDictionary(): void {
    this.#values = undefined
  }

  beginPage(encoding: number, bytes: Uint8Array, at: number, end: number, count: number): void {
    if (count === 0) this.#values = undefined
    else if (encoding === ENCODING.plain) this.#values = new PlainBits(bytes, at, end)
    else if (encoding === ENCODING.rle) this.#values = rleBits(bytes, at, end, count)
    else throw new Malformed(`booleans have the encoding ${encoding}, which is none of booleans`)
  }

  read(count: number, target: FieldReader): void {
    target.bits.fill(0, 0, (count + 7) >> 3)
    this.#values?.readBits(count, target.bits)
  }

  skip(count: number): void {
    this.#values?.skip(count)
  }
}
