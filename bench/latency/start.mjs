/** A small job, as a user would write it: says when its first epoch, which has its results, is durable. `node start.mjs DIRECTORY` */
import { join } from "node:path"
import { count, job, run, schema, sum, t, tumbling } from "tidemark"
import { csv, jsonl } from "tidemark/files"

const directory = process.argv[2]
const perMinute = job({
  name: "start",
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

const bound = perMinute.with({
  inputs: { readings: csv(join(directory, "small.csv")) },
  outputs: { perMinute: jsonl(join(directory, "out")) },
})
await run(bound, {
  directory: join(directory, "state"),
  onEvent: ({ kind }) => {
    if (kind === "committed") process.stdout.write("durable\n")
  },
})
