/**
 * The slow, obvious twin of `matchesName`: tries every way in which a pattern's first element could be met.
 */

/** Whether a name is as a pattern without braces and slashes says. */
export function matchesNameSlowly(pattern: string, name: string): boolean {
  if (name.startsWith(".") && !/^\\?\./.test(pattern)) return false
  return matchesRest([...pattern], [...name])
}

function matchesRest(pattern: readonly string[], name: readonly string[]): boolean {
  const [first, ...rest] = pattern
  if (first === undefined) return name.length === 0
  if (first === "*") return matchesRest(rest, name) || (name.length > 0 && matchesRest(pattern, name.slice(1)))
  if (name.length === 0) return false
  const [character, ...others] = name
  if (first === "?") return matchesRest(rest, others)
  if (first === "\\" && rest.length > 0) return rest[0] === character && matchesRest(rest.slice(1), others)
  if (first === "[") {
    const end = classEnd(pattern)
    if (end !== -1)
      return inClass(pattern.slice(1, end).join(""), character!) && matchesRest(pattern.slice(end + 1), others)
  }
  return first === character && matchesRest(rest, others)
}

/** The place of the bracket that closes the class at the pattern's start, or -1. */
function classEnd(pattern: readonly string[]): number {
  const first = pattern[1] === "!" || pattern[1] === "^" ? 2 : 1
  return pattern.findIndex((character, at) => at > first && character === "]")
}

function inClass(content: string, character: string): boolean {
  const isNegated = /^[!^]/.test(content)
  const items = isNegated ? content.slice(1) : content
  const ranges = [...items.matchAll(/(.)-(.)|(.)/gsu)]
  const isIn = ranges.some(([, low, high, single]) =>
    single === undefined ? low! <= character && character <= high! : single === character,
  )
  return isIn !== isNegated
}
