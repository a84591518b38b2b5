/**
 * The texts that aggregates keep: a dictionary for each input that is text, as entries hold codes.
 *
 * Dictionaries of batches come and go, and entries leave with their windows. So when a dictionary has grown to twice
 * what was in use, those in use are numbered anew.
 *
 * Invariant:
 * - VT1 A code in an entry stands for its text until the entry leaves.
 */
import { isValid, type DictionaryColumn } from "../../batch/column.ts"
import { Dictionary } from "../../batch/dictionary.ts"
import type { WindowShape } from "./kernels/window-shape.ts"

/** Below this many texts it is not worth finding out which are still in use. */
const TEXTS_WORTH_COLLECTING = 1024

interface Texts {
  readonly symbols: readonly string[]
  dictionary: Dictionary
  /** By dictionary of a batch and code: one more than the own code, or 0. */
  known: WeakMap<Dictionary, Int32Array>
  /** How many texts there were when they were last numbered. */
  kept: number
}

/** See the head of this file. */
export class ValueTexts {
  readonly #byInput = new Map<number, Texts>()

  constructor({ inputs }: WindowShape) {
    inputs.forEach(({ type, storage }, index) => {
      if (storage !== "dictionary") return
      const { symbols = [] } = type.definition
      const dictionary = Dictionary.of(symbols)
      this.#byInput.set(index, { symbols, dictionary, known: new WeakMap(), kept: dictionary.size })
    })
  }

  /** The dictionary of an input. */
  dictionary(input: number): Dictionary {
    return this.#byInput.get(input)!.dictionary
  }

  /** Writes the own codes of rows `rows[0]` … of a column to `codes`, by row; 0 where the value is null. */
  translate(input: number, column: DictionaryColumn, rows: Int32Array, count: number, codes: Int32Array): void {
    const { dictionary, known } = this.#byInput.get(input)!
    let own = known.get(column.dictionary)
    if (own === undefined || own.length < column.dictionary.size) {
      const grown = new Int32Array(Math.max(16, column.dictionary.size * 2))
      if (own !== undefined) grown.set(own)
      known.set(column.dictionary, grown)
      own = grown
    }
    for (let at = 0; at < count; at++) {
      const row = rows[at]!
      codes[row] = 0
      if (!isValid(column, row)) continue
      const code = column.values[row]!
      // A text within a null object is no text: its code is 0, also where the dictionary is empty (N2).
      if (code >= column.dictionary.size) continue
      if (own[code] === 0) {
        const bytes = column.dictionary.bytes(code)
        own[code] = dictionary.codeOfBytes(bytes, 0, bytes.length) + 1
      }
      codes[row] = own[code]! - 1
    }
  }

  /** The inputs whose dictionaries have become much larger than they were when last numbered. */
  overgrown(): number[] {
    return [...this.#byInput]
      .filter(([, { dictionary, kept }]) => dictionary.size >= Math.max(TEXTS_WORTH_COLLECTING, kept * 2))
      .map(([input]) => input)
  }

  /** Numbers the texts of an input anew: `visit` calls back with each code that is in use, and takes the new one. */
  renumber(input: number, visit: (renumbered: (code: number) => number) => void): void {
    const texts = this.#byInput.get(input)!
    const old = texts.dictionary
    const dictionary = Dictionary.of(texts.symbols)
    visit((code) => {
      const bytes = old.bytes(code)
      return dictionary.codeOfBytes(bytes, 0, bytes.length)
    })
    texts.dictionary = dictionary
    texts.known = new WeakMap()
    texts.kept = dictionary.size
  }
}
