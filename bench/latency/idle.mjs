/** A job that waits for records, two seconds after its first: says how many bytes are resident. `node idle.mjs DIRECTORY` */
import { join } from "node:path"
import { count, generate, job, run, schema, sum, t, tumbling } from "tidemark"
import { jsonl } from "tidemark/files"

const directory = process.argv[2]
const idle = job({
  name: "idle",
  inputs: { events: schema({ at: t.timestamp(), key: t.int32, value: t.float64 }) },
  flow: ({ events }) => ({
    sums: events
      .filter((event) => event.value > 0)
      .eventTime("at", { outOfOrder: "0s" })
      .keyBy("key")
      .window(tumbling("1s"))
      .aggregate({ events: count(), total: sum("value") }, { id: "sums" }),
  }),
})
const bound = idle.with({
  inputs: { events: generate({ rowsPerSecond: 1, row: (id) => ({ at: id * 1_000_000, key: id % 10, value: 1 }) }) },
  outputs: { sums: jsonl(join(directory, "out")) },
})
const handle = await run(bound, { directory: join(directory, "state"), parallelism: 1 })
await new Promise((resolve) => setTimeout(resolve, 2000))
process.stdout.write(`${process.memoryUsage.rss()}\n`)
await handle.stop()
