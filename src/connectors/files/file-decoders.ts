/**
 * The decoders of one input. Files that are written alike share one, with what it has learnt of records and the code that it has
 * compiled: a file is often read in less time than that takes. A decoder keeps no record between calls, so readers may take turns.
 */
import type { Arena } from "../../batch/arena.ts"
import type { Schema } from "../../batch/schema.ts"
import type { RecordDecoder } from "../../formats/decoder.ts"
import { decoderOf, specKey, type DecoderSpec } from "../../formats/threads/decoder-spec.ts"

/** Inputs have few ways in which files are written. Where each has its own, the ones not used for longest are given up. */
const KEPT = 32

/** See the head of this file. */
export class FileDecoders {
  readonly #context: { readonly arena: Arena; readonly schema: Schema }
  /** The longest unused first. */
  readonly #made = new Map<string, RecordDecoder>()

  constructor(context: { readonly arena: Arena; readonly schema: Schema }) {
    this.#context = context
  }

  /** The decoder of files that a spec describes. */
  of(spec: DecoderSpec): RecordDecoder {
    const key = specKey(spec)
    const { arena, schema } = this.#context
    const decoder = this.#made.get(key) ?? decoderOf(spec, arena, schema)
    this.#made.delete(key)
    this.#made.set(key, decoder)
    if (this.#made.size > KEPT) this.#made.delete(this.#made.keys().next().value!)
    return decoder
  }
}
