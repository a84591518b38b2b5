/**
 * What two runs have alike that give the same rows in the same order, to the bit, however the rows are cut into batches: of
 * each column a polynomial of its values' bits, modulo 2⁶⁴.
 */
import { HASH_FACTOR, memoryKernels } from "./memory-kernels.mjs"

const SELECTION_BYTES = 65_536 * 4

/** The result rows of a dataflow so far: how many, and each column's hash. */
export class ResultHash {
  rows = 0
  hashes = []
  #kernels
  #selection

  constructor(arena) {
    this.#kernels = memoryKernels(arena)
    this.#selection = new Int32Array(arena.buffer, arena.allocate(SELECTION_BYTES).offset, SELECTION_BYTES / 4)
  }

  add({ selection, count, columns }) {
    this.rows += count
    if (selection !== null) this.#selection.set(selection.subarray(0, count))
    const rows = selection === null ? 0 : this.#selection.byteOffset
    columns.forEach(({ values }, index) => {
      const hash = values.BYTES_PER_ELEMENT === 8 ? this.#kernels.hash64 : this.#kernels.hash32
      this.hashes[index] = hash(this.hashes[index] ?? 0n, values.byteOffset, rows, count)
    })
  }

  /** What has come since the last call, as plain data. */
  take() {
    const { rows, hashes } = this
    ;[this.rows, this.hashes] = [0, []]
    return { rows, hashes }
  }

  /** Goes on with what another has taken of the rows behind. */
  join({ rows, hashes }) {
    this.rows += rows
    hashes.forEach((hash, index) => {
      this.hashes[index] = BigInt.asIntN(64, (this.hashes[index] ?? 0n) * power(HASH_FACTOR, rows) + hash)
    })
  }
}

/** A power, modulo 2⁶⁴. */
function power(base, exponent) {
  let [result, square] = [1n, base]
  for (let left = exponent; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) result = BigInt.asUintN(64, result * square)
    square = BigInt.asUintN(64, square * square)
  }
  return result
}
