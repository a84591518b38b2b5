/** A thread of `sim.mjs`: one task at a time, a range of seeds or a mutant. */
import { parentPort } from "node:worker_threads"
import { fromDist } from "./dist.mjs"

const { huntMutant, runSeeds, scoutSeeds } = await fromDist("sim/runner")

const RUN = {
  seeds: ({ from, count, mutant }) => runSeeds(from, count, mutant),
  scout: ({ from, count }) => scoutSeeds(from, count),
  mutant: ({ mutant, seeds }) => huntMutant(mutant, seeds),
}

parentPort.on("message", async (task) => parentPort.postMessage(await RUN[task.kind](task)))
