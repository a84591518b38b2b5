/** How busy each core of this machine is, every ten seconds: `npx tidemark run examples/machine/load.ts`, and Ctrl-C to stop. */
import { count, job, max, mean, stdout, tumbling } from "tidemark"
import { CoreSample, machine } from "tidemark/machine"

export const load = job({
  name: "machine-load",
  inputs: { cores: CoreSample },
  flow: ({ cores }) => ({
    load: cores
      .eventTime("at", { outOfOrder: "0s" })
      .keyBy("core")
      .window(tumbling("10s"))
      .aggregate({ mean: mean("busy"), worst: max("busy"), samples: count() }, { id: "load" }),
  }),
})

const { cores } = machine({ every: "500ms" })

export default load.with({ inputs: { cores }, outputs: { load: stdout({ format: "table" }) } })
