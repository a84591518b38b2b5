/**
 * `flatMap`: makes of each row as many as its lambda gives, none or several. They have the place of the row they were made
 * of: its partition, offset and line. A row whose lambda throws, or gives what is no list of rows of the declared columns, is
 * reported, and nothing of it is given.
 */
import type { Batch } from "../../batch/batch.ts"
import type { Schema } from "../../batch/schema.ts"
import { AssertionError } from "../../base/assert.ts"
import { TidemarkError } from "../../base/errors.ts"
import { shownValue } from "../../base/shown-value.ts"
import type { RowFunction } from "../../expr/lambda.ts"
import { lambdaThrew } from "../../expr/row-failure.ts"
import { rowSource } from "../../expr/row-source.ts"
import { MadeRows } from "../made-rows.ts"
import type { Emitter, Operator, OperatorContext } from "../operator.ts"
import { RowFailures } from "../row-failures.ts"

/** See the head of this file. */
export class FlatMap implements Operator {
  readonly #id: string
  readonly #lambda: (row: unknown, params: unknown) => unknown
  readonly #rows: ReturnType<typeof rowSource>
  readonly #made: MadeRows
  readonly #context: OperatorContext
  readonly #failures = new RowFailures()

  constructor(id: string, lambda: RowFunction, input: Schema, schema: Schema, context: OperatorContext) {
    this.#id = id
    this.#lambda = lambda as (row: unknown, params: unknown) => unknown
    this.#rows = rowSource(lambda, input)
    this.#made = new MadeRows(schema, "main", context.arena)
    this.#context = context
  }

  onBatch(batch: Batch, out: Emitter): void {
    const readRow = this.#rows(batch)
    batch.forEachRow((index) => {
      try {
        this.#made.addOf(this.#rowsOf(this.#lambda(readRow(index), this.#context.params)), index)
      } catch (thrown) {
        if (thrown instanceof AssertionError) throw thrown
        const isTold = thrown instanceof TidemarkError && thrown.code === "lambda-failed"
        this.#failures.add(index, isTold ? thrown : lambdaThrew(thrown))
      }
    })
    this.#failures.report(this.#id, batch, this.#context)
    this.#made.flush(out, batch.origin)
  }

  #rowsOf(given: unknown): Readonly<Record<string, unknown>>[] {
    if (Array.isArray(given)) return given.map((row: unknown) => this.#made.checked(row))
    throw new TidemarkError("lambda-failed", `the lambda gave ${shownValue(given)}, which is no array of rows`)
  }
}
