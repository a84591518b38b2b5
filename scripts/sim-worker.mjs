/** A thread of `sim.mjs`: one task at a time, a range of seeds or a mutant. */
import { parentPort } from "node:worker_threads"
import { fromDist } from "./dist.mjs"

const { huntMutant, runSeeds, scoutSeeds } = await fromDist("sim/runner")
const { huntLogicalMutant, LOGICAL_MUTANTS, runLiveSeeds } = await fromDist("sim/live/live-runner")

const RUN = {
  files: ({ from, count, mutant }) => runSeeds(from, count, mutant),
  live: ({ from, count, mutant }) => runLiveSeeds(from, count, mutant),
  scout: ({ from, count }) => scoutSeeds(from, count),
  logical: async ({ index, from, count }) => ({
    name: LOGICAL_MUTANTS[index].name,
    found: await huntLogicalMutant(LOGICAL_MUTANTS[index], from, count),
  }),
  mutant: ({ mutant, seeds }) => huntMutant(mutant, seeds),
}

parentPort.on("message", async (task) => parentPort.postMessage(await RUN[task.kind](task)))
