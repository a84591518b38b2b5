/** Numbers for the dictionaries of batches, as long as some batch has them: for threads, which know them by number. */
import { assert } from "../base/assert.ts"
import type { Dictionary } from "../batch/dictionary.ts"

/** See the head of this file. */
export class DictionaryNumbers {
  readonly #byNumber = new Map<number, { readonly dictionary: Dictionary; uses: number }>()
  readonly #numbers = new Map<Dictionary, number>()
  #next = 0

  /** The number of a dictionary, which one more batch has. */
  use(dictionary: Dictionary): number {
    const known = this.#numbers.get(dictionary)
    if (known !== undefined) {
      this.#byNumber.get(known)!.uses++
      return known
    }
    const number = this.#next++
    this.#byNumber.set(number, { dictionary, uses: 1 })
    this.#numbers.set(dictionary, number)
    return number
  }

  /** The dictionary of a number. */
  of(number: number): Dictionary {
    const known = this.#byNumber.get(number)
    assert(known !== undefined, "some batch has the dictionary")
    return known.dictionary
  }

  /** One batch less has it. */
  release(number: number): void {
    const known = this.#byNumber.get(number)!
    if (--known.uses > 0) return
    this.#byNumber.delete(number)
    this.#numbers.delete(known.dictionary)
  }
}
