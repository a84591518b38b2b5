/** Texts of Arrow's columns: offsets, and the bytes between them, of which those of some rows are at hand. */
import type { FieldReader } from "../field-reader.ts"
import { SYMBOL } from "../field-reader.ts"
import { demand } from "../parquet/malformed.ts"
import type { Faults } from "../parquet/faults.ts"
import { isValidUtf8, rawOf } from "../utf8.ts"

/** So much of a text that is not listed is shown. */
const SHOWN_BYTES = 80

/** In place of codes: a text that is no UTF-8, and one that the list does not have. */
const [NOT_UTF8, NOT_LISTED] = [-2, -3]

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
export function codeOf({ bytes, ends, base }: Texts, index: number, { dictionary, how }: FieldReader): number {
  const [start, end] = [ends[index]! - base, ends[index + 1]! - base]
  // What a dictionary has is UTF-8.
  const known = dictionary.findBytes(bytes, start, end)
  if (known >= 0) return known
  if (!isValidUtf8(bytes, start, end)) return NOT_UTF8
  return how === SYMBOL ? NOT_LISTED : dictionary.codeOfBytes(bytes, start, end)
}

/** Notes what is wrong with a text, which is that of a row. */
export function noteText({ bytes, ends, base }: Texts, index: number, code: number, row: number, faults: Faults): void {
  if (code === NOT_UTF8) {
    faults.note(row, "not valid UTF-8")
    return
  }
  const start = ends[index]! - base
  const shown = rawOf(bytes, start, Math.min(ends[index + 1]! - base, start + SHOWN_BYTES))
  faults.note(row, `${JSON.stringify(shown)}, which is not one of its symbols`)
}
