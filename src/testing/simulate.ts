/**
 * `simulate`: a job in worlds whose disk fails and whose processes die, seed after seed. What it gives must be what it gives where nothing
 * fails; where it is not, the seed's story is made as short as it goes on being wrong, and told.
 *
 * Invariants:
 * - SJ1 The same seed, job and rows give the same run, on every machine.
 * - SJ2 What a job gives is compared with a run of the same rows without faults, in one process and one batch: outputs in their order, dead
 *   letters in any.
 * - SJ3 Faults end: behind some processes nothing fails any more, so a sound job comes to its end.
 */
import { TidemarkError } from "../base/errors.ts"
import { Prng } from "../base/prng.ts"
import { rowAsJson } from "../batch/written-row.ts"
import { portSchema } from "../flow/plan.ts"
import type { Fault } from "../sim/faults.ts"
import { shrinkCase } from "../sim/shrink.ts"
import type { Job } from "../stream/job.ts"
import { checkJob } from "./checked-job.ts"
import { isSame, rowsDiff } from "./rows-diff.ts"
import type { PlainRow } from "./run-plan.ts"
import {
  checkSimulation,
  type CheckedSimulation,
  type SimulatedEntry,
  type SimulatedFault,
  type SimulateOptions,
  type SimulationReport,
} from "./simulate-options.ts"
import { SimulatedRun, type SimulatedCase, type SimulatedResult } from "./simulated-run.ts"
import { SimulationFailed } from "./simulation-failed.ts"

const SHRINK_TRIES = 300
const SHOWN_LINES_MAX = 60

/**
 * Runs a job in simulated worlds, in which power is lost, processes die, the disk fails and the clock is set, and compares what it gives with
 * what it gives where nothing fails.
 *
 * Give it a function that makes the job where that keeps anything in variables: each process makes it anew, as a process does. It is the runtime of production, with its log, its snapshots and its recovery. What differs is the job's own: what it keeps in a
 * variable outside of its state, chance or the clock in a lambda, an answer that is another one when it is asked for again. Nothing outside is
 * touched and no time is waited for; functions of `asyncMap` are called in earnest and must answer without waiting for real time.
 *
 * @example
 * ```ts
 * import { count, fromIso, job, schema, t, tumbling } from "tidemark"
 * import { simulate } from "tidemark/testing"
 *
 * const clicks = job({
 *   name: "clicks",
 *   inputs: { clicks: schema({ at: t.timestamp(), page: t.string }) },
 *   flow: ({ clicks }) => ({
 *     perMinute: clicks
 *       .eventTime("at", { outOfOrder: "5s" })
 *       .keyBy("page")
 *       .window(tumbling("1m"))
 *       .aggregate({ clicks: count() }, { id: "per-minute" }),
 *   }),
 * })
 *
 * const rows = [{ at: fromIso("2024-05-01T12:00:07Z"), page: "/" }]
 * const { processes } = await simulate(clicks, { inputs: { clicks: rows }, seeds: 20 })
 * console.log(`the same, over ${processes} processes`)
 * ```
 *
 * @throws SimulationFailed where a seed shows another result. TidemarkError `invalid-options`, `invalid-params`, and whatever makes the job
 * fail where nothing else does.
 */
export async function simulate<J extends Job>(
  job: J | (() => J),
  options: SimulateOptions<J>,
): Promise<SimulationReport> {
  const make = (): Job => checkJob("simulate(...)", typeof job === "function" ? job() : job)
  const simulation = new JobSimulation(make, checkSimulation(make(), options))
  return await simulation.run()
}

class JobSimulation {
  /** A job for each process: what a program keeps in variables is gone with that. */
  readonly #make: () => Job
  readonly #job: Job
  readonly #options: CheckedSimulation

  constructor(make: () => Job, options: CheckedSimulation) {
    this.#make = make
    this.#job = make()
    this.#options = options
  }

  async run(): Promise<SimulationReport> {
    const expected = await this.#undisturbed(this.#options.entries)
    const itself = this.#problem(expected, expected)
    if (itself !== undefined) throw this.#unsound(`simulate(...): without any fault, ${itself}`)
    const problem = this.#problem(await this.#undisturbed(this.#options.entries), expected)
    if (problem !== undefined) {
      const asks = this.#asks ? " Or functions of asyncMap wait for real time, of which none goes by here." : ""
      const why = `It goes by chance, by the clock, or by what it keeps in variables, which no commit has.${asks}`
      throw this.#unsound(`simulate(...): run twice, without any fault, ${problem}\n${why}`)
    }
    let [processes, epochs, faults] = [0, 0, 0]
    for (let seed = this.#options.from; seed < this.#options.from + this.#options.seeds; seed++) {
      const drawn = this.#draw(seed)
      const result = await this.#runCase(drawn)
      processes += result.processes
      epochs += result.epochs
      faults += result.struck.length
      if (this.#problem(result, expected) !== undefined) throw await this.#failure(drawn, result)
    }
    return { seeds: this.#options.seeds, processes, epochs, faults }
  }

  /** The error where a job is wrong though nothing fails. */
  #unsound(message: string): SimulationFailed {
    return new SimulationFailed(message, this.#options.from, [])
  }

  get #asks(): boolean {
    return this.#job.plan.nodes.some((node) => node.kind === "asyncMap")
  }

  #draw(seed: number): SimulatedCase {
    const prng = new Prng(seed)
    const has = (fault: SimulatedFault): boolean => this.#options.faults.has(fault)
    const rows = this.#options.entries.length
    return {
      seed,
      entries: this.#options.entries,
      batchRows: prng.pick([1, 2, 7, 100]),
      epochRows: 1 + prng.below(Math.max(1, Math.ceil(rows / 3))),
      restartsAfter: Array.from({ length: 8 }, () => (prng.chance(has("restart") ? 0.4 : 0) ? 1 + prng.below(3) : 0)),
      clockStepsMinutes: Array.from({ length: 8 }, () =>
        prng.chance(has("clock") ? 0.5 : 0) ? prng.below(120) - 60 : 0,
      ),
    }
  }

  #undisturbed(entries: readonly SimulatedEntry[]): Promise<SimulatedResult> {
    const plain = { batchRows: 65_536, epochRows: 1_000_000_000, restartsAfter: [], clockStepsMinutes: [] }
    return this.#runCase({ seed: 0, entries, ...plain }, [])
  }

  #runCase(drawn: SimulatedCase, faults: readonly Fault[] | undefined = undefined): Promise<SimulatedResult> {
    return new SimulatedRun(this.#make, this.#options.params, drawn, faults ?? this.#options.faults).run()
  }

  /** What is wrong with a result, as a clause. */
  #problem(result: SimulatedResult, expected: SimulatedResult): string | undefined {
    if (result.failure !== undefined) return result.failure
    const { check } = this.#options
    if (check !== undefined) return checkProblem(check, result)
    const { plan } = this.#job
    const isOrdered = !this.#asks
    for (const { name, node, port } of plan.outputs) {
      const schema = portSchema(plan, node, port)
      const textOf = (row: PlainRow): string => rowAsJson(schema, row)
      const sorted = (rows: readonly PlainRow[]): readonly PlainRow[] =>
        isOrdered ? rows : [...rows].sort((a, b) => (textOf(a) < textOf(b) ? -1 : 1))
      const lines = rowsDiff(schema, sorted(result.outputs[name]!), sorted(expected.outputs[name]!))
      if (lines.length > 0)
        return [
          `the rows of ${name} are not what they are without faults (- is missing, + has come):`,
          ...lines.slice(0, SHOWN_LINES_MAX),
          ...(lines.length > SHOWN_LINES_MAX ? [`  (${lines.length - SHOWN_LINES_MAX} lines more)`] : []),
        ].join("\n")
    }
    const letters = ({ deadLetters }: SimulatedResult): string[] =>
      deadLetters.map(({ operator, reason, raw }) => `${operator ?? "unreadable"}: ${reason}: ${raw}`).sort()
    if (isSame({ ...letters(result) }, { ...letters(expected) })) return undefined
    return `there are ${result.deadLetters.length} dead letters, and ${expected.deadLetters.length} without faults, or they are others`
  }

  async #failure(drawn: SimulatedCase, result: SimulatedResult): Promise<SimulationFailed> {
    const resultOf = async (scenario: SimulatedCase, faults: readonly Fault[]) => {
      const shrunk = await this.#runCase(scenario, faults)
      // With fewer rows a job may fail of itself: that is another matter.
      const expected = await this.#undisturbed(scenario.entries).catch(() => undefined)
      const isSound = expected !== undefined && this.#problem(expected, expected) === undefined
      return { shrunk, problem: isSound ? this.#problem(shrunk, expected) : undefined }
    }
    const smallest = await shrinkCase(
      { scenario: drawn, faults: result.struck },
      smallerCases,
      async ({ scenario, faults }) => (await resultOf(scenario, faults)).problem !== undefined,
      SHRINK_TRIES,
    )
    const { shrunk, problem } = await resultOf(smallest.scenario, smallest.faults)
    const story = shrunk.story.map((text, index) => `${index + 1}. ${text}`)
    const lines = [
      `simulate(...): with seed ${drawn.seed} ${problem ?? "the result was another, once"}`,
      "What happened, at its shortest:",
      ...story.map((text) => `  ${text}`),
      `Run it again: simulate(job, { ..., seeds: 1, from: ${drawn.seed} })`,
    ]
    return new SimulationFailed(lines.join("\n"), drawn.seed, story)
  }
}

/** What a test's own check says against a result, as a clause. */
function checkProblem(
  check: (results: never) => unknown,
  { outputs, deadLetters }: SimulatedResult,
): string | undefined {
  let said: unknown
  try {
    said = check({ ...outputs, deadLetters } as never)
  } catch (error) {
    return `check says: ${error instanceof Error ? error.message : String(error)}`
  }
  if (said instanceof Promise) {
    said.catch(() => undefined)
    throw new TidemarkError("invalid-options", "simulate(...): check gives a promise, for which nobody waits.", {
      hint: "It throws at once where something is not so.",
    })
  }
  return said === false ? "check gives false" : undefined
}

function* smallerCases(drawn: SimulatedCase): Generator<SimulatedCase> {
  const { entries, restartsAfter, clockStepsMinutes } = drawn
  for (let size = entries.length >> 1; size >= 1; size >>= 1) {
    for (let from = 0; from + size <= entries.length; from += size)
      yield { ...drawn, entries: entries.toSpliced(from, size) }
  }
  for (const [index, after] of restartsAfter.entries())
    if (after > 0) yield { ...drawn, restartsAfter: restartsAfter.with(index, 0) }
  for (const [index, minutes] of clockStepsMinutes.entries())
    if (minutes !== 0) yield { ...drawn, clockStepsMinutes: clockStepsMinutes.with(index, 0) }
}
