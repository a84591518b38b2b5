/** Numbers of several rounds, and what is said of them: the median and both ends. */

export function median(numbers) {
  return [...numbers].sort((one, other) => one - other)[numbers.length >> 1]
}

/** The median and both ends of what rounds measured. */
export function spread(numbers) {
  return { median: median(numbers), min: Math.min(...numbers), max: Math.max(...numbers) }
}

/** `12.3 (11.9 … 13.0)`, with as many digits as `write` gives. */
export function spreadText(numbers, write = (number) => number.toFixed(2)) {
  const { median: middle, min, max } = spread(numbers)
  return `${write(middle)} (${write(min)} … ${write(max)})`
}

/** A number with three digits that count: `0.123`, `1.23`, `12.3`, `123`, `1,230`. */
export function threeDigits(number) {
  if (!Number.isFinite(number)) return String(number)
  const digits = number === 0 ? 0 : Math.floor(Math.log10(Math.abs(number)))
  return digits >= 3 ? Math.round(number).toLocaleString("en") : number.toFixed(Math.min(Math.max(2 - digits, 0), 6))
}
