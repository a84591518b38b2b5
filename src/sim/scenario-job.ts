/** The job of a scenario, made with the real builder and the real file connector, and how its outputs are read. */
import { formatDuration, type Duration } from "../base/duration.ts"
import { schema } from "../batch/schema.ts"
import { t } from "../batch/types.ts"
import { csv, jsonl, type FileConnector } from "../connectors/files/file-connector.ts"
import type { SourceBinding } from "../connect/source.ts"
import type { ExecutableJob } from "../runtime/executable-job.ts"
import { count, first, last, max, min, sum } from "../stream/aggregates.ts"
import { job } from "../stream/job.ts"
import { hopping, tumbling } from "../stream/windows.ts"
import { pausedSource } from "./paused-source.ts"
import type { OutputReading } from "./published-output.ts"
import { THROWING_ID_MODULUS, type JobShape, type Scenario } from "./scenario.ts"
import { outputNames, type Truth } from "./truth.ts"

/** Where the simulated job's files lie. */
export const BASE_DIRECTORY = "/job"

/** The directory, on the same disk and not beside the output, that is there before the job. */
export const STATE_PARENT = "/state"

/** Where the simulated job's state lies. */
export const STATE_DIRECTORY = `${STATE_PARENT}/tidemark/simulated`

type WindowsShape = Extract<JobShape, { kind: "windows" }>

const Row = schema({
  id: t.int32,
  key: t.string,
  value: t.int32.nullable(),
  at: t.timestamp({ format: "us" }),
  note: t.string,
})

/** The job of a scenario. */
export function scenarioJob(scenario: Scenario): ExecutableJob {
  const { shape, inputFormat, outputFormat, outputsLie, rollBytes, rollAfter } = scenario
  const input = inputFormat === "csv" ? csv : jsonl
  const output = (name: string): FileConnector =>
    (outputFormat === "csv" ? csv : jsonl)(outputDirectory(name, outputsLie), { rollBytes, rollAfter })
  const inputs = { rows: paused(input(`in/*.${inputFormat}`), scenario) }
  const deadLetter = output("bad")
  if (shape.kind === "filter") {
    return filterJob().with({ inputs, outputs: { kept: output("kept"), doubled: output("doubled") }, deadLetter })
  }
  return windowsJob(shape).with({ inputs, outputs: { results: output("results"), late: output("late") }, deadLetter })
}

function paused(source: SourceBinding, { pauseMicrosMax, seed }: Scenario): SourceBinding {
  return pauseMicrosMax === 0 ? source : pausedSource(source, pauseMicrosMax, seed)
}

/** How a scenario's outputs are read and held against the truth. */
export function outputReadings(scenario: Scenario, truth: Truth): OutputReading[] {
  return outputNames(scenario).map((name) => ({
    directory: `${BASE_DIRECTORY}/${outputDirectory(name, scenario.outputsLie)}`,
    format: scenario.outputFormat,
    textOf: TEXT_OF[name]!,
    truth: truth.outputs.get(name)!,
  }))
}

function outputDirectory(name: string, outputsLie: Scenario["outputsLie"]): string {
  return outputsLie === "together" ? `out/${name}` : `${name}/parts`
}

function filterJob() {
  return job({
    name: "simulated",
    inputs: { rows: Row },
    flow: ({ rows }) => {
      const kept = rows.filter((row) => keeps(row))
      const doubled = kept.derive({ double: t.int32 }, (row) => ({ double: row.value === null ? 0 : row.value * 2 }))
      return { kept, doubled: doubled.select("id", "double") }
    },
  })
}

function windowsJob(shape: WindowsShape) {
  const size = formatDuration(shape.sizeMicros) as Duration
  const window =
    shape.slideMicros === undefined
      ? tumbling(size)
      : hopping(size, { every: formatDuration(shape.slideMicros) as Duration })
  return job({
    name: "simulated",
    inputs: { rows: Row },
    flow: ({ rows }) => {
      const results = rows
        .filter((row) => keeps(row))
        .eventTime("at", { outOfOrder: formatDuration(shape.outOfOrderMicros) as Duration })
        .keyBy("key")
        .window(window)
        .aggregate(
          {
            rows: count(),
            total: sum("value"),
            least: min("value"),
            most: max("value"),
            oldest: first("id"),
            newest: last("id"),
          },
          { id: "results" },
        )
      return { results, late: results.late }
    },
  })
}

/** The jobs' predicate. It throws at some rows, so that there are dead letters of lambdas, too. */
function keeps(row: { readonly id: number; readonly value: number | null }): boolean {
  if (row.id % THROWING_ID_MODULUS === 0) throw new Error("this id is not wanted")
  return row.value === null || row.value % 5 !== 0
}

const TEXT_OF: Readonly<Record<string, OutputReading["textOf"]>> = {
  kept: sourceRowText,
  late: sourceRowText,
  doubled: (row) => joined(row, ["id", "double"]),
  results: (row) =>
    joined(row, ["key", "windowStart", "windowEnd", "rows", "total", "least", "most", "oldest", "newest"]),
  bad: (row) => `${joined(row, ["partition", "record"])}|${isEmpty(row.operator) ? "read" : "lambda"}`,
}

function sourceRowText(row: Readonly<Record<string, unknown>>): string {
  return `${joined(row, ["id", "key", "value", "at"])}|${String(row.note).length}`
}

function joined(row: Readonly<Record<string, unknown>>, columns: readonly string[]): string {
  return columns.map((name) => (isEmpty(row[name]) ? "" : String(row[name]))).join("|")
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || value === ""
}
