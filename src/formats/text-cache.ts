/**
 * The texts of a dictionary as they stand in the output, with quotes and escapes: each is prepared when it is first
 * written, and copied from then on.
 *
 * It holds one dictionary at a time; a column whose batches take turns with two dictionaries prepares texts anew.
 */
import { Dictionary } from "../batch/dictionary.ts"
import { ByteOutput } from "./byte-output.ts"
import type { OutputBuffer } from "./decoder.ts"

/** Appends a text as it stands in the output. */
export type PrepareText = (dictionary: Dictionary, code: number, out: OutputBuffer) => void

/** Prepared texts of one column. */
export class TextCache {
  readonly #prepare: PrepareText
  #dictionary = new Dictionary()
  #prepared = new ByteOutput()
  /** By code: one more than where the text starts, or 0 where it is not prepared. */
  #starts = new Int32Array(64)
  #ends = new Int32Array(64)

  constructor(prepare: PrepareText) {
    this.#prepare = prepare
  }

  /** Turns to the dictionary of the batch at hand. */
  bind(dictionary: Dictionary): void {
    if (dictionary !== this.#dictionary) {
      this.#dictionary = dictionary
      this.#prepared = new ByteOutput()
      this.#starts.fill(0)
    }
    if (dictionary.size <= this.#starts.length) return
    const length = Math.max(dictionary.size, this.#starts.length * 2)
    this.#starts = grown(this.#starts, length)
    this.#ends = grown(this.#ends, length)
  }

  /** Appends the text of a code, and makes room for `room` more bytes behind it. */
  write(code: number, out: OutputBuffer, room: number): void {
    const known = this.#starts[code]!
    const start = known === 0 ? this.#add(code) : known - 1
    const end = this.#ends[code]!
    out.reserve(end - start + room)
    const source = this.#prepared.bytes
    const target = out.bytes
    let to = out.length
    for (let at = start; at < end; at++) target[to++] = source[at]!
    out.length = to
  }

  #add(code: number): number {
    const prepared = this.#prepared
    const start = prepared.length
    this.#prepare(this.#dictionary, code, prepared)
    this.#starts[code] = start + 1
    this.#ends[code] = prepared.length
    return start
  }
}

function grown(array: Int32Array<ArrayBuffer>, length: number): Int32Array<ArrayBuffer> {
  const longer = new Int32Array(length)
  longer.set(array)
  return longer
}
