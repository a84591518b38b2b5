/**
 * How rows that were published differ from those that had to be: what the scenarios of `chaos.mjs` judge by.
 *
 * Invariants:
 * - CD1 A row that is expected so many times and is there fewer times was lost; one that is there more often was repeated; one that is not
 *   expected at all is wrong.
 * - CD2 Where rows have an order, each group of them has it, and a row out of its place is wrong.
 */

/**
 * The differences of an output: `{ output, kind, count, row }` each.
 *
 * @param {object} parts
 * @param {string} parts.output its name
 * @param {readonly string[]} parts.expected the rows that it must have, as texts
 * @param {readonly string[]} parts.rows those that it has, in order
 * @param {(row: string) => string} [parts.groupOf] where order counts: of which group a row is whose order is told
 */
export function differenceOf({ output, expected, rows, groupOf }) {
  const left = countsOf(expected)
  const expectedRows = new Set(left.keys())
  for (const row of rows) left.set(row, (left.get(row) ?? 0) - 1)
  const differences = []
  for (const [row, count] of left) {
    if (count > 0) differences.push({ output, kind: "lost", count, row })
    else if (count < 0)
      differences.push({ output, kind: expectedRows.has(row) ? "repeated" : "wrong", count: -count, row })
  }
  if (groupOf === undefined || differences.length > 0) return differences
  const places = grouped(expected, groupOf)
  for (const [group, those] of grouped(rows, groupOf)) {
    const at = those.findIndex((row, index) => row !== places.get(group)[index])
    if (at !== -1) differences.push({ output, kind: "wrong", count: 1, row: `${those[at]} (out of its place)` })
  }
  return differences
}

function countsOf(rows) {
  const counts = new Map()
  for (const row of rows) counts.set(row, (counts.get(row) ?? 0) + 1)
  return counts
}

/** Rows by group, each in order. */
export function grouped(rows, groupOf) {
  const groups = new Map()
  for (const row of rows) {
    const group = groupOf(row)
    const those = groups.get(group)
    if (those === undefined) groups.set(group, [row])
    else those.push(row)
  }
  return groups
}
