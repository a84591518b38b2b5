/**
 * When WebAssembly is worth it. Making a kernel costs as much as JavaScript takes for some thousand rows, and calling one
 * as much as for some hundred: so one is made when so many rows have been seen, and small batches are left to JavaScript.
 */
import type { Batch } from "../batch/batch.ts"

/** A kernel is made when so many rows have been seen. */
const ROWS_BEFORE = 4096
/** Smaller batches are left to JavaScript. */
const MIN_ROWS = 256

/** See the head of this file. */
export class WasmGate {
  readonly #isOpen: boolean
  #rowsSeen = 0

  /** @param isOpen whether all batches go through, for tests. */
  constructor(isOpen: boolean) {
    this.#isOpen = isOpen
  }

  /** Whether a batch, the next one, is for WebAssembly. */
  admits({ count }: Batch): boolean {
    if (this.#isOpen) return true
    this.#rowsSeen += count
    return count >= MIN_ROWS && this.#rowsSeen >= ROWS_BEFORE
  }
}
