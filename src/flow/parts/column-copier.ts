/**
 * Copies columns within a memory, the rows that count of them.
 *
 * Invariant:
 * - CC1 Row `i` of the copy has the values of row `rows[i]`, or of row `i` where there is no list. Texts keep their codes and
 *   their dictionary.
 */
import { assert } from "../../base/assert.ts"
import type { LinearMemory } from "../../base/linear-memory.ts"
import type { Column, DictionaryColumn, Int64Column } from "../../batch/column.ts"
import { moveBytes, type MoveBytes } from "../windows/kernels/move-code.ts"

/** Bytes of a value, by how it is stored. */
const VALUE_BYTES = { int32: 4, dictionary: 4, int64: 8, float64: 8 } as const

/** See the head of this file. */
export class ColumnCopier {
  readonly #move: MoveBytes

  constructor(memory: LinearMemory) {
    this.#move = moveBytes(memory)
  }

  /** Copies `count` rows of some columns to others of the same types. */
  copy(from: readonly Column[], to: readonly Column[], rows: Int32Array | null, count: number): void {
    from.forEach((column, index) => this.#copy(column, to[index]!, rows, count))
  }

  #copy(from: Column, to: Column, rows: Int32Array | null, count: number): void {
    if (from.validity !== null || to.validity !== null) copyBits(from.validity, to.validity, rows, count)
    switch (from.storage) {
      case "struct":
        assert(to.storage === "struct", "a copy is of the same type")
        from.children.forEach((child, index) => this.#copy(child, to.children[index]!, rows, count))
        return
      case "bit":
        assert(to.storage === "bit", "a copy is of the same type")
        copyBits(from.values, to.values, rows, count)
        return
      default: {
        assert(to.storage !== "struct" && to.storage === from.storage, "a copy is of the same type")
        if (from.storage === "dictionary") (to as DictionaryColumn).dictionary = from.dictionary
        if (rows === null && from.values.buffer === to.values.buffer) {
          this.#move(to.values.byteOffset, from.values.byteOffset, count * VALUE_BYTES[from.storage])
        } else if (rows === null) to.values.set(from.values.subarray(0, count) as never)
        else if (from.storage === "int64") copyHalves(from.halves, (to as Int64Column).halves, rows, count)
        else for (let at = 0; at < count; at++) to.values[at] = from.values[rows[at]!]!
      }
    }
  }
}

/** Copies values of two words. */
function copyHalves(from: Int32Array, to: Int32Array, rows: Int32Array, count: number): void {
  for (let at = 0; at < count; at++) {
    const row = rows[at]!
    to[at * 2] = from[row * 2]!
    to[at * 2 + 1] = from[row * 2 + 1]!
  }
}

/** Copies bits; where there are none, all are set. */
function copyBits(from: Uint8Array | null, to: Uint8Array | null, rows: Int32Array | null, count: number): void {
  if (to === null) {
    assert(from === null || rows === null || allSet(from, rows, count), "what is never null has no null")
    return
  }
  to.fill(0, 0, (count + 7) >> 3)
  for (let at = 0; at < count; at++) {
    const row = rows === null ? at : rows[at]!
    if (from === null || ((from[row >> 3]! >> (row & 7)) & 1) === 1) to[at >> 3]! |= 1 << (at & 7)
  }
}

function allSet(bits: Uint8Array, rows: Int32Array, count: number): boolean {
  for (let at = 0; at < count; at++) if (((bits[rows[at]! >> 3]! >> (rows[at]! & 7)) & 1) === 0) return false
  return true
}
