/**
 * When a job computes on threads, and what passes between its coordinator and them: batches go there as copies, so that readers and threads
 * that decode have their memory back, and at each commit the coordinator's own dataflow takes over what has changed. So it
 * is always where the last commit is, and goes on from there when the threads have ended.
 *
 * A job computes on threads from a commit on at which computing is most of what it does, where its plan can (`flow/parts/part-plan.ts`)
 * and one partition is read whose records are all there. It ends with that partition, and when the job drains.
 *
 * Invariants:
 * - WT1 Behind `changes` and `takeOver`, the dataflow's states are those that it would have had by itself.
 * - WT2 Where threads cannot go on, `PartsLost` is thrown before anything behind the last commit counts.
 */
import { assert } from "../base/assert.ts"
import { TidemarkError } from "../base/errors.ts"
import { ByteReader, ByteWriter } from "../base/bytes.ts"
import type { Arena } from "../batch/arena.ts"
import { allocateColumns, Batch } from "../batch/batch.ts"
import type { Schema } from "../batch/schema.ts"
import type { ColumnType } from "../batch/type.ts"
import type { Threads } from "../env/env.ts"
import type { Dataflow } from "../flow/dataflow.ts"
import { ColumnCopier } from "../flow/parts/column-copier.ts"
import { partPlan, type PartPlan } from "../flow/parts/part-plan.ts"
import type { OperatorContext } from "../flow/operator.ts"
import type { Plan } from "../flow/plan.ts"
import type { ExecutableJob } from "./executable-job.ts"
import type { RunJobOptions } from "./run-options.ts"
import { PartedFlow, PartsLost, type CutChanges } from "./parted-flow.ts"

/** Computing must have taken so much of the last seconds, and so long in all. */
const [SHARE_MIN, COMPUTE_MICROS_MIN] = [0.4, 1_000_000]
/** The share of the memory in which batches may wait, or stay for what follows. */
const KEPT_SHARE = 1 / 8
const BYTES = { bit: 1, int32: 4, int64: 8, float64: 8, dictionary: 4, struct: 0 } as const

/** What it may use. */
export interface WindowThreadsOptions {
  readonly plan: Plan
  readonly operators: Pick<OperatorContext, "paramsSchema" | "params" | "compile">
  readonly arena: Arena
  readonly threads: Threads
  readonly count: number
  /** For tests: computing on threads from the first commit on, in parts of so many rows. */
  readonly partRows?: number | undefined
  /** Takes rows of an output; they are gone when it returns. */
  readonly emit: (output: string, batch: Batch) => void
}

/** What a failure means while threads compute: what does not fit beside them may fit without them. */
export function lostBeside(error: unknown): unknown {
  const isExhausted = error instanceof TidemarkError && error.code === "arena-exhausted"
  return isExhausted ? new PartsLost(error.message) : error
}

/** Those of a job, where its run may have them and its plan and sources allow it. */
export function windowThreadsOf(
  job: ExecutableJob,
  { env, parallelism = 1, computesInParts = true, partRows }: RunJobOptions,
  parts: Omit<WindowThreadsOptions, "threads" | "count" | "partRows">,
): WindowThreads | undefined {
  const { threads } = env
  // What is lost is read again, from the last commit on.
  const areReplayable = Object.values(job.inputs).every(({ source }) => source.readGuarantee !== "at-most-once")
  if (threads === undefined || parallelism < 2 || !computesInParts || !areReplayable) return undefined
  return new WindowThreads({ ...parts, threads, count: parallelism, partRows })
}

/** See the head of this file. */
export class WindowThreads {
  readonly #options: WindowThreadsOptions
  readonly #copier: ColumnCopier
  #parts: PartPlan | undefined
  #flow: PartedFlow | undefined
  #computedMicros = 0

  constructor(options: WindowThreadsOptions) {
    this.#options = options
    this.#copier = new ColumnCopier(options.arena.memory)
    const parts = partPlan(options.plan, options.operators)
    this.#parts = "reason" in parts ? undefined : parts
  }

  /** Whether batches go to threads. */
  get areComputing(): boolean {
    return this.#flow !== undefined
  }

  /** Takes note of how long the job's own thread has computed. */
  computed(micros: number): void {
    this.#computedMicros += micros
  }

  /**
   * At a commit: starts threads where they are worth it. `share` is what computing has taken of the time. Gives how many
   * threads have started.
   */
  consider(dataflow: Dataflow, share: number): number {
    const parts = this.#parts
    const { partRows, count } = this.#options
    const isWorthIt = share >= SHARE_MIN && this.#computedMicros >= COMPUTE_MICROS_MIN
    if (this.#flow !== undefined || parts === undefined || (partRows === undefined && !isWorthIt)) return 0
    const { plan, arena, threads, emit } = this.#options
    const source = plan.nodes[0]!.schema
    const keptRowsMax = Math.floor((arena.maxBytes * KEPT_SHARE) / rowBytes(source))
    const start = {
      states: new Map(dataflow.states.map((state) => [state.id, written(state)] as const)),
      lateRows: new Map(dataflow.counts().map(({ id, lateRows }) => [id, lateRows] as const)),
      latestEventTime: dataflow.latestEventTime,
    }
    this.#flow = PartedFlow.start({ plan, parts, arena, threads, count, start, keptRowsMax, partRows, emit })
    // Where there are none now, there will be none later.
    if (this.#flow === undefined) this.#parts = undefined
    return this.#flow?.threads ?? 0
  }

  /**
   * Takes a batch, and gives out what there is.
   *
   * @throws PartsLost where the threads cannot go on.
   */
  async take(batch: Batch): Promise<void> {
    const flow = this.#flow!
    const copy = this.#copyOf(batch)
    if (copy === undefined) {
      await flow.settle()
      const again = this.#copyOf(batch)
      if (again === undefined) throw new PartsLost("there is no memory for batches that wait")
      flow.take(again.batch, again.release)
    } else flow.take(copy.batch, copy.release)
    await flow.room()
  }

  #copyOf({ schema, columns: from, selection, count, origin }: Batch) {
    const { arena } = this.#options
    // What operators and results need besides must still fit.
    if (arena.maxBytes - arena.usedBytes < count * rowBytes(schema) * 4) return undefined
    const { columns, release } = allocateColumns(arena, schema, count)
    this.#copier.copy(from, columns, selection, count)
    const { partition } = origin
    return { batch: new Batch({ schema, columns, length: count, origin: { ...NO_PLACES, partition } }), release }
  }

  /** The partition has ended: nothing is taken any more. */
  end(partition: number): void {
    this.#flow!.end(partition)
  }

  /**
   * For a commit: computes all that was taken, and gives out what comes of it and what has changed of states since the last
   * commit, which the dataflow takes over; `undefined` where nothing goes to threads.
   *
   * @throws PartsLost where the threads cannot go on.
   */
  async changes(dataflow: Dataflow): Promise<CutChanges | undefined> {
    const flow = this.#flow
    if (flow === undefined) return undefined
    let changes: CutChanges | undefined
    flow.cut((cut) => (changes = cut))
    await flow.settle()
    assert(changes !== undefined, "a cut gives what has changed")
    for (const state of dataflow.states) state.applyChanges(new ByteReader(changes.get(state.id) ?? new Uint8Array(0)))
    dataflow.addCounts(flow.takeCounts())
    return changes
  }

  /** Ends the threads. Behind a commit nothing is lost. */
  async close(): Promise<void> {
    await this.#flow?.close()
    this.#flow = undefined
    this.#computedMicros = 0
  }
}

const NO_PLACES = { offsets: null, ordinals: null }

function written(state: { writeAll(out: ByteWriter): void }): Uint8Array {
  const out = new ByteWriter()
  state.writeAll(out)
  return out.view()
}

/** Bytes of a row, about. */
function rowBytes({ fields }: Schema): number {
  const bytesOf = ({ storage, definition }: ColumnType): number =>
    BYTES[storage] + 1 / 8 + (definition.fields ?? []).reduce((sum, { type }) => sum + bytesOf(type), 0)
  return fields.reduce((sum, { type }) => sum + bytesOf(type), 0)
}
