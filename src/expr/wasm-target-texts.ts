/**
 * The dictionaries of columns of text that a kernel fills: of plain text one of its own, which goes along with the
 * dictionaries of the texts that come in, so that it does not outgrow them.
 *
 * Invariant:
 * - WD1 While a target has the same dictionary, so have the columns from which its texts come.
 */
import { assert } from "../base/assert.ts"
import type { Batch } from "../batch/batch.ts"
import type { Column, DictionaryColumn } from "../batch/column.ts"
import { Dictionary } from "../batch/dictionary.ts"
import type { ColumnType } from "../batch/type.ts"
import type { Params } from "./closure.ts"
import type { WasmSource } from "./codegen-wasm-kernel.ts"
import { INVALID_CODE } from "./lane-questions.ts"
import type { ColumnReference } from "./ir.ts"
import { isPlainText } from "./js-store.ts"

/** A dictionary of our own that has become this large is given up for a new one. */
const MAX_TEXT_BYTES = 16 << 20

/** See the head of this file. */
export class TargetTexts {
  readonly #types: readonly ColumnType[]
  /** For each target the columns of the row from which its texts come. */
  readonly #sources = new Map<number, readonly ColumnReference[]>()
  readonly #dictionaries = new Map<number, Dictionary>()
  #before: readonly unknown[] = []

  constructor({ arguments: args, tables }: WasmSource, types: readonly ColumnType[]) {
    this.#types = types
    for (const argument of args) {
      if (argument.from === "targetCode" && !this.#sources.has(argument.target)) this.#sources.set(argument.target, [])
      if (argument.from !== "table") continue
      const { target, column } = tables[argument.table]!
      if (target !== undefined) this.#sources.set(target, [...(this.#sources.get(target) ?? []), column])
    }
  }

  /** Sees to it that each target has a dictionary that fits the batch's. */
  update(batch: Batch, params: Params, targets: readonly Column[]): void {
    if (this.#sources.size === 0) return
    const sources = [...this.#sources.values()].flat()
    const now = [params, ...sources.map(({ path }) => (columnAt(batch, path) as DictionaryColumn).dictionary)]
    const isSame = now.length === this.#before.length && now.every((each, index) => each === this.#before[index])
    this.#before = now
    for (const target of this.#sources.keys()) {
      const known = this.#dictionaries.get(target)
      if (!isPlainText(this.#types[target]!)) {
        this.#dictionaries.set(target, (targets[target] as DictionaryColumn).dictionary)
      } else if (known === undefined || !isSame || known.byteLength > MAX_TEXT_BYTES) {
        this.#dictionaries.set(target, new Dictionary())
      }
    }
  }

  dictionaryOf(target: number): Dictionary {
    const dictionary = this.#dictionaries.get(target)
    assert(dictionary !== undefined, "a target of text has a dictionary")
    return dictionary
  }

  /** The code of a text, or `INVALID_CODE` where it is none of the target's. */
  codeOf(target: number, text: string): number {
    if (this.#types[target]!.definition.check(text) !== undefined) return INVALID_CODE
    return this.dictionaryOf(target).codeOf(text)
  }

  /** Gives the targets the dictionaries to which their codes belong. */
  give(targets: readonly Column[]): void {
    for (const [target, dictionary] of this.#dictionaries) (targets[target] as DictionaryColumn).dictionary = dictionary
  }
}

/** The column at a path, which leads through structs. */
export function columnAt({ columns }: Batch, path: readonly number[]): Column {
  return path.reduce<Column | undefined>((column, index) => {
    if (column === undefined) return columns[index]
    assert(column.storage === "struct", "only structs have columns of their own")
    return column.children[index]
  }, undefined)!
}
