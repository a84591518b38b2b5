/**
 * `npm run sim -- --seeds N [--from S] [--jobs J] [--verbose]`: runs seeds in simulated worlds. A finding is shrunk,
 * told with its replay command, and makes the exit code 1. The last line is `seeds N, findings K`.
 *
 * `npm run sim -- --mutate [--seeds N] [--from S]`: drops and swaps every call of the commit protocol, one kind at a
 * time, and runs up to N seeds (3,000) until one of them kills the mutant. A survivor that is not explained in
 * `src/sim/explained-survivors.ts` makes the exit code 1.
 */
import { availableParallelism } from "node:os"
import { parseArgs } from "node:util"
import { Worker } from "node:worker_threads"
import { prepare, runMain } from "./bootstrap.mjs"
import { fromDist } from "./dist.mjs"

/** Seeds that one thread takes at a time. */
const SEEDS_PER_TASK = 50
/** Findings that are shrunk and told in full. */
const FINDINGS_EXPLAINED = 3
/** Seeds that are run without mutation, to learn which steps there are. */
const SCOUTING_SEEDS = 1000
const PROGRESS_MS = 10_000

await runMain(async () => {
  const { values } = parseArgs({
    options: {
      seeds: { type: "string" },
      from: { type: "string", default: "1" },
      jobs: { type: "string", default: String(Math.min(4, availableParallelism())) },
      mutate: { type: "boolean", default: false },
      verbose: { type: "boolean", default: false },
    },
  })
  await prepare()
  const [from, jobs] = [Number(values.from), Number(values.jobs)]
  if (values.mutate) await runMutants(from, Number(values.seeds ?? 3000), jobs)
  else await runSeeds(from, Number(values.seeds ?? 1000), jobs, values.verbose)
})

async function runSeeds(from, count, jobs, verbose) {
  const { FaultMatrix } = await fromDist("sim/faults")
  const { explainFinding, traceSeed } = await fromDist("sim/runner")
  if (verbose) for (let seed = from; seed < from + count; seed++) console.log(await traceSeed(seed))
  const started = performance.now()
  const summaries = await runTasks(seedTasks(from, count), jobs, "seeds")
  const matrix = new FaultMatrix()
  for (const summary of summaries) matrix.add(summary.matrix)
  const findings = summaries.flatMap((summary) => summary.findings)
  for (const finding of findings.slice(0, FINDINGS_EXPLAINED)) console.log(`${await explainFinding(finding)}\n`)
  for (const { seed, findings: texts } of findings.slice(FINDINGS_EXPLAINED)) console.log(`seed ${seed}: ${texts[0]}`)
  console.log(matrix.format())
  const total = (name) => summaries.reduce((sum, summary) => sum + summary[name], 0).toLocaleString("en")
  const seconds = (performance.now() - started) / 1000
  console.log(`${total("epochs")} epochs, ${total("processes")} processes, ${total("faults")} faults`)
  console.log(`${seconds.toFixed(1)} s, ${(count / seconds).toFixed(0)} seeds/s in ${jobs} threads`)
  console.log(`seeds ${count}, findings ${findings.length}`)
  if (findings.length > 0) process.exitCode = 1
}

async function runMutants(from, maxSeeds, jobs) {
  const { FaultMatrix } = await fromDist("sim/faults")
  const { mutantsOf } = await fromDist("sim/runner")
  const { EXPLAINED_SURVIVORS } = await fromDist("sim/explained-survivors")
  const scouted = await runTasks(seedTasks(1, SCOUTING_SEEDS), jobs, "steps looked for in seeds")
  const matrix = new FaultMatrix()
  for (const summary of scouted) matrix.add(summary.matrix)
  const mutants = mutantsOf(matrix.rows)
  const tasks = mutants.map((mutant) => ({ kind: "mutant", mutant, from, maxSeeds, weight: 1 }))
  const fates = await runTasks(tasks, jobs, "mutants")
  const width = Math.max(...mutants.map(({ step }) => step.length))
  let unexplained = 0
  let refuted = 0
  for (const { mutant, killedBy, hits } of fates) {
    const name = `${mutant.kind} ${mutant.step.padEnd(width)} ${String(hits).padStart(7)} calls`
    const explained = EXPLAINED_SURVIVORS.find(({ step, kind }) => step === mutant.step && kind === mutant.kind)
    if (killedBy !== undefined) {
      if (explained !== undefined) refuted++
      const remark = explained === undefined ? "" : "EXPLAINED AS A SURVIVOR, YET "
      console.log(`${name}  ${remark}killed by seed ${killedBy.seed}: ${killedBy.finding}`)
    } else if (explained !== undefined) console.log(`${name}  survived, explained: ${explained.reason}`)
    else {
      unexplained++
      console.log(`${name}  SURVIVED`)
    }
  }
  const killed = fates.filter(({ killedBy }) => killedBy !== undefined).length
  console.log(`mutants ${fates.length}, killed ${killed}, survivors unexplained ${unexplained}, refuted ${refuted}`)
  if (unexplained + refuted > 0) process.exitCode = 1
}

function seedTasks(from, count) {
  const tasks = []
  for (let at = 0; at < count; at += SEEDS_PER_TASK) {
    const seeds = Math.min(SEEDS_PER_TASK, count - at)
    tasks.push({ kind: "seeds", from: from + at, count: seeds, weight: seeds })
  }
  return tasks
}

/** Runs tasks in threads; gives their results in the order of the tasks. */
async function runTasks(tasks, jobs, what) {
  const results = new Array(tasks.length)
  const total = tasks.reduce((sum, { weight }) => sum + weight, 0)
  let next = 0
  let done = 0
  const progress = setInterval(() => process.stderr.write(`${done} of ${total} ${what}\n`), PROGRESS_MS)
  const runThread = async () => {
    const worker = new Worker(new URL("./sim-worker.mjs", import.meta.url))
    try {
      while (next < tasks.length) {
        const index = next++
        results[index] = await ask(worker, tasks[index])
        done += tasks[index].weight
      }
    } finally {
      await worker.terminate()
    }
  }
  try {
    await Promise.all(Array.from({ length: Math.min(jobs, tasks.length) }, runThread))
  } finally {
    clearInterval(progress)
  }
  return results
}

function ask(worker, task) {
  return new Promise((resolve, reject) => {
    worker.once("message", resolve)
    worker.once("error", reject)
    worker.postMessage(task)
  })
}
