/**
 * Whether kernels that add records find keys' ids on the way, in a table by value, code or cell, or are told them.
 *
 * Looking up on the way saves a pass over the rows, but stops where the table knows nothing and the kernel can add no key:
 * a text is new, or a number is not one of those that the table covers. Then some rows are told, twice as many each time
 * that this happens in a batch; and where most rows of a batch are told, so are some batches that follow.
 */
import type { Column } from "../../batch/column.ts"
import { CONTROL, type ControlFields } from "./kernels/window-control.ts"
import type { WindowKeys } from "./keys/window-keys.ts"
import type { WindowMemory } from "./window-memory.ts"

/** So many rows are told where one cannot be looked up, then twice as many, and so on. */
const TOLD_ROWS_MIN = 16
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
  /** Of the batch at hand: how many rows were told, and how many the next ones are. */
  #toldRows = 0
  #nextTold = TOLD_ROWS_MIN

  constructor(memory: WindowMemory, control: ControlFields) {
    this.#memory = memory
    this.#control = control
  }

  /** Begins a batch with keys in these columns; gives whether their ids can be looked up. */
  begin(keys: WindowKeys, columns: readonly Column[]): boolean {
    if (this.#pause > 0) {
      this.#pause--
      return false
    }
    this.#toldRows = 0
    this.#nextTold = TOLD_ROWS_MIN
    return this.locate(keys, columns)
  }

  /** Tells kernels where ids are looked up, anew after keys were added by others; gives whether they can be. */
  locate(keys: WindowKeys, columns: readonly Column[]): boolean {
    const table = keys.idTable(columns)
    if (table === undefined) return false
    const { newKeys } = table
    this.#memory.reserveKeys(newKeys?.capacity ?? keys.size)
    table.columns.forEach((column, part) => this.#memory.setAt(this.#control.lookedUp(part), column))
    table.bits.forEach((bits, part) => this.#memory.setAt(this.#control.lookedUpBits(part), bits))
    this.#memory.setAt(CONTROL.idTable, table.address)
    this.#memory.setAt(CONTROL.idCount, table.count)
    this.#memory.setFewKeys(table.fewKeys ?? [])
    if (newKeys === undefined) return true
    this.#memory.setAt(CONTROL.keySize, newKeys.sizeAddress)
    this.#memory.setAt(CONTROL.keyWords, newKeys.wordsAddress)
    this.#memory.setAt(CONTROL.keyCapacity, newKeys.capacity)
    return true
  }

  /** How many rows are told next, where at most `left` are left. */
  takeTold(left: number): number {
    const count = Math.min(left, this.#nextTold)
    this.#nextTold *= 2
    this.#toldRows += count
    return count
  }

  /** Ends a batch of `count` rows. */
  end(count: number): void {
    if (count - this.#toldRows >= count * WORTH) {
      this.#nextPause = 1
      return
    }
    this.#pause = this.#nextPause
    this.#nextPause = Math.min(PAUSE_MAX, this.#nextPause * 2)
  }
}
