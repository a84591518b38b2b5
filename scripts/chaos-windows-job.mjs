/** The job of the scenario `windows` of `chaos.mjs`: keyed windows over files. */
import { fromDist } from "./dist.mjs"

const { count, hopping, job, last, min, schema, sum, t, tumbling } = await fromDist("index")
const { arrow, jsonl, parquet } = await fromDist("files")

/** The job, as a round has drawn it. */
export function makeJob({ window, resultFormat }) {
  const chaos = job({
    name: "chaos",
    inputs: { rows: schema({ id: t.int32, key: t.string, value: t.int32, at: t.timestamp({ format: "us" }) }) },
    flow: ({ rows }) => {
      const { sizeMinutes, slideMinutes } = window
      const size = `${sizeMinutes}m`
      const results = rows
        .filter((row) => row.value !== 0)
        .eventTime("at", { outOfOrder: "5s" })
        .keyBy("key")
        .window(slideMinutes === undefined ? tumbling(size) : hopping(size, { every: `${slideMinutes}m` }))
        .aggregate({ rows: count(), total: sum("value"), least: min("value"), newest: last("id") }, { id: "results" })
      return { results, late: results.late }
    },
  })
  return chaos.with({
    inputs: { rows: jsonl("in/*.jsonl") },
    outputs: {
      results: { arrow, jsonl, parquet }[resultFormat]("out/results", { rollBytes: 20_000 }),
      late: jsonl("out/late", { rollBytes: 500 }),
    },
    deadLetter: jsonl("out/bad", { rollBytes: 1 }),
  })
}
