/** Microseconds since 1970 of a time as text, of which `Date` has milliseconds. */
export function microsOf(text) {
  const [, seconds, digits = ""] = /^([^.]*?)(?:\.(\d+))?Z$/.exec(text)
  return Date.parse(`${seconds}Z`) * 1000 + Number(digits.padEnd(6, "0"))
}
