/** Times of published rows, and rows as texts. */

/** Microseconds since 1970 of a time: a number of them, or an ISO text, of which `Date` has milliseconds. */
export function microsOf(time) {
  const text = String(time)
  if (/^-?\d+$/.test(text)) return Number(text)
  const [, seconds, digits = ""] = /^([^.]*?)(?:\.(\d+))?Z$/.exec(text)
  return Date.parse(`${seconds}Z`) * 1000 + Number(digits.padEnd(6, "0"))
}

const TIMES = new Set(["windowStart", "windowEnd", "at"])

/** A published row as text: these columns of it. */
export function rowText(row, columns) {
  return columns
    .map((column) => (TIMES.has(column) ? String(microsOf(row[column])) : String(row[column] ?? "")))
    .join("|")
}
