/** What tells the rows of an array from others: a checksum of the first one, as more may come behind the last. */
import { crc32c } from "../../base/crc32c.ts"

const encoder = new TextEncoder()

/** The content of a partition of these rows. */
export function contentOf(rows: readonly unknown[]): string {
  if (rows.length === 0) return "rows"
  let text: string | undefined
  try {
    text = JSON.stringify(rows[0], (_key, value: unknown) => (typeof value === "bigint" ? `${value}n` : value))
  } catch {
    // What JSON cannot write is a bad record, too, and as such like any other.
    text = undefined
  }
  return `rows of which the first has the checksum ${crc32c(encoder.encode(text ?? ""))}`
}
