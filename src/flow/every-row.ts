/** The rows of a batch without a selection, as a selection: 0, 1, 2, …. Hot loops then have one form. */

/** A list of row numbers that grows as it is asked for. */
export class EveryRow {
  #rows: Int32Array = new Int32Array(0)

  /** At least `length` row numbers, from 0. */
  below(length: number): Int32Array {
    if (this.#rows.length < length) this.#rows = Int32Array.from({ length }, (_, row) => row)
    return this.#rows
  }
}
