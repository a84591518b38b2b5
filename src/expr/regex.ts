/**
 * Calls of regular expressions that stand as literals in a lambda.
 *
 * Each evaluation of a literal makes a new regular expression, so that no call knows of the one before. Generated code has
 * one for all rows; `freshCall` makes it behave as a new one. (`RegExp.$1` and its like tell of the last match in the whole
 * process, whoever asked for it: nothing can rely on them.)
 *
 * Invariant:
 * - RX1 Only methods are compiled of which the result is a primitive value and no function of the user's is called.
 */
import type { RegexMethod } from "./ir.ts"
import { NotCompilable } from "./not-compilable.ts"
import { BOOLEAN, NUMBER, STRING, type Kinds } from "./value-type.ts"

/** A regular expression as it stands in the source. */
export interface RegexLiteral {
  readonly source: string
  readonly flags: string
}

const RESULTS: Readonly<Record<RegexMethod, Kinds>> = {
  test: BOOLEAN,
  search: NUMBER,
  replace: STRING,
  replaceAll: STRING,
}

/** Whether `text[name](regex)` is a call that is compiled. */
export function isTextMethodOfRegex(name: string): name is Exclude<RegexMethod, "test"> {
  return name !== "test" && Object.hasOwn(RESULTS, name)
}

/** The kinds of what a call gives. */
export function kindsOfRegexCall(method: RegexMethod, { flags }: RegexLiteral): Kinds {
  if (method === "replaceAll" && !flags.includes("g")) {
    throw new NotCompilable("It calls replaceAll with a regular expression without the flag g, which throws.")
  }
  return RESULTS[method]
}

/**
 * How to call one regular expression as if it were new at each call: with which flags it is made, and whether its
 * `lastIndex` must be 0 before each call.
 */
export function freshCall(method: RegexMethod, flags: string): { flags: string; mustRewind: boolean } {
  // `test` begins at `lastIndex` with g and y alike; without g it begins at 0. `search` saves and ignores `lastIndex`;
  // `replace` begins at 0 with g, and at `lastIndex` with y alone.
  const plain = method === "test" ? flags.replace("g", "") : flags
  const mustRewind = method !== "search" && plain.includes("y") && !plain.includes("g")
  return { flags: plain, mustRewind }
}
