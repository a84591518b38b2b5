/**
 * The job of the scenarios `http`, `http-postgres` and `http-webhook` of `chaos.mjs`: what is sent, as it is, the place of each record among those of its key, and
 * sums by minutes; where there is a database, also in tables, and where there is a receiver of webhooks, also sent to it.
 */
import { existsSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { fromDist } from "./dist.mjs"

const { count, job, schema, sum, t, tumbling, valueState } = await fromDist("index")
const { jsonl } = await fromDist("files")
const { httpServer, webhook } = await fromDist("http")
const { postgres } = await fromDist("postgres")

/** How long nothing has come when the job is stopped, behind the client's end. */
const QUIET_MS = 1500

const Event = { id: t.int53, key: t.string, at: t.timestamp(), value: t.int53 }

/** Longer than it takes to send something again, by a clock that is set. */
const idempotencyKeys = { keepFor: "20m" }
/** How long the receiver of webhooks may take, and how soon it is tried again. */
const PATIENCE = { timeout: "400ms", retry: { initial: "5ms", max: "200ms" } }

export function makeJob({ port, maxBacklogBytes, database, receiver }) {
  return job({
    name: "http",
    inputs: { events: schema(Event) },
    flow: ({ events }) => {
      const counted = events.keyBy("key").process(
        {
          emits: { id: t.int53, key: t.string, value: t.int53, place: t.int53 },
          state: { place: valueState(t.int53.default(0)) },
          onRecord({ id, key, value }, { state, emit }) {
            const place = state.place.get()
            emit({ id, key, value, place })
            state.place.set(place + 1)
          },
        },
        { id: "counted" },
      )
      const windows = events
        .eventTime("at", { outOfOrder: "10m" })
        .keyBy("key")
        .window(tumbling("1m"))
        .aggregate({ records: count(), sum: sum("value") }, { id: "windows" })
      return {
        ...{ events, counted, windows },
        ...(database !== undefined && { rows: events, sums: windows }),
        ...(receiver !== undefined && { sent: counted, minutes: windows }),
      }
    },
  }).with({
    inputs: { events: httpServer({ port }).input("/events", { maxBacklogBytes, idempotencyKeys }) },
    outputs: {
      events: jsonl("out/events", { rollBytes: 20_000 }),
      counted: jsonl("out/counted", { rollBytes: 5000 }),
      windows: jsonl("out/windows", { rollBytes: 1 }),
      ...(database !== undefined && tablesIn(database)),
      ...(receiver !== undefined && requestsTo(receiver)),
    },
    epoch: { min: "10ms", max: "200ms" },
  })
}

function tablesIn(connection) {
  return {
    rows: postgres({ connection, table: "rows" }),
    sums: postgres({ connection, table: "sums", mode: "upsert", key: ["key", "windowStart"] }),
  }
}

function requestsTo({ url, order, batch, maxUnsent }) {
  const shape = { maxUnsent, ...(batch !== undefined && { batch }), ...PATIENCE }
  return {
    sent: webhook({ url: `${url}/rows`, order, ...shape }),
    minutes: webhook({ url: `${url}/minutes`, order: "none", ...shape }),
  }
}

/** Stops the job when all is acknowledged and nothing has come for a while. */
export async function attend(handle, { directory }) {
  const isDone = () => existsSync(join(directory, "acknowledged"))
  let rows = -1
  let quietSince = Date.now()
  while (!isDone() || Date.now() - quietSince < QUIET_MS) {
    await sleep(50)
    const { rowsIn } = handle.status()
    if (rowsIn !== rows || !isDone()) quietSince = Date.now()
    rows = rowsIn
  }
  await handle.stop()
}
