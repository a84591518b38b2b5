/** The words that CSV and JSON share, as bytes. */

export const TRUE = Uint8Array.of(116, 114, 117, 101)
export const FALSE = Uint8Array.of(102, 97, 108, 115, 101)
export const NULL = Uint8Array.of(110, 117, 108, 108)

/** Whether `bytes[at, to)` starts with a word. */
export function isLiteral(bytes: Uint8Array, at: number, to: number, word: Uint8Array): boolean {
  if (at + word.length > to) return false
  for (let index = 0; index < word.length; index++) if (bytes[at + index] !== word[index]) return false
  return true
}
