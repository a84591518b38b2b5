/**
 * What stands for few keys in the columns of a batch, so that kernels can compare a row's key with all of them at once
 * (`ingest-lanes-code.ts`).
 */

/** Keys are few up to so many: one for each lane of a vector. */
export const FEW_KEYS = 4

/** In larger dictionaries it is not worth looking for the codes of keys. */
const CODES_MAX = 64

/** The values of keys of one whole number, by id: their words lie one behind the other from a place on. */
export function valuesOfFew(memory: Int32Array, words: number, size: number): readonly number[] {
  const values: number[] = []
  for (let id = 0; id < size && size <= FEW_KEYS; id++) values.push(memory[words + id]!)
  return values
}

/**
 * A code of each key of one text, by id, where a table has one more than the id of each of `count` codes, or 0. None where
 * a key has no code, as then a batch with keys that nobody knows may be at hand.
 */
export function codesOfFew(memory: Int32Array, table: number, count: number, size: number): readonly number[] {
  if (size > FEW_KEYS || count > CODES_MAX) return []
  const codes: number[] = []
  for (let id = 0; id < size; id++) {
    let code = 0
    while (code < count && memory[table + code] !== id + 1) code++
    if (code === count) return []
    codes.push(code)
  }
  return codes
}
