/**
 * Runs a scenario in a simulated world, from the first process to the last, and holds what becomes visible against the
 * truth. One scenario and one source of faults give one run, event by event.
 *
 * Invariants:
 * - R1 A process may end in three ways: it finishes (or stops when asked), it dies by a fault, or it fails with an
 *   operating error that a fault of this very process explains. Everything else is a finding; so is a process that does
 *   not fail where the disk has refused a call.
 * - R2 Faults end: a drawn plan strikes a bounded number of times, so a sound job comes to its end.
 * - R3 What a process has made visible stays, whatever the machine does after that process has ended in order.
 */
import { assert } from "../base/assert.ts"
import { TidemarkError } from "../base/errors.ts"
import { Prng } from "../base/prng.ts"
import type { Env } from "../env/env.ts"
import type { ExecutableJob } from "../runtime/executable-job.ts"
import { runJob, type JobHandle } from "../runtime/run-job.ts"
import type { JobResult } from "../runtime/status.ts"
import { DrawnFaults } from "./drawn-faults.ts"
import { isWeighty, ListedFaults, type Fault, type FaultMatrix } from "./faults.ts"
import { InterceptedDisk, withDisk, type InterceptedCall } from "./intercepted-disk.ts"
import { isSync, Mutation, type Mutant } from "./mutation.ts"
import { PublishedOutput } from "./published-output.ts"
import { lifeOf, SOURCE_COLUMNS, type Scenario, type SourceChunk } from "./scenario.ts"
import {
  BASE_DIRECTORY,
  outputReadings,
  scenarioJob,
  STATE_DIRECTORY,
  STATE_PARENT,
  type Answerer,
} from "./scenario-job.ts"
import { SimWorld } from "./sim-env.ts"
import type { TraceEvent } from "./sim-trace.ts"
import { threadProgram } from "./thread-program.ts"
import { truthOf, type Truth } from "./truth.ts"

/** How to run a scenario. */
export interface SimulationOptions {
  /** `"drawn"` from the scenario's seed, or these. */
  readonly faults: "drawn" | readonly Fault[]
  readonly mutant?: Mutant | undefined
  readonly keepsTrace?: boolean
}

/** What came of it. */
export interface SimulationResult {
  /** What is wrong, in words; empty where all is well. */
  readonly findings: readonly string[]
  readonly struck: readonly Fault[]
  /** How many epochs were committed, over all lives of the job. */
  readonly epochs: number
  readonly processes: number
  readonly mutantHits: number
  readonly matrix: FaultMatrix
  readonly traceHash: string
  readonly trace: readonly TraceEvent[]
  /** What each output holds in the end. */
  readonly content: ReadonlyMap<string, string>
}

/** Every run has at least so many weighty faults, where they are drawn. */
export const MIN_FAULTS = 2
const MAX_PROCESSES = 60

/** A process that is busier than this waits in circles. */
const MAX_EVENTS = 100_000

/** Operating errors that a failing disk explains. */
export const EXPLAINED_BY_FAULTS: ReadonlySet<string> = new Set(["disk-failed", "disk-full", "source-unreadable"])

/** Runs a scenario. */
export async function simulate(scenario: Scenario, options: SimulationOptions): Promise<SimulationResult> {
  const simulation = new Simulation(scenario, options)
  await simulation.run()
  return simulation.result()
}

class Simulation {
  readonly #scenario: Scenario
  readonly #options: SimulationOptions
  readonly #job: ExecutableJob
  readonly #answerer: Answerer = { env: undefined }
  readonly #world: SimWorld
  readonly #drawn: DrawnFaults | undefined
  /** What must come out of the life of the job that is now, from its start or its last reset. */
  #truth!: Truth
  #outputs: ReadonlyMap<string, PublishedOutput> = new Map()
  /** What the life before it had published, while a reset is under way. */
  #outputsBefore: ReadonlyMap<string, PublishedOutput> | undefined
  /** What was published before a reset and has been set aside. */
  #superseded: PublishedOutput[] = []
  readonly #glances: Prng
  readonly #ends: Prng
  readonly #findings: string[] = []
  #epochsBefore = 0
  #processes = 0
  #mutantHits = 0
  #watermark = -Infinity
  #epoch = 0
  #crashesSeen = 0
  #struckBefore = 0

  constructor(scenario: Scenario, options: SimulationOptions) {
    this.#scenario = scenario
    this.#options = options
    this.#job = scenarioJob(scenario, this.#answerer)
    const prng = new Prng(scenario.seed * 2 + 1)
    const chances = prng.fork()
    this.#drawn = options.faults === "drawn" ? new DrawnFaults(chances) : undefined
    this.#glances = prng.fork()
    this.#ends = prng.fork()
    const faults = options.faults === "drawn" ? this.#drawn! : new ListedFaults(options.faults)
    this.#world = new SimWorld({
      seed: scenario.seed,
      faults,
      keepsTrace: options.keepsTrace ?? false,
      threadProgram,
    })
    this.#world.image.installDirectory(BASE_DIRECTORY)
    this.#world.image.installDirectory(STATE_PARENT)
    this.#beginLife(0, scenario.resetAt)
    this.#world.onEvent = () => {
      if (this.#glances.chance(0.1)) this.#look()
    }
  }

  async run(): Promise<void> {
    try {
      for (const [index, chunks] of this.#scenario.generations.entries()) {
        for (const chunk of chunks) this.#append(chunk)
        if (index === this.#scenario.resetAt) this.#orderReset()
        const isLast = index === this.#scenario.generations.length - 1
        await this.#readGeneration(isLast)
        if (this.#findings.length > 0) return
      }
      this.#losePower()
      for (const output of this.#outputs.values()) this.#findings.push(...output.missing())
      for (const output of this.#superseded) this.#findings.push(...output.notSetAside())
      this.#world.faults = new ListedFaults([])
      const last = await this.#runProcess()
      if (last?.isNothingNew === false) this.#findings.push("a job that has finished found something to do")
      for (const output of this.#outputs.values()) this.#findings.push(...output.missing())
      this.#checkCounters(last)
    } catch (error) {
      this.#findings.push(`the simulation broke off: ${describe(error)}`)
    }
  }

  result(): SimulationResult {
    const content = new Map([...this.#outputs].map(([directory, output]) => [directory, output.content()]))
    return {
      findings: [...new Set(this.#findings)],
      struck: this.#world.struck,
      epochs: this.#epochsBefore + this.#epoch,
      processes: this.#processes,
      mutantHits: this.#mutantHits,
      matrix: this.#world.matrix,
      traceHash: this.#world.trace.hash,
      trace: this.#world.trace.events,
      content,
    }
  }

  #beginLife(from: number, to: number | undefined): void {
    const life = lifeOf(this.#scenario, from, to ?? this.#scenario.generations.length)
    this.#truth = truthOf(life)
    const readings = outputReadings(life, this.#truth)
    this.#outputs = new Map(
      readings.map((reading) => [reading.directory, new PublishedOutput(this.#world.image, reading)]),
    )
    this.#epochsBefore += this.#epoch
    this.#epoch = 0
    this.#watermark = -Infinity
  }

  /** Starts processes until one has read the generation to its end. */
  async #readGeneration(isLast: boolean): Promise<void> {
    for (;;) {
      const weighty = this.#world.struck.filter(isWeighty).length
      if (isLast && weighty < MIN_FAULTS) this.#drawn?.force()
      const result = await this.#runProcess()
      if (this.#findings.length > 0) return
      if (result?.outcome === "finished") return
      if (this.#processes >= MAX_PROCESSES) {
        this.#findings.push(`the job has not finished after ${MAX_PROCESSES} processes`)
        return
      }
    }
  }

  /** One process: gives the job's result, or `undefined` where it has died or failed as a fault explains (R1). */
  async #runProcess(): Promise<JobResult | undefined> {
    const world = this.#world
    const mutation = this.#mutation()
    const booted = world.boot()
    this.#answerer.env = booted
    const env = mutation === undefined ? booted : withDisk(booted, new InterceptedDisk(booted.disk, mutation))
    const { stopAfterCommits, epochRows } = this.#scenario
    const stopAfter = stopAfterCommits[this.#processes] ?? 0
    const rows = epochRows[this.#processes % epochRows.length]!
    this.#processes++
    this.#struckBefore = world.struck.length
    let result: JobResult | undefined
    let failure: unknown
    const isSeldom = this.#outputsBefore !== undefined || rows > Math.min(...epochRows)
    if (isSeldom) this.#drawn?.disturb()
    const program = this.#runJob(env, stopAfter, rows)
      .finally(() => mutation?.finish())
      .then(
        (value) => (result = value),
        (error: unknown) => (failure = error ?? new Error("nothing was thrown")),
      )
    if ((await world.run(program, MAX_EVENTS)) === "settled") await world.settle()
    this.#look()
    if (!world.isAlive) return undefined
    // Where a mutant puts off a call that fails, a file that was opened in between is lost to its opener.
    if (world.openFiles > 0 && this.#options.mutant === undefined)
      this.#findings.push(`the job has ended and leaves ${world.openFiles} files open`)
    world.kill()
    if (failure !== undefined) this.#judgeFailure(failure)
    else this.#judgeSuccess()
    if (failure === undefined && this.#ends.chance(0.3)) this.#losePower()
    return result
  }

  async #runJob(env: Env, stopAfter: number, epochRows: number): Promise<JobResult> {
    const { batchRows, snapshotMinBytes, sinkBufferBytes, logBufferBytes, compile } = this.#scenario
    const { parallelism, morselBytes, stateMemoryBytes } = this.#scenario
    let commits = 0
    const handle: JobHandle = await runJob(this.#job, {
      env,
      directory: STATE_DIRECTORY,
      baseDirectory: BASE_DIRECTORY,
      batchRows,
      epochRows,
      compile,
      reset: this.#outputsBefore !== undefined,
      arenaBytes: 4 << 20,
      parallelism,
      stretchesBeforeThreads: 1,
      morselBytes,
      snapshotPolicy: { minBytes: snapshotMinBytes, growth: 1 },
      // So few that epochs are committed in between.
      snapshotSlices: { sliceBytes: 60, slicesMax: 2 },
      earlyKeys: 1,
      sinkBufferBytes,
      logBufferBytes,
      stateMemoryBytes,
      spillChunkBytes: 100,
      onEvent: (event) => {
        if (event.kind === "recovered") this.#onRecovered(event.epoch, event.isReset)
        if (event.kind === "snapshot") this.#checkTrimmed()
        if (event.kind !== "committed") return
        this.#onCommitted(event.epoch, handle.status().watermarkMicros)
        if (++commits === stopAfter) void handle.stop().catch(() => undefined)
      },
    })
    return await handle.finished
  }

  #onRecovered(epoch: number, isReset: boolean): void {
    if (this.#outputsBefore !== undefined) {
      // From here on the reset is durable, and a process that dies is followed by one without it.
      if (!isReset) this.#findings.push("a reset was asked for, and the job did not start anew")
      this.#superseded = [...this.#outputsBefore.values()]
      for (const output of this.#superseded) this.#findings.push(...output.notSetAside())
      this.#outputsBefore = undefined
      this.#beginLife(this.#scenario.resetAt!, undefined)
    }
    const isExpected = epoch === this.#epoch || epoch === this.#epoch + 1
    if (!isExpected) this.#findings.push(`epoch ${epoch} was recovered, and ${this.#epoch} was the last one known`)
    this.#epoch = epoch
  }

  #onCommitted(epoch: number, watermark = -Infinity): void {
    if (epoch !== this.#epoch + 1) this.#findings.push(`epoch ${epoch} was committed after epoch ${this.#epoch}`)
    if (watermark < this.#watermark)
      this.#findings.push(`the watermark went back from ${this.#watermark} to ${watermark}`)
    this.#epoch = epoch
    this.#watermark = watermark
  }

  /** Behind a snapshot, nothing is left of the log before it, nor of segments that were never finished. */
  #checkTrimmed(): void {
    const names = this.#world.image.list(`${STATE_DIRECTORY}/log`)
    if (names.length !== 1) this.#findings.push(`a snapshot leaves ${names.join(", ")}`)
  }

  /** A job that says that it has finished, or has stopped when asked, has published for good. */
  #losePower(): void {
    this.#world.crash()
    this.#look()
    for (const output of this.#outputs.values()) this.#findings.push(...output.vanished())
  }

  #judgeFailure(failure: unknown): void {
    const isExplained = failure instanceof TidemarkError && EXPLAINED_BY_FAULTS.has(failure.code)
    if (this.#failedCall() === undefined || !isExplained) this.#findings.push(`a process failed: ${describe(failure)}`)
  }

  #judgeSuccess(): void {
    const failed = this.#failedCall()
    if (failed !== undefined) this.#findings.push(`${failed.step} failed, and the process went on as if it had not`)
  }

  /** A call of this process that the disk has refused. */
  #failedCall(): Fault | undefined {
    const struck = this.#world.struck.slice(this.#struckBefore)
    return struck.find(({ kind }) => kind === "eio" || kind === "enospc")
  }

  #checkCounters(last: JobResult | undefined): void {
    if (last === undefined) {
      this.#findings.push("the last process, without faults, did not end")
      return
    }
    const { rowsIn, lateRows, badRecords, rowsOut } = last.status
    const expect = (name: string, actual: number | undefined, expected: number): void => {
      if (actual !== expected) this.#findings.push(`the counter ${name} is ${actual}, not ${expected}`)
    }
    expect("rowsIn", rowsIn, this.#truth.rowsIn)
    expect("lateRows", lateRows, this.#truth.lateRows)
    expect("badRecords", badRecords, this.#truth.badRecords)
    for (const [name, rows] of this.#truth.outputs) {
      if (name !== "bad") expect(`rowsOut.${name}`, rowsOut[name], rows.length)
    }
  }

  #look(): void {
    // While a reset is under way, files are on their way from one directory to another.
    if (this.#outputsBefore !== undefined) return
    const machineCrashed = this.#world.crashes > this.#crashesSeen
    this.#crashesSeen = this.#world.crashes
    for (const output of this.#outputs.values()) this.#findings.push(...output.look({ machineCrashed }))
  }

  #mutation(): Mutation | undefined {
    const { mutant } = this.#options
    if (mutant === undefined) return undefined
    const onHit = ({ operation, path }: InterceptedCall): boolean => {
      this.#mutantHits++
      // A sync that finds nothing to do may be left out by anybody. Deaths are for the others, and for those of files that
      // have been renamed since they were opened.
      const hasEffect = !isSync(operation) || this.#world.image.hasUnsynced(path) !== false
      if (hasEffect) this.#drawn?.afterMutant()
      return hasEffect
    }
    return new Mutation(mutant, { onHit, onGap: () => this.#drawn?.inMutantGap() })
  }

  /** The next process starts anew, perhaps because the log cannot be read any more. */
  #orderReset(): void {
    this.#outputsBefore = this.#outputs
    if (!this.#scenario.spoilsLog) return
    const directory = `${STATE_DIRECTORY}/log`
    const { image } = this.#world
    const paths = image.list(directory).map((name) => `${directory}/${name}`)
    const path = paths.find((candidate) => (image.readFile(candidate)?.length ?? 0) > 0)
    assert(path !== undefined, "a job that has run has a log")
    const bytes = image.readFile(path)!
    bytes[0]! ^= 1
    image.install(path, bytes)
  }

  #append({ file, lines }: SourceChunk): void {
    const path = `${BASE_DIRECTORY}/${file}`
    const before = this.#world.image.readFile(path)
    const header = before === undefined && this.#scenario.inputFormat === "csv" ? `${SOURCE_COLUMNS.join(",")}\n` : ""
    const added = new TextEncoder().encode(header + lines.map(({ text }) => `${text}\n`).join(""))
    const bytes = new Uint8Array((before?.length ?? 0) + added.length)
    bytes.set(before ?? [])
    bytes.set(added, before?.length ?? 0)
    this.#world.image.install(path, bytes)
  }
}

/** An error as a finding tells it. */
export function describe(error: unknown): string {
  if (error instanceof TidemarkError) return `${error.code}: ${error.message}`
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
