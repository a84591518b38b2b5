/**
 * The job of the scenarios `http` and `http-postgres` of `chaos.mjs`: what is sent, as it is, the place of each record among those of its key, and sums by
 * minutes; where there is a database, also in tables.
 */
import { existsSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { fromDist } from "./dist.mjs"

const { count, job, schema, sum, t, tumbling, valueState } = await fromDist("index")
const { jsonl } = await fromDist("files")
const { httpServer } = await fromDist("http")
const { postgres } = await fromDist("postgres")

/** How long nothing has come when the job is stopped, behind the client's end. */
const QUIET_MS = 1500

const Event = { id: t.int53, key: t.string, at: t.timestamp(), value: t.int53 }

export function makeJob({ port, maxBacklogBytes, database }) {
  const tables = database === undefined ? {} : tablesIn(database)
  return job({
    name: "http",
    inputs: { events: schema(Event) },
    flow: ({ events }) => {
      const counted = events.keyBy("key").process(
        {
          emits: { key: t.string, place: t.int53 },
          state: { place: valueState(t.int53.default(0)) },
          onRecord({ key }, { state, emit }) {
            const place = state.place.get()
            emit({ key, place })
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
      const streams = { events, counted, windows }
      return database === undefined ? streams : { ...streams, rows: events, sums: windows }
    },
  }).with({
    inputs: { events: httpServer({ port }).input("/events", { maxBacklogBytes }) },
    outputs: {
      events: jsonl("out/events", { rollBytes: 20_000 }),
      counted: jsonl("out/counted", { rollBytes: 5000 }),
      windows: jsonl("out/windows", { rollBytes: 1 }),
      ...tables,
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
