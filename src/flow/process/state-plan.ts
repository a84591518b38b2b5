/**
 * What becomes of each state of a `process` whose earlier program kept it otherwise: read off the signature that the log has.
 *
 * Invariant (rule of docs/spec/process.md):
 * - P16 State goes over where each value that may be there has its value in the new program: by widening, or by a migration that the
 *   program gives. Else it is refused, with what is missing.
 */
import { typeOfLabel } from "../../batch/type-label.ts"
import { wideningOf, type Widening } from "../../batch/widening.ts"
import { endOfEntry, parseNamedList, type NamedEntry } from "../named-list.ts"
import type { ProcessSpec, StateSpec } from "./process-spec.ts"

/** How one state goes over. */
export interface StateCourse {
  readonly name: string
  /** Its place among the earlier states; −1 where it is new. */
  readonly from: number
  readonly value: Widening
  readonly key: Widening
  /** Set where values expire that did not, or no longer. */
  readonly expiry: "begins" | "ends" | undefined
  /** Whether the program's own function is called. */
  readonly isMigrated: boolean
}

/** How the state of an operator goes over. */
export interface StatePlan {
  /** What the earlier program declared. */
  readonly states: readonly StateSpec[]
  readonly timers: readonly string[]
  /** By the order of the new program's states. */
  readonly courses: readonly StateCourse[]
  /** What is otherwise, as clauses about "it". */
  readonly changes: readonly string[]
}

/** Why it does not. */
export interface StateMisfit {
  /** Clauses such as `its state sum is gone`; at least one. */
  readonly problems: readonly string[]
  readonly hint: string
}

const same: Widening = (value) => value

interface Signature {
  readonly keys: readonly NamedEntry[]
  readonly states: readonly NamedEntry[]
  readonly timers: readonly NamedEntry[]
}

/** How state of one signature goes over to a program of another; `undefined` where either is none of a `process`. */
export function statePlanOf(spec: ProcessSpec, before: string, now: string): StatePlan | StateMisfit | undefined {
  const [earlier, later] = [tryToParse(before), tryToParse(now)]
  if (earlier === undefined || later === undefined) return undefined
  const states = earlier.states.map(({ text }) => specOf(text))
  if (states.includes(undefined)) return undefined
  return new Comparison(earlier, later, states as StateSpec[]).plan(spec)
}

function tryToParse(signature: string): Signature | undefined {
  const head = "process/1 by ("
  if (!signature.startsWith(head)) return undefined
  try {
    const keys = parseNamedList(signature, head.length)
    const states = listBehind(signature, keys.end, " with (")
    const timers = listBehind(signature, states.end, " and timers (")
    return { keys: keys.entries, states: states.entries, timers: timers.entries }
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function listBehind(signature: string, at: number, words: string): ReturnType<typeof parseNamedList> {
  if (!signature.startsWith(words, at)) throw new SyntaxError(`no ${words}`)
  return parseNamedList(signature, at + words.length)
}

/** The spec of `map(string, int53) that expires`; `undefined` where that is none. */
function specOf(text: string): StateSpec | undefined {
  const [, kind, inner, expires] = /^(value|list|map|reducing)\((.*)\)( that expires)?$/s.exec(text) ?? []
  if (kind === undefined || inner === undefined) return undefined
  // Whether they expire is all that the bytes say.
  const ttlMicros = expires === undefined ? Infinity : 1
  const keyEnd = kind === "map" ? endOfEntry(inner, 0) : -", ".length
  const type = typeOfLabel(inner.slice(keyEnd + ", ".length))
  if (type === undefined) return undefined
  if (kind === "list") return { kind, type, ttlMicros }
  if (kind !== "map") return { kind: "value", type, ttlMicros }
  const keyType = typeOfLabel(inner.slice(0, keyEnd))
  return keyType === undefined ? undefined : { kind, keyType, type, ttlMicros }
}

const KIND_NAMES: Readonly<Record<StateSpec["kind"], string>> = {
  value: "one value",
  reducing: "one value",
  list: "a list",
  map: "a map",
}

/** Of an earlier program with a new one. */
class Comparison {
  readonly #before: Signature
  readonly #now: Signature
  readonly #states: readonly StateSpec[]
  readonly #changes: string[] = []
  readonly #problems: string[] = []
  readonly #hints = new Set<string>()

  constructor(before: Signature, now: Signature, states: readonly StateSpec[]) {
    this.#before = before
    this.#now = now
    this.#states = states
  }

  plan(spec: ProcessSpec): StatePlan | StateMisfit {
    this.#compareKeys()
    this.#compareTimers()
    for (const { name } of this.#before.states) {
      if (!Object.hasOwn(spec.state, name))
        this.#refuse(`its state ${name} is gone`, "Go on declaring a state that is no longer used.")
    }
    const courses = Object.entries(spec.state).map(([name, state]) => this.#courseOf(name, state))
    const [problems, hint] = [this.#problems, [...this.#hints].join(" ")]
    if (problems.length > 0) return { problems, hint }
    const timers = this.#before.timers.map(({ name }) => name)
    return { states: this.#states, timers, courses, changes: this.#changes }
  }

  #refuse(problem: string, hint: string): void {
    this.#problems.push(problem)
    this.#hints.add(hint)
  }

  #compareKeys(): void {
    const [one, other] = [this.#before.keys, this.#now.keys].map((keys) =>
      keys.map(({ name, text }) => `${name} (${text})`).join(", "),
    )
    if (one === other) return
    this.#refuse(
      `it was keyed by ${one || "nothing"} and is now by ${other || "nothing"}`,
      "Keep the keys, or start anew.",
    )
  }

  #compareTimers(): void {
    const now = new Map(this.#now.timers.map(({ name, text }) => [name, text]))
    for (const { name, text } of this.#before.timers) {
      const other = now.get(name)
      now.delete(name)
      if (other === text) continue
      const what = other === undefined ? "are gone" : `went by ${domainText(text)} and now go by ${domainText(other)}`
      this.#refuse(`its timers ${name} ${what}`, "Go on declaring timers that may be set, with what they go by.")
    }
    for (const name of now.keys()) this.#changes.push(`its timers ${name} are new`)
  }

  #courseOf(name: string, now: StateSpec): StateCourse {
    const from = this.#before.states.findIndex((each) => each.name === name)
    const before = this.#states[from]
    const course = { name, from, value: same, key: same, expiry: undefined, isMigrated: false }
    if (before === undefined) {
      this.#changes.push(`its state ${name} is new, and empty`)
      return course
    }
    if (KIND_NAMES[before.kind] !== KIND_NAMES[now.kind]) {
      const what = `its state ${name} was ${KIND_NAMES[before.kind]} and is now ${KIND_NAMES[now.kind]}`
      this.#refuse(what, "Give what is new another name.")
      return course
    }
    const key = before.kind === "map" && now.kind === "map" ? this.#keysOf(name, before.keyType, now.keyType) : same
    return { ...course, key, ...this.#valuesOf(name, before, now), expiry: this.#expiryOf(name, before, now) }
  }

  #keysOf(name: string, before: StateSpec["type"], now: StateSpec["type"]): Widening {
    const widening = wideningOf(before, now)
    if (widening === undefined) {
      const what = `the keys of its state ${name} were ${before.label} and are now ${now.label}`
      this.#refuse(what, "Give what is new another name.")
    } else if (before.label !== now.label) {
      this.#changes.push(`the keys of its state ${name}, which were ${before.label}, are ${now.label} from here on`)
    }
    return widening ?? same
  }

  #valuesOf(name: string, { type: before }: StateSpec, now: StateSpec): Pick<StateCourse, "value" | "isMigrated"> {
    const { type, migrations = [] } = now
    const plain = { value: same, isMigrated: false }
    if (before.label === type.label) return plain
    const migration =
      migrations.find((each) => each.type.label === before.label) ??
      migrations.find((each) => wideningOf(before, each.type) !== undefined)
    if (migration !== undefined) {
      this.#changes.push(`the values of its state ${name}, which were ${before.label}, are migrated to ${type.label}`)
      const widen = wideningOf(before, migration.type)!
      const migrate = migration.migrate as Widening
      return { value: (value) => migrate(widen(value)), isMigrated: true }
    }
    const widening = wideningOf(before, type)
    if (widening !== undefined) {
      this.#changes.push(`the values of its state ${name}, which were ${before.label}, are ${type.label} from here on`)
      return { value: widening, isMigrated: false }
    }
    const hint = `Say what becomes of them: ${now.kind}State(..., { migrate: [migration(${before.label}, (value) => ...)] }), with the type as it was declared.`
    this.#refuse(`the values of its state ${name} were ${before.label} and are now ${type.label}`, hint)
    return plain
  }

  #expiryOf(name: string, before: StateSpec, now: StateSpec): StateCourse["expiry"] {
    const [did, does] = [before.ttlMicros !== Infinity, now.ttlMicros !== Infinity]
    if (did === does) return undefined
    this.#changes.push(
      does
        ? `values of its state ${name} expire, those that are there as if they were written now`
        : `values of its state ${name} no longer expire`,
    )
    return does ? "begins" : "ends"
  }
}

function domainText(domain: string): string {
  return domain === "event" ? "event time" : "the clock"
}
