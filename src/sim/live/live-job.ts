/** The job of a live scenario, made with the real builder and the real connectors. */
import { schema } from "../../batch/schema.ts"
import { t } from "../../batch/types.ts"
import type { SinkBinding } from "../../connect/sink.ts"
import type { SourceBinding } from "../../connect/source.ts"
import { jsonl } from "../../connectors/files/file-connector.ts"
import type { Exchange } from "../../connectors/http/webhook/exchange.ts"
import { WebhookBinding } from "../../connectors/http/webhook/webhook-binding.ts"
import { webhookSettings, type WebhookOptions } from "../../connectors/http/webhook/webhook-options.ts"
import { PostgresBinding } from "../../connectors/postgres/postgres-binding.ts"
import type { Connect } from "../../connectors/postgres/session.ts"
import type { ExecutableJob } from "../../runtime/executable-job.ts"
import { count, sum } from "../../stream/aggregates.ts"
import { job } from "../../stream/job.ts"
import { eventTimer, mapState, valueState } from "../../stream/process-declarations.ts"
import { tumbling } from "../../stream/windows.ts"
import { PLACED_OUTPUTS, type LiveScenario, type PlacedOutput } from "./live-scenario.ts"

/** The length of windows, in microseconds. */
export const WINDOW_MICROS = 10_000_000
/** Behind each record, a timer of its own fires. */
const TIMER_MICROS = 7_000_000

const Row = schema({ id: t.int32, key: t.string, value: t.int32, at: t.timestamp({ format: "us" }) })

/** The keys by which rows of upserts are told apart. */
const KEYS: Readonly<Record<PlacedOutput, readonly string[]>> = {
  kept: ["id"],
  runs: ["id", "fired"],
  windows: ["key", "windowStart"],
}

/** What a job is bound to. */
export interface LiveBindings {
  readonly input: SourceBinding
  readonly connect: Connect
  readonly exchange: Exchange
  /** The options of an output that is sent. */
  readonly hookOptions: (name: PlacedOutput) => WebhookOptions
  /** Which of two jobs it is: outputs of the second lie elsewhere. */
  readonly number: 1 | 2
  /** Whether state is kept in wider types. */
  readonly isWide: boolean
}

/** The job of a scenario. */
export function liveJob(scenario: LiveScenario, bindings: LiveBindings): ExecutableJob {
  const { input, connect, exchange, hookOptions, number, isWide } = bindings
  const files = (name: string): SinkBinding =>
    jsonl(`${liveDirectory(number)}/${name}`, { rollBytes: scenario.rollBytes })
  const output = (name: PlacedOutput): SinkBinding => {
    const place = scenario.places[name]
    if (place === "files") return files(name)
    if (place === "webhook") return new WebhookBinding(webhookSettings(hookOptions(name)), exchange)
    const target = {
      ...{ connection: "", table: { schema: undefined, name: liveTable(name, number) }, mode: place, creates: true },
      ...{ key: place === "upsert" ? KEYS[name] : [], onViolation: "dead-letter" as const },
    }
    return new PostgresBinding(target, connect)
  }
  const [kept, runs, windows] = PLACED_OUTPUTS.map(output)
  const bound = liveProgram(isWide).with({
    inputs: { rows: input },
    outputs: { kept: kept!, runs: runs!, windows: windows!, late: files("late") },
    deadLetter: files("bad"),
    epoch: { min: "10ms", max: "80ms" },
  })
  return bound as unknown as ExecutableJob
}

/** Where the files of a job's outputs lie, below the base directory. */
export function liveDirectory(number: 1 | 2): string {
  return number === 1 ? "out" : "out-second"
}

/** The table of an output. */
export function liveTable(name: string, number: 1 | 2): string {
  return number === 1 ? name : `${name}_second`
}

function liveProgram(isWide: boolean) {
  // A program that declares wider types than the one before goes over to them (ST rules of docs/spec/process.md).
  const totalType = (isWide ? t.int53 : t.int32) as typeof t.int53
  return job({
    name: "live",
    inputs: { rows: Row },
    flow: ({ rows }) => {
      const kept = rows.filter((row) => row.id > 0)
      const timed = kept.eventTime("at", { outOfOrder: "4s" })
      const runs = timed.keyBy("key").process(
        {
          emits: { id: t.int32, number: t.int53, total: t.int53, fired: t.bool },
          state: { number: valueState(t.int53), total: valueState(totalType), waiting: mapState(t.string, t.int53) },
          timers: { due: eventTimer() },
          onRecord(row, { state, timers, emit }) {
            const number = (state.number.get() ?? 0) + 1
            const total = (state.total.get() ?? 0) + row.value
            state.number.set(number)
            state.total.set(total)
            const tag = `${row.id} ${number}`
            state.waiting.set(tag, number)
            timers.due.set(row.at + TIMER_MICROS, tag)
            emit({ id: row.id, number, total, fired: false })
          },
          onTimer: {
            due({ tag, state, emit }) {
              const number = state.waiting.get(tag)
              if (number === undefined) throw new Error("a timer without its record")
              state.waiting.delete(tag)
              emit({ id: Number(tag.split(" ")[0]), number, total: 0, fired: true })
            },
          },
        },
        { id: "runs" },
      )
      const windows = timed
        .keyBy("key")
        .window(tumbling("10s"))
        .aggregate({ records: count(), total: sum("value") }, { id: "windows" })
      return { kept, runs, windows, late: windows.late }
    },
  })
}
