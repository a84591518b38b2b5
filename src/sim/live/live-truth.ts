/**
 * What the outputs of a live scenario may hold at any moment, and must hold in the end. Which record comes when is the network's, so the
 * truth is no list of rows: it is what must be so in any order.
 *
 * Invariants:
 * - LT1 Each record that was sent with a key is in `kept` once, and in `runs` once as it came and once when its timer fired; others as often
 *   as they were delivered, at most.
 * - LT2 Records of a key are numbered without a gap, and each total is the one before it and the record's value.
 * - LT3 A record counts in its window, or it is late.
 * - LT4 Records that were sent together are there equally often.
 */
import { fromIso } from "../../time/iso.ts"
import type { LiveRecord } from "./live-scenario.ts"
import { WINDOW_MICROS } from "./live-job.ts"

/** A row of an output, as JSON or as COPY has it. */
export type LiveRow = Readonly<Record<string, unknown>>

/** The rows of the outputs, those that tables have refused among them. */
export interface LiveRows {
  readonly kept: readonly LiveRow[]
  readonly runs: readonly LiveRow[]
  readonly windows: readonly LiveRow[]
  readonly late: readonly LiveRow[]
}

/** What was sent. */
export interface SentRecords {
  readonly byId: ReadonlyMap<number, LiveRecord>
  /** Ids of records that were sent together. */
  readonly together: readonly (readonly number[])[]
  /** How often a record may be there. */
  most(id: number): number
}

/** A row as text, whatever it lay in. */
export function liveRowText(row: LiveRow): string {
  const shown = (value: unknown): string => (value === "t" ? "true" : value === "f" ? "false" : String(value))
  const names = Object.keys(row).filter((name) => !/^(at|window(Start|End))$/.test(name))
  const moments = Object.keys(row).filter((name) => /^(at|window(Start|End))$/.test(name))
  const texts = [
    ...names.map((name) => `${name} ${shown(row[name])}`),
    ...moments.map((name) => `${name} ${microsOf(row[name])}`),
  ]
  return texts.sort().join(", ")
}

/** What must not be seen at any moment. */
export function wrongNow({ kept, runs }: LiveRows, sent: SentRecords): string[] {
  const findings: string[] = []
  const check = (output: string, rows: readonly LiveRow[], nameOf: (row: LiveRow) => string): void => {
    for (const [, same] of groupedBy(rows, nameOf)) {
      const id = Number(same[0]!["id"])
      if (!sent.byId.has(id)) findings.push(`${output} holds a row that nobody has sent: ${liveRowText(same[0]!)}`)
      else if (same.length > sent.most(id))
        findings.push(`${output} holds ${same.length} times ${liveRowText(same[0]!)}`)
    }
  }
  check("kept", kept, ({ id }) => String(id))
  check("runs", runs, (row) => `${String(row["id"])} ${isFired(row)}`)
  return findings
}

/** What is wrong when all is done (LT1 to LT3). */
export function wrongInTheEnd(rows: LiveRows, sent: SentRecords): string[] {
  const findings = wrongNow(rows, sent)
  const times = new Map([...groupedBy(rows.kept, ({ id }) => Number(id))].map(([id, same]) => [id, same.length]))
  for (const id of sent.byId.keys()) {
    const count = times.get(id) ?? 0
    if (count === 0) findings.push(`kept lacks the record ${id}, which was acknowledged`)
    for (const fired of [false, true]) {
      const there = rows.runs.filter((row) => Number(row["id"]) === id && isFired(row) === fired).length
      if (there !== count)
        findings.push(`runs holds ${there} rows of the record ${id}${fired ? " by its timer" : ""}, not ${count}`)
    }
  }
  for (const ids of sent.together) {
    const counts = new Set(ids.map((id) => times.get(id) ?? 0))
    if (counts.size > 1) findings.push(`kept holds some of the records ${ids.join(", ")} more often than others`)
  }
  return [...findings, ...wrongRuns(rows.runs, sent), ...wrongWindows(rows, sent, times)]
}

/** LT2. */
function wrongRuns(runs: readonly LiveRow[], sent: SentRecords): string[] {
  const keyOf = ({ id }: LiveRow): string => sent.byId.get(Number(id))?.key ?? ""
  const findings: string[] = []
  for (const [key, ofKey] of groupedBy(
    runs.filter((row) => !isFired(row)),
    keyOf,
  )) {
    const inOrder = [...ofKey].sort((a, b) => Number(a["number"]) - Number(b["number"]))
    let total = 0
    for (const [index, row] of inOrder.entries()) {
      total += sent.byId.get(Number(row["id"]))?.value ?? 0
      const isRight = Number(row["number"]) === index + 1 && Number(row["total"]) === total
      if (isRight) continue
      findings.push(
        `of the key ${key} record ${index + 1} has the number ${String(row["number"])} and the total ${String(row["total"])}, not ${total}`,
      )
      break
    }
  }
  return findings
}

/** LT3. */
function wrongWindows({ windows, late }: LiveRows, sent: SentRecords, times: ReadonlyMap<number, number>): string[] {
  const counted = new Map<string, { records: number; total: number }>()
  const add = (key: string, start: number, records: number, total: number): void => {
    const name = `${key} from ${start}`
    const entry = counted.get(name) ?? { records: 0, total: 0 }
    counted.set(name, { records: entry.records + records, total: entry.total + total })
  }
  const startOf = (at: number): number => Math.floor(at / WINDOW_MICROS) * WINDOW_MICROS
  for (const row of windows)
    add(String(row["key"]), microsOf(row["windowStart"]), Number(row["records"]), Number(row["total"]))
  for (const { id } of late) {
    const { key, at, value } = sent.byId.get(Number(id))!
    add(key, startOf(at), 1, value)
  }
  for (const [id, { key, at, value }] of sent.byId) {
    const count = times.get(id) ?? 0
    add(key, startOf(at), -count, -count * value)
  }
  const wrong = [...counted].filter(([, { records, total }]) => records !== 0 || total !== 0)
  return wrong.map(
    ([name, { records, total }]) =>
      `the window ${name} and what is late for it have ${records} records and ${total} too many`,
  )
}

/** Whether a row of `runs` was given by a timer. */
export function isFired(row: LiveRow): boolean {
  return row["fired"] === true || row["fired"] === "t"
}

/** A moment, as JSON sinks and COPY write it. */
export function microsOf(value: unknown): number {
  if (typeof value === "number") return value
  return fromIso(
    String(value)
      .replace(" ", "T")
      .replace(/\+00(:00)?$/, "Z"),
  )
}

/** Rows by what they have in common. */
export function groupedBy<T, K>(rows: readonly T[], keyOf: (row: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>()
  for (const row of rows) {
    const key = keyOf(row)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [row])
    else group.push(row)
  }
  return groups
}
