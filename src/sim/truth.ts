/**
 * What a scenario's outputs must hold, computed by straightforward loops over its rows: the slow, obvious twin of the
 * whole engine. It knows the semantics of `docs/spec` and nothing of epochs, batches, logs or crashes.
 *
 * Rows are compared as texts: the values of their columns, joined by `|`, null as nothing. Notes, which are ballast,
 * count by their length.
 */
import { formatIso } from "../time/iso.ts"
import type { Timestamp } from "../time/timestamp.ts"
import { THROWING_ID_MODULUS, UNANSWERED_ID_MODULUS, type Scenario, type SourceRow } from "./scenario.ts"

/** The result that a scenario must have. */
export interface Truth {
  /** The rows of each output, in no particular order; dead letters stand under `bad`. */
  readonly outputs: ReadonlyMap<string, readonly string[]>
  readonly rowsIn: number
  readonly lateRows: number
  readonly badRecords: number
}

/** Computes what the outputs of a scenario without a reset must hold. */
export function truthOf(scenario: Scenario): Truth {
  const outputs = new Map<string, string[]>(outputNames(scenario).map((name) => [name, []]))
  const windows = new WindowTruth(scenario)
  const lineNumbers = new Map<string, number>()
  let rowsIn = 0
  for (const generation of scenario.generations) {
    const startWatermark = windows.watermark
    for (const { file, lines } of generation) {
      let watermark = startWatermark
      for (const line of lines) {
        const lineNumber = (lineNumbers.get(file) ?? (scenario.inputFormat === "csv" ? 1 : 0)) + 1
        lineNumbers.set(file, lineNumber)
        rowsIn++
        const { row } = line
        if (row === undefined || row.id % THROWING_ID_MODULUS === 0) {
          outputs.get("bad")!.push(`${file}|${lineNumber}|${row === undefined ? "read" : "lambda"}`)
        } else if (isKept(row)) {
          if (scenario.shape.kind === "windows") watermark = windows.add(row, watermark, outputs.get("late")!)
          else if (!addFiltered(outputs, row, scenario.calls !== undefined)) {
            outputs.get("bad")!.push(`${file}|${lineNumber}|lambda`)
          }
        }
      }
    }
    windows.drain()
  }
  if (scenario.shape.kind === "windows") outputs.get("results")!.push(...windows.results())
  const lateRows = outputs.get("late")?.length ?? 0
  return { outputs, rowsIn, lateRows, badRecords: outputs.get("bad")!.length }
}

/** The outputs of a scenario's job. */
export function outputNames(scenario: Scenario): string[] {
  return scenario.shape.kind === "filter" ? ["kept", "doubled", "bad"] : ["results", "late", "bad"]
}

/** What the job's filter keeps. */
function isKept(row: Pick<SourceRow, "value">): boolean {
  return row.value === null || row.value % 5 !== 0
}

/** Adds a row to the outputs; gives whether none of them has failed for it. */
function addFiltered(outputs: ReadonlyMap<string, string[]>, row: SourceRow, isAskedAbout: boolean): boolean {
  outputs.get("kept")!.push(sourceRowText(row))
  if (isAskedAbout && row.id % UNANSWERED_ID_MODULUS === 0) return false
  outputs.get("doubled")!.push(`${row.id}|${row.value === null ? 0 : row.value * 2}`)
  return true
}

function sourceRowText({ id, key, value, at, note }: SourceRow): string {
  return `${id}|${key}|${value ?? ""}|${at}|${note.length}`
}

interface WindowState {
  readonly key: string
  readonly start: number
  readonly end: number
  readonly rows: SourceRow[]
}

/** Windows with the rows that count in them. */
class WindowTruth {
  watermark = -Infinity
  readonly #scenario: Scenario
  readonly #windows = new Map<string, WindowState>()

  constructor(scenario: Scenario) {
    this.#scenario = scenario
  }

  /** Adds a row, or tells that it is late; gives the partition's watermark behind it. */
  add(row: SourceRow, watermark: number, late: string[]): number {
    const { shape } = this.#scenario
    if (shape.kind !== "windows") throw new Error("only jobs with windows have them")
    const { sizeMicros, outOfOrderMicros } = shape
    const slide = shape.slideMicros ?? sizeMicros
    let isLateForAll = true
    for (let start = Math.floor(row.at / slide) * slide; start > row.at - sizeMicros; start -= slide) {
      const end = start + sizeMicros
      if (watermark >= end - 1) continue
      isLateForAll = false
      const name = `${start}|${row.key}`
      let window = this.#windows.get(name)
      if (window === undefined) this.#windows.set(name, (window = { key: row.key, start, end, rows: [] }))
      window.rows.push(row)
    }
    if (isLateForAll) late.push(sourceRowText(row))
    return Math.max(watermark, row.at - outOfOrderMicros - 1)
  }

  /** The inputs have come to their end: every window fires. */
  drain(): void {
    for (const { end } of this.#windows.values()) this.watermark = Math.max(this.watermark, end - 1)
  }

  results(): string[] {
    return [...this.#windows.values()].map(({ key, start, end, rows }) => {
      const values = rows.map(({ value }) => value).filter((value) => value !== null)
      const inOrder = [...rows].sort((a, b) => a.at - b.at)
      const columns = [
        key,
        formatIso(start as Timestamp),
        formatIso(end as Timestamp),
        rows.length,
        values.length === 0 ? "" : values.reduce((sum, value) => sum + value),
        values.length === 0 ? "" : Math.min(...values),
        values.length === 0 ? "" : Math.max(...values),
        inOrder[0]!.id,
        inOrder.at(-1)!.id,
      ]
      return columns.join("|")
    })
  }
}
