/** Counts and sums what a dataflow gives, batch by batch, without keeping it: the sums do not depend on the order. */
import { memoryKernels } from "./memory-kernels.mjs"

const SELECTION_BYTES = 65_536 * 4

/** The result rows of a dataflow so far: how many, and each column's sum. */
export class ResultSums {
  rows = 0
  /** By column: a bigint, or a number where the column's values are doubles. */
  sums = []
  #kernels
  #buffer
  #selection

  constructor(arena) {
    this.#kernels = memoryKernels(arena)
    this.#buffer = arena.buffer
    this.#selection = new Int32Array(arena.buffer, arena.allocate(SELECTION_BYTES).offset, SELECTION_BYTES / 4)
  }

  /** What has come since the last call, as plain data. */
  take() {
    const { rows, sums } = this
    ;[this.rows, this.sums] = [0, []]
    return { rows, sums }
  }

  /** Adds what another has taken of the rows behind. */
  join({ rows, sums }) {
    this.rows += rows
    sums.forEach((sum, index) => {
      if (typeof sum === "number") this.sums[index] = (this.sums[index] ?? 0) + sum
      else this.sums[index] = BigInt.asUintN(64, (this.sums[index] ?? 0n) + sum)
    })
  }

  add(batch) {
    this.rows += batch.count
    const rows = batch.selection === null ? undefined : this.#selectionOf(batch)
    batch.columns.forEach((column, index) => {
      const sum = rows === undefined ? this.#whole(column, batch.length) : this.#selected(column, rows, batch.count)
      const before = this.sums[index]
      if (column.storage === "float64") this.sums[index] = (before ?? 0) + sum
      else this.sums[index] = BigInt.asUintN(column.storage === "int64" ? 64 : 32, (before ?? 0n) + BigInt(sum))
    })
  }

  /** Where the selection lies in the arena: it may be put there first. */
  #selectionOf({ selection, count }) {
    if (selection.buffer === this.#buffer) return selection.byteOffset
    this.#selection.set(selection.subarray(0, count))
    return this.#selection.byteOffset
  }

  #whole({ storage, values }, count) {
    const at = values.byteOffset
    if (storage === "float64") return this.#kernels.sumFloat64(at, count)
    return storage === "int64" ? this.#kernels.sumInt64(at, count) : this.#kernels.sumInt32(at, count)
  }

  #selected({ storage, values }, rows, count) {
    const at = values.byteOffset
    if (storage === "float64") return this.#kernels.sumFloat64Of(at, rows, count)
    return storage === "int64" ? this.#kernels.sumInt64Of(at, rows, count) : this.#kernels.sumInt32Of(at, rows, count)
  }
}
