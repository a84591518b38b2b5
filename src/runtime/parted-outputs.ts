/** The outputs of a plan whose parts threads compute: how what they tell of result rows becomes batches. */
import { Batch } from "../batch/batch.ts"
import { columnsAt, placeCountOf, textColumns } from "../batch/column-places.ts"
import type { Schema } from "../batch/schema.ts"
import type { ColumnType } from "../batch/type.ts"
import type { PartResult } from "../flow/parts/part-messages.ts"
import { portSchema, type Plan } from "../flow/plan.ts"
import { BatchDictionaries } from "../formats/batch-dictionaries.ts"
import type { PartSeat } from "./part-seat.ts"

interface Output {
  readonly schema: Schema
  readonly types: readonly ColumnType[]
  readonly placeCount: number
  /** By text column: those of the batches of all threads. */
  readonly dictionaries: BatchDictionaries[]
}

/** See the head of this file. */
export class PartedOutputs {
  readonly #buffer: SharedArrayBuffer
  readonly #outputs: ReadonlyMap<string, Output>

  constructor(plan: Plan, buffer: SharedArrayBuffer) {
    this.#buffer = buffer
    this.#outputs = new Map(
      plan.outputs.map(({ name, node, port }) => {
        const schema = portSchema(plan, node, port)
        const types = schema.fields.map(({ type }) => type)
        return [name, { schema, types, placeCount: placeCountOf(types), dictionaries: [] }] as const
      }),
    )
  }

  /** About how many bytes a row of the widest has. */
  get rowBytes(): number {
    return Math.max(...[...this.#outputs.values()].map(({ types }) => types.length * 8))
  }

  /** Batches that a thread has told of, in their order. They lie in its memory. */
  *batchesOf({ output, batches }: Extract<PartResult, { kind: "rows" }>, seat: PartSeat): Iterable<Batch> {
    const { schema, types, placeCount, dictionaries } = this.#outputs.get(output)!
    for (let at = 0; at < batches.length; at += placeCount + 2) {
      const [length, order] = [batches[at]!, batches[at + 1]!]
      const columns = columnsAt(this.#buffer, types, batches.slice(at + 2, at + 2 + placeCount), length)
      textColumns(columns).forEach((column, index) => {
        const ofColumn = (dictionaries[index] ??= new BatchDictionaries())
        column.dictionary = ofColumn.next()
        seat.resultTexts(output, index).translate(column.values, column.dictionary)
        ofColumn.countRows(length)
      })
      yield new Batch({ schema, columns, length, isTimeOrdered: order === 1 })
    }
  }
}
