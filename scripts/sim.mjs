/**
 * `npm run sim -- --seeds N [--from S] [--scenario files|live] [--jobs J] [--verbose] [--mutant TEXT]`: runs seeds in simulated worlds,
 * each of them as a job over files and as one that is sent records, unless one of the two is named. A finding is shrunk, told with its replay command, and makes the exit code 1. The last line is `seeds N, findings K`. With a
 * mutant, such as `drop log.commit.sync`, the job does that wrongly.
 *
 * `npm run sim -- --mutate [--seeds N] [--from S] [--only REGEXP]`: drops and swaps every call of the commit protocol, one
 * step at a time, and runs those of N seeds (3,000) that call the step until one of them kills the mutant. The exit code
 * is 1 where a step is called by no seed, where a mutant survives that `src/sim/explained-survivors.ts` does not explain,
 * and where an explanation does not hold: the mutant dies, or putting the call off until too late is not found out.
 * `--only` runs the mutants of those steps that the regular expression finds something in.
 *
 * `npm run sim -- --logical [--seeds N] [--from S]`: plants each mistake of `src/sim/logical-mutants.ts` and `live/*-mutants.ts` by itself, and runs
 * up to N seeds (2,000) until one finds it. The exit code is 1 where none does.
 */
import { once } from "node:events"
import { availableParallelism } from "node:os"
import { Worker } from "node:worker_threads"
import { prepare, runMain, StepFailed } from "./bootstrap.mjs"
import { fromDist } from "./dist.mjs"
import { readOptions } from "./options.mjs"

/** Seeds that one thread takes at a time. */
const SEEDS_PER_TASK = 50
/** Findings that are shrunk and told in full. */
const FINDINGS_EXPLAINED = 3
const PROGRESS_MS = 10_000
const KINDS = ["files", "live"]

await runMain(async () => {
  const values = readOptions({
    command: "npm run sim --",
    what: "Runs jobs in simulated worlds in which processes die and calls fail, seed by seed, and compares what they publish with what is right. The exit code is 1 on a finding.",
    options: {
      seeds: {
        value: "N",
        kind: "number",
        help: "How many seeds. Default: 1000, with --mutate 3000, with --logical 2000.",
      },
      from: { value: "S", kind: "number", default: 1, help: "The first seed." },
      jobs: {
        value: "J",
        kind: "number",
        least: 1,
        default: Math.min(4, availableParallelism()),
        help: "How many threads.",
      },
      scenario: {
        value: "KIND",
        help: "files or live: only jobs over files, or only those that are sent records, write into tables and send rows.",
      },
      verbose: { help: "Tells what happens in each seed." },
      mutant: { value: "TEXT", help: "The job does that wrongly, such as `drop log.commit.sync`." },
      mutate: { help: "Drops and swaps each call of the commit protocol, and looks for a seed that kills the mutant." },
      logical: { help: "Plants mistakes in the engine, one at a time, and looks for a seed that finds it." },
      only: { value: "REGEXP", default: "", help: "With --mutate, only these steps." },
    },
  })
  await prepare()
  const { from, jobs } = values
  if (values.logical) await runLogicalMutants(from, values.seeds ?? 2000, jobs)
  else if (values.mutate) await runMutants(seedTasks("scout", from, values.seeds ?? 3000), jobs, values.only)
  else await runSeeds(from, values.seeds ?? 1000, jobs, values)
})

async function runSeeds(from, count, jobs, options) {
  const { parseMutant } = await fromDist("sim/mutation")
  const mutant = options.mutant === undefined ? undefined : parseMutant(options.mutant)
  if (mutant === undefined && options.mutant !== undefined) throw new StepFailed(`no mutant: ${options.mutant}`, 2)
  const { FaultMatrix } = await fromDist("sim/faults")
  const { PROTOCOL_STEPS } = await fromDist("sim/protocol-steps")
  const { explainFinding, traceSeed } = await fromDist("sim/runner")
  const { explainLiveFinding, traceLiveSeed } = await fromDist("sim/live/live-runner")
  const explain = { files: explainFinding, live: explainLiveFinding }
  const kinds = KINDS.filter((kind) => options.scenario === undefined || options.scenario === kind)
  if (kinds.length === 0) throw new StepFailed(`no scenario: ${options.scenario}`, 2)
  const shown = options.verbose ? count : 0
  for (let seed = from; seed < from + shown; seed++) {
    for (const kind of kinds) console.log(await (kind === "files" ? traceSeed : traceLiveSeed)(seed, mutant))
  }
  const started = performance.now()
  const tasks = kinds.flatMap((kind) => seedTasks(kind, from, count).map((task) => ({ ...task, mutant })))
  const summaries = await runTasks(tasks, jobs, "seeds")
  const matrix = new FaultMatrix()
  for (const summary of summaries) matrix.add(summary.matrix)
  const findings = summaries.flatMap((summary) => summary.findings)
  for (const finding of findings.slice(0, FINDINGS_EXPLAINED)) {
    console.log(`${await explain[finding.scenario](finding, mutant)}\n`)
  }
  for (const { seed, scenario, findings: texts } of findings.slice(FINDINGS_EXPLAINED)) {
    console.log(`seed ${seed} (${scenario}): ${texts[0]}`)
  }
  console.log(matrix.format())
  const gaps = kinds.includes("files") ? matrix.gaps(PROTOCOL_STEPS) : []
  console.log(gaps.length === 0 ? "every step was struck by every fault that it can have" : gaps.join("\n"))
  const total = (name) => summaries.reduce((sum, summary) => sum + summary[name], 0).toLocaleString("en")
  const seconds = (performance.now() - started) / 1000
  console.log(`${total("epochs")} epochs, ${total("processes")} processes, ${total("faults")} faults`)
  console.log(`${seconds.toFixed(1)} s, ${(count / seconds).toFixed(0)} seeds/s in ${jobs} threads`)
  console.log(`seeds ${count}, findings ${findings.length}`)
  if (findings.length > 0) process.exitCode = 1
}

async function runMutants(scoutTasks, jobs, only) {
  const { mutantsOf, replayCommand } = await fromDist("sim/runner")
  const { PROTOCOL_STEPS } = await fromDist("sim/protocol-steps")
  const { EXPLAINED_SURVIVORS, lateMutantOf } = await fromDist("sim/explained-survivors")
  const scouted = (await runTasks(scoutTasks, jobs, "seeds looked through for steps")).flat()
  const seedsOf = new Map()
  const operationOf = new Map()
  for (const { seed, rows } of scouted) {
    for (const { step, operation } of rows) {
      if (seedsOf.has(step)) seedsOf.get(step).push(seed)
      else seedsOf.set(step, [seed])
      operationOf.set(step, operation)
    }
  }
  const uncalled = PROTOCOL_STEPS.filter((step) => !seedsOf.has(step))
  for (const step of uncalled) console.log(`${step} is called by no seed`)
  const simple = mutantsOf([...operationOf].sort().map(([step, operation]) => ({ step, operation })))
  const mutants = [...simple, ...EXPLAINED_SURVIVORS.map(lateMutantOf)].filter(({ step }) =>
    new RegExp(only).test(step),
  )
  const tasks = mutants.map((mutant) => ({ kind: "mutant", mutant, seeds: seedsOf.get(mutant.step), weight: 1 }))
  let failures = 0
  const fates = await runTasks(tasks, jobs, "mutants", (fate) => {
    if (!tellFate(fate, EXPLAINED_SURVIVORS, replayCommand)) failures++
  })
  const killed = fates.filter(({ killedBy }) => killedBy !== undefined).length
  console.log(
    `mutants ${fates.length}, killed ${killed}, not as they should be ${failures}, steps uncalled ${uncalled.length}`,
  )
  if (failures + uncalled.length > 0) process.exitCode = 1
}

async function runLogicalMutants(from, count, jobs) {
  const { LOGICAL_MUTANTS } = await fromDist("sim/live/live-runner")
  const tasks = LOGICAL_MUTANTS.map((_, index) => ({ kind: "logical", index, from, count, weight: 1 }))
  const fates = await runTasks(tasks, jobs, "mistakes", ({ name, found }) => {
    const fate =
      found === undefined ? "NOT FOUND" : `seed ${found.seed} (${found.scenario}): ${found.findings[0].split("\n")[0]}`
    console.log(`${name}: ${fate}`)
  })
  const missed = fates.filter(({ found }) => found === undefined).length
  console.log(`mistakes ${fates.length}, not found ${missed}`)
  if (missed > 0) process.exitCode = 1
}

/** Prints how a mutant fared; gives whether that is as it should be. */
function tellFate({ mutant, killedBy, hits }, explanations, replayCommand) {
  const { kind, step, behind } = mutant
  const explained = explanations.find((other) => other.step === step && other.kind === kind)
  const isRight = (killedBy === undefined) === (explained !== undefined)
  const fate =
    killedBy !== undefined
      ? `killed by seed ${killedBy.seed}: ${killedBy.finding}`
      : explained === undefined
        ? "SURVIVED"
        : `survived; it is needed before ${explained.before}. ${explained.reason}`
  const remark = isRight || killedBy === undefined ? "" : "EXPLAINED AS A SURVIVOR, YET "
  console.log(`${kind} ${step}${behind === undefined ? "" : ` behind ${behind}`} (${hits} calls): ${remark}${fate}`)
  if (!isRight && killedBy !== undefined) console.log(`  ${replayCommand(killedBy.seed, mutant)}`)
  return isRight
}

function seedTasks(kind, from, count) {
  const tasks = []
  for (let at = 0; at < count; at += SEEDS_PER_TASK) {
    const seeds = Math.min(SEEDS_PER_TASK, count - at)
    tasks.push({ kind, from: from + at, count: seeds, weight: seeds })
  }
  return tasks
}

/** Runs tasks in threads; gives their results in the order of the tasks, and each to `onResult` when it is there. */
async function runTasks(tasks, jobs, what, onResult) {
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
        onResult?.(results[index])
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

async function ask(worker, task) {
  const answer = once(worker, "message")
  worker.postMessage(task)
  const [result] = await answer
  return result
}
