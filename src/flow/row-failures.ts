/**
 * The rows of a batch that an operator could not process, gathered while it works and reported in the order of rows:
 * so the order in which they are reported does not depend on how rows are cut into batches (F1).
 */
import type { Batch } from "../batch/batch.ts"
import type { OnRowError } from "../expr/lambda.ts"
import type { OperatorContext } from "./operator.ts"

/** Failed rows of one batch. */
export class RowFailures {
  readonly #errors = new Map<number, unknown>()

  /** Takes note that a row failed. The first error of a row counts. */
  readonly add: OnRowError = (row, error) => {
    if (!this.#errors.has(row)) this.#errors.set(row, error)
  }

  /** How many rows have failed. */
  get size(): number {
    return this.#errors.size
  }

  has(row: number): boolean {
    return this.#errors.has(row)
  }

  /** Writes those of the rows that have not failed to `kept`, in order, and gives how many there are. */
  without(rows: Int32Array, count: number, kept: Int32Array): number {
    let length = 0
    for (let at = 0; at < count; at++) if (!this.#errors.has(rows[at]!)) kept[length++] = rows[at]!
    return length
  }

  /** Reports the rows, which are of `batch`, and forgets them. */
  report(operator: string, batch: Batch, context: OperatorContext): void {
    if (this.#errors.size === 0) return
    const failed = [...this.#errors].sort(([one], [other]) => one - other)
    this.#errors.clear()
    for (const [row, error] of failed) context.onFailedRow({ operator, batch, row, error })
  }
}
