/**
 * The order in which a receiver has taken the rows of an output.
 *
 * Invariant:
 * - LO1 Rows of a key are taken in the order in which the job gave them: records as they are numbered, windows as they follow each other.
 */
import { groupedBy, isFired, microsOf, type LiveRow, type SentRecords } from "./live-truth.ts"

/** What is wrong with it. @param runs the rows that number the records. */
export function wrongOrder(
  output: "kept" | "runs" | "windows",
  taken: readonly LiveRow[],
  runs: readonly LiveRow[],
  sent: SentRecords,
): string[] {
  const numbers = new Map([...groupedBy(numbered(runs), idOf)].map(([id, same]) => [id, same.map(numberOf)]))
  const placeOf: Readonly<Record<typeof output, (row: LiveRow) => number>> = {
    kept: (row) => numbers.get(idOf(row))?.[0] ?? 0,
    runs: numberOf,
    windows: ({ windowStart }) => microsOf(windowStart),
  }
  // Where a record came twice, nothing tells its rows in `kept` apart.
  const isTold = (row: LiveRow): boolean => output !== "kept" || numbers.get(idOf(row))?.length === 1
  const keyOf = (row: LiveRow): string => String(output === "windows" ? row["key"] : sent.byId.get(idOf(row))?.key)
  const rows = (output === "runs" ? numbered(taken) : taken).filter(isTold)
  const findings: string[] = []
  for (const [key, ofKey] of groupedBy(rows, keyOf)) {
    const places = ofKey.map(placeOf[output])
    const at = places.findIndex((place, index) => index > 0 && place <= places[index - 1]!)
    if (at > 0) findings.push(`the receiver of ${output} has taken row ${at + 1} of the key ${key} out of order`)
  }
  return findings
}

function numbered(runs: readonly LiveRow[]): LiveRow[] {
  return runs.filter((row) => !isFired(row))
}

function idOf({ id }: LiveRow): number {
  return Number(id)
}

function numberOf({ number }: LiveRow): number {
  return Number(number)
}
