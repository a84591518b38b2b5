/**
 * `filter`: keeps the rows for which the predicate is truthy. Rows do not move: the batch gets another selection.
 * A row whose predicate throws is reported and not kept. A batch not all of whose columns have been filled is asked for
 * the rows that are kept.
 */
import type { Batch } from "../../batch/batch.ts"
import type { Predicate } from "../../expr/lambda.ts"
import type { Emitter, Operator, OperatorContext } from "../operator.ts"
import { RowFailures } from "../row-failures.ts"
import { withRowRoom } from "../row-room.ts"

/** See the head of this file. */
export class Filter implements Operator {
  readonly #id: string
  readonly #predicate: Predicate
  readonly #columnsRead: readonly number[]
  readonly #context: OperatorContext
  readonly #failures = new RowFailures()

  /** @param columnsRead the columns that the predicate can read. */
  constructor(id: string, predicate: Predicate, columnsRead: readonly number[], context: OperatorContext) {
    this.#id = id
    this.#predicate = predicate
    this.#columnsRead = columnsRead
    this.#context = context
  }

  /** Whether it can choose rows before the columns below `column` are filled: it reads none, and reports no row. */
  canChooseWithout(column: number): boolean {
    const { form } = this.#predicate
    return form.kind === "compiled" && !form.mayThrow && this.#columnsRead.every((read) => read >= column)
  }

  onBatch(batch: Batch, out: Emitter): void {
    withRowRoom(this.#context.arena, batch.length, (selection) => {
      const count = this.#predicate.select(batch, this.#context.params, selection, this.#failures.add)
      this.#failures.report(this.#id, batch, this.#context)
      if (batch.deferred !== null) {
        if (count > 0) out.emit("main", batch.deferred.keep(selection, count))
      } else if (count === batch.count) out.emit("main", batch)
      else if (count > 0) out.emit("main", batch.with({ selection, count }))
    })
  }
}
