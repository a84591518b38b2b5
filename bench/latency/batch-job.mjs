/** A batch job to run beside the one whose latency counts: CSV → filter → one-minute windows by sensor → JSON lines. */
import { join } from "node:path"
import * as tidemark from "../../dist/modules/index.js"
import { csv, jsonl } from "../../dist/modules/files.js"
import { perMinute } from "../variants/per-minute.mjs"

/** Starts it on one thread, the process's own. */
export async function startBatch(files, directory) {
  const bound = perMinute(tidemark).with({
    inputs: { readings: csv(files) },
    outputs: { perMinute: jsonl(join(directory, "out")) },
  })
  return await tidemark.run(bound, { directory: join(directory, "state"), baseDirectory: "/", parallelism: 1 })
}
