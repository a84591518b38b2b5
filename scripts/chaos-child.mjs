/** A process of `chaos.mjs`: runs the job once, as its only argument says, and dies at the point that it names. */
import { writeSync } from "node:fs"
import { BREAKS, DISK_BREAKS, NEVER_LOCKED, withoutLock } from "./chaos-breaks.mjs"
import { SetClock } from "./chaos-set-clock.mjs"
import { fromDist } from "./dist.mjs"

const { Prng } = await fromDist("base/prng")
const { nodeEnv } = await fromDist("env/node/node-env")
const { nodeThreads } = await fromDist("env/node/node-threads")
const { runJob } = await fromDist("runtime/run-job")
const { InterceptedDisk, withDisk } = await fromDist("sim/intercepted-disk")
const { KillAtStep } = await fromDist("sim/kill-at-step")
const { Mutation } = await fromDist("sim/mutation")

const { scenario, directory, reset, point, mutant, broken, ...knobs } = JSON.parse(process.argv[2])

if (broken !== undefined) await BREAKS[broken]()
const { makeJob, attend } = await import(`./chaos-${scenario}-job.mjs`)

/** Short, so that files have many of them for threads. */
const MORSEL_BYTES = 4000

const NOWHERE = { step: "", call: 0, moment: "before" }

/** Tells the first call of each step. */
class StepTeller {
  #told = new Set()

  change(call, perform) {
    return this.ask(call, perform)
  }

  ask({ step }, perform) {
    if (!this.#told.has(step)) tell(`step ${step}`)
    this.#told.add(step)
    return perform()
  }

  close(perform) {
    return perform()
  }
}

const handle = await runJob(makeJob({ ...knobs, directory, tell }), {
  env: killedAt(point),
  directory: `${directory}/${knobs.place ?? "state"}`,
  baseDirectory: directory,
  epochRows: knobs.epochRows,
  sinkBufferBytes: knobs.sinkBufferBytes,
  logBufferBytes: knobs.logBufferBytes,
  snapshotPolicy: { minBytes: knobs.snapshotMinBytes, growth: 1 },
  parallelism: knobs.parallelism,
  stretchesBeforeThreads: 1,
  morselBytes: MORSEL_BYTES,
  reset,
  onEvent: (event) => {
    if (event.kind === "thread-died") tell("thread died")
    if (event.kind === "recovered" && event.isReset) tell("reset")
  },
})
// Where the input does not end, the scenario says when it is enough.
await Promise.all([handle.finished, attend?.(handle, { directory })])

/** The real world, in which this process tells which steps it comes to, and dies at a point. */
function killedAt(point) {
  const kill = () => {
    tell("at point")
    process.kill(process.pid, "SIGKILL")
  }
  // Threads inherit the environment.
  if (knobs.threadMessages !== undefined) process.env.CHAOS_THREAD_MESSAGES = String(knobs.threadMessages)
  const real = nodeEnv(nodeThreads(new URL("./chaos-thread.mjs", import.meta.url)))
  const locked = broken === NEVER_LOCKED ? withoutLock(real) : real
  const clock = knobs.clockSeed === undefined ? real.clock : setClock(real.clock, knobs.clockSeed)
  const env = { ...locked, clock }
  const mutated = mutant === undefined ? env.disk : new InterceptedDisk(env.disk, new Mutation(mutant))
  const breaking = DISK_BREAKS[broken]
  const published = breaking === undefined ? mutated : new InterceptedDisk(mutated, breaking())
  const disk = new InterceptedDisk(published, new KillAtStep(point ?? NOWHERE, kill))
  return withDisk(env, new InterceptedDisk(disk, new StepTeller()))
}

function setClock(clock, seed) {
  return new SetClock(clock, new Prng(seed), () => tell("clock set"))
}

/** Told at once: what waits in a buffer dies with the process. */
function tell(line) {
  writeSync(1, `${line}\n`)
}
