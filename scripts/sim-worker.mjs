/** A thread of `sim.mjs`: one task at a time, a range of seeds or a mutant. */
import { parentPort } from "node:worker_threads"
import { fromDist } from "./dist.mjs"

const { huntMutant, runSeeds } = await fromDist("sim/runner")

parentPort.on("message", async (task) => {
  const isSeeds = task.kind === "seeds"
  parentPort.postMessage(
    isSeeds ? await runSeeds(task.from, task.count) : await huntMutant(task.mutant, task.from, task.maxSeeds),
  )
})
