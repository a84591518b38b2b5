/** A batch job to run beside the one whose latency counts: CSV → filter → one-minute windows by sensor → JSON lines. */
import { join } from "node:path"
import { run } from "tidemark"
import { csv, jsonl } from "tidemark/files"
import { perMinute } from "../variants/per-minute.mjs"

/** Starts it on one thread, the process's own. */
export async function startBatch(files, directory) {
  const bound = perMinute.with({
    inputs: { readings: csv(files) },
    outputs: { perMinute: jsonl(join(directory, "out")) },
  })
  return await run(bound, { directory: join(directory, "state"), baseDirectory: "/", parallelism: 1 })
}
