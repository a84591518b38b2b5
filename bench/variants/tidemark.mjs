/** The pipeline on Tidemark, exactly-once on: filter, one-minute windows a sensor, JSON lines. */
import { join } from "node:path"
import * as tidemark from "tidemark"
import { csv, jsonl, parquet } from "tidemark/files"
import { perMinute } from "./per-minute.mjs"
import { report } from "./report.mjs"

const [format, input, directory, threads = "1"] = process.argv.slice(2)

const bound = perMinute(tidemark).with({
  inputs: { readings: { csv, jsonl, parquet }[format](input) },
  outputs: { perMinute: jsonl(join(directory, "out")) },
})
const startMillis = performance.now()
const handle = await tidemark.run(bound, {
  directory: join(directory, "state"),
  baseDirectory: "/",
  parallelism: Number(threads),
})
const { status } = await handle.finished
report(startMillis, { rowsIn: status.rowsIn, rowsOut: status.rowsOut.perMinute, epochs: status.epoch })
