/**
 * What a kernel needs besides columns, in one block of the arena for the time of a call:
 *
 *     the list │ PICKS or the selection │ bits of a column without bitmap │ tables over dictionaries
 *
 * A list or a selection that lies in the arena already is used where it is.
 */
import { assert } from "../base/assert.ts"
import type { Arena, Block } from "../batch/arena.ts"
import type { Batch } from "../batch/batch.ts"
import type { Column } from "../batch/column.ts"
import { PICKS } from "./codegen-wasm-kernel.ts"
import type { TextTableEntries } from "./wasm-text-table.ts"

const ROW_BYTES = Int32Array.BYTES_PER_ELEMENT

/** What a kernel fills. */
export interface KernelOutput {
  /** Room for as many rows as count: those that are selected, or those that have failed. */
  readonly list: Int32Array
  readonly targets: readonly Column[]
}

/** See the head of this file. */
export class Scratch {
  readonly #arena: Arena
  readonly #block: Block | undefined
  readonly #batch: Batch
  readonly #output: KernelOutput
  readonly #isListCopied: boolean
  #end = 0
  #ones: number | undefined
  /** The address of the list of rows. */
  readonly list: number = 0
  /** The address of the selection, or of `PICKS`. */
  readonly from: number = 0

  constructor(arena: Arena, batch: Batch, output: KernelOutput, tableBytes: number) {
    const { buffer } = arena
    const { selection, count, length } = batch
    const isSelectionCopied = selection !== null && selection.buffer !== buffer
    this.#arena = arena
    this.#batch = batch
    this.#output = output
    this.#isListCopied = output.list.buffer !== buffer
    const rowsBytes = roundUp(count * ROW_BYTES)
    const bytes =
      (selection === null ? PICKS.length : isSelectionCopied ? rowsBytes : 0) +
      (this.#isListCopied ? rowsBytes : 0) +
      roundUp((length + 7) >> 3) +
      tableBytes
    this.#block = arena.tryAllocate(bytes)
    if (this.#block === undefined) return
    this.#end = this.#block.offset
    this.list = this.#isListCopied ? this.#take(rowsBytes) : output.list.byteOffset
    if (selection === null) {
      this.from = this.#take(PICKS.length)
      new Uint8Array(buffer, this.from, PICKS.length).set(PICKS)
    } else if (isSelectionCopied) {
      this.from = this.#take(rowsBytes)
      new Int32Array(buffer, this.from, count).set(selection.subarray(0, count))
    } else this.from = selection.byteOffset
  }

  get hasRoom(): boolean {
    return this.#block !== undefined
  }

  #take(bytes: number): number {
    const address = this.#end
    this.#end += roundUp(bytes)
    assert(this.#end <= this.#block!.offset + this.#block!.bytes, "there is room for what was foreseen")
    return address
  }

  /** The address of the bitmap of a column that has none. */
  ones(): number {
    if (this.#ones !== undefined) return this.#ones
    const bytes = (this.#batch.length + 7) >> 3
    this.#ones = this.#take(bytes)
    new Uint8Array(this.#arena.buffer, this.#ones, bytes).fill(0xff)
    return this.#ones
  }

  /** Copies a table, and gives the address of the entry of code 0. */
  copyTable({ entries }: TextTableEntries): number {
    const bytes = new Uint8Array(entries.buffer, entries.byteOffset, entries.byteLength)
    const address = this.#take(bytes.length)
    new Uint8Array(this.#arena.buffer, address, bytes.length).set(bytes)
    return address + entries.BYTES_PER_ELEMENT
  }

  /** Gives out the first rows of the list. */
  copyList(length: number): void {
    if (this.#isListCopied && length > 0) {
      this.#output.list.set(new Int32Array(this.#arena.buffer, this.list, length))
    }
  }

  release(): void {
    if (this.#block !== undefined) this.#arena.free(this.#block)
  }
}

/** To where the next item of eight bytes may start. */
export function roundUp(bytes: number): number {
  return (bytes + 7) & ~7
}
