/** The job whose latency counts: filter → small event-time windows by key → count and sum → JSON lines, exactly once. */
import { join } from "node:path"
import { count, job, run, schema, sum, t, tumbling } from "../../dist/modules/index.js"
import { jsonl } from "../../dist/modules/files.js"
import { ArrivalSchedule, FIRST_MICROS, scheduledSource } from "./scheduled-source.mjs"
import { WindowLatencies } from "./window-latencies.mjs"

/** What runs before this does not count: code is compiled, and buffers find their size. */
const WARM_UP_SECONDS = 1

function liveJob(windowMillis) {
  return job({
    name: "live",
    inputs: { events: schema({ at: t.timestamp(), key: t.int32, value: t.float64 }) },
    flow: ({ events }) => ({
      sums: events
        .filter((event) => event.value > 0)
        .eventTime("at", { outOfOrder: "0s" })
        .keyBy("key")
        .window(tumbling(`${windowMillis}ms`))
        .aggregate({ events: count(), total: sum("value") }, { id: "sums" }),
    }),
  })
}

/** Runs it at a rate, in records a second, for so long, and gives what came of it. */
export async function runLive({ rate, seconds, windowMillis, directory, runOptions = {} }) {
  const schedule = new ArrivalSchedule(rate)
  const windowMicros = windowMillis * 1000
  const latencies = new WindowLatencies(schedule, windowMicros, FIRST_MICROS + WARM_UP_SECONDS * 1e6)
  const bound = liveJob(windowMillis).with({
    inputs: { events: scheduledSource(schedule) },
    outputs: { sums: jsonl(join(directory, "out"), { rollAfter: "10s" }) },
    epoch: { min: "1ms", max: "10ms" },
  })
  const commits = []
  let warm
  const handle = await run(bound, {
    directory: join(directory, "state"),
    parallelism: 1,
    ...runOptions,
    onEvent: ({ kind, commitMicros }) => {
      if (kind !== "committed" || handle === undefined) return
      const nowMicros = performance.now() * 1000
      const { watermarkMicros, rowsIn } = handle.status()
      if (nowMicros - schedule.startMicros < WARM_UP_SECONDS * 1e6) return
      warm ??= { nowMicros, rowsIn }
      commits.push(commitMicros)
      if (rate !== Infinity) latencies.committed(watermarkMicros, nowMicros)
    },
  })
  await new Promise((resolve) => setTimeout(resolve, (WARM_UP_SECONDS + seconds) * 1000))
  const endMicros = performance.now() * 1000
  const { rowsIn } = handle.status()
  await handle.stop()
  const sortedCommits = commits.sort((one, other) => one - other)
  return {
    ratePerSecond: ((rowsIn - warm.rowsIn) / (endMicros - warm.nowMicros)) * 1e6,
    commits: commits.length,
    commitMillis: sortedCommits[commits.length >> 1] / 1000,
    ...(rate !== Infinity && latencies.summary()),
  }
}
