/**
 * `testDriver`: a running job in the hand of a test, which pushes rows, moves the clock, and lets it crash.
 *
 * The job is run by the very runtime that runs it in production, in a simulated world: its log, its snapshots and its
 * recovery are those of a job on a disk. The test is the world outside: what it has pushed can be read again, and what the
 * job has given stays.
 *
 * Invariants:
 * - TD1 When a call of the driver has resolved, the job stands still: all has happened that can at this moment of virtual time.
 * - TD2 `outputs` and `deadLetters` have what is committed, each row once, whatever crashes there were (E1 to E3).
 * - TD3 The same calls give the same, on every machine: virtual time passes only in `advanceTime`, and chance has one seed.
 * - TD4 Calls of the driver take effect one after the other, in the order in which they were made.
 */
import { assert } from "../base/assert.ts"
import { checkDuration, type Duration } from "../base/duration.ts"
import { TidemarkError } from "../base/errors.ts"
import { checkOptions } from "../base/known-options.ts"
import { shownValue } from "../base/shown-value.ts"
import type { KeptKey, OperatorContents } from "../flow/operator-contents.ts"
import { portSchema, type Plan, type PlanNode } from "../flow/plan.ts"
import { MemoryTable } from "../connectors/memory/memory.ts"
import { nodeEnv } from "../env/node/node-env.ts"
import type { ExecutableJob } from "../runtime/executable-job.ts"
import { runJob, type OpenJob } from "../runtime/run-job.ts"
import type { JobStatus } from "../runtime/status.ts"
import { SimWorld } from "../sim/sim-env.ts"
import { threadProgram } from "../sim/thread-program.ts"
import type { InputRows, Job, OutputRows } from "../stream/job.ts"
import { completeParams } from "../stream/params.ts"
import { isTimestamp, type Timestamp } from "../time/timestamp.ts"
import { checkInputName, checkJob } from "./checked-job.ts"
import {
  checkDriverOptions,
  checkTestRestart,
  type DeadLetterRow,
  type TestDriverOptions,
  type TestRestartOptions,
  type TestRunOptions,
} from "./driver-options.ts"
import { HeardCalls } from "./heard-calls.ts"
import { InputScript, type Life, type Pushed } from "./input-script.ts"
import { checkExpected, rowsDiff, UnexpectedRows } from "./rows-diff.ts"
import { checkedRows, type PlainRow } from "./run-plan.ts"
import { whatHoldsBack } from "./what-holds-back.ts"
import { scriptSource } from "./script-source.ts"

const BASE_DIRECTORY = "/job"
const STATE_DIRECTORY = `${BASE_DIRECTORY}/state`
const ARENA_BYTES = 256 << 20
/** Threads take so many rows at a time, so that a few are enough for several. */
const PART_ROWS = 4

/** Epochs end with each batch, or when they are asked to. */
const EPOCHS = {
  "each-push": { minMicros: 0, maxMicros: 0 },
  "by-hand": { minMicros: Number.MAX_SAFE_INTEGER, maxMicros: Number.MAX_SAFE_INTEGER },
} as const

type InputName<J extends Job> = keyof J["inputSchemas"] & string
type OutputName<J extends Job> = keyof J["outputs"] & string

/** A life of the job: a process that runs it. */
interface Running extends Life {
  readonly handle: OpenJob
  readonly calls: HeardCalls
  /** How the job has ended of itself. */
  outcome: { readonly error: unknown } | "ended" | undefined
}

/**
 * Starts a job that a test drives: rows are pushed, the clock is moved, and the job may crash and be restored.
 *
 * It runs in a simulated world: nothing is read or written outside, and no time is waited for. When a call of the driver has
 * resolved, all has happened that can at that moment, so that a test looks at what there is without waiting for it. There is
 * nothing to be closed when the test is over.
 *
 * @example
 * ```ts
 * import { count, fromIso, job, schema, t, tumbling } from "tidemark"
 * import { testDriver } from "tidemark/testing"
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
 * const driver = await testDriver(clicks)
 * await driver.push("clicks", [{ at: fromIso("2024-05-01T12:00:07Z"), page: "/" }])
 * await driver.crash()
 * await driver.restore()
 * await driver.advanceWatermark("clicks", fromIso("2024-05-01T12:01:00Z"))
 * console.log(driver.outputs.perMinute[0]?.clicks)
 * ```
 *
 * @throws TidemarkError `invalid-options` or `invalid-params`.
 */
export async function testDriver<J extends Job>(job: J, options: TestDriverOptions<J> = {}): Promise<TestDriver<J>> {
  const driver = new TestDriver(checkJob("testDriver(...)", job), options)
  await driver.restore()
  return driver
}

/**
 * A job that a test drives. Make one with `testDriver`.
 *
 * @example
 * ```ts
 * import type { Job } from "tidemark"
 * import type { TestDriver } from "tidemark/testing"
 *
 * async function crashNow<J extends Job>(driver: TestDriver<J>): Promise<void> {
 *   await driver.crash()
 *   await driver.restore()
 * }
 * ```
 */
export class TestDriver<J extends Job> {
  /** The rows of each output by name that are committed, in their order. They grow as the job goes on, over all its lives. */
  readonly outputs: OutputRows<J>
  /** Records that could not be read and rows that failed, as far as they are committed. */
  readonly deadLetters: readonly DeadLetterRow[]
  #job: Job
  /** A job, with a plan in its place, for one life. */
  readonly #bound: (job: Job, plan: Plan, life: Life) => ExecutableJob
  readonly #script: InputScript
  readonly #world: SimWorld
  readonly #tables = new Map<string, MemoryTable<PlainRow>>()
  /** How many rows of each output were taken. */
  readonly #taken = new Map<string, number>()
  readonly #commits: "each-push" | "by-hand"
  #options: TestRunOptions
  #running: Running | undefined
  #computingThreads = 0
  #lastStatus: JobStatus | undefined
  /** The last call of the driver. */
  #last: Promise<unknown> = Promise.resolve()

  /** @internal */
  constructor(job: J, options: TestDriverOptions<J>) {
    const { params, startAt, commits, partitions, batchRows, compile, parallelism } = checkDriverOptions(job, options)
    this.#job = job
    this.#commits = commits
    this.#options = { batchRows, compile, parallelism }
    this.#script = new InputScript(partitions)
    this.#world = new SimWorld({ seed: 1, calmFromMicros: startAt, scopes: nodeEnv().scopes!, threadProgram })
    this.#world.image.installDirectory(BASE_DIRECTORY)
    const outputs = Object.keys(job.outputs).map((name) => [name, new MemoryTable<PlainRow>([])] as const)
    for (const [name, table] of outputs) this.#tables.set(name, table)
    const deadLetters = new MemoryTable<PlainRow>([])
    this.#bound = (bound, plan, life) => {
      // Where the environment gives a running job its secrets, a test does.
      completeParams(`The job ${bound.name}`, bound.paramsSchema, params)
      const source = scriptSource(this.#script, life)
      const inputs = Object.fromEntries(Object.keys(bound.inputSchemas).map((name) => [name, source]))
      // What a process that has died had open is open no more.
      for (const table of [...this.#tables.values(), deadLetters]) table.writer = undefined
      const targets = { inputs, outputs: Object.fromEntries(outputs), deadLetter: deadLetters, params }
      return { ...bound.with(targets as never), plan, epoch: EPOCHS[commits] }
    }
    // Sinks write rows of the types that the builder has recorded.
    this.outputs = Object.freeze(
      Object.fromEntries(outputs.map(([name, { rows }]) => [name, rows])),
    ) as unknown as OutputRows<J>
    this.deadLetters = deadLetters.rows as readonly unknown[] as readonly DeadLetterRow[]
  }

  /** What the virtual clock says. */
  get now(): Timestamp {
    return this.#world.wallMicros() as Timestamp
  }

  /** Whether the job runs: it does until it crashes, fails, is stopped, or has come to the end of all its inputs. */
  get isRunning(): boolean {
    return this.#running !== undefined
  }

  /**
   * On how many threads the job computes at this moment, beside its own: 0 where it does so by itself, as its plan does not allow
   * it, several partitions are open, or threads could not go on.
   */
  get computingThreads(): number {
    return this.#computingThreads
  }

  /** The job at this moment, or as it was last where it does not run. */
  status(): JobStatus {
    const status = this.#running?.handle.status() ?? this.#lastStatus
    assert(status !== undefined, "a driver is given to nobody before the job has run")
    return status
  }

  /**
   * What a `process` keeps of each key: state and timers.
   *
   * @param operator its id, as it was given: `.process(..., { id: "unpaid" })`.
   */
  state(operator: string): readonly KeptKey[] {
    const contents = this.#inspect("state(...)", operator)
    if (contents?.kind === "keys") return contents.keys
    throw this.#noSuch("state(...)", operator, "process", ({ kind }) => kind === "process")
  }

  /** The results that the open windows of an operator would give if they fired now. */
  openWindows(operator: string): readonly PlainRow[] {
    const contents = this.#inspect("openWindows(...)", operator)
    if (contents?.kind === "windows") return contents.rows
    const isWindow = (node: PlanNode) => node.kind === "windowAggregate" && node.window.kind !== "count"
    throw this.#noSuch("openWindows(...)", operator, "window in event time", isWindow)
  }

  /** The rows of an `asyncMap` whose calls are not answered. */
  rowsInFlight(operator: string): readonly PlainRow[] {
    const contents = this.#inspect("rowsInFlight(...)", operator)
    if (contents?.kind === "calls") return contents.rows
    throw this.#noSuch("rowsInFlight(...)", operator, "asyncMap", ({ kind }) => kind === "asyncMap")
  }

  /** The rows of an output that were committed since the last call for it. */
  take<N extends OutputName<J>>(output: N): OutputRows<J>[N] {
    const { rows } = this.#table(output)
    const from = this.#taken.get(output) ?? 0
    this.#taken.set(output, rows.length)
    return rows.slice(from) as readonly unknown[] as OutputRows<J>[N]
  }

  /**
   * Compares the rows of an output that were committed since the last call for it (or of `take`) with those that a test expects, in
   * their order. What it throws shows them as lines, with moments as ISO text and the columns that differ; where rows are missing it
   * says what may hold them back.
   *
   * @throws Error with `actual` and `expected`, for test runners; TidemarkError `invalid-options` where an expected row could not be.
   */
  expect<N extends OutputName<J>>(output: N, rows: OutputRows<J>[N]): void {
    const actual = this.take(output)
    const { node, port } = this.#job.plan.outputs.find(({ name }) => name === output)!
    const schema = portSchema(this.#job.plan, node, port)
    checkExpected(output, schema, rows as readonly PlainRow[])
    const lines = rowsDiff(schema, actual as readonly PlainRow[], rows as readonly PlainRow[])
    if (lines.length === 0) return
    const head = `The rows of ${output} are not those expected (- is missing, + has come).`
    const reasons = actual.length < rows.length ? whatHoldsBack(this.status(), this.#commits) : []
    const message = [head, ...lines, ...reasons].join("\n")
    throw new UnexpectedRows(message, schema, actual as readonly PlainRow[], rows as readonly PlainRow[])
  }

  /**
   * Pushes rows to an input, behind all that was pushed before, to any input: the job reads them in this order. Where it does
   * not run, it reads them when it does.
   *
   * @throws TidemarkError `invalid-options` where a row does not fit, and what the job fails of.
   */
  push<N extends InputName<J>>(
    input: N,
    rows: InputRows<J>[N],
    options: { readonly partition?: number } = {},
  ): Promise<void> {
    return this.#inTurn(async () => {
      const partition = this.#openPartition("push(...)", input, options)
      const { [input as string]: schema } = this.#job.inputSchemas
      for (const row of checkedRows(input, schema!, rows)) this.#script.add(input, partition, { kind: "row", row })
      await this.#goOn()
    })
  }

  /**
   * Pushes a record that cannot be read, as a decoder tells of one.
   *
   * @param record `reason` says why, `raw` is the record as it was read.
   */
  pushBad(
    input: InputName<J>,
    record: { readonly reason: string; readonly raw?: string; readonly field?: string },
    options: { readonly partition?: number } = {},
  ): Promise<void> {
    const { reason, raw = "", field } = record
    return this.#pushOne("pushBad(...)", input, options, { kind: "bad", bad: { reason, raw, field } })
  }

  /**
   * Says that no row of an input, or of one partition of it, comes any more whose event time is at or before `time`: windows
   * that end by then fire, unless the watermark waits for another partition or input. Rows that come all the same are late.
   * Without it the watermark follows the rows.
   *
   * @throws TidemarkError `invalid-options` where `time` is no timestamp, such as NaN.
   */
  advanceWatermark(input: InputName<J>, time: Timestamp, options: { readonly partition?: number } = {}): Promise<void> {
    return this.#inTurn(async () => {
      if (!isTimestamp(time)) {
        const hint = 'Give a timestamp: fromIso("2024-05-01T12:00:00Z").'
        throw misuse(`advanceWatermark(...): the time is ${shownValue(time)}`, hint)
      }
      for (const partition of this.#openPartitions("advanceWatermark(...)", input, options))
        this.#script.add(input, partition, { kind: "watermark", micros: time })
      await this.#goOn()
    })
  }

  /**
   * Ends an input, or one partition of it. When all inputs have ended all open windows fire, and the job ends.
   */
  endInput(input: InputName<J>, options: { readonly partition?: number } = {}): Promise<void> {
    return this.#inTurn(async () => {
      for (const partition of this.#openPartitions("endInput(...)", input, options))
        this.#script.add(input, partition, { kind: "end" })
      await this.#goOn()
    })
  }

  /**
   * Lets time pass on the virtual clock: timers by it fire, calls of `asyncMap` time out or are tried again, each at its time.
   * It passes also where the job does not run.
   */
  advanceTime(duration: Duration): Promise<void> {
    return this.#inTurn(() => this.#goOn(checkDuration("advanceTime(...)", duration)))
  }

  /** Waits, in real time, until all calls of `asyncMap` that are under way are answered, and what follows from them is done. */
  answered(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#goOn()
      while (this.#running !== undefined && this.#running.calls.areUnderWay) {
        await this.#running.calls.nextAnswer()
        await this.#goOn()
      }
    })
  }

  /** Commits what was read so far. Of use with `commits: "by-hand"`. */
  commit(): Promise<void> {
    return this.#inTurn(async () => {
      const committed = this.#mustRun("commit()").handle.commit()
      committed.catch(() => undefined)
      await this.#goOn()
    })
  }

  /**
   * The job's machine loses power: what was not committed never happened, and calls under way are heard of no more. The job
   * is down until `restore`.
   */
  crash(): Promise<void> {
    return this.#inTurn(() => {
      const running = this.#mustRun("crash()")
      this.#lastStatus = running.handle.status()
      this.#world.crash()
      this.#end(running)
      return Promise.resolve()
    })
  }

  /**
   * Starts the job again where its last commit left it: it reads again what was not committed.
   *
   * @param options how it runs from now on, of which results do not depend; or another program that goes on with its state.
   * @throws TidemarkError what the job fails of.
   */
  restore(options: TestRestartOptions<J> = {}): Promise<void> {
    return this.#inTurn(() => {
      const checked = checkTestRestart("restore(...)", options, this.#job)
      if (this.#running !== undefined) throw misuse("restore(...) is called while the job runs", "Use restart(...).")
      return this.#start(checked)
    })
  }

  /** Commits what was read so far and stops the job, as SIGTERM does; open windows stay open. */
  stop(): Promise<void> {
    return this.#inTurn(() => this.#stop("stop()", false))
  }

  /** Commits what was read so far and stops the job, having fired all open windows. */
  drain(): Promise<void> {
    return this.#inTurn(() => this.#stop("drain()", true))
  }

  /** Stops the job in good order and starts it again, as a deployment does. See `restore`. */
  restart(options: TestRestartOptions<J> = {}): Promise<void> {
    return this.#inTurn(async () => {
      const checked = checkTestRestart("restart(...)", options, this.#job)
      await this.#stop("restart(...)", false)
      await this.#start(checked)
    })
  }

  /**
   * Stops the job in good order and goes on with another number of threads, as a deployment to a machine with more or fewer
   * processors does. Results are the same. From the next commit on that many threads compute, where they can: see `computingThreads`.
   *
   * @throws TidemarkError `invalid-options` where it is no whole number from 1 to 64.
   */
  rescale(parallelism: number): Promise<void> {
    return this.#inTurn(async () => {
      const checked = checkTestRestart("rescale(...)", { parallelism }, this.#job)
      await this.#stop("rescale(...)", false)
      await this.#start(checked)
    })
  }

  async #start(options: TestRunOptions & { readonly job: Job }): Promise<void> {
    const before = this.#job
    this.#job = options.job
    const { batchRows = this.#options.batchRows, compile = this.#options.compile } = options
    const { parallelism = this.#options.parallelism } = options
    this.#options = { batchRows, compile, parallelism }
    const life = { isOver: false }
    const calls = new HeardCalls(life)
    const opening = runJob(this.#bound(this.#job, calls.heard(this.#job.plan), life), {
      env: this.#world.boot(),
      directory: STATE_DIRECTORY,
      baseDirectory: BASE_DIRECTORY,
      arenaBytes: ARENA_BYTES,
      choosePartition: (open) => this.#script.next(open),
      ...(batchRows === undefined ? {} : { batchRows }),
      ...(compile === undefined ? {} : { compile }),
      ...(parallelism === undefined ? {} : { parallelism, partRows: PART_ROWS, computesLive: true }),
      onEvent: (event) => {
        if (event.kind === "threads-compute") this.#computingThreads = event.threads
        else if (event.kind === "threads-lost") this.#computingThreads = 0
      },
    })
    let hasOpened = false
    opening.then(
      () => (hasOpened = true),
      () => {
        life.isOver = true
        this.#job = before
        this.#world.kill()
      },
    )
    await this.#world.scheduler.runFor(0)
    assert(hasOpened || life.isOver, "a job starts without waiting for time")
    const running: Running = Object.assign(life, { handle: await opening, calls, outcome: undefined })
    this.#running = running
    running.handle.finished.then(
      () => (running.outcome = "ended"),
      (error: unknown) => (running.outcome = { error }),
    )
    await this.#goOn()
  }

  async #stop(what: string, drain: boolean): Promise<void> {
    const running = this.#mustRun(what)
    void running.handle.stop({ drain })
    await this.#goOn()
    if (this.#running === undefined) return
    throw misuse(
      `${what} waits for calls that are not answered`,
      "Let them be answered first: await driver.answered().",
    )
  }

  /** Lets the job do what it can, and as much time pass; looks whether it has ended. */
  async #goOn(micros = 0): Promise<void> {
    this.#script.tell()
    await this.#world.scheduler.runFor(micros)
    const running = this.#running
    if (running?.outcome === undefined) return
    this.#lastStatus = running.handle.status()
    this.#world.kill()
    this.#end(running)
    if (running.outcome !== "ended") throw running.outcome.error
  }

  #end(running: Running): void {
    running.isOver = true
    this.#running = undefined
    this.#computingThreads = 0
  }

  #mustRun(what: string): Running {
    if (this.#running !== undefined) return this.#running
    throw misuse(`${what} is called while the job does not run`, "Start it with restore().")
  }

  #inspect(what: string, operator: string): OperatorContents | undefined {
    return this.#mustRun(what).handle.inspect(operator)
  }

  #noSuch(what: string, operator: string, wanted: string, isSuch: (node: PlanNode) => boolean): TidemarkError {
    const ids = this.#job.plan.nodes.filter(isSuch).map(({ id }) => id)
    const hint = ids.length === 0 ? `The job has no ${wanted}.` : `There are ${ids.join(", ")}.`
    return misuse(`${what}: ${JSON.stringify(operator)} is not the id of a ${wanted} of ${this.#job.name}`, hint)
  }

  #table(output: string): MemoryTable<PlainRow> {
    const table = this.#tables.get(output)
    if (table !== undefined) return table
    throw new TidemarkError("unbound-output", `The job ${this.#job.name} has no output ${JSON.stringify(output)}.`, {
      hint: `Its outputs are ${[...this.#tables.keys()].join(", ")}.`,
    })
  }

  #pushOne(what: string, input: string, options: object, pushed: Pushed): Promise<void> {
    return this.#inTurn(async () => {
      this.#script.add(input, this.#openPartition(what, input, options), pushed)
      await this.#goOn()
    })
  }

  /** The partition that a call names, or the first one. */
  #openPartition(what: string, input: string, options: object): number {
    const { partition = 0 } = checkOptions(what, options, ["partition"])
    const [open] = this.#openPartitions(what, input, { partition })
    return open!
  }

  /** The partitions that a call is about: the one that it names, or all that have not ended. */
  #openPartitions(what: string, input: string, options: object): number[] {
    checkInputName(this.#job, input)
    const all = this.#script.partitions.get(input)!
    const { partition } = checkOptions(what, options, ["partition"])
    if (partition === undefined) return all.flatMap(({ hasEnded }, number) => (hasEnded ? [] : [number]))
    const named = all[partition as number]
    if (named === undefined) {
      throw misuse(
        `${what}: the input ${input} has no partition ${JSON.stringify(partition)}, but ${all.length}, from 0 on`,
        `Say how many it has: testDriver(job, { partitions: { ${input}: 2 } }).`,
      )
    }
    if (named.hasEnded)
      throw misuse(`${what}: partition ${partition as number} of ${input} has ended`, "Push before endInput(...).")
    return [partition as number]
  }

  /** TD4. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work)
    this.#last = done.catch(() => undefined)
    return done
  }
}

function misuse(message: string, hint: string): TidemarkError {
  return new TidemarkError("invalid-options", `${message}.`, { hint })
}
