/** Texts of Arrow's columns: offsets, and the bytes between them, of which those of some rows are at hand. */
import type { FieldReader } from "../field-reader.ts"
import { demand } from "../parquet/malformed.ts"
import { codeOfText, valueOfText, wrongText } from "../text-codes.ts"

/** Texts one behind the other. Text `i` is `bytes[ends[i] - base, ends[i + 1] - base)`. */
export interface Texts {
  readonly bytes: Uint8Array
  readonly ends: Float64Array
  readonly base: number
}

/**
 * Offsets as numbers, checked: none goes back, or beyond the bytes of the buffer that they point into.
 *
 * @throws Malformed
 */
export function textEnds(bytes: Uint8Array, width: 4 | 8, bufferBytes: number): Float64Array {
  const count = bytes.length / width
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const ends = new Float64Array(count)
  let last = 0
  for (let index = 0; index < count; index++) {
    const end = width === 4 ? view.getInt32(index * 4, true) : Number(view.getBigInt64(index * 8, true))
    demand(end >= last && end <= bufferBytes, "an offset of a text goes back, or beyond its buffer")
    ends[index] = last = end
  }
  return ends
}

/** The code of text `index` in the reader's dictionary, or what is wrong with it: below 0. */
export function codeOf({ bytes, ends, base }: Texts, index: number, target: FieldReader): number {
  return codeOfText(target, bytes, ends[index]! - base, ends[index + 1]! - base)
}

/** What is wrong with a text that has no code. */
export function wrongOf({ bytes, ends, base }: Texts, index: number, target: FieldReader, code: number): string {
  return wrongText(target, code, bytes, ends[index]! - base, ends[index + 1]! - base)
}

/** The value that a text reads as, or `Invalid`, for types that have no codes. */
export function valueOf({ bytes, ends, base }: Texts, index: number, target: FieldReader): unknown {
  return valueOfText(target, bytes, ends[index]! - base, ends[index + 1]! - base)
}
