/** How operators that read plain values take a batch: row by row, and those that turn out to be late are given out together. */
import type { Batch } from "../../../batch/batch.ts"
import type { Emitter, OperatorContext } from "../../operator.ts"
import { withRowRoom } from "../../row-room.ts"
import type { ReadRowValue, RowValues } from "./row-values.ts"

/**
 * Adds the rows that count, lists those that are late, and gives how many these are. `errors` are of rows whose lambda has
 * failed: they matter where the row is not late.
 */
export type AddRows = (
  readers: readonly ReadRowValue[],
  errors: ReadonlyMap<number, unknown>,
  late: Int32Array,
) => number

/** Takes a batch; gives how many of its rows were late. */
export function addRowsOf(
  batch: Batch,
  values: RowValues,
  { arena }: Pick<OperatorContext, "arena">,
  out: Emitter,
  add: AddRows,
): number {
  const errors = new Map<number, unknown>()
  const bound = values.bind(batch, (row, error) => {
    if (!errors.has(row)) errors.set(row, error)
  })
  let lateCount = 0
  try {
    withRowRoom(arena, batch.count, (late) => {
      lateCount = add(bound.readers, errors, late)
      if (lateCount > 0) out.emit("late", batch.with({ selection: late, count: lateCount }))
    })
  } finally {
    bound.release()
  }
  return lateCount
}
