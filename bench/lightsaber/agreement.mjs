/**
 * Whether results agree: row by row as sets, and by their sums. Whole numbers must be equal; doubles may differ by
 * rounding, as sums are added in different orders.
 */

const TOLERANCE = 1e-9

function areClose(one, other) {
  return Math.abs(one - other) <= TOLERANCE * Math.max(1, Math.abs(one), Math.abs(other))
}

/** Throws where two lists of rows differ. `results` are the columns, as names and types. */
export function compareRows(what, results, rows, expected) {
  const wholes = results.flatMap(([, type], index) => (type === "float64" ? [] : [index]))
  const sorted = (list) => list.toSorted((one, other) => compareBy(wholes, one, other))
  const [left, right] = [sorted(rows), sorted(expected)]
  for (let at = 0; at < Math.max(left.length, right.length); at++) {
    if (left[at] !== undefined && right[at] !== undefined && isSameRow(results, left[at], right[at])) continue
    throw new Error(
      `${what}: ${left.length} rows and ${right.length} expected; row ${at} is ${left[at]} and not ${right[at]}`,
    )
  }
}

function compareBy(places, one, other) {
  for (const place of places) if (one[place] !== other[place]) return one[place] - other[place]
  return 0
}

function isSameRow(results, one, other) {
  return results.every(([, type], index) =>
    type === "float64" ? areClose(one[index], other[index]) : one[index] === other[index],
  )
}

/** Throws where counts or sums of columns differ. Sums of whole numbers come as text, those of doubles as numbers. */
export function compareSums(what, results, ours, expected) {
  if (ours.rows !== expected.rows) throw new Error(`${what}: ${ours.rows} result rows, and not ${expected.rows}`)
  results.forEach(([name, type], index) => {
    const [one, other] = [ours.sums[index], expected.sums[index]]
    if (type === "float64" ? areClose(one, other) : String(one) === String(other)) return
    throw new Error(`${what}: the sum of ${name} is ${one}, and not ${other}`)
  })
}

/** The result rows in a text, one a line. */
export function parseRows(text) {
  if (text === "") return []
  return text
    .trimEnd()
    .split("\n")
    .map((line) => line.split(" ").map(Number))
}
