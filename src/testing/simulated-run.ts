/** One run of a job in one simulated world, from its first process to the one that comes to the end, and the story of it. */
import { TidemarkError } from "../base/errors.ts"
import { Prng } from "../base/prng.ts"
import { MemoryTable } from "../connectors/memory/memory.ts"
import { runJob, type JobHandle } from "../runtime/run-job.ts"
import { DrawnFaults } from "../sim/drawn-faults.ts"
import { ListedFaults, NO_FAULTS, type Fault, type FaultKind, type FaultPlan } from "../sim/faults.ts"
import { SimWorld, type SimEnv } from "../sim/sim-env.ts"
import type { Job } from "../stream/job.ts"
import type { DeadLetterRow } from "./driver-options.ts"
import { HeardCalls } from "./heard-calls.ts"
import { InputScript, type Life } from "./input-script.ts"
import type { PlainRow } from "./run-plan.ts"
import { scriptSource } from "./script-source.ts"
import { SimulatedStory } from "./simulated-story.ts"
import type { SimulatedEntry, SimulatedFault } from "./simulate-options.ts"

/** How a job is run, and on what. */
export interface SimulatedCase {
  readonly seed: number
  readonly entries: readonly SimulatedEntry[]
  readonly batchRows: number
  readonly epochRows: number
  /** Process number `i` is stopped after so many commits; 0 where it is not. */
  readonly restartsAfter: readonly number[]
  /** The clock is set by so much when process number `i` begins. */
  readonly clockStepsMinutes: readonly number[]
}

/** What came of it. */
export interface SimulatedResult {
  readonly outputs: Readonly<Record<string, readonly PlainRow[]>>
  readonly deadLetters: readonly DeadLetterRow[]
  /** Why the job did not come to its end, as a clause. */
  readonly failure: string | undefined
  readonly struck: readonly Fault[]
  readonly processes: number
  readonly epochs: number
  readonly story: readonly string[]
}

const BASE_DIRECTORY = "/job"
const STATE_DIRECTORY = `${BASE_DIRECTORY}/state`
const ARENA_BYTES = 256 << 20
/** From this process on nothing fails any more. */
const CALM_FROM_PROCESS = 10
const MAX_PROCESSES = 20
const MAX_EVENTS = 1_000_000
/** Epochs end with so many records and not with time. */
const EPOCH = { minMicros: Number.MAX_SAFE_INTEGER, maxMicros: Number.MAX_SAFE_INTEGER } as const

const KINDS: Readonly<Record<FaultKind, SimulatedFault>> = {
  eio: "disk",
  enospc: "disk",
  stall: "stall",
  "crash-before": "crash",
  "crash-after": "crash",
  "kill-before": "kill",
  "kill-after": "kill",
}

/** See the head of this file. */
export class SimulatedRun {
  readonly #make: () => Job
  readonly #name: string
  readonly #params: PlainRow
  readonly #case: SimulatedCase
  readonly #world: SimWorld
  readonly #drawn: DrawnFaults | undefined
  readonly #script: InputScript
  readonly #outputs: ReadonlyMap<string, MemoryTable<PlainRow>>
  readonly #deadLetters = new MemoryTable<PlainRow>([])
  readonly #story = new SimulatedStory()
  #processes = 0
  #epochs = 0

  /** @param faults the kinds of those that are drawn, or a list of them. */
  constructor(
    make: () => Job,
    params: PlainRow,
    drawn: SimulatedCase,
    faults: ReadonlySet<SimulatedFault> | readonly Fault[],
  ) {
    const job = make()
    this.#make = make
    this.#name = job.name
    this.#params = params
    this.#case = drawn
    const isList = Array.isArray(faults)
    this.#drawn = isList ? undefined : new DrawnFaults(new Prng(drawn.seed * 2 + 1))
    const plan = isList
      ? new ListedFaults(faults as readonly Fault[])
      : allowed(this.#drawn!, faults as ReadonlySet<SimulatedFault>)
    this.#world = new SimWorld({ seed: drawn.seed, faults: this.#told(plan) })
    this.#world.image.installDirectory(BASE_DIRECTORY)
    this.#script = new InputScript(new Map(Object.keys(job.inputSchemas).map((name) => [name, 1])))
    for (const { input, row } of drawn.entries) this.#script.add(input, 0, { kind: "row", row })
    for (const name of Object.keys(job.inputSchemas)) this.#script.add(name, 0, { kind: "end" })
    this.#outputs = new Map(Object.keys(job.outputs).map((name) => [name, new MemoryTable<PlainRow>([])]))
  }

  async run(): Promise<SimulatedResult> {
    let failure: string | undefined
    for (let isDone = false; !isDone && failure === undefined; this.#processes++) {
      if (this.#processes === MAX_PROCESSES)
        failure = `the job had not come to its end after ${MAX_PROCESSES} processes`
      else {
        const end = await this.#runProcess()
        isDone = end === "finished"
        if (typeof end === "object") failure = end.failure
      }
    }
    return {
      outputs: Object.fromEntries([...this.#outputs].map(([name, { rows }]) => [name, rows])),
      deadLetters: this.#deadLetters.rows as unknown as readonly DeadLetterRow[],
      failure,
      struck: this.#world.struck,
      processes: this.#processes,
      epochs: this.#epochs,
      story: this.#story.lines,
    }
  }

  async #runProcess(): Promise<"finished" | "again" | { readonly failure: string }> {
    const world = this.#world
    if (this.#processes >= CALM_FROM_PROCESS) world.faults = NO_FAULTS
    else if (this.#processes === 0) this.#drawn?.force()
    const minutes = this.#case.clockStepsMinutes[this.#processes] ?? 0
    if (minutes !== 0) {
      world.stepClock(minutes * 60_000_000)
      this.#story.clockSet(minutes)
    }
    const life: Life = { isOver: false }
    const struckBefore = world.struck.length
    let outcome: string | undefined
    let error: Error | undefined
    const program = this.#runJob(world.boot(), life).then(
      (value) => (outcome = value),
      (reason: unknown) => (error = reason instanceof Error ? reason : new Error(String(reason))),
    )
    try {
      if ((await world.run(program, MAX_EVENTS)) === "settled") await world.settle()
    } catch (cause) {
      throw new TidemarkError("invalid-options", `simulate(...): the job ${this.#name} waits for something outside.`, {
        hint: "In a simulation no real time goes by: give it functions for asyncMap that answer without waiting.",
        cause,
      })
    } finally {
      life.isOver = true
    }
    if (!world.isAlive) return "again"
    world.kill()
    const refused = world.struck.slice(struckBefore).some(({ kind }) => KINDS[kind] === "disk")
    if (error !== undefined) {
      const isOfDisk = error instanceof TidemarkError && /^disk-/.test(error.code)
      if (isOfDisk && refused) {
        this.#story.failed()
        return "again"
      }
      // Without faults it is the job's own error, which its author knows best by itself.
      if (this.#case.seed === 0) throw error
      return { failure: `the job failed: ${error.message}` }
    }
    if (outcome === "finished") return "finished"
    this.#story.stopped()
    return "again"
  }

  async #runJob(env: SimEnv, life: Life): Promise<string> {
    const { batchRows, epochRows, restartsAfter } = this.#case
    const stopAfter = restartsAfter[this.#processes] ?? 0
    let commits = 0
    this.#story.started(this.#case.entries.length, batchRows)
    const handle: JobHandle = await runJob(this.#bound(life), {
      env,
      directory: STATE_DIRECTORY,
      baseDirectory: BASE_DIRECTORY,
      arenaBytes: ARENA_BYTES,
      choosePartition: (open) => this.#script.next(open),
      batchRows,
      epochRows,
      compile: "off",
      onEvent: (event) => {
        if (event.kind === "recovered") this.#story.recovered(event.epoch)
        if (event.kind !== "committed") return
        this.#epochs++
        this.#story.committed(event.epoch)
        if (++commits === stopAfter) void handle.stop().catch(() => undefined)
      },
    })
    return (await handle.finished).outcome
  }

  #bound(life: Life) {
    const job = this.#make()
    const source = scriptSource(this.#script, life)
    // What a process that has died had open is open no more.
    for (const table of [...this.#outputs.values(), this.#deadLetters]) table.writer = undefined
    const targets = {
      inputs: Object.fromEntries(Object.keys(job.inputSchemas).map((name) => [name, source])),
      outputs: Object.fromEntries(this.#outputs),
      deadLetter: this.#deadLetters,
      params: this.#params,
    }
    const plan = new HeardCalls(life).heard(job.plan)
    return { ...job.with(targets as never), plan, epoch: EPOCH }
  }

  /** The plan, each of whose faults is a line of the story. */
  #told(plan: FaultPlan): FaultPlan {
    return {
      strike: (call) => {
        const kind = plan.strike(call)
        if (kind !== undefined) this.#story.struck(kind, call.step)
        return kind
      },
    }
  }
}

function allowed(plan: FaultPlan, faults: ReadonlySet<SimulatedFault>): FaultPlan {
  return {
    strike: (call) => {
      const kind = plan.strike(call)
      return kind !== undefined && faults.has(KINDS[kind]) ? kind : undefined
    },
  }
}
