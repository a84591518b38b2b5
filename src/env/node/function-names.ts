/**
 * Names that stand behind the word `function` in a script: among them those of all its function expressions.
 *
 * It reads no syntax, so it also finds names of declarations, and in comments and texts: too many, but none too few.
 *
 * Invariant:
 * - FN1 The name of every function expression of the script is found. A name written with an escape is found as every
 *   name: the set then has whatever is asked.
 */

const NAME_BEHIND_FUNCTION =
  /(?<![\w$])function(?:[\s*]|\/\*(?:[^*]|\*(?!\/))*\*\/|(?:\/\/|<!--|-->)[^\n\r\u2028\u2029]*)+(?=((?:[\w$\u0080-\uffff]|\\u)+))/g

/** The names behind `function` in a source text. */
export function functionExpressionNames(source: string): ReadonlySet<string> {
  const names = new Set<string>()
  for (const [, name] of source.matchAll(NAME_BEHIND_FUNCTION)) {
    if (name!.includes("\\")) return EVERY_NAME
    names.add(name!)
  }
  return names
}

/** A set that has whatever is asked. */
const EVERY_NAME: ReadonlySet<string> = new (class extends Set<string> {
  override has(): boolean {
    return true
  }
})()
