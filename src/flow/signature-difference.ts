/**
 * What differs between two state signatures (`state-signature.ts`), in words: for refusing state that does not
 * fit. Whether they are equal is decided by the texts alone, not here.
 */
import { parseNamedList, type NamedEntry } from "./named-list.ts"

/** A signature, taken apart. */
interface Signature {
  readonly kind: string
  readonly version: string
  /** What event time is read from; how time is cut into windows; which rows are held. */
  readonly subject: string
  readonly keys: readonly NamedEntry[]
  readonly aggregates: readonly NamedEntry[]
  /** With which windows it shares slices, empty where with none; of a range which rows it keeps. */
  readonly sharing: string
}

const KINDS: Readonly<Record<string, string>> = {
  eventTime: "an event time",
  windowAggregate: "a window",
  over: "aggregates over a range",
  asyncMap: "an asyncMap",
}
const SUBJECTS: Readonly<Record<string, string>> = {
  eventTime: "its column was",
  asyncMap: "its rows were",
  over: "its range was",
}

/** Clauses such as `its window was tumbling 1h and is now tumbling 2h`; at least one. */
export function signatureDifference(before: string, now: string): readonly string[] {
  const one = tryToParse(before)
  const other = tryToParse(now)
  if (one === undefined || other === undefined) return [`it was ${before} and is now ${now}`]
  if (one.kind !== other.kind)
    return [`it was ${KINDS[one.kind] ?? one.kind} and is now ${KINDS[other.kind] ?? other.kind}`]
  const subject = SUBJECTS[one.kind] ?? "its window was"
  const isNow = one.kind === "asyncMap" ? "are now" : "is now"
  const clauses = [
    ...(one.version === other.version ? [] : ["its state is kept in another format"]),
    ...(one.subject === other.subject ? [] : [`${subject} ${one.subject} and ${isNow} ${other.subject}`]),
    ...keyClauses(one.keys, other.keys),
    ...aggregateClauses(one.aggregates, other.aggregates),
    ...(one.kind === "over" ? rowsClauses : sharingClauses)(one.sharing, other.sharing),
  ]
  return clauses.length > 0 ? clauses : [`it was ${before} and is now ${now}`]
}

function keyClauses(before: readonly NamedEntry[], now: readonly NamedEntry[]): string[] {
  const [one, other] = [namesOf(before), namesOf(now)]
  if (one !== other) return [`it was keyed by ${one} and is now by ${other}`]
  return before.flatMap(({ name, text }, index) => {
    const type = now[index]!.text
    return type === text ? [] : [`its key ${name} was of the type ${text} and is now ${type}`]
  })
}

function aggregateClauses(before: readonly NamedEntry[], now: readonly NamedEntry[]): string[] {
  const earlier = new Map(before.map(({ name, text }) => [name, text]))
  const later = new Map(now.map(({ name, text }) => [name, text]))
  const clauses = before.flatMap(({ name, text }) => {
    const other = later.get(name)
    if (other === undefined) return [`its aggregate ${name} is gone`]
    return other === text ? [] : [`its aggregate ${name} was ${text} and is now ${other}`]
  })
  for (const { name } of now) if (!earlier.has(name)) clauses.push(`its aggregate ${name} is new`)
  if (clauses.length === 0 && namesOf(before) !== namesOf(now)) {
    clauses.push(`its aggregates were ${namesOf(before)} and are now ${namesOf(now)}, in another order`)
  }
  return clauses
}

function rowsClauses(before: string, now: string): string[] {
  return before === now ? [] : [`its rows were ${before} and are now ${now}`]
}

function sharingClauses(before: string, now: string): string[] {
  if (before === now) return []
  const [one, other] = [before, now].map((sharing) => (sharing === "" ? "its own" : `those of ${sharing}`))
  return [`its slices were ${one} and are now ${other}`]
}

function namesOf(entries: readonly NamedEntry[]): string {
  return entries.map(({ name }) => name).join(", ")
}

/** The parts, or `undefined` where the text is not one of ours. */
function tryToParse(signature: string): Signature | undefined {
  try {
    return parse(signature)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function parse(signature: string): Signature | undefined {
  const eventTime = /^(eventTime)\/(\d+) (".*")$/.exec(signature)
  if (eventTime !== null) {
    const [, kind, version, column] = eventTime as unknown as readonly string[]
    return {
      kind: kind!,
      version: version!,
      subject: String(JSON.parse(column!)),
      keys: [],
      aggregates: [],
      sharing: "",
    }
  }
  const asyncMap = /^(asyncMap)\/(\d+) of (.*)$/s.exec(signature)
  if (asyncMap !== null) {
    const [, kind, version, subject] = asyncMap as unknown as readonly string[]
    return { kind: kind!, version: version!, subject: subject!, keys: [], aggregates: [], sharing: "" }
  }
  const head = /^(windowAggregate|over)\/(\d+) ([^"()]+) by \(/.exec(signature)
  if (head === null) return undefined
  const [, kind, version, subject] = head as unknown as readonly string[]
  const keys = parseNamedList(signature, head[0].length)
  const middle = " of ("
  if (!signature.startsWith(middle, keys.end)) return undefined
  const aggregates = parseNamedList(signature, keys.end + middle.length)
  const sharing = signature.slice(aggregates.end)
  return {
    kind: kind!,
    version: version!,
    subject: subject!,
    keys: keys.entries,
    aggregates: aggregates.entries,
    sharing: sharing.replace(/^, (in slices )?of /, ""),
  }
}
