/** Requests to a web site, by path and ten minutes: how many, how long they took on average, and the slowest. */
import { count, job, max, mean, schema, t, tumbling } from "tidemark"
import { csv, jsonl } from "tidemark/files"

const Request = schema({ at: t.timestamp(), path: t.string, millis: t.float64 })

/** What is computed. It knows of no file, so a test can run it on rows. */
export const requests = job({
  name: "requests",
  inputs: { requests: Request },
  flow: ({ requests }) => {
    const perPath = requests
      .filter((request) => request.path !== "/health")
      .eventTime("at", { outOfOrder: "30s" })
      .keyBy("path")
      .window(tumbling("10m"))
      .aggregate({ requests: count(), mean: mean("millis"), slowest: max("millis") }, { id: "per-path" })
    return { perPath, late: perPath.late }
  },
})

/** Where it reads and writes. `tidemark run` runs what a file exports as default. */
export default requests.with({
  inputs: { requests: csv("data/*.csv") },
  outputs: { perPath: jsonl("out/per-path"), late: jsonl("out/late") },
})
