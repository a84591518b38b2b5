/**
 * Glob patterns: parsing, and matching one name of a path. Walking the disk is `glob-files.ts`.
 *
 * | pattern | matches |
 * |---|---|
 * | `*` | any run of characters of a name, also none |
 * | `?` | one character |
 * | `[a-z_]`, `[!a-z]`, `[^a-z]` | one character of the class, or not of it |
 * | `{a,b}` | either text; nests, and may hold `/` |
 * | `**` as a whole name | any number of directories, also none |
 * | a backslash and a character | the character itself |
 *
 * What does not parse as one of these (an open `[`, a `{` without a comma or an end) stands for itself.
 *
 * Invariants:
 * - Q1 A name that starts with a dot is matched only where the pattern's name starts with a dot too.
 * - Q2 Matching takes time proportional to the product of the lengths at most, whatever the pattern.
 */
import { assert } from "../../base/assert.ts"
import { TidemarkError } from "../../base/errors.ts"

/** The most patterns that the braces of one pattern may stand for. */
const MAX_ALTERNATIVES = 1_000

/** A part of a pattern for one name. */
type Token =
  | { readonly kind: "character"; readonly character: string }
  | { readonly kind: "any" }
  | { readonly kind: "run" }
  | { readonly kind: "class"; readonly isNegated: boolean; readonly ranges: readonly (readonly [string, string])[] }

/** What one name of a path must look like. */
export type NamePattern =
  /** Exactly this name. */
  | { readonly kind: "literal"; readonly name: string }
  /** Any number of directories. */
  | { readonly kind: "directories" }
  | { readonly kind: "wildcard"; readonly tokens: readonly Token[] }

/** A pattern without braces: absolute or relative, name by name. */
export interface PathPattern {
  readonly isAbsolute: boolean
  readonly names: readonly NamePattern[]
}

/**
 * Parses a pattern; the braces in it make it several, in the order in which they stand.
 *
 * @throws TidemarkError `invalid-options` where the pattern is empty, or its braces stand for too many patterns.
 */
export function parseGlob(glob: string): PathPattern[] {
  const patterns = expandBraces(glob).map(parsePath)
  if (patterns.some(({ names }) => names.length === 0)) {
    throw new TidemarkError("invalid-options", `The pattern ${JSON.stringify(glob)} names no file.`, {
      hint: 'Name files, such as "trips/*.csv".',
    })
  }
  return patterns
}

/** Whether a text is more than a plain path: whether any character of it has a meaning in patterns. */
export function hasWildcards(glob: string): boolean {
  const patterns = parseGlob(glob)
  return patterns.length > 1 || patterns.some(({ names }) => names.some(({ kind }) => kind !== "literal"))
}

/**
 * Whether a file within a directory could match, whatever is there now.
 *
 * @param directory its absolute path; so is `base`, from where the pattern starts unless it is absolute.
 */
export function mayMatchWithin(glob: string, base: string, directory: string): boolean {
  const target = directory.split("/").filter((name) => name !== "")
  return parseGlob(glob).some(({ isAbsolute, names }) => {
    const above = isAbsolute ? [] : parsePath(base.replaceAll(/[\\*?[]/g, "\\$&")).names
    return leadsInto([...above, ...names], target)
  })
}

function leadsInto(names: readonly NamePattern[], target: readonly string[]): boolean {
  const [pattern, ...below] = names
  const [name, ...rest] = target
  if (pattern === undefined) return false
  if (name === undefined) return true
  if (pattern.kind === "directories") return below.length === 0 || leadsInto(below, target) || leadsInto(names, rest)
  const isMatch = pattern.kind === "literal" ? pattern.name === name : matchesName(pattern, name)
  return isMatch && leadsInto(below, rest)
}

function parsePath(pattern: string): PathPattern {
  const names: NamePattern[] = []
  for (const name of pattern.split("/")) {
    if (name === "" || name === ".") continue
    // A way up undoes a way down by name; after a wildcard it stays, and the disk resolves it.
    if (name === ".." && names.length > 0 && isDescent(names.at(-1)!)) names.pop()
    else if (name !== "**" || names.at(-1)?.kind !== "directories") names.push(parseName(name))
  }
  return { isAbsolute: pattern.startsWith("/"), names }
}

function isDescent(pattern: NamePattern): boolean {
  return pattern.kind === "literal" && pattern.name !== ".."
}

function parseName(text: string): NamePattern {
  if (text === "**") return { kind: "directories" }
  const tokens: Token[] = []
  const characters = [...text]
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at]!
    if (character === "\\" && at + 1 < characters.length)
      tokens.push({ kind: "character", character: characters[++at]! })
    else if (character === "?") tokens.push({ kind: "any" })
    else if (character === "*") {
      if (tokens.at(-1)?.kind !== "run") tokens.push({ kind: "run" })
    } else {
      const parsed = character === "[" ? parseClass(characters, at) : undefined
      tokens.push(parsed?.token ?? { kind: "character", character })
      at = parsed?.last ?? at
    }
  }
  const literal = tokens.map((token) => (token.kind === "character" ? token.character : undefined))
  if (!literal.includes(undefined)) return { kind: "literal", name: literal.join("") }
  return { kind: "wildcard", tokens }
}

/** The class that starts at `characters[start]`, an opening bracket, or `undefined` where it has no end. */
function parseClass(characters: readonly string[], start: number): { token: Token; last: number } | undefined {
  assert(characters[start] === "[", "a class starts with a bracket")
  let at = start + 1
  const isNegated = characters[at] === "!" || characters[at] === "^"
  if (isNegated) at++
  const first = at
  const ranges: [string, string][] = []
  const take = (): string | undefined => (characters[at] === "\\" ? characters[(at += 2) - 1] : characters[at++])
  // A closing bracket that comes first stands for itself, as in POSIX.
  while (at < characters.length && (characters[at] !== "]" || at === first)) {
    const low = take()
    if (low === undefined) return undefined
    if (characters[at] === "-" && at + 1 < characters.length && characters[at + 1] !== "]") {
      at++
      const high = take()
      if (high === undefined) return undefined
      ranges.push([low, high])
    } else ranges.push([low, low])
  }
  if (at >= characters.length) return undefined
  return { token: { kind: "class", isNegated, ranges }, last: at }
}

/** The patterns without braces that a pattern stands for. */
function expandBraces(pattern: string): string[] {
  const open = findBraces(pattern)
  if (open === undefined) return [pattern]
  const { start, end, alternatives } = open
  const tails = expandBraces(pattern.slice(end + 1))
  const expanded: string[] = []
  for (const alternative of alternatives.flatMap(expandBraces)) {
    for (const tail of tails) expanded.push(pattern.slice(0, start) + alternative + tail)
    if (expanded.length > MAX_ALTERNATIVES) {
      throw new TidemarkError(
        "invalid-options",
        `The braces in ${JSON.stringify(pattern)} stand for more than ${MAX_ALTERNATIVES} patterns.`,
        { hint: "Use a wildcard, or several patterns." },
      )
    }
  }
  return expanded
}

/** The first pair of braces with a comma between them, or `undefined`. */
function findBraces(pattern: string): { start: number; end: number; alternatives: string[] } | undefined {
  for (let start = nextPlain(pattern, "{", 0); start !== -1; start = nextPlain(pattern, "{", start + 1)) {
    const alternatives: string[] = []
    let depth = 0
    let from = start + 1
    for (let at = start; at < pattern.length; at++) {
      const character = pattern[at]
      if (character === "\\") at++
      else if (character === "{") depth++
      else if ((character === "," && depth === 1) || (character === "}" && --depth === 0)) {
        alternatives.push(pattern.slice(from, at))
        from = at + 1
        if (character === ",") continue
        if (alternatives.length === 1) break
        return { start, end: at, alternatives }
      }
    }
  }
  return undefined
}

/** Where a character stands next that no backslash precedes, or -1. */
function nextPlain(pattern: string, wanted: string, from: number): number {
  for (let at = 0; at < pattern.length; at++) {
    if (pattern[at] === "\\") at++
    else if (pattern[at] === wanted && at >= from) return at
  }
  return -1
}

/** Whether a name of a path (no `/` in it) is as a pattern says. For `directories`: whether `**` may enter it. */
export function matchesName(pattern: NamePattern, name: string): boolean {
  assert(!name.includes("/"), "names are matched one by one")
  if (pattern.kind === "literal") return pattern.name === name
  if (pattern.kind === "directories") return !name.startsWith(".")
  const { tokens } = pattern
  const first = tokens[0]!
  if (name.startsWith(".") && !(first.kind === "character" && first.character === ".")) return false
  return matchesTokens(tokens, [...name])
}

/** Greedy matching that goes back to the last run only: an earlier run never needs to take more (Q2). */
function matchesTokens(tokens: readonly Token[], characters: readonly string[]): boolean {
  let token = 0
  let at = 0
  let runToken = -1
  let runEnd = -1
  while (at < characters.length) {
    const current = tokens[token]
    if (current?.kind === "run") {
      runToken = token++
      runEnd = at
    } else if (current !== undefined && matchesCharacter(current, characters[at]!)) {
      token++
      at++
    } else if (runToken !== -1) {
      token = runToken + 1
      at = ++runEnd
    } else return false
  }
  while (tokens[token]?.kind === "run") token++
  return token === tokens.length
}

function matchesCharacter(token: Token, character: string): boolean {
  if (token.kind === "character") return token.character === character
  if (token.kind === "class") {
    return (
      token.isNegated !==
      token.ranges.some(
        ([low, high]) => codePoint(low) <= codePoint(character) && codePoint(character) <= codePoint(high),
      )
    )
  }
  return true
}

function codePoint(character: string): number {
  return character.codePointAt(0)!
}
