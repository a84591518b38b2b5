/**
 * Dead letters that have the same cause, as far as their reasons tell: what is quoted in a reason, and its numbers, are those of
 * one record.
 *
 * Invariant:
 * - LG1 Each letter is in one group; groups come with the largest first.
 */
import type { DeadLetter } from "../../runtime/dead-letters.ts"

/** Letters with one cause. */
export interface LetterGroup {
  readonly input: string | null
  /** The operator that failed, or null where records could not be read. */
  readonly operator: string | null
  readonly field: string | null
  /** The reason of all; where they differ, with … for what is quoted in it, and # for numbers. */
  readonly reason: string
  readonly count: number
  /** In the order in which they were written. */
  readonly first: DeadLetter
  readonly last: DeadLetter
}

/** See LG1. */
export function groupLetters(letters: readonly DeadLetter[]): LetterGroup[] {
  const groups = new Map<string, LetterGroup>()
  for (const letter of letters) {
    const { input, operator, field } = letter
    const cause = causeOf(letter.reason)
    const key = JSON.stringify([input, operator, field, cause])
    const group = groups.get(key)
    const reason = group === undefined || group.reason === letter.reason ? letter.reason : cause
    const first = group?.first ?? letter
    groups.set(key, { input, operator, field, reason, count: (group?.count ?? 0) + 1, first, last: letter })
  }
  return [...groups.values()].sort((one, other) => other.count - one.count)
}

/** A reason without what is only that of one record. */
function causeOf(reason: string): string {
  return reason.replace(/"(?:[^"\\]|\\.)*"/g, '"…"').replace(/-?\d+(\.\d+)?/g, "#")
}
