/** Random calls of every function that lambdas may call, for the fuzzer. */
import type { Prng } from "../base/prng.ts"
import { knownFunction, knownFunctionNames } from "./globals.ts"
import { isWithin, PRIMITIVE, type Kinds } from "./value-type.ts"

/** What writes arguments. */
export interface ArgumentWriter {
  number(): string
  text(): string
  /** Anything but a bigint. */
  any(): string
}

/** What all known functions give. */
export const ANY_RESULT: Kinds = PRIMITIVE

const FORMS = ["", '"NFC"', '"NFD"', '"NFKC"', '"NFKD"']

type WriteArguments = (prng: Prng, write: ArgumentWriter) => readonly string[]

/** The arguments of methods of strings and numbers; those that are not named take none. */
const METHOD_ARGUMENTS: Readonly<Record<string, WriteArguments>> = {
  ...{ at: oneNumber, charAt: oneNumber, charCodeAt: oneNumber, codePointAt: oneNumber },
  ...{ slice: twoNumbers, substr: twoNumbers, substring: twoNumbers },
  ...{ endsWith: search, includes: search, indexOf: search, lastIndexOf: search, startsWith: search },
  concat: (prng, write) => Array.from({ length: prng.below(3) }, () => write.any()),
  normalize: (prng) => [prng.pick(FORMS)],
  padStart: (prng, write) => [String(prng.below(7)), ...(prng.chance(0.5) ? [write.text()] : [])],
  padEnd: (prng, write) => [String(prng.below(7)), ...(prng.chance(0.5) ? [write.text()] : [])],
  repeat: (prng) => [String(prng.below(4))],
  replace: (_, write) => [write.text(), write.any()],
  replaceAll: (_, write) => [write.text(), write.any()],
  toFixed: (prng) => [prng.pick(["", "0", "3", "100"])],
  toPrecision: (prng) => [prng.pick(["", "1", "17", "100"])],
  toString: (prng: Prng) => [prng.pick(["", "2", "10", "36"])],
}

function oneNumber(prng: Prng, write: ArgumentWriter): readonly string[] {
  return [prng.chance(0.1) ? "" : write.number()]
}

function twoNumbers(prng: Prng, write: ArgumentWriter): readonly string[] {
  return prng.chance(0.5) ? [write.number()] : [write.number(), write.number()]
}

function search(prng: Prng, write: ArgumentWriter): readonly string[] {
  return prng.chance(0.5) ? [write.text()] : [write.any(), write.number()]
}

/** How often functions were called: the rarer of some is drawn, so that none is left out. */
const drawn = new WeakMap<Prng, Map<string, number>>()

/** A call that gives one of `kinds`. */
export function randomCall(prng: Prng, kinds: Kinds, write: ArgumentWriter): string {
  const names = knownFunctionNames().filter((name) => isWithin(knownFunction(name)!.result, kinds))
  const counts = drawn.get(prng) ?? new Map<string, number>()
  drawn.set(prng, counts)
  const countOf = (name: string): number => counts.get(name) ?? 0
  const some = Array.from({ length: 4 }, () => prng.pick(names))
  const name = some.reduce((rarest, each) => (countOf(each) < countOf(rarest) ? each : rarest))
  counts.set(name, countOf(name) + 1)
  const [owner, prototype, method] = name.split(".")
  if (prototype === "prototype") {
    const args = METHOD_ARGUMENTS[method!]?.(prng, write) ?? []
    const object = owner === "String" ? write.text() : `(${write.number()})`
    return `${object}.${method}(${args.join(", ")})`
  }
  if (owner === "Math") {
    const count = prng.pick([0, 1, 1, 1, 1, 2, 2, 3])
    return `${name}(${Array.from({ length: count }, () => (prng.chance(0.8) ? write.number() : write.any())).join(", ")})`
  }
  if (name.endsWith("parseInt")) return `${name}(${write.any()}${prng.pick(["", ", 16", ", 36", ", 1", ", null"])})`
  return `${name}(${prng.chance(0.1) ? "" : write.any()})`
}
