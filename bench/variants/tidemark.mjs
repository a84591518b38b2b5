/** The pipeline on Tidemark, exactly-once on: filter, one-minute windows a sensor, JSON lines. */
import { join } from "node:path"
import { count, job, mean, run, schema, sum, t, tumbling } from "tidemark"
import { csv, jsonl, parquet } from "tidemark/files"
import { report } from "./report.mjs"

const [format, input, directory, threads = "1"] = process.argv.slice(2)

const perMinute = job({
  name: "bench",
  inputs: { readings: schema({ at: t.timestamp(), sensor: t.string, value: t.float64, ok: t.bool }) },
  flow: ({ readings }) => ({
    perMinute: readings
      .filter((r) => r.ok && r.value > 0)
      .eventTime("at", { outOfOrder: "5s" })
      .keyBy("sensor")
      .window(tumbling("1m"))
      .aggregate({ readings: count(), total: sum("value"), mean: mean("value") }, { id: "per-minute" }),
  }),
})

const bound = perMinute.with({
  inputs: { readings: { csv, jsonl, parquet }[format](input) },
  outputs: { perMinute: jsonl(join(directory, "out")) },
})
const startMillis = performance.now()
const handle = await run(bound, {
  directory: join(directory, "state"),
  baseDirectory: "/",
  parallelism: Number(threads),
})
const { status } = await handle.finished
report(startMillis, { rowsIn: status.rowsIn, rowsOut: status.rowsOut.perMinute, epochs: status.epoch })
