/** Watermarks that a program's function gives with records: what it gives of each row of a batch. */
import type { Batch } from "../../batch/batch.ts"
import { timestampType } from "../../batch/types/timestamp.ts"
import type { Projection } from "../../expr/lambda.ts"
import type { OperatorContext } from "../operator.ts"
import { RowFailures } from "../row-failures.ts"
import { withRowRoom } from "../row-room.ts"
import { RowValues, type ReadRowValue } from "../windows/general/row-values.ts"

/** What a function of watermarks gives: a timestamp, or null. */
export const GIVEN_WATERMARK = timestampType().nullable()

/** See the head of this file. */
export class GivenWatermarks {
  readonly #id: string
  readonly #values: RowValues
  readonly #context: OperatorContext
  readonly #failures = new RowFailures()

  /** @param projection gives a value of the type `GIVEN_WATERMARK`. */
  constructor(id: string, projection: Projection, context: OperatorContext) {
    this.#id = id
    this.#context = context
    this.#values = new RowValues([{ kind: "lambda", projection, type: GIVEN_WATERMARK }], context)
  }

  /**
   * Visits the rows for which the function gives something, in order, and lets `emit` give them out; the others fail.
   *
   * @param visit is given a row, and how to read what the function gave of it.
   */
  forEachRow(batch: Batch, visit: (row: number, read: ReadRowValue) => void, emit: (rows: Batch) => void): void {
    const bound = this.#values.bind(batch, this.#failures.add)
    try {
      withRowRoom(this.#context.arena, batch.count, (kept) => {
        let count = 0
        const read = bound.readers[0]!
        batch.forEachRow((row) => {
          if (this.#failures.has(row)) return
          kept[count++] = row
          visit(row, read)
        })
        if (count > 0) emit(batch.with({ selection: kept, count }))
      })
    } finally {
      bound.release()
    }
    this.#failures.report(this.#id, batch, this.#context)
  }
}
