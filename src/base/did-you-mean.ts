/**
 * Guessing which name was meant: for hints of errors, never for deciding anything.
 *
 * The distance is the optimal string alignment distance: insertions, deletions, replacements and swaps of neighbours,
 * regardless of letter case.
 */
import { shownValue } from "./shown-value.ts"

/** Names that are longer are not compared: nobody mistypes them by hand. */
const LENGTH_MAX = 64

/** The one of `names` that is nearest to what was written, or `undefined` where none is near enough to be meant. */
export function nearestName(written: string, names: Iterable<string>): string | undefined {
  let nearest: string | undefined
  let least = Infinity
  for (const name of names) {
    const distance = editDistance(written.toLowerCase(), name.toLowerCase())
    if (distance >= least || distance > distanceMax(written, name)) continue
    least = distance
    nearest = name
  }
  return nearest
}

/** How far a name may be from what was written: a third of it, and a little more where both begin alike. */
function distanceMax(written: string, name: string): number {
  const beginAlike = written.length >= 4 && written[0]?.toLowerCase() === name[0]?.toLowerCase()
  return Math.max(beginAlike ? 2 : 1, Math.floor(written.length / 3))
}

/**
 * A hint about a name that does not exist: the one that was probably meant, and those there are.
 *
 * @param what the plural of what is named: `"columns"`.
 */
export function nameHint(written: string, names: readonly string[], what: string): string {
  const nearest = nearestName(written, names)
  const question = nearest === undefined ? "" : `Did you mean ${shownValue(nearest)}? `
  if (names.length === 0) return `${question}There are no ${what}.`
  const shown = names.slice(0, 20).map(shownValue)
  const rest = names.length - shown.length
  return `${question}The ${what} are ${shown.join(", ")}${rest === 0 ? "" : ` and ${rest} more`}.`
}

function editDistance(one: string, other: string): number {
  if (one.length > LENGTH_MAX || other.length > LENGTH_MAX) return one === other ? 0 : Infinity
  let beforeLast: number[] = []
  let last = Array.from({ length: other.length + 1 }, (_, column) => column)
  for (let row = 1; row <= one.length; row++) {
    const current = [row]
    for (let column = 1; column <= other.length; column++) {
      const isSame = one[row - 1] === other[column - 1]
      let distance = Math.min(last[column]! + 1, current[column - 1]! + 1, last[column - 1]! + (isSame ? 0 : 1))
      const isSwap = row > 1 && column > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1]
      if (isSwap) distance = Math.min(distance, beforeLast[column - 2]! + 1)
      current.push(distance)
    }
    beforeLast = last
    last = current
  }
  return last[other.length]!
}
