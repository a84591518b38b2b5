/** The pipeline on Tidemark, exactly-once on: filter, one-minute windows a sensor, JSON lines. */
import { join } from "node:path"
import * as tidemark from "tidemark"
import { csv, jsonl, parquet } from "tidemark/files"
import { perMinute } from "./per-minute.mjs"
import { report } from "./report.mjs"

const [format, input, directory, threads = "1", runs = "1", rows] = process.argv.slice(2)

async function source() {
  if (format !== "objects") return { csv, jsonl, parquet }[format](input)
  const { readObjects } = await import("./rows-in-memory.mjs")
  return tidemark.memory(await readObjects(`${input}.csv`, Number(rows)))
}

const readings = await source()
await report(directory, Number(runs), async (own) => {
  const bound = perMinute(tidemark).with({
    inputs: { readings },
    outputs: { perMinute: jsonl(join(own, "out")) },
  })
  const handle = await tidemark.run(bound, {
    directory: join(own, "state"),
    baseDirectory: "/",
    parallelism: Number(threads),
  })
  const { status } = await handle.finished
  return { rowsIn: status.rowsIn, rowsOut: status.rowsOut.perMinute, epochs: status.epoch }
})
