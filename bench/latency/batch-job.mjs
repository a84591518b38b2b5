/** A batch job to run beside the one whose latency counts: CSV → filter → one-minute windows by sensor → JSON lines. */
import { join } from "node:path"
import { count, job, run, schema, sum, t, tumbling } from "tidemark"
import { csv, jsonl } from "tidemark/files"

const perMinute = job({
  name: "batch",
  inputs: { readings: schema({ at: t.timestamp(), sensor: t.string, value: t.float64, ok: t.bool }) },
  flow: ({ readings }) => ({
    perMinute: readings
      .filter((r) => r.ok && r.value > 0)
      .eventTime("at", { outOfOrder: "5s" })
      .keyBy("sensor")
      .window(tumbling("1m"))
      .aggregate({ readings: count(), total: sum("value") }, { id: "per-minute" }),
  }),
})

/** Starts it on one thread, the process's own. */
export async function startBatch(files, directory) {
  const bound = perMinute.with({
    inputs: { readings: csv(files) },
    outputs: { perMinute: jsonl(join(directory, "out")) },
  })
  return await run(bound, { directory: join(directory, "state"), baseDirectory: "/", parallelism: 1 })
}
