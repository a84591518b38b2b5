/** A decoder that every thread of a pool has, and what becomes of the batches that threads make with it. */
import { Batch } from "../batch/batch.ts"
import { columnsAt, textColumns } from "../batch/column-places.ts"
import type { BadRecord, Position } from "../batch/position.ts"
import type { Schema } from "../batch/schema.ts"
import { schemaOfData } from "../batch/schema-data.ts"
import type { DecodedTask, DecodeSlot, ThreadDecoder } from "../connect/decoders.ts"
import { BatchDictionaries } from "../formats/batch-dictionaries.ts"
import type { DecodedRange } from "../formats/threads/decode-messages.ts"
import type { DecoderSpec } from "../formats/threads/decoder-spec.ts"
import { ThreadTexts } from "../formats/threads/thread-texts.ts"

/** See the head of this file. */
export class PoolDecoder implements ThreadDecoder {
  readonly number: number
  readonly spec: DecoderSpec
  readonly slot: () => DecodeSlot | undefined
  readonly #schema: Schema
  readonly #buffer: SharedArrayBuffer
  /** By text column. */
  readonly #dictionaries: BatchDictionaries[] = []

  constructor(
    number: number,
    spec: DecoderSpec,
    buffer: SharedArrayBuffer,
    slotFor: (decoder: PoolDecoder) => DecodeSlot | undefined,
  ) {
    this.number = number
    this.spec = spec
    this.slot = () => slotFor(this)
    this.#schema = schemaOfData(spec.schema)
    this.#buffer = buffer
  }

  /**
   * What a thread has decoded, with the dictionaries that the batches of all threads have. It is called in the order in
   * which the thread answers.
   *
   * @param known the thread's texts, by text column.
   */
  receive(range: DecodedRange, known: ThreadTexts[]): DecodedTask {
    const { rows, bad, next } = range
    const records = rows + bad.length
    const nextOffset = next.offset
    if (rows === 0) return { records, nextOffset, take: (at) => ({ batch: undefined, ...behind(at, bad, next) }) }
    const schema = this.#schema
    const types = schema.fields.map(({ type }) => type)
    const columns = columnsAt(this.#buffer, types, range.places, rows)
    textColumns(columns).forEach((column, place) => {
      const dictionaries = (this.#dictionaries[place] ??= new BatchDictionaries())
      const texts = (known[place] ??= new ThreadTexts())
      column.dictionary = dictionaries.next()
      texts.take(range.texts[place]!)
      texts.translate(column.values, column.dictionary)
      dictionaries.countRows(rows)
    })
    const offsets = new Float64Array(this.#buffer, range.offsets, rows)
    const ordinals = new Float64Array(this.#buffer, range.ordinals, rows)
    return {
      records,
      nextOffset,
      take(at, partition) {
        for (let row = 0; row < rows; row++) ordinals[row]! += at.ordinal
        const batch = new Batch({ schema, columns, length: rows, origin: { partition, offsets, ordinals } })
        return { batch, ...behind(at, bad, next) }
      },
    }
  }
}

/** Bad records and the next position, whose ordinals count from a position on. */
function behind({ ordinal }: Position, bad: readonly BadRecord[], next: Position) {
  const shifted = (position: Position): Position => ({ ...position, ordinal: position.ordinal + ordinal })
  return { bad: bad.map((record) => ({ ...record, position: shifted(record.position) })), next: shifted(next) }
}
