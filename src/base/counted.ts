/** Counts in sentences: `1 row`, `1,234 rows`. */

/** A count with a comma between groups of three digits. */
export function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",")
}

/** The form of a word that goes with a count: `one` for 1, else `many`, which without more is `one` with an s. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return count === 1 ? one : many
}

/** A count with its word: `counted(2, "window is", "windows are")` is `2 windows are`. */
export function counted(count: number, one: string, many?: string): string {
  return `${grouped(count)} ${plural(count, one, many)}`
}
