/** How long a host takes to answer, every ten seconds: `npx tidemark run examples/machine/pings.ts`, and Ctrl-C to stop. */
import { count, job, max, mean, stdout, t, tumbling } from "tidemark"
import { exec, TextLine } from "tidemark/machine"

export const pings = job({
  name: "pings",
  inputs: { lines: TextLine },
  flow: ({ lines }) => ({
    answers: lines
      .filter((row) => row.line.includes("time="))
      .derive({ millis: t.float64 }, (row) => ({ millis: Number(/time=([\d.]+)/.exec(row.line)?.[1]) }))
      .processingTime("at")
      .keyBy()
      .window(tumbling("10s"))
      .aggregate({ mean: mean("millis"), worst: max("millis"), answers: count() }, { id: "answers" }),
  }),
})

export default pings.with({
  inputs: { lines: exec("ping", ["127.0.0.1"], { format: "text", restart: "always" }) },
  outputs: { answers: stdout({ format: "table" }) },
})
