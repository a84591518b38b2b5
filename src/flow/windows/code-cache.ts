/**
 * What a table knows about the codes of dictionaries that batches bring: for each code a small number, found once.
 *
 * A dictionary's codes keep their text, so this may outlive a batch (F2); it does not outlive the dictionary.
 */
import { grownInt32 } from "../aggregates/growth.ts"
import type { Dictionary } from "../../batch/dictionary.ts"

/** Numbers by dictionary and code. */
export class CodeCache {
  readonly #known = new WeakMap<Dictionary, Int32Array>()

  /** For each code of the dictionary one more than its number, or 0 where it is not known yet: the caller fills it. */
  of(dictionary: Dictionary): Int32Array {
    const known = this.#known.get(dictionary)
    if (known !== undefined && known.length >= dictionary.size) return known
    const grown = grownInt32(known ?? new Int32Array(0), Math.max(16, dictionary.size, (known?.length ?? 0) * 2))
    this.#known.set(dictionary, grown)
    return grown
  }
}
