/**
 * Whether kernels that add records find keys' ids on the way, in a table by value, code or cell, or are told them.
 *
 * Looking up on the way saves a pass over the rows, but stops where the table knows nothing: the key is new, or too great
 * a number for a table. Then the rest of the batch is told, and where that happens early in batches, so are some batches
 * that follow.
 */
import type { Column } from "../../batch/column.ts"
import { CONTROL, type ControlFields } from "./window-control.ts"
import type { WindowKeys } from "./window-keys.ts"
import type { WindowMemory } from "./window-memory.ts"

/** A batch is worth it where so large a part of its rows was found on the way. */
const WORTH = 0.5
const PAUSE_MAX = 64

/** See the head of this file. */
export class DirectIds {
  readonly #memory: WindowMemory
  readonly #control: ControlFields
  /** So many batches are told at once. */
  #pause = 0
  #nextPause = 1

  constructor(memory: WindowMemory, control: ControlFields) {
    this.#memory = memory
    this.#control = control
  }

  /** Tells kernels where ids of the keys in these columns are looked up; gives whether they can be. */
  begin(keys: WindowKeys, columns: readonly Column[]): boolean {
    if (this.#pause > 0) {
      this.#pause--
      return false
    }
    const table = keys.idTable(columns)
    if (table === undefined) return false
    this.#memory.reserveKeys(keys.size)
    table.columns.forEach((column, part) => this.#memory.setAt(this.#control.lookedUp(part), column))
    table.bits.forEach((bits, part) => this.#memory.setAt(this.#control.lookedUpBits(part), bits))
    this.#memory.setAt(CONTROL.idTable, table.address)
    this.#memory.setAt(CONTROL.idCount, table.count)
    return true
  }

  /** Of `count` rows so many were found on the way. */
  end(found: number, count: number): void {
    if (found >= count * WORTH) {
      this.#nextPause = 1
      return
    }
    this.#pause = this.#nextPause
    this.#nextPause = Math.min(PAUSE_MAX, this.#nextPause * 2)
  }
}
