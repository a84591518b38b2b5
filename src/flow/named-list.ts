/** Lists of names and texts within signatures: `"name": text, "other": text)`. */

/** One of a list. */
export interface NamedEntry {
  readonly name: string
  readonly text: string
}

/** Reads `"name": text, "name": text)` from `start`; `end` is behind the bracket. */
export function parseNamedList(
  text: string,
  start: number,
): { readonly entries: readonly NamedEntry[]; readonly end: number } {
  const entries: NamedEntry[] = []
  let at = start
  while (text[at] === '"') {
    const nameEnd = endOfQuoted(text, at)
    const from = nameEnd + ": ".length
    const end = endOfEntry(text, from)
    entries.push({ name: String(JSON.parse(text.slice(at, nameEnd))), text: text.slice(from, end) })
    at = text[end] === "," ? end + ", ".length : end
  }
  return { entries, end: at + 1 }
}

/** Where an entry ends: at a comma or bracket that is within no other bracket and no quotes. */
export function endOfEntry(text: string, start: number): number {
  let depth = 0
  let at = start
  while (at < text.length) {
    const character = text[at]!
    if (character === '"') {
      at = endOfQuoted(text, at)
      continue
    }
    if (depth === 0 && (character === "," || character === ")")) return at
    if (character === "(") depth++
    if (character === ")") depth--
    at++
  }
  return at
}

/** Where the JSON string ends that begins at `start`: behind its closing quote. */
function endOfQuoted(text: string, start: number): number {
  let at = start + 1
  while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1
  return at + 1
}
