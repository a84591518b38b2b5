/** A small job, as a user would write it: says when its first epoch, which has its results, is durable. `node start.mjs DIRECTORY` */
import { join } from "node:path"
import * as tidemark from "tidemark"
import { csv, jsonl } from "tidemark/files"
import { perMinute } from "../variants/per-minute.mjs"

const directory = process.argv[2]

const bound = perMinute(tidemark).with({
  inputs: { readings: csv(join(directory, "small.csv")) },
  outputs: { perMinute: jsonl(join(directory, "out")) },
})
await tidemark.run(bound, {
  directory: join(directory, "state"),
  onEvent: ({ kind }) => {
    if (kind === "committed") process.stdout.write("durable\n")
  },
})
