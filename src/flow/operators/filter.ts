/**
 * `filter`: keeps the rows for which the predicate is truthy. Rows do not move: the batch gets another selection.
 * A row whose predicate throws is reported and not kept.
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
  readonly #context: OperatorContext
  readonly #failures = new RowFailures()

  constructor(id: string, predicate: Predicate, context: OperatorContext) {
    this.#id = id
    this.#predicate = predicate
    this.#context = context
  }

  onBatch(batch: Batch, out: Emitter): void {
    withRowRoom(this.#context.arena, batch.length, (selection) => {
      const count = this.#predicate.select(batch, this.#context.params, selection, this.#failures.add)
      this.#failures.report(this.#id, batch, this.#context)
      if (count === batch.count) out.emit("main", batch)
      else if (count > 0) out.emit("main", batch.with({ selection, count }))
    })
  }
}
