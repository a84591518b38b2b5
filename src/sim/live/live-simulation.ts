/**
 * Runs a live scenario in a simulated world: senders or a program that pushes, a network, processes of the job that come and go, a database server, a service to which
 * rows are sent; and holds what becomes visible against what must be so.
 *
 * Invariants, beside R1 to R3 of `simulation.ts`:
 * - LV1 At no moment is a row visible more often than it was sent, and what was visible stays.
 * - LV2 Epochs follow one another, and the watermark of a process never goes back.
 * - LV3 When faults have ended, the job comes to its end within a time that is known beforehand.
 * - LV4 State of which a bit has changed is refused in words, or the change does not matter.
 */
import { assert } from "../../base/assert.ts"
import { TidemarkError } from "../../base/errors.ts"
import { Prng } from "../../base/prng.ts"
import type { Env } from "../../env/env.ts"
import type { SourceBinding } from "../../connect/source.ts"
import type { PushedSource } from "../../connectors/pushed/pushed-source.ts"
import { runJob, type JobHandle } from "../../runtime/run-job.ts"
import type { RunJobOptions } from "../../runtime/run-options.ts"
import { readSavepoint, writeSavepoint } from "../../state/savepoint.ts"
import type { JobEvent } from "../../trace/events.ts"
import { DrawnFaults } from "../drawn-faults.ts"
import { isWeighty, ListedFaults, type Fault } from "../faults.ts"
import { InterceptedDisk, withDisk } from "../intercepted-disk.ts"
import { isSync, Mutation } from "../mutation.ts"
import { BASE_DIRECTORY, STATE_DIRECTORY, STATE_PARENT } from "../scenario-job.ts"
import { SimWorld } from "../sim-env.ts"
import {
  EXPLAINED_BY_FAULTS,
  MIN_FAULTS,
  describe,
  type SimulationOptions,
  type SimulationResult,
} from "../simulation.ts"
import { exchangeWith } from "./hook-exchange.ts"
import { HookReceiver } from "./hook-receiver.ts"
import { HttpSenders } from "./http-senders.ts"
import { loggedInput, pushedInput, recordsOfAll, writeLog, type OpenInput } from "./live-inputs.ts"
import { hookOptions, hookUrl } from "./live-hooks.ts"
import { liveJob } from "./live-job.ts"
import { wrongOrder } from "./live-order.ts"
import { rowsOfOutputs } from "./live-outputs.ts"
import { PLACED_OUTPUTS, REFUSED_ID_MODULUS, type LiveScenario } from "./live-scenario.ts"
import { liveRowText, wrongInTheEnd, wrongNow, type LiveRows, type SentRecords } from "./live-truth.ts"
import { PushingProgram } from "./pushing-program.ts"
import { rotOneBit } from "./rot.ts"
import { SimNetwork } from "./sim-network.ts"
import { TableServer } from "./table-server.ts"
import { connectTo } from "./table-session.ts"

/** From this process on nothing fails any more. */
const CALM_FROM_PROCESS = 14
const MAX_PROCESSES = 40
const MAX_EVENTS = 300_000
/** LV3: a sender may have to wait for a time-out, a database for half a minute. */
const CONVERGED_MICROS = 300_000_000
const POLL_MICROS = 25_000
const CLOCK_STEP_MICROS = 3_600_000_000
const DISTURBED_MICROS = 25_000_000
const SAVEPOINT = `${STATE_PARENT}/kept`
const SECOND_DIRECTORY = `${STATE_PARENT}/second`

/** Runs a scenario. */
export async function simulateLive(scenario: LiveScenario, options: SimulationOptions): Promise<SimulationResult> {
  const simulation = new LiveSimulation(scenario, options)
  await simulation.run()
  return simulation.result()
}

class LiveSimulation {
  readonly #scenario: LiveScenario
  readonly #options: SimulationOptions
  readonly #world: SimWorld
  readonly #drawn: DrawnFaults | undefined
  readonly #network: SimNetwork
  readonly #server: TableServer
  readonly #receiver: HookReceiver
  /** The network between the job and the receiver. */
  readonly #outward: SimNetwork
  readonly #senders: HttpSenders
  readonly #pushing: PushingProgram
  readonly #sent: SentRecords
  readonly #chances: Prng
  readonly #findings: string[] = []
  /** What the log's program was told to be durable. */
  readonly #logged = new Set<number>()
  #processes = 0
  #epoch = 0
  #epochs = 0
  #mutantHits = 0
  #struckBefore = 0
  #straysBefore = 0
  #isCalm = false
  /** How many rows of each output had been given when the savepoint was made. */
  #savedRows: ReadonlyMap<string, number> | undefined

  constructor(scenario: LiveScenario, options: SimulationOptions) {
    this.#scenario = scenario
    this.#options = options
    const prng = new Prng(scenario.seed * 2 + 2 ** 29)
    const drawn = new DrawnFaults(prng.fork())
    this.#drawn = options.faults === "drawn" ? drawn : undefined
    const faults = options.faults === "drawn" ? drawn : new ListedFaults(options.faults)
    this.#world = new SimWorld({ seed: scenario.seed, faults, keepsTrace: options.keepsTrace ?? false })
    const { scheduler, image } = this.#world
    this.#network = new SimNetwork(scheduler, prng.fork(), scenario.network)
    const refuses = ({ id }: { readonly id?: unknown }): boolean =>
      scenario.refusesRows && Number(id ?? 1) % REFUSED_ID_MODULUS === 0
    this.#server = new TableServer(scheduler, prng.fork(), refuses)
    this.#server.lossChance = scenario.connectionLoss
    const ofHooks = new Prng(scenario.seed + 2 ** 30)
    this.#receiver = new HookReceiver(scheduler, ofHooks.fork(), scenario.hooks, refuses)
    this.#outward = new SimNetwork(scheduler, ofHooks.fork(), scenario.network)
    const isSent = scenario.input === "http"
    this.#senders = new HttpSenders(
      isSent ? scenario : { ...scenario, requests: [] },
      scheduler,
      this.#network,
      prng.fork(),
    )
    this.#chances = prng.fork()
    this.#pushing = new PushingProgram(scenario, prng.fork())
    this.#sent = this.#sentRecords()
    image.installDirectory(BASE_DIRECTORY)
    image.installDirectory(STATE_PARENT)
    this.#disturb()
    this.#world.onEvent = () => {
      if (this.#chances.chance(0.02)) this.#look()
    }
  }

  async run(): Promise<void> {
    try {
      for (let isDone = false; !isDone && this.#findings.length === 0;) {
        if (this.#processes >= MAX_PROCESSES)
          this.#findings.push(`the job has not finished after ${MAX_PROCESSES} processes`)
        else isDone = await this.#runProcess(1)
        // While the job lies dead, senders find nobody.
        if (!isDone) await this.#world.scheduler.runFor(this.#chances.below(2_000_000))
      }
      if (this.#findings.length > 0) return
      this.#losePower()
      this.#calm()
      if (!(await this.#runProcess(1))) this.#findings.push("a job that had come to its end did not end again")
      this.#findings.push(...this.#senders.findings, ...wrongInTheEnd(this.#rows(1), this.#sent))
      this.#findings.push(...this.#wrongOrder())
      if (this.#hasSavepoint && this.#findings.length === 0) await this.#runSecond()
      if (this.#scenario.rots && this.#findings.length === 0) await this.#rot()
    } catch (error) {
      this.#findings.push(`the simulation broke off: ${describe(error)}`)
    }
  }

  result(): SimulationResult {
    const { struck, matrix, trace } = this.#world
    return {
      findings: [...new Set(this.#findings)],
      struck,
      epochs: this.#epochs,
      processes: this.#processes,
      mutantHits: this.#mutantHits,
      matrix,
      traceHash: trace.hash,
      trace: trace.events,
      content: new Map(),
    }
  }

  #sentRecords(): SentRecords {
    const { requests, input } = this.#scenario
    const { deliveries } = input === "pushed" ? this.#pushing : this.#senders
    const requestOf = new Map(requests.flatMap((request) => request.records.map(({ id }) => [id, request] as const)))
    return {
      byId: new Map(recordsOfAll(requests).map((record) => [record.id, record])),
      // A log's records are appended one by one by who died meanwhile.
      together: input === "log" ? [] : requests.map(({ records }) => records.map(({ id }) => id)),
      most: (id) => {
        const request = requestOf.get(id)!
        return request.hasKey ? 1 : (deliveries.get(request) ?? 0)
      },
    }
  }

  /** The server restarts, and clocks are set, at moments of their own. */
  #disturb(): void {
    const { scheduler } = this.#world
    const at = (): number => this.#chances.below(DISTURBED_MICROS)
    for (let restart = 0; restart < this.#scenario.serverRestarts; restart++) {
      scheduler.schedule(at(), () => void (this.#isCalm || this.#server.restart()))
    }
    for (let restart = 0; this.#isHooked && restart < this.#scenario.hooks.restarts; restart++) {
      scheduler.schedule(at(), () => void (this.#isCalm || this.#receiver.restart()))
    }
    for (let step = 0; step < this.#scenario.clockSteps; step++) {
      const micros = this.#chances.below(2 * CLOCK_STEP_MICROS) - CLOCK_STEP_MICROS
      scheduler.schedule(at(), () => this.#world.stepClock(micros))
    }
  }

  /** LV3: from here on nothing fails. */
  #calm(): void {
    this.#isCalm = true
    this.#network.heal()
    this.#outward.heal()
    this.#receiver.heal()
    this.#server.lossChance = 0
    this.#world.faults = new ListedFaults([])
  }

  /** One process; gives whether the job has come to its end. */
  async #runProcess(number: 1 | 2): Promise<boolean> {
    const world = this.#world
    if (this.#processes >= CALM_FROM_PROCESS) this.#calm()
    const isFirstFew = world.struck.filter(isWeighty).length < MIN_FAULTS
    if (isFirstFew && !this.#isCalm && this.#chances.chance(0.7)) this.#drawn?.force()
    const mutation = this.#mutation()
    const booted = world.boot()
    const env = mutation === undefined ? booted : withDisk(booted, new InterceptedDisk(booted.disk, mutation))
    this.#struckBefore = world.struck.length
    this.#straysBefore = this.#receiver.strays
    let isDone = false
    let failure: unknown
    const program = this.#program(env, number)
      .finally(() => mutation?.finish())
      .then(
        (value) => void (isDone = value),
        (error: unknown) => void (failure = error ?? new Error("nothing was thrown")),
      )
    const startMicros = world.scheduler.now
    const limit = this.#isCalm ? this.#deadline(program) : program
    if ((await world.run(limit, MAX_EVENTS)) === "settled") await world.settle()
    this.#senders.door = undefined
    this.#processes++
    this.#look()
    if (!world.isAlive) return false
    if (this.#isCalm && world.scheduler.now - startMicros >= CONVERGED_MICROS) {
      this.#findings.push(
        `nothing fails any more, and the job has not come to its end after ${CONVERGED_MICROS / 1e6} s`,
      )
    }
    if (world.openFiles > 0 && failure === undefined && this.#options.mutant === undefined && isDone)
      this.#findings.push(`the job has ended and leaves ${world.openFiles} files open`)
    world.kill()
    this.#judge(failure)
    if (failure === undefined && this.#chances.chance(0.3)) this.#losePower()
    return isDone && failure === undefined
  }

  async #deadline(program: Promise<void>): Promise<void> {
    const { scheduler } = this.#world
    let tell: (() => void) | undefined
    const over = new Promise<void>((resolve) => (tell = resolve))
    const event = scheduler.schedule(CONVERGED_MICROS, () => tell?.())
    await Promise.race([program, over])
    event.isCancelled = true
  }

  async #program(env: Env, number: 1 | 2): Promise<boolean> {
    const { batchRows, epochRows, snapshotMinBytes, stopAfterCommits, widensAt, savepointAfter } = this.#scenario
    const open: OpenInput = { requests: undefined, log: undefined, pushed: undefined }
    const input = this.#input(open)
    const connect = connectTo(this.#server, this.#world.process, env)
    const isWide = widensAt !== undefined && this.#processes >= widensAt
    const exchange = exchangeWith(this.#receiver, this.#outward, this.#world.process)
    const job = liveJob(this.#scenario, {
      ...{ input, connect, exchange, number, isWide },
      hookOptions: (name) => hookOptions(this.#scenario, name, { number, process: this.#processes }),
    })
    const stopAfter = this.#isCalm ? 0 : (stopAfterCommits[this.#processes] ?? 0)
    let [commits, watermark, isStopped] = [0, -Infinity, false]
    let saving: Promise<void> | undefined
    if (number === 2) this.#savedRows = (await readSavepoint(env.disk, SAVEPOINT)).state.counters
    const onEvent = (event: JobEvent): void => {
      if (event.kind === "recovered" && number === 1) this.#onRecovered(event.epoch)
      if (event.kind !== "committed") return
      this.#epochs++
      if (number === 1) this.#onCommitted(event.epoch)
      const next = handle.status().watermarkMicros ?? -Infinity
      if (next < watermark) this.#findings.push(`the watermark went back from ${watermark} to ${next}`)
      watermark = next
      const isSaved = number === 2 || saving !== undefined || this.#hasSavepoint
      if (++commits === savepointAfter && !isSaved) {
        saving = this.#save(env)
        // It is looked at when the job has ended.
        saving.catch(() => undefined)
      }
      if (commits === stopAfter) {
        isStopped = true
        void handle.stop().catch(() => undefined)
      }
    }
    const options: RunJobOptions = {
      env,
      directory: number === 1 ? STATE_DIRECTORY : SECOND_DIRECTORY,
      ...(number === 2 && { fromSavepoint: SAVEPOINT }),
      baseDirectory: BASE_DIRECTORY,
      batchRows,
      epochRows: epochRows[this.#processes % epochRows.length]!,
      // Lambdas that are not compiled are behind no prefix.
      compile: this.#scenario.input === "pushed" ? "auto" : "off",
      arenaBytes: 4 << 20,
      stateMemoryBytes: this.#scenario.stateMemoryBytes,
      spillChunkBytes: 100,
      snapshotPolicy: { minBytes: snapshotMinBytes, growth: 1 },
      snapshotSlices: { sliceBytes: 60, slicesMax: 1 },
      earlyKeys: 1,
      onEvent,
    }
    const handle: JobHandle = await runJob(job, options)
    const driving = this.#drive(handle, open, env, () => isStopped)
    const [isDone] = await Promise.all([driving, driving.then(() => saving)])
    return isDone
  }

  #input(open: OpenInput): SourceBinding {
    switch (this.#scenario.input) {
      case "http":
        return pushedInput(this.#scenario, this.#senders, open)
      case "log":
        return loggedInput(open)
      case "pushed":
        return this.#pushing.binding((source) => (open.pushed = source))
    }
  }

  /** Lets the job run until all has come, and ends it; gives whether it has come to its end. */
  async #drive(handle: JobHandle, open: OpenInput, env: Env, isStopped: () => boolean): Promise<boolean> {
    if (open.log !== undefined) {
      const writing = writeLog(this.#scenario, open.log, env, this.#logged, (bound) => this.#chances.below(bound))
      // A job that ends closes the log under its writer; why it does so it tells itself.
      const written = writing.catch((error: unknown) => {
        if (error instanceof TidemarkError && error.code === "log-closed") return []
        throw error
      })
      await Promise.race([written, handle.finished])
      const { outcome } = await handle.finished
      this.#findings.push(...(await written))
      return outcome === "finished"
    }
    if (open.pushed !== undefined) return await this.#drivePushing(handle, open.pushed, env)
    const requests = open.requests
    assert(requests !== undefined, "an open job has opened its input")
    while (!isStopped() && !(this.#senders.isDone && requests.backlogBytes === 0)) {
      await Promise.race([env.timers.sleep(POLL_MICROS), handle.finished])
    }
    if (isStopped()) {
      await handle.finished
      return false
    }
    await handle.stop({ drain: true })
    // What the database could not be told is left for the next run.
    return handle.status().waitingOutputs.length === 0
  }

  async #drivePushing(handle: JobHandle, source: PushedSource, env: Env): Promise<boolean> {
    const pushed = this.#pushing.push(source, env).then(() => this.#pushing.isDone && source.end())
    await Promise.race([pushed, handle.finished])
    const { outcome } = await handle.finished
    await pushed
    return outcome === "finished"
  }

  /** A savepoint is there whole, or not at all, whatever has died while it was made. */
  get #hasSavepoint(): boolean {
    return this.#world.image.find(SAVEPOINT) !== undefined
  }

  async #save({ disk }: Env): Promise<void> {
    const committed = this.#epoch
    await writeSavepoint(disk, STATE_DIRECTORY, SAVEPOINT, `made by ${this.#processes}`)
    const { epoch } = (await readSavepoint(disk, SAVEPOINT)).state
    if (epoch < committed) this.#findings.push(`the savepoint shows epoch ${epoch}, and ${committed} was committed`)
  }

  #onRecovered(epoch: number): void {
    const isExpected = epoch === this.#epoch || epoch === this.#epoch + 1
    if (!isExpected) this.#findings.push(`epoch ${epoch} was recovered, and ${this.#epoch} was the last one known`)
    this.#epoch = epoch
  }

  #onCommitted(epoch: number): void {
    if (epoch !== this.#epoch + 1) this.#findings.push(`epoch ${epoch} was committed after epoch ${this.#epoch}`)
    this.#epoch = epoch
  }

  #judge(failure: unknown): void {
    const failed = this.#world.struck
      .slice(this.#struckBefore)
      .find(({ kind, step }) => (kind === "eio" || kind === "enospc") && !/^(database|receiver)\./.test(step))
    if (failure === undefined) {
      // A savepoint that fails is no matter of the job, and the program has failed with it.
      if (failed !== undefined && !isInRequests(failed))
        this.#findings.push(`${failed.step} failed, and the process went on as if it had not`)
      return
    }
    if (!(failure instanceof TidemarkError)) {
      this.#findings.push(`a process failed: ${describe(failure)}`)
      return
    }
    if (failure.code === "sink-unreachable" && this.#receiver.strays > this.#straysBefore) return
    const isExplained = EXPLAINED_BY_FAULTS.has(failure.code)
    if (failed === undefined || !isExplained) this.#findings.push(`a process failed: ${describe(failure)}`)
  }

  #rows(number: 1 | 2): LiveRows {
    const stateDirectory = number === 1 ? STATE_DIRECTORY : SECOND_DIRECTORY
    const places = { image: this.#world.image, server: this.#server, receiver: this.#receiver, stateDirectory }
    return rowsOfOutputs(this.#scenario, places, number)
  }

  get #isHooked(): boolean {
    return Object.values(this.#scenario.places).includes("webhook")
  }

  /** What receivers have done wrong, or have got in another order than was asked for. */
  #wrongOrder(): string[] {
    const { places, hooks } = this.#scenario
    const { findings } = this.#receiver
    if (!hooks.isOrdered) return findings
    const sent = PLACED_OUTPUTS.filter((name) => places[name] === "webhook")
    const { runs } = this.#rows(1)
    return [
      ...findings,
      ...sent.flatMap((name) => wrongOrder(name, this.#receiver.rowsOf(hookUrl(name, 1)), runs, this.#sent)),
    ]
  }

  /** LV1. */
  #look(): void {
    const rows = this.#rows(1)
    this.#findings.push(...wrongNow(rows, this.#sent))
  }

  /** What a process that has ended in order has published stays. */
  #losePower(): void {
    const before = textsOf(this.#rows(1))
    this.#world.crash()
    const after = textsOf(this.#rows(1))
    for (const text of before) if (!after.includes(text)) this.#findings.push(`${text} was published and has vanished`)
  }

  /** Another job begins from the savepoint: it gives what the first one gave behind it, each row once. */
  async #runSecond(): Promise<void> {
    for (let tries = 0; tries < 3; tries++) if (await this.#runProcess(2)) break
    const [first, second] = [this.#rows(1), this.#rows(2)]
    for (const name of ["kept", "runs", "windows", "late"] as const) {
      const left = new Map<string, number>()
      for (const row of first[name]) left.set(liveRowText(row), (left.get(liveRowText(row)) ?? 0) + 1)
      for (const text of second[name].map(liveRowText)) {
        const count = left.get(text) ?? 0
        if (count <= 0) this.#findings.push(`what began from the savepoint gives ${name} a row of its own: ${text}`)
        left.set(text, count - 1)
      }
      const expected = first[name].length - (this.#savedRows?.get(`rows.${name}`) ?? 0)
      if (second[name].length !== expected)
        this.#findings.push(`what began from the savepoint gives ${name} ${second[name].length} rows, not ${expected}`)
    }
  }

  /** LV4. */
  async #rot(): Promise<void> {
    const path = rotOneBit(this.#world.image, STATE_PARENT, this.#chances)
    const before = textsOf(this.#rows(1)).sort()
    const found = this.#findings.length
    await this.#runProcess(1)
    const after = textsOf(this.#rows(1)).sort()
    if (before.join("\n") !== after.join("\n"))
      this.#findings.push(`a bit of ${path} has changed, and so have the outputs`)
    const told = this.#findings.splice(found)
    this.#findings.push(...told.filter((finding) => !EXPLAINED_BY_ROT.test(finding)))
  }

  #mutation(): Mutation | undefined {
    const { mutant } = this.#options
    if (mutant === undefined) return undefined
    return new Mutation(mutant, {
      onHit: ({ operation, path }) => {
        this.#mutantHits++
        const hasEffect = !isSync(operation) || this.#world.image.hasUnsynced(path) !== false
        if (hasEffect) this.#drawn?.afterMutant()
        return hasEffect
      },
      onGap: () => this.#drawn?.inMutantGap(),
    })
  }
}

/**
 * What is damaged is told. The last record of a log is taken for one that was being written when the machine died: then outputs are ahead of
 * the state, which they notice themselves.
 */
const EXPLAINED_BY_ROT =
  /^a process failed: (log-corrupt|state-corrupt|log-newer-format|state-newer-format|sink-occupied|source-changed)|^epoch \d+ was recovered/

/** Requests whose storing has failed are not acknowledged; their senders come again. */
function isInRequests({ step }: Fault): boolean {
  return step.startsWith("records.") || step.startsWith("requests.")
}

function textsOf(rows: LiveRows): string[] {
  return Object.entries(rows).flatMap(([name, all]) =>
    (all as LiveRows["kept"]).map((row) => `${name}: ${liveRowText(row)}`),
  )
}
