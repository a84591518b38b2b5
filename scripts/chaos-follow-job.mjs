/** The job of the scenario `follow` of `chaos.mjs`: the lines of all files, and the place of each among those of its log. */
import { setTimeout as sleep } from "node:timers/promises"
import { isWritten } from "./chaos-follow.mjs"
import { fromDist } from "./dist.mjs"

const { job, schema, t, valueState } = await fromDist("index")
const { jsonl } = await fromDist("files")

/** How long nothing has come when the job is stopped, behind the writer's end. */
const QUIET_MS = 2000

const Line = { file: t.string, n: t.int53 }

export function makeJob({ followEveryMs }) {
  return job({
    name: "follow",
    inputs: { lines: schema(Line) },
    flow: ({ lines }) => ({
      lines,
      counted: lines.keyBy("file").process(
        {
          emits: { ...Line, place: t.int53 },
          state: { place: valueState(t.int53.default(0)) },
          onRecord(row, { state, emit }) {
            const place = state.place.get()
            emit({ ...row, place })
            state.place.set(place + 1)
          },
        },
        { id: "counted" },
      ),
    }),
  }).with({
    inputs: {
      lines: jsonl("in/*.log", { follow: { every: `${followEveryMs}ms` } }),
    },
    outputs: {
      lines: jsonl("out/lines", { rollBytes: 1 }),
      counted: jsonl("out/counted", { rollBytes: 5000 }),
    },
    epoch: { min: "10ms", max: "200ms" },
  })
}

/** Stops the job when all is written and nothing has come for a while. */
export async function attend(handle, { directory }) {
  let rows = -1
  let quietSince = Date.now()
  while (!isWritten(directory) || Date.now() - quietSince < QUIET_MS) {
    await sleep(50)
    const { rowsIn } = handle.status()
    if (rowsIn !== rows || !isWritten(directory)) quietSince = Date.now()
    rows = rowsIn
  }
  await handle.stop()
}
