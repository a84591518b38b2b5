/**
 * `npm run chaos -- [--scenario NAME] [--kills N] [--seed S] [--keep] [--mutant TEXT] [--break NAME]`: real processes, really killed. A
 * job runs in a child process that gets SIGKILL, in turn, at a random moment and at a named step of the commit
 * protocol; it is started again until it has finished, and what it has published is compared with an independently
 * computed reference. This goes on, with new data, until N kills have hit. After some rounds the finished job is made to
 * start anew (`reset`), with kills as before; half of the time its log has been damaged. Most children decode with threads, of
 * which some die again and again. With a mutant, such as `drop sink.republish.rename`, the job does that wrongly, and with a
 * break, such as `timers`, a part of the engine does (`chaos-breaks.mjs`): it must show.
 *
 * A scenario is a job and what must come of it: `outputs`, by name; `draw(prng)`, the data of a round; `write(directory, data)`, the job's
 * input; `watch(directory, data)`, what looks at the outputs each time that the job lies dead; `job(data, prng)`, what its child must know; `phases`, how often the job is run until it has finished, with more input
 * from time to time; `killsMax`, after how many kills a round is left in peace; `lifeMs`, how long a child lives at
 * most that is killed at a random moment; `accompany(directory, data)`, what goes on beside the job, and comes to its end when
 * no more kills come, `lastMs` later; `isPaused`, whether children are stopped (SIGSTOP) and go on; `setsClock`,
 * whether their clock is set; `excuseOf(errors, data)`, what is told where a child may end with such an error; `canBeReset`, `false` where a job that begins anew has other results; `judge(directory, data, heard)`, the differences, of what is published and of what children have said.
 *
 * The exit code is 1 where a record was lost, repeated, wrong or half visible, or a child failed by itself.
 * The last line is `lost L, repeated R, wrong W, kills K`.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { prepare, runMain, StepFailed } from "./bootstrap.mjs"
import { BREAKS } from "./chaos-breaks.mjs"
import { found, noteDifferences, noteFault, noteKill, report, steps, verdict } from "./chaos-findings.mjs"
import { follow } from "./chaos-follow.mjs"
import { http } from "./chaos-http.mjs"
import { httpPostgres } from "./chaos-http-postgres.mjs"
import { httpWebhook } from "./chaos-http-webhook.mjs"
import { runChild } from "./chaos-life.mjs"
import { operators } from "./chaos-operators.mjs"
import { publishedNames, readPublished } from "./chaos-published.mjs"
import { windows } from "./chaos-windows.mjs"
import { fromDist } from "./dist.mjs"
import { readOptions } from "./options.mjs"

/** A process that is killed at a random moment lives so long at most, where its scenario does not say. */
const LIFE_MS = 1500
const MOMENTS = ["before", "during", "after"]
/** Children that fail by themselves may never come to be killed. */
const FAILURES_MAX = 3
const SCENARIOS = { windows, operators, follow, http, "http-postgres": httpPostgres, "http-webhook": httpWebhook }
/** Steps of a commit: staging, the commit record, applying and publishing. */
const COMMITTING = /^(sink\.((webhook\.)?(stage|apply|publish|mark)|webhook\.acknowledged)|log\.commit)\./
/** Steps that only the first process on a directory comes to. */
const FIRST_STEPS = ["run.make-directory", "run.sync-parent", "sink.open.make-directory", "sink.open.sync-parent"]
const REPUBLISHING = ["read", "write", "truncate", "sync", "rename", "sync-directory"].map(
  (what) => `sink.republish.${what}`,
)
/** Steps that a process comes to only where the one before it died at the right place. */
const FOLLOW_UPS = {
  "log.commit.sync": ["sink.recover.write", ...REPUBLISHING],
  "sink.apply.write": ["sink.recover.write", ...REPUBLISHING],
  "sink.publish.write": REPUBLISHING,
  "sink.publish.sync": REPUBLISHING,
  "sink.publish.rename": REPUBLISHING,
  "sink.create.sync-directory": ["sink.recover.remove"],
  "sink.flush.write": ["sink.recover.remove", "sink.publish.truncate"],
  "sink.stage.write": ["sink.recover.remove", "sink.publish.truncate"],
  "sink.stage.sync": ["sink.recover.remove", "sink.publish.truncate"],
  "sink.reset.rename": ["sink.reset.sync-earlier"],
}

await runMain(async () => {
  const values = readOptions({
    command: "npm run chaos --",
    what: "A job in real processes that are killed with SIGKILL, at random moments and at each step of the commit protocol, until so many kills have hit. The exit code is 1 where a record was lost, repeated or wrong.",
    options: {
      scenario: {
        value: "NAME",
        default: "windows",
        choices: Object.keys(SCENARIOS),
        help: "Which job: windows (keyed windows over files), operators (process, connect, operator, asyncMap, windows of every kind, every sink), follow (files that another process writes and rotates meanwhile; not exec, which promises nothing over a crash), http (what a client sends, and was told to be durable; the job is stopped and goes on, too, its clock is set, its disk is full for a while), http-postgres (the same, and tables of a server that is killed, too, and whose connections are cut), http-webhook (the same as http, and requests to a receiver that fails and is killed, too).",
      },
      kills: {
        value: "N",
        kind: "number",
        default: 200,
        help: "How many kills.",
      },
      seed: {
        value: "S",
        kind: "number",
        default: 1,
        help: "What data and moments are drawn from.",
      },
      keep: { help: "Keeps the directories." },
      mutant: {
        value: "TEXT",
        help: "The job does that wrongly, such as `drop sink.republish.rename`.",
      },
      break: {
        value: "NAME",
        choices: Object.keys(BREAKS),
        help: `A part of the engine does its work wrongly, which must show: ${Object.keys(BREAKS).join(", ")}.`,
      },
    },
  })
  await prepare()
  const { kills } = values
  const scenario = SCENARIOS[values.scenario]
  const prng = await makePrng(values.seed)
  const mutant = await readMutant(values.mutant)
  const root = mkdtempSync(join(tmpdir(), "tidemark-chaos-"))
  try {
    for (let round = 1; found.kills < kills && found.failures < FAILURES_MAX; round++) {
      const directory = join(root, `round-${round}`)
      const data = scenario.draw(prng)
      scenario.write(directory, data)
      const each = {
        scenario,
        name: values.scenario,
        directory,
        data,
        kills,
        prng,
        mutant,
        broken: values.break,
      }
      await runRound({ ...each, reset: false })
      // The same job once more, from the start: what was published is set aside.
      if (scenario.canBeReset !== false && found.kills < kills && prng.chance(0.3))
        await runRound({ ...each, reset: true })
      console.log(`round ${round}: ${found.kills} of ${kills} kills, ${verdict()}`)
      if (!values.keep && found.problems.length === 0) rmSync(directory, { recursive: true })
    }
  } finally {
    if (values.keep || found.problems.length > 0) console.log(`kept: ${root}`)
    else rmSync(root, { recursive: true, force: true })
  }
  await report()
})

/** A round, and what goes on beside the job. */
async function runRound(round) {
  const { scenario, directory, data } = round
  const company = await scenario.accompany?.(directory, data)
  try {
    await runAndKill({ ...round, company })
  } finally {
    await company?.kill()
  }
}

/** Runs and kills a job until it has finished, and compares. */
async function runAndKill({ scenario, name, directory, data, kills, prng, mutant, broken, reset, company }) {
  const seen = new Map()
  const heard = []
  const isSpoiled = reset && prng.chance(0.5)
  if (isSpoiled) spoilLog(directory)
  let isResetDue = reset
  let isFirst = true
  let lastStep
  let ending
  const killsMax = Math.min(kills, found.kills + scenario.killsMax)
  const watch = scenario.watch?.(directory, data)
  for (let phase = 0; phase < scenario.phases;) {
    const situation = {
      isFresh: isFirst && !reset,
      isResetDue,
      isSpoiled: isSpoiled && isFirst,
      lastStep,
      lifeMs: scenario.lifeMs ?? LIFE_MS,
    }
    const kill = found.kills < killsMax ? drawKill(prng, situation) : undefined
    if (kill === undefined) ending ??= endBehind(scenario.lastMs, company)
    // Else the last process has to live with all of it for a while.
    if (scenario.lastMs === undefined) await ending
    const job = {
      scenario: name,
      directory,
      phase,
      mutant,
      broken,
      reset: isResetDue,
      ...scenario.job(data, prng),
    }
    const child = await runChild(
      { ...job, ...drawKnobs(prng, scenario), point: kill?.point },
      { killAfterMs: kill?.afterMs, pause: drawPause(prng, scenario) },
    )
    await ending
    if (child.isReset) {
      isResetDue = false
      heard.length = 0
    }
    if (!isResetDue) heard.push(child)
    lastStep = child.atPoint ? kill.point.step : undefined
    if (child.wasKilled) noteKill(kill.point, child.atPoint)
    else if (child.code === 0) phase++
    else if (scenario.excuseOf?.(child.errors, data) !== undefined) noteFault(scenario.excuseOf(child.errors, data))
    else {
      found.failures++
      found.problems.push(`a child failed (${child.code}): ${child.errors}`)
      return
    }
    if (!isResetDue && !(reset && isFirst)) {
      look(directory, scenario.outputs, seen)
      if (watch !== undefined) noteDifferences(await watch.look())
    }
    isFirst = false
  }
  noteDifferences(await scenario.judge(directory, data, heard))
}

async function endBehind(milliseconds = 0, company) {
  await sleep(milliseconds)
  await company?.end()
}

/** What never shows in the output. */
function drawKnobs(prng, { setsClock }) {
  return {
    epochRows: prng.pick([100, 500, 3000, 1e9]),
    snapshotMinBytes: prng.pick([2000, 50_000]),
    sinkBufferBytes: prng.pick([2000, 4 << 20]),
    logBufferBytes: prng.pick([2000, 1 << 20]),
    parallelism: prng.pick([1, 2, 3]),
    threadMessages: prng.pick([undefined, 4, 15, 60]),
    clockSeed: setsClock === true && prng.chance(0.5) ? 1 + prng.below(1e6) : undefined,
  }
}

/** When the next child is stopped, and goes on: some are, where the scenario says so. */
function drawPause(prng, { isPaused }) {
  if (isPaused !== true || prng.chance(0.7)) return undefined
  return { afterMs: prng.below(1500), forMs: 100 + prng.below(2500), isTried: prng.chance(0.3) }
}

/** When the next child dies: at random, or at one of the steps that it can come to and that were killed least. */
function drawKill(prng, situation) {
  const candidates = [...steps].filter(([step]) => canCome(step, situation))
  if (candidates.length === 0 || prng.chance(0.3)) {
    return { afterMs: prng.below(situation.lifeMs), point: undefined }
  }
  const followUps = candidates.filter(([step]) => FOLLOW_UPS[situation.lastStep]?.includes(step))
  const committing = candidates.filter(([step]) => COMMITTING.test(step))
  const preferred =
    followUps.length > 0 && prng.chance(0.7)
      ? followUps
      : committing.length > 0 && prng.chance(0.4)
        ? committing
        : candidates
  const weightOf = ({ kills, tries }) => 3 * kills + tries
  const least = Math.min(...preferred.map(([, counts]) => weightOf(counts)))
  const [step] = prng.pick(preferred.filter(([, each]) => weightOf(each) === least))
  const counts = steps.get(step)
  counts.tries++
  const call = counts.kills === 0 || prng.chance(0.5) ? 1 : 1 + prng.below(12)
  // A step that this run does not come to must not let the job finish undisturbed.
  return {
    afterMs: 2000 + prng.below(2500),
    point: { step, call, moment: prng.pick(MOMENTS) },
  }
}

/** Some steps are taken only by the first process on a directory, others only by a reset. */
function canCome(step, { isFresh, isResetDue, isSpoiled }) {
  if (step === "log.discard.rename") return isSpoiled
  if (step.includes(".reset.")) return isResetDue && !isSpoiled
  if (FIRST_STEPS.includes(step)) return isFresh
  return !isFresh && !isResetDue
}

/** Looks at what is published while the job lies dead: whole files, and such that never change or vanish. */
function look(directory, outputs, seen) {
  const visible = new Set()
  for (const output of outputs) {
    for (const name of publishedNames(directory, output)) {
      const path = `${output}/${name}`
      const { content, isWhole } = readPublished(join(directory, "out", path))
      visible.add(path)
      if (!isWhole) found.problems.push(`${path} does not end as a whole file does`)
      if (seen.has(path) && seen.get(path) !== content) found.problems.push(`${path} has changed`)
      seen.set(path, content)
    }
  }
  for (const path of seen.keys()) if (!visible.has(path)) found.problems.push(`${path} has vanished`)
}

/** Makes a log unreadable, so that a reset has to begin another one. */
function spoilLog(directory) {
  const log = join(directory, "state", "log")
  const path = readdirSync(log)
    .map((name) => join(log, name))
    .find((candidate) => statSync(candidate).size > 0)
  const bytes = readFileSync(path)
  bytes[0] ^= 1
  writeFileSync(path, bytes)
}

async function readMutant(text) {
  if (text === undefined) return undefined
  const { parseMutant } = await fromDist("sim/mutation")
  const mutant = parseMutant(text)
  if (mutant === undefined) throw new StepFailed(`no mutant: ${text}`, 2)
  return mutant
}

async function makePrng(seed) {
  const { Prng } = await fromDist("base/prng")
  return new Prng(seed)
}
