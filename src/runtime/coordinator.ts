/**
 * The coordinator: reads, lets the dataflow compute, and cuts the stream into epochs that commit one after the other.
 *
 * The way of an epoch: records are read and pushed through the dataflow, whose outputs the sinks gather; at the cut the
 * sinks stage, the commit record (positions, state changes, what was staged, counters) is made durable, the sinks
 * apply. A failure anywhere ends the run without a commit: the next run recovers the last epoch. Answers to calls are given
 * to the dataflow between batches; rows that wait for them are part of its state.
 *
 * Invariants (`docs/spec/epochs.md`):
 * - E1 One commit record per epoch, durable before anything of the epoch is visible; it alone decides.
 * - E2 What sinks stage is durable before the commit record, and applied after it.
 * - E3 Recovery restores the last commit record, applies it again, drops later staging and reads on from its positions.
 * - E7 The cut may lie between any two records: nothing computed depends on where it lies.
 * - E10 Stopping commits and leaves the watermark where it is, unless draining was asked for.
 */
import { Arena } from "../batch/arena.ts"
import { MAX_BATCH_ROWS, type Batch } from "../batch/batch.ts"
import type { SourceNotice } from "../connect/source.ts"
import type { Clock, Turn } from "../env/env.ts"
import { Dataflow } from "../flow/dataflow.ts"
import type { OperatorState } from "../flow/operator.ts"
import type { OperatorContents } from "../flow/operator-contents.ts"
import { DEAD_LETTER_OUTPUT, type EpochRecord, type RunRecord } from "../state/commit-record.ts"
import type { EpochStore } from "../state/epoch-store.ts"
import type { RecoveredState } from "../state/recovery-fold.ts"
import type { JobEvent } from "../trace/events.ts"
import { aborted } from "./aborted.ts"
import { anyReadable } from "./any-readable.ts"
import { AsyncCalls } from "./async-calls.ts"
import { publishBegun } from "./begun-parts.ts"
import { CallPace } from "./call-pace.ts"
import { closeAll } from "./close-all.ts"
import { changedShapes, checkChanges, type ChangedShape } from "./compatibility.ts"
import { DeadLetters } from "./dead-letters.ts"
import { DecodePool } from "./decode-pool.ts"
import { allOf, captured, EpochChanges } from "./epoch-changes.ts"
import { EpochLength } from "./epoch-length.ts"
import type { ExecutableJob } from "./executable-job.ts"
import { Inputs } from "./inputs.ts"
import { inspectOperator } from "./inspection.ts"
import { outputSpecs } from "./output-specs.ts"
import { Outputs } from "./outputs.ts"
import { openStore } from "./open-store.ts"
import { describeRun, shapedAsBefore } from "./run-description.ts"
import type { RunJobOptions } from "./run-options.ts"
import { PartsLost } from "./parted-flow.ts"
import { PieceSize } from "./piece-size.ts"
import { MORSEL_BYTES } from "./scheduler.ts"
import { JobCounters } from "./job-counters.ts"
import { Snapshots } from "./snapshots.ts"
import { Spill } from "./spill.ts"
import { SourcePrefixes } from "./source-prefixes.ts"
import { startingPoint, type StartingPoint } from "./starting-point.ts"
import { jobStatus } from "./job-status.ts"
import type { JobResult, JobStatus } from "./status.ts"
import { Targets } from "./targets.ts"
import { lostBeside, windowThreadsOf, type WindowThreads } from "./window-threads.ts"
import { takeOverState } from "./take-over-state.ts"
import { TimeUse } from "./time-use.ts"
import { warnOfUnknownNames } from "./warn-of-unknown-names.ts"

/** Less than 2 GiB, so that all addresses are positive int32. It is reserved, not taken: pages count from when they are first written. */
const DEFAULT_ARENA_BYTES = 2 ** 31 - 2 ** 16

/** Runs one job once. */
export class Coordinator {
  readonly #job: ExecutableJob
  readonly #options: RunJobOptions
  readonly #clock: Clock
  readonly #arena: Arena
  readonly #dataflow: Dataflow
  readonly #store: EpochStore
  readonly #runRecord: RunRecord
  readonly #snapshots: Snapshots
  readonly #decoders: DecodePool | undefined
  readonly #windowThreads: WindowThreads | undefined
  readonly #time: TimeUse
  readonly #prefixes: SourcePrefixes
  /** Threads that have died, and of which nobody was told yet. */
  readonly #deaths: Extract<JobEvent, { kind: "thread-died" }>[] = []
  #inputs!: Inputs
  #outputs!: Outputs
  readonly #deadLetters: DeadLetters
  #state: JobStatus["state"] = "running"
  #stop: { readonly drain: boolean } | undefined
  /** For outputs that wait for their target. */
  readonly #stopping = new AbortController()
  /** Ends a wait for records or answers. */
  #wait: AbortController | undefined
  /** Who has asked for the open epoch to end, and waits for its commit. */
  readonly #cutsAsked: (() => void)[] = []
  readonly #counters: JobCounters
  readonly #calls: AsyncCalls
  readonly #pace: CallPace
  #rowsSinceCut = 0
  /** Whether something has happened since the last commit: records were read, calls answered, or timers have fired. */
  #hasNews = false
  /** Whether the inputs had ended and everything had fired at the last commit. */
  #wasFinished = false
  readonly #epochLength: EpochLength
  readonly #turn: Turn
  readonly #pieces = new PieceSize()
  #lastCommitMicros = 0
  readonly #changes: EpochChanges
  readonly #spill: Spill

  private constructor(job: ExecutableJob, options: RunJobOptions, store: EpochStore, start: StartingPoint) {
    this.#job = job
    this.#options = options
    this.#clock = options.env.clock
    this.#store = store
    this.#arena = new Arena({ maxBytes: options.arenaBytes ?? DEFAULT_ARENA_BYTES })
    this.#decoders = DecodePool.of(options, this.#arena, (reason, isReplaced) => {
      this.#deaths.push({ kind: "thread-died", reason, isReplaced })
    })
    this.#deadLetters = new DeadLetters(job, {
      arena: this.#arena,
      placeOf: (partition, position) => this.#inputs.placeOf(partition, position),
      countBad: () => ++this.#counters.badRecords,
      write: (batch) => this.#outputs.write(DEAD_LETTER_OUTPUT, batch),
      onEvent: options.onEvent,
    })
    this.#runRecord = describeRun(job, start.begunFrom)
    this.#counters = new JobCounters(Object.keys(job.inputs))
    this.#snapshots = this.#makeSnapshots()
    this.#prefixes = new SourcePrefixes(job, options, this.#arena)
    const { plan, operators } = this.#prefixes
    this.#calls = new AsyncCalls({ plan, params: job.params, env: options.env, onAnswer: () => this.#wait?.abort() })
    this.#pace = new CallPace(plan)
    this.#spill = new Spill(plan, options)
    const emit = (output: string, batch: Batch) => this.#outputs.write(output, batch)
    this.#dataflow = new Dataflow(plan, {
      ...operators,
      arena: this.#arena,
      calls: this.#calls,
      spilling: this.#spill.spilling,
      onFailedRow: (failed) => this.#deadLetters.addRow(failed),
      emit,
    })
    this.#windowThreads = windowThreadsOf(job, options, { plan, operators, arena: this.#arena, emit })
    this.#epochLength = new EpochLength(job.epoch, this.#clock.monotonicMicros())
    this.#changes = new EpochChanges(this.#clock, options.earlyKeys)
    this.#time = new TimeUse(this.#clock)
    this.#turn = options.env.turns.enter(options.priority ?? "batch")
  }

  /** Recovers the job's state and opens its sinks and sources. */
  static async open(job: ExecutableJob, options: RunJobOptions): Promise<Coordinator> {
    const store = await openStore(job.plan, options)
    let coordinator: Coordinator
    let start: StartingPoint
    try {
      start = await startingPoint(store.recovered, options)
      coordinator = new Coordinator(job, options, store, start)
    } catch (error) {
      await store.close()
      throw error
    }
    try {
      await coordinator.#recover(store.recovered, start)
    } catch (error) {
      await coordinator.#closeAfterFailure()
      throw error
    }
    store.forgetRecovered()
    return coordinator
  }

  /** Reads and commits until the inputs end or somebody asks it to stop. */
  async run(): Promise<JobResult> {
    let result: JobResult
    try {
      const isNothingNew = this.#wasFinished && this.#inputs.hasEnded
      if (!isNothingNew) await this.#readToEnd()
      const outcome = this.#hasEnded && this.#outputs.waiting().length === 0 ? "finished" : "stopped"
      this.#state = outcome
      result = { outcome, isNothingNew, status: this.status() }
    } catch (error) {
      this.#state = "failed"
      const isComputing = this.#windowThreads?.areComputing === true
      await this.#closeAfterFailure()
      throw isComputing ? lostBeside(error) : error
    }
    await this.#close()
    return result
  }

  /** Whether nothing is left to be read, and no call under way. */
  get #hasEnded(): boolean {
    return this.#inputs.hasEnded && this.#dataflow.heldRows === 0
  }

  /** Makes the job commit and stop at the next batch, or at once where it waits for one. */
  requestStop(drain: boolean): void {
    this.#stop ??= { drain }
    this.#wait?.abort()
    this.#stopping.abort()
  }

  /** Ends the open epoch where it has news; resolves when all that was read before is committed. */
  requestCommit(): Promise<void> {
    if (!this.#hasNews) return Promise.resolve()
    return new Promise((resolve) => {
      this.#cutsAsked.push(resolve)
      this.#wait?.abort()
    })
  }

  inspect(id: string): OperatorContents | undefined {
    const { plan, params, paramsSchema } = this.#job
    return inspectOperator(id, this.#dataflow, { plan, params, paramsSchema, arena: this.#arena })
  }

  status(): JobStatus {
    return jobStatus({
      job: this.#job.name,
      state: this.#state,
      epoch: this.#store.epoch,
      inputs: this.#inputs,
      outputs: this.#outputs,
      counters: this.#counters,
      flow: this.#dataflow.status(),
      rowsInFlight: this.#dataflow.heldRows,
      timeShares: this.#time.shares(),
      lastCommitMicros: this.#lastCommitMicros,
      arena: this.#arena,
    })
  }

  /** Goes on from where the run starts; outputs from what the directory says. */
  async #recover(recovered: RecoveredState, { state, isSavepoint }: StartingPoint): Promise<void> {
    const { env, baseDirectory, directory, reset = false, onEvent } = this.#options
    warnOfUnknownNames(this.#job, onEvent)
    const { run, epoch } = state
    const earlier = { run, epoch, isSavepoint, directory }
    const migrations = checkChanges(earlier, this.#runRecord, this.#dataflow.states, onEvent)
    // First what may be refused: a pattern that matches nothing must not cost the state that a reset makes void.
    this.#inputs = await this.#openInputs(state)
    for (const warning of this.#inputs.warnings) onEvent?.({ kind: "warning", ...warning })
    await takeOverState(this.#states, state.operators, migrations, this.#store.seenRecords(), this.#spill)
    const isReset = reset || recovered.resetPending
    const places = { baseDirectory, stateDirectory: directory }
    const { signal: stopping } = this.#stopping
    const outputs = { env, arena: this.#arena, job: this.#job.name, ...places, stopping, onEvent }
    const specs = outputSpecs(this.#job)
    const changes = isReset || recovered.run === undefined ? [] : changedShapes(recovered.run, this.#runRecord)
    await Outputs.check(specs, outputs, { recovered, reset: isReset, changes })
    if (isSavepoint) await this.#inputs.openBegun()
    const record = shapedAsBefore(this.#runRecord, changes)
    // State that is to be migrated stays what it is, to whoever starts next, until it is written as what it has become.
    const kept = migrations.size > 0 && !isSavepoint ? { operators: run!.operators } : {}
    await this.#store.begin({ ...record, ...kept }, reset)
    this.#outputs = await Outputs.open(specs, { ...outputs, time: this.#time }, recovered, isReset)
    this.#counters.restore(state.counters)
    this.#wasFinished = state.finished
    // Before anything is written: what knows of partitions has them open.
    for (const { input, index } of this.#inputs.appeared) this.#dataflow.openPartition(input, index)
    if (isSavepoint || migrations.size > 0) await this.#beginFrom(record, epoch)
    for (const [operator, { changes }] of migrations) onEvent?.({ kind: "state-migrated", operator, changes })
    onEvent?.({ kind: "recovered", epoch: this.#store.epoch, isReset, isSavepoint })
    if (changes.length > 0) await this.#publishBegun(changes)
  }

  /** Makes what was taken over the job's own, at once and for good: state of a savepoint (E21), or that has been migrated. */
  async #beginFrom(run: RunRecord, epoch: number): Promise<void> {
    const outputs = await this.#outputs.checkpoint()
    await this.#store.restart(run, { ...this.#everything(), epoch, outputs })
  }

  /** BP1: see `begun-parts.ts`. */
  async #publishBegun(changes: readonly ChangedShape[]): Promise<void> {
    await publishBegun(changes, {
      outputs: this.#outputs,
      clock: this.#clock,
      commit: async (parts) => {
        const record = this.#epochRecord(this.#store.epoch + 1, this.#wasFinished, parts)
        await this.#store.commit(record)
        return record
      },
      onEvent: this.#options.onEvent,
    })
    await this.#store.begin(this.#runRecord, false)
  }

  async #openInputs({ partitions, active }: RecoveredState): Promise<Inputs> {
    const { env, baseDirectory, directory, morselBytes = MORSEL_BYTES, choosePartition } = this.#options
    const targets = new Targets(this.#job, baseDirectory, directory)
    const flow = this.#dataflow
    const standings = {
      standingOf: (input: string, index: number) => flow.standing(input, index),
      onReadable: (input: string, index: number) => flow.wakePartition(input, index),
      listens: () => flow.hasIdleness,
    }
    const parts = { env, targets, arena: this.#arena, decoders: this.#decoders, stateDirectory: directory }
    const context = { ...parts, prefixes: this.#prefixes, baseDirectory, morselBytes, choosePartition, ...standings }
    return await Inputs.open(this.#job, context, partitions, active)
  }

  async #readToEnd(): Promise<void> {
    const { drain = "at-end" } = this.#options
    this.#dataflow.startCalls()
    await this.#work(true, () => this.#stop !== undefined)
    const hasEnded = this.#hasEnded
    const shouldDrain = hasEnded
      ? drain !== "never" || this.#stop?.drain === true
      : drain === "always" || this.#stop?.drain
    const isDrained = shouldDrain === true && (await this.#drain())
    await this.#commit(hasEnded && isDrained, true)
  }

  /**
   * Fires all windows, also those behind calls, for whose answers it waits. It gives false where somebody asks the job to
   * stop meanwhile: a later run goes on from there.
   */
  async #drain(): Promise<boolean> {
    await this.#computeHere()
    const isStopping = this.#stop !== undefined
    const isEnough = () => !isStopping && this.#stop?.drain === false && this.#options.drain !== "always"
    do {
      await this.#work(false, isEnough)
      if (this.#dataflow.heldRows > 0) return false
    } while (!this.#dataflow.drain())
    return true
  }

  /**
   * Reads, where it may, and takes answers to calls, and commits epoch after epoch, until there is nothing left to do, but
   * for the last commit, or it is enough.
   */
  async #work(mayRead: boolean, isEnough: () => boolean): Promise<void> {
    const { batchRows = MAX_BATCH_ROWS, epochRows = Infinity, sinkBufferBytes } = this.#options
    while (!isEnough()) {
      const next = await this.#nextWork(mayRead, isEnough)
      if (next === "nothing") return
      if (next === "cut") await this.#commit(false, false)
      if (next === "cut" || next === "look again") continue
      const turn = this.#turn.next()
      if (turn !== undefined) await turn
      if (next === "answers") this.#takeAnswers()
      else if (next === "timers") this.#fireTimers()
      else if (next === "silence") this.#takeSilence()
      else await this.#readPiece(Math.min(batchRows, epochRows - this.#rowsSinceCut))
      await this.#outputs.flushLarge(sinkBufferBytes)
      await this.#spill.flush()
      if (this.#snapshots.areUnderWay) this.#time.turnTo("log")
      await this.#snapshots.writeSlices()
      const rest = this.#epochLength.restToCut(epochRows, this.#rowsSinceCut, this.#clock.monotonicMicros())
      this.#changes.writeEarly(this.#dataflow.states, rest)
      if (rest <= 0 && !this.#hasEnded) await this.#commit(false, false)
    }
  }

  /**
   * Waits until there is something to do. It is to cut where the open epoch ends before that, as it has news and is as long as
   * it must be, and to look again where somebody asks the job to stop. Nothing is read while an operator has as many calls under
   * way as it may. Timers by the clock keep no job running.
   */
  async #nextWork(
    mayRead: boolean,
    isEnough: () => boolean,
  ): Promise<"records" | "answers" | "timers" | "silence" | "cut" | "look again" | "nothing"> {
    if (this.#cutsAsked.length > 0) return "cut"
    if (this.#calls.hasAnswers) return "answers"
    const { fullOperator } = this.#dataflow
    const isReading = mayRead && !this.#inputs.hasEnded && fullOperator === undefined
    const caller = fullOperator ?? this.#dataflow.callingOperator
    if (!isReading && caller === undefined) return "nothing"
    if (isReading) this.#time.turnTo("input")
    else this.#time.turnTo("calls", caller)
    const awaited = isReading ? await this.#inputs.nextTurn() : undefined
    if (isReading && this.#inputs.dueIdle().length > 0) return "silence"
    if (isEnough()) return "look again"
    if (this.#calls.hasAnswers) return "answers"
    if (awaited?.length === 0) return "records"
    const wait = new AbortController()
    const arrival = awaited === undefined ? aborted(wait.signal) : anyReadable(awaited, wait)
    this.#wait = wait
    const isIdle = isReading && awaited?.some(({ isBusy }) => isBusy === true) !== true
    const rest = this.#epochLength[isIdle ? "restWhileIdle" : "restWhileReading"](this.#clock.monotonicMicros())
    // What comes first ends the others, so that nothing is left behind that waits.
    let first: "cut" | "timers" | "look again" | undefined
    const end = (by: "cut" | "timers" | "look again") => (): void => {
      if (!wait.signal.aborted) first = by
      wait.abort()
    }
    const { timers } = this.#options.env
    const untilEnd = this.#hasNews ? rest : this.#outputs.untilDue(this.#clock.wallMicros())
    const epochEnd = untilEnd === Infinity ? undefined : timers.sleep(untilEnd, wait.signal).then(end("cut"))
    const untilTimer = Math.max(0, this.#dataflow.nextProcessingTime - this.#clock.wallMicros())
    const timersDue = untilTimer === Infinity ? undefined : timers.sleep(untilTimer, wait.signal).then(end("timers"))
    const untilIdle = isReading ? this.#inputs.untilIdle() : Infinity
    const idleDue =
      untilIdle === Infinity ? undefined : timers.sleep(Math.ceil(untilIdle), wait.signal).then(end("look again"))
    try {
      await arrival
      if (this.#calls.hasAnswers) return "answers"
      return first ?? "look again"
    } finally {
      wait.abort()
      await epochEnd
      await timersDue
      await idleDue
      this.#wait = undefined
    }
  }

  async #readPiece(rowsMax: number): Promise<void> {
    const micros = this.#changes.pieceMicros(this.#dataflow.states, this.#turn.pieceMicros())
    await this.#readBatch(Math.min(rowsMax, this.#pieces.rowsFor(micros), this.#pace.rows))
  }

  #takeAnswers(): void {
    this.#time.turnTo("compute")
    this.#hasNews = true
    this.#dataflow.complete(this.#calls.take())
    this.#dataflow.advance()
    this.#deadLetters.write()
  }

  #fireTimers(): void {
    this.#time.turnTo("compute")
    this.#hasNews = true
    this.#dataflow.onProcessingTime(this.#clock.wallMicros())
    this.#dataflow.advance()
    this.#deadLetters.write()
  }

  /** Takes note of partitions that are idle now: the watermark does not wait for them any more. */
  #takeSilence(): void {
    this.#time.turnTo("compute")
    this.#hasNews = true
    const nowMicros = this.#clock.wallMicros()
    for (const { input, index, silentMicros } of this.#inputs.dueIdle()) {
      this.#dataflow.idlePartition(input, index, silentMicros, nowMicros - silentMicros)
    }
    this.#deadLetters.write()
  }

  async #readBatch(rows: number): Promise<void> {
    const startMicros = this.#clock.monotonicMicros()
    this.#time.turnTo("input")
    const { input, index, taken, isForward } = await this.#inputs.read(rows)
    this.#time.turnTo("compute")
    try {
      this.#tellDeaths()
      for (const bad of taken.bad) this.#deadLetters.addRecord(bad, index)
      for (const notice of taken.notices ?? []) this.#takeNotice(input, notice)
      // A batch may have rows that its selection leaves out, as they are bad records.
      const records = (taken.batch?.count ?? 0) + taken.bad.length + (taken.dropped ?? 0)
      this.#counters.read(input, index, records, this.#clock.wallMicros())
      this.#rowsSinceCut += records
      this.#hasNews ||= isForward || taken.notices !== undefined
      if (this.#dataflow.usesProcessingTime) this.#dataflow.onProcessingTime(this.#clock.wallMicros())
      if (taken.batch !== undefined) await this.#compute(input, taken.batch)
      this.#deadLetters.sort()
    } finally {
      taken.release()
    }
    if (taken.watermark !== undefined) {
      if (this.#windowThreads?.areComputing === true) throw new PartsLost("the source tells watermarks")
      this.#dataflow.raiseWatermark(input, index, taken.watermark)
    }
    if (taken.end) await this.#endPartition(input, index)
    this.#dataflow.advance()
    this.#deadLetters.write()
    this.#pace.read(taken.batch?.length ?? 0, this.#dataflow.fullOperator !== undefined)
    this.#pieces.took(taken.batch?.length ?? 0, this.#clock.monotonicMicros() - startMicros)
  }

  #takeNotice(input: string, { message, hint, isGap }: SourceNotice): void {
    if (isGap) this.#counters.inputGaps++
    this.#options.onEvent?.({ kind: isGap ? "input-gap" : "warning", about: input, message, hint })
  }

  /** On threads, where there are some, else here. */
  async #compute(input: string, batch: Batch): Promise<void> {
    if (this.#windowThreads?.areComputing === true) return await this.#windowThreads.take(batch)
    const startMicros = this.#clock.monotonicMicros()
    this.#dataflow.push(input, batch)
    this.#windowThreads?.computed(this.#clock.monotonicMicros() - startMicros)
  }

  /** Behind a commit: threads compute from here on, where that is worth it and one partition is read whose records are all there. */
  async #considerThreads(): Promise<void> {
    if (this.#windowThreads === undefined || this.#stop !== undefined || this.#inputs.openCount !== 1) return
    const reader = await this.#inputs.onlyReader()
    const isLive = reader.whenReadable !== undefined && this.#options.computesLive !== true
    if (isLive || this.#dataflow.hasIdleness) return
    const share = this.#time.shares().find(({ on }) => on === "compute")?.share ?? 0
    const threads = this.#windowThreads.consider(this.#dataflow, share)
    if (threads > 0) this.#options.onEvent?.({ kind: "threads-compute", threads })
  }

  async #endPartition(input: string, index: number): Promise<void> {
    if (this.#windowThreads?.areComputing !== true) return this.#dataflow.endPartition(input, index)
    this.#windowThreads.end(index)
    await this.#computeHere()
  }

  /** From here on all is computed on this thread: behind a commit, as what threads have computed is known then. */
  async #computeHere(): Promise<void> {
    if (this.#windowThreads?.areComputing !== true) return
    await this.#commit(false, false)
    await this.#windowThreads.close()
  }

  /** Tells of threads that have died: here and not when it happens, so that a listener that throws fails the job. */
  #tellDeaths(): void {
    for (const death of this.#deaths.splice(0)) this.#options.onEvent?.(death)
  }

  async #commit(finished: boolean, final: boolean): Promise<void> {
    this.#time.turnTo("compute")
    const ofThreads = await this.#windowThreads?.changes(this.#dataflow)
    const startMicros = this.#clock.monotonicMicros()
    this.#tellDeaths()
    this.#deadLetters.write()
    const rows = this.#rowsSinceCut
    const staged = await this.#outputs.stage(final, (name) => ({
      watermarkMicros: this.#dataflow.outputWatermark(name),
      isFinished: finished,
    }))
    this.#time.turnTo("compute")
    const operators = ofThreads ?? this.#changes.take(this.#states)
    const counters = this.#counters.all(this.#outputs.rows, this.#dataflow.status())
    const record = this.#epochRecord(this.#store.epoch + 1, finished, {
      counters: this.#counters.changed(counters),
      partitions: this.#inputs.takeChanges(),
      operators,
      outputs: staged,
    })
    this.#time.turnTo("log")
    await this.#snapshots.beforeCommit()
    await this.#store.commit(record)
    this.#counters.committed(counters)
    await this.#outputs.apply(staged)
    this.#inputs.committed()
    this.#wasFinished = finished
    this.#rowsSinceCut = 0
    this.#hasNews = false
    for (const resolve of this.#cutsAsked.splice(0)) resolve()
    this.#lastCommitMicros = this.#clock.monotonicMicros() - startMicros
    this.#options.onEvent?.({ kind: "committed", epoch: record.epoch, rows, commitMicros: this.#lastCommitMicros })
    this.#time.turnTo("log")
    if (final) await this.#snapshots.finish()
    else this.#snapshots.step()
    if (!final) await this.#considerThreads()
    this.#epochLength.committed(this.#clock.monotonicMicros(), this.#lastCommitMicros)
  }

  /** Snapshots of the last committed epoch, but for what the sinks have: they say that later. */
  #makeSnapshots(): Snapshots {
    const parts = { store: this.#store, run: this.#runRecord, clock: this.#clock, ...this.#options.snapshotSlices }
    return new Snapshots({
      ...parts,
      checkpoint: () => this.#outputs.checkpoint(),
      capture: () => captured(this.#states, (operators) => this.#everything(operators)),
      onDone: (epoch) => this.#options.onEvent?.({ kind: "snapshot", epoch }),
    })
  }

  /** All there is at the last committed epoch, but for what the sinks have. */
  #everything(operators = allOf(this.#states)): EpochRecord {
    const counters = this.#counters.all(this.#outputs.rows, this.#dataflow.status())
    const parts = { partitions: this.#inputs.all, operators, counters, outputs: new Map<string, Uint8Array>() }
    return this.#epochRecord(this.#store.epoch, this.#wasFinished, parts)
  }

  /** Of operators and sources. */
  get #states(): readonly OperatorState[] {
    return [...this.#dataflow.states, ...this.#inputs.states]
  }

  #epochRecord(
    epoch: number,
    finished: boolean,
    parts: Pick<EpochRecord, "partitions" | "operators" | "outputs" | "counters">,
  ): EpochRecord {
    return { epoch, finished, wallMicros: this.#clock.wallMicros(), active: this.#inputs.active, ...parts }
  }

  async #close(): Promise<void> {
    this.#turn.leave()
    this.#calls.close()
    await this.#snapshots.settle()
    // Each may be missing where opening broke off; `Inputs.open` and `Outputs.open` clean up after themselves.
    const parts: readonly ({ close(): Promise<void> } | undefined)[] = [this.#inputs, this.#outputs, this.#store]
    try {
      await closeAll([this.#windowThreads, ...parts, this.#decoders, this.#spill])
    } finally {
      this.#dataflow.release()
      this.#prefixes.release()
    }
  }

  /** What has failed is told, and not what closing has led to after it. */
  async #closeAfterFailure(): Promise<void> {
    await this.#close().catch(() => undefined)
  }
}
