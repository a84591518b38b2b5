/**
 * Result rows whose keys and windows are stored when a filter has chosen among them: of those that it drops nothing but
 * what it reads is ever stored. Kernels note the id of each row's key, and where the rows of a window end.
 */
import type { Arena } from "../../batch/arena.ts"
import { Batch, type DeferredColumns, type GivenColumns } from "../../batch/batch.ts"
import { LinearArray } from "../../batch/linear-array.ts"
import { LinearRows } from "../linear-rows.ts"
import type { WindowFunctions } from "./kernels/window-code.ts"
import { CONTROL } from "./kernels/window-control.ts"
import type { WindowMemory } from "./window-memory.ts"

/** Words of 8 bytes that a run of rows of one window is noted with. */
const RUN_WORDS = 2

/** See the head of this file. */
export class DeferredKeys {
  readonly #memory: WindowMemory
  readonly #keepRows: NonNullable<WindowFunctions["keepRows"]>
  readonly #ids: LinearArray
  readonly #runs: LinearArray
  readonly #rows: LinearRows

  constructor(arena: Arena, memory: WindowMemory, keepRows: NonNullable<WindowFunctions["keepRows"]>) {
    this.#memory = memory
    this.#keepRows = keepRows
    this.#ids = new LinearArray(arena, 4, 64, null)
    this.#runs = new LinearArray(arena, 8, 64, null)
    this.#rows = new LinearRows(arena)
  }

  /** Makes room for so many rows, each of which may be of a window of its own, and tells kernels of it. */
  reserve(rows: number): void {
    this.#ids.reserve(rows)
    this.#runs.reserve(rows * RUN_WORDS)
    this.#memory.setAt(CONTROL.resultIds, this.#ids.address)
    this.#memory.setAt(CONTROL.resultRuns, this.#runs.address)
  }

  /** A batch whose rows are stored but for their keys and windows: by whoever chooses among them, or by `keepAll`. */
  deferred(batch: Batch, given: GivenColumns | null): Batch {
    const { schema, columns, length, isTimeOrdered } = batch
    const deferred: DeferredColumns = { keep: (rows, count) => this.#keep(batch, rows, count, given) }
    return new Batch({ schema, columns, length, isTimeOrdered, deferred })
  }

  /** Stores the keys and windows of all rows of a batch. */
  keepAll(batch: Batch): void {
    this.#keepRows(this.#memory.controlAddress, this.#rows.of(batch).byteOffset, batch.length)
  }

  #keep(
    { schema, columns, isTimeOrdered }: Batch,
    selection: Int32Array,
    count: number,
    given: GivenColumns | null,
  ): Batch {
    const chosen = new Batch({ schema, columns, length: selection.length, selection, count })
    this.#keepRows(this.#memory.controlAddress, this.#rows.of(chosen).byteOffset, count)
    return new Batch({
      schema,
      columns,
      length: count,
      isTimeOrdered,
      given: count > selection.length / 2 ? given : null,
    })
  }

  /** Forgets the rows: others follow. */
  clear(): void {
    this.#memory.setAt(CONTROL.resultRunCount, 0)
  }

  /** Gives its memory back. */
  release(): void {
    this.#ids.release()
    this.#runs.release()
    this.#rows.release()
  }
}
