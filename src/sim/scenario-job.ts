/** The job of a scenario, made with the real builder and the real file connector, and how its outputs are read. */
import { formatDuration, type Duration } from "../base/duration.ts"
import { Prng } from "../base/prng.ts"
import { schema, type RowOf } from "../batch/schema.ts"
import { t } from "../batch/types.ts"
import { csv, jsonl, type FileConnector } from "../connectors/files/file-connector.ts"
import type { SourceBinding } from "../connect/source.ts"
import type { Env } from "../env/env.ts"
import type { ExecutableJob } from "../runtime/executable-job.ts"
import type { AsyncCall, AsyncMapOptions } from "../stream/async-map-options.ts"
import { count, first, last, max, min, sum } from "../stream/aggregates.ts"
import { job } from "../stream/job.ts"
import { eventTimer, listState, mapState, reducingState, valueState } from "../stream/process-declarations.ts"
import type { AppendStream } from "../stream/stream.ts"
import { hopping, tumbling } from "../stream/windows.ts"
import { pausedSource } from "./paused-source.ts"
import type { OutputReading } from "./published-output.ts"
import { THROWING_ID_MODULUS, UNANSWERED_ID_MODULUS, type CallShape, type JobShape, type Scenario } from "./scenario.ts"
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

/** Whom the job asks about its rows: in each process the world as that sees it. */
export interface Answerer {
  env: Env | undefined
}

/** The job of a scenario. */
export function scenarioJob(scenario: Scenario, answerer: Answerer): ExecutableJob {
  const { shape, calls, waitsForTimers, inputFormat, outputFormat, outputsLie, rollBytes, rollAfter } = scenario
  const input = inputFormat === "csv" ? csv : jsonl
  const output = (name: string): FileConnector =>
    (outputFormat === "csv" ? csv : jsonl)(outputDirectory(name, outputsLie), { rollBytes, rollAfter })
  const inputs = { rows: paused(input(`in/*.${inputFormat}`), scenario) }
  const deadLetter = output("bad")
  if (shape.kind === "filter") {
    return filterJob(calls, answerer, waitsForTimers).with({
      inputs,
      outputs: { kept: output("kept"), doubled: output("doubled") },
      deadLetter,
    })
  }
  return windowsJob(shape, calls, answerer).with({
    inputs,
    outputs: { results: output("results"), late: output("late") },
    deadLetter,
  })
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

function filterJob(calls: CallShape | undefined, answerer: Answerer, waitsForTimers: boolean) {
  return job({
    name: "simulated",
    inputs: { rows: Row },
    flow: ({ rows }) => {
      const kept = rows.filter((row) => keeps(row))
      if (calls !== undefined) {
        const asked = kept.asyncMap({ double: t.int32 }, asking(calls, answerer, true), optionsOf(calls))
        return { kept, doubled: asked.select("id", "double") }
      }
      if (waitsForTimers) return { kept, doubled: waiting(kept) }
      return { kept, doubled: kept.derive({ double: t.int32 }, doubleOf).select("id", "double") }
    },
  })
}

type Rows = AppendStream<RowOf<typeof Row>, unknown>

/** Keeps each row until a timer of its own is due: state and timers that are lost or come twice show. */
function waiting(kept: Rows) {
  return kept
    .eventTime("at", { outOfOrder: "5s" })
    .keyBy("key")
    .process(
      {
        emits: { id: t.int32, double: t.int32 },
        state: {
          doubles: mapState(t.string, t.int32),
          first: valueState(t.int32),
          recent: listState(t.int32, { ttl: "20s" }),
          latest: reducingState(t.timestamp(), (one, other) => (one > other ? one : other)),
        },
        timers: { due: eventTimer() },
        onRecord(row, { state, timers }) {
          const tag = String(row.id)
          state.doubles.set(tag, doubleOf(row).double)
          if (state.first.get() === undefined) state.first.set(row.id)
          state.recent.add(row.id)
          state.latest.add(row.at)
          timers.due.set(row.at + 7_000_000, tag)
        },
        onTimer: {
          due({ tag, time, state, emit }) {
            const double = state.doubles.get(tag)
            const isKept = state.first.get() !== undefined && (state.latest.get() ?? 0) >= time - 7_000_000
            if (double === undefined || !isKept) throw new Error("a timer without its row")
            state.doubles.delete(tag)
            emit({ id: Number(tag), double })
          },
        },
      },
      { id: "waiting" },
    )
}

function windowsJob(shape: WindowsShape, calls: CallShape | undefined, answerer: Answerer) {
  const size = formatDuration(shape.sizeMicros) as Duration
  const window =
    shape.slideMicros === undefined
      ? tumbling(size)
      : hopping(size, { every: formatDuration(shape.slideMicros) as Duration })
  return job({
    name: "simulated",
    inputs: { rows: Row },
    flow: ({ rows }) => {
      const timed = rows
        .filter((row) => keeps(row))
        .eventTime("at", { outOfOrder: formatDuration(shape.outOfOrderMicros) as Duration })
      const asked =
        calls === undefined
          ? timed
          : timed
              .asyncMap({ double: t.int32 }, asking(calls, answerer, false), optionsOf(calls))
              .select("id", "key", "value", "at", "note")
      const results = asked
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

function doubleOf({ value }: { readonly value: number | null }): { double: number } {
  return { double: value === null ? 0 : value * 2 }
}

function optionsOf({ order, inFlight }: CallShape): AsyncMapOptions {
  return { id: "calls", order, inFlight, retry: { attempts: 3, backOff: "1ms", maxBackOff: "2ms" }, timeout: "30s" }
}

/** Answers late, some only when asked again, and some never. How late follows from the row: so it is the same in a replay. */
function asking({ latencyMicrosMax }: CallShape, answerer: Answerer, refuses: boolean) {
  return async (
    row: { readonly id: number; readonly value: number | null },
    _params: unknown,
    { attempt }: AsyncCall,
  ) => {
    const prng = new Prng(row.id * 8 + attempt)
    await answerer.env!.timers.sleep(prng.below(latencyMicrosMax))
    const isRefused = (refuses && row.id % UNANSWERED_ID_MODULUS === 0) || (attempt === 1 && prng.chance(0.1))
    if (isRefused) throw new Error("there is no answer")
    return doubleOf(row)
  }
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
