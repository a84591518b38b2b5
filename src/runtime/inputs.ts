/**
 * The inputs of a running job: its partitions, how far each was read, and which is next.
 *
 * Invariants:
 * - U1 A partition keeps its index for the life of the job; new ones are numbered by content, not by name or order found.
 * - U2 A partition that the log knows as unfinished and that is gone stops the job: nothing unread is passed over.
 * - U3 A partition that was read, to its end or not, and is no longer what was read stops the job.
 * - U4 A job does not read what it writes.
 * - U5 A partition that stands for all of an input is not read where another one of it was.
 */
import { assert } from "../base/assert.ts"
import { TidemarkError } from "../base/errors.ts"
import type { Arena } from "../batch/arena.ts"
import type { Decoders } from "../connect/decoders.ts"
import type { Position } from "../batch/position.ts"
import type {
  Partition,
  PartitionReader,
  RecordPlace,
  Source,
  SourceBatch,
  SourcePrefix,
  SourceState,
  SourceWarning,
} from "../connect/source.ts"
import type { Env } from "../env/env.ts"
import type { PartitionStanding } from "../flow/dataflow-status.ts"
import type { OperatorState } from "../flow/operator.ts"
import type { PartitionProgress } from "../state/commit-record.ts"
import { closeAll } from "./close-all.ts"
import type { ExecutableJob } from "./executable-job.ts"
import { morselEnd, nextTurn, type LiveCandidate, type Turn } from "./scheduler.ts"
import { Silence, type FallenSilent, type Listened } from "./silence.ts"
import type { PausedPartition } from "./status.ts"
import type { Targets } from "./targets.ts"

interface OpenPartition {
  readonly source: Source
  readonly partition: Partition
  progress: PartitionProgress
  reader: PartitionReader | undefined
}

/** One read of one partition. */
export interface InputRead {
  readonly input: string
  readonly index: number
  readonly taken: SourceBatch
  /** Whether records were read, or the partition has ended: something that an epoch has to say. */
  readonly isForward: boolean
}

/** Which of the open partitions is read next. */
export type ReadingOrder = (open: readonly PartitionProgress[]) => PartitionProgress

/** What `Inputs` needs. */
export interface InputsContext {
  readonly env: Env
  readonly arena: Arena
  readonly decoders: Decoders | undefined
  readonly baseDirectory: string
  readonly stateDirectory: string
  readonly morselBytes: number
  /** What the job writes to. */
  readonly targets: Targets
  /** By input the prefix that its source runs, where it runs one. */
  readonly prefixes: { of(input: string): SourcePrefix | undefined }
  /** See `RunJobOptions`. */
  readonly choosePartition?: ReadingOrder | undefined
  /** See `Dataflow.standing`. */
  standingOf(input: string, index: number): PartitionStanding
  /** Whether a partition may be idle, or become so. */
  listens(): boolean
  /** Takes note that there is something to read of a partition. */
  onReadable(input: string, index: number): void
}

/** A partition that may be read next. */
interface Standing extends LiveCandidate {
  readonly open: OpenPartition
}

/** The partitions of all inputs of a job. */
export class Inputs {
  readonly #context: InputsContext
  readonly #sources: Source[]
  readonly #partitions: Map<number, OpenPartition>
  /** Every partition that the job ever knew. */
  readonly #known: Map<number, PartitionProgress>
  readonly #changed = new Set<number>()
  readonly #silence: Silence
  #active: number | undefined
  /** The partition that is read next, where that is known. */
  #turn: OpenPartition | undefined

  private constructor(context: InputsContext, sources: Source[], active: number | undefined) {
    this.#context = context
    this.#sources = sources
    this.#partitions = new Map()
    this.#known = new Map()
    this.#active = active
    this.#silence = new Silence(context.env.clock)
  }

  /**
   * Opens the sources of a job and finds out which partitions are there.
   *
   * @param known how far each partition was read, from the log.
   * @param active the partition whose morsel was being read.
   */
  static async open(
    job: ExecutableJob,
    context: InputsContext,
    known: ReadonlyMap<number, PartitionProgress>,
    active: number | undefined,
  ): Promise<Inputs> {
    const inputs = new Inputs(context, [], active)
    for (const [index, progress] of known) inputs.#known.set(index, progress)
    try {
      for (const [input, { schema, source: binding }] of Object.entries(job.inputs)) {
        const { env, arena, baseDirectory, stateDirectory, decoders } = context
        const places = { baseDirectory, stateDirectory }
        const prefix = context.prefixes.of(input)
        const source = await binding.openSource({ env, arena, decoders, schema, prefix, input, ...places })
        inputs.#sources.push(source)
        if (source.state !== undefined) inputs.states.push(sourceState(input, source.state))
        const found = await source.partitions()
        context.targets.checkInput(input, source)
        for (const warning of source.warnings?.() ?? []) inputs.warnings.push({ about: input, ...warning })
        await inputs.#checkEnded(input, source, found)
        inputs.#adopt(input, source, found)
      }
    } catch (error) {
      await inputs.close()
      throw error
    }
    return inputs
  }

  /** What sources keep beside positions. No operator has such an id. */
  readonly states: OperatorState[] = []

  /** What sources leave out and may have been meant. */
  readonly warnings: (SourceWarning & { readonly about: string })[] = []

  /** Partitions with records left to read, as far as is known: `[input, index]`, those that are new to the job apart. */
  readonly #appeared: { readonly input: string; readonly index: number }[] = []

  /** The partitions that have appeared (or grown after their end) since the last commit the log knows, by index. */
  get appeared(): readonly { readonly input: string; readonly index: number }[] {
    return this.#appeared
  }

  /** Whether every partition has ended. */
  get hasEnded(): boolean {
    return this.#partitions.size === 0
  }

  /** How many partitions have not ended. */
  get openCount(): number {
    return this.#partitions.size
  }

  /** The partition whose morsel is being read. */
  get active(): number | undefined {
    return this.#active
  }

  /** All partitions that the job ever knew. */
  get all(): readonly PartitionProgress[] {
    return [...this.#known.values()]
  }

  /** Bytes (or whatever offsets count) read of the partitions at hand, and in all where every size is known. */
  progress(): { read: number; total: number | undefined } {
    let read = 0
    let total: number | undefined = 0
    for (const { offset } of this.#known.values()) read += offset
    for (const { ended, offset, index } of this.#known.values()) {
      const size = ended ? offset : this.#partitions.get(index)?.partition.size
      total = total === undefined || size === undefined ? undefined : total + Math.max(size, offset)
    }
    return { read, total }
  }

  /** Where a partition lies. */
  place(index: number): { readonly input: string; readonly id: string } {
    const progress = this.#known.get(index)
    assert(progress !== undefined, "rows come from partitions that the job knows")
    return progress
  }

  /** The reader of the only open partition. */
  async onlyReader(): Promise<PartitionReader> {
    const [only] = this.#partitions.values()
    assert(only !== undefined && this.openCount === 1, "one partition is open")
    return await this.#readerOf(only)
  }

  /**
   * Finds out whose turn it is: `read` reads that partition. Where there is nothing to read of it now it gives those for which to
   * wait; then it is to be called again. Others than those wait, too: who was there first must not show (E7).
   */
  async nextTurn(): Promise<readonly PartitionReader[]> {
    if (this.#context.listens()) await this.#listen()
    const turn = await this.#findTurn()
    if ("next" in turn) {
      this.#turn = turn.next
      return []
    }
    this.#turn = undefined
    return await Promise.all(turn.awaited.map((open) => this.#readerOf(open)))
  }

  /** The partitions of which there has been nothing to read for so long that they are idle, unless that is known. */
  dueIdle(): FallenSilent[] {
    return this.#silence.due(this.#silent())
  }

  /** In how many µs the next of them is. */
  untilIdle(): number {
    return this.#silence.untilDue(this.#silent())
  }

  /** T14: the partitions that are ahead of the slowest by more than they may be. */
  paused(): PausedPartition[] {
    const standings = [...this.#partitions.values()].map((open) => this.#standingOf(open))
    const least = Math.min(
      ...standings.map(({ isTimed, isIdle, watermark }) => (isTimed && !isIdle ? watermark : Infinity)),
    )
    return standings.flatMap(({ isLive, isIdle, watermark, maxDriftMicros, open }) => {
      const aheadMicros = watermark - least
      if (!isLive || isIdle || !(aheadMicros > maxDriftMicros)) return []
      const { input } = open.progress
      return [{ input, partition: open.partition.id, aheadMicros: aheadMicros === Infinity ? undefined : aheadMicros }]
    })
  }

  /** Tells the sources that what they have given is committed. */
  committed(): void {
    for (const source of this.#sources) source.committed?.()
  }

  /** Where a record lies for people. */
  placeOf(index: number, position: Position): RecordPlace & { readonly input: string } {
    const { input, id } = this.place(index)
    return { input, ...(this.#partitions.get(index)?.reader?.placeOf?.(position) ?? { id, ...position }) }
  }

  /** Reads from the partition whose turn it is. */
  async read(rows: number): Promise<InputRead> {
    const open = this.#turn
    assert(open !== undefined, "it is known whose turn it is")
    this.#turn = undefined
    const { progress } = open
    const { index, input, offset } = progress
    const reader = await this.#readerOf(open)
    const { morselBytes } = this.#context
    const untilOffset = morselEnd(offset, morselBytes)
    const taken = await reader.read({ rows, untilOffset, stride: morselBytes })
    const isForward = taken.end || taken.next.offset > offset
    assert(isForward || reader.whenReadable !== undefined, "a read goes forward, unless records come with time")
    open.progress = { ...progress, ...taken.next, ended: taken.end }
    this.#known.set(index, open.progress)
    this.#changed.add(index)
    this.#silence.read(index, isForward)
    if (taken.end || taken.next.offset >= untilOffset) this.#active = undefined
    if (taken.end) {
      this.#partitions.delete(index)
      await reader.close()
    }
    return { input, index, taken, isForward }
  }

  /** The partitions of which something has changed since the last call. */
  takeChanges(): PartitionProgress[] {
    const changed = [...this.#changed].sort((a, b) => a - b).map((index) => this.#known.get(index)!)
    this.#changed.clear()
    return changed
  }

  async close(): Promise<void> {
    await closeAll([...[...this.#partitions.values()].map(({ reader }) => reader), ...this.#sources])
  }

  /** Opens what was begun and not read to its end: what is not there any more shows now. */
  async openBegun(): Promise<void> {
    for (const open of this.#partitions.values()) if (open.progress.ordinal > 0) await this.#readerOf(open)
  }

  async #readerOf(open: OpenPartition): Promise<PartitionReader> {
    const { source, partition, progress } = open
    const { index, offset, ordinal, identity } = progress
    return (open.reader ??= await source.open(partition, index, { offset, ordinal }, identity))
  }

  async #findTurn(): Promise<Turn<OpenPartition>> {
    const { choosePartition: choose } = this.#context
    if (choose !== undefined) {
      const { index } = choose([...this.#partitions.values()].map(({ progress }) => progress))
      const open = this.#partitions.get(index)!
      return (await this.#isReadable(open)) ? { next: open } : { awaited: [open] }
    }
    const active = this.#active === undefined ? undefined : this.#partitions.get(this.#active)
    assert(this.#active === undefined || active !== undefined, "the active partition is open")
    // Whose records are all there is read on, whoever else is there.
    if (active !== undefined && (await this.#readerOf(active)).whenReadable === undefined) return { next: active }
    const standings = [...this.#partitions.values()].map((open) => this.#standingOf(open))
    const current = standings.find(({ open }) => open === active)
    const turn = await nextTurn(standings, current, ({ open }) => this.#isReadable(open))
    if (!("next" in turn)) return { awaited: turn.awaited.map(({ open }) => open) }
    this.#active = turn.next.index
    return { next: turn.next.open }
  }

  #standingOf(open: OpenPartition): Standing {
    const { progress, partition, reader } = open
    const { index, input } = progress
    const { id, tieBreak } = partition
    return {
      ...this.#context.standingOf(input, index),
      index,
      id,
      tieBreak,
      isLive: reader?.whenReadable !== undefined,
      open,
    }
  }

  /** Whether there is something to read of a partition now. */
  async #isReadable(open: OpenPartition): Promise<boolean> {
    const reader = await this.#readerOf(open)
    return reader.whenReadable?.(AbortSignal.abort()) === undefined
  }

  /** Takes note of which partitions there is something to read, and of which there is nothing. */
  async #listen(): Promise<void> {
    for (const open of this.#partitions.values()) {
      const { index, input } = open.progress
      const { idleAfterMicros, isIdleAnywhere } = this.#context.standingOf(input, index)
      if (idleAfterMicros === Infinity && !isIdleAnywhere) continue
      const isReadable = await this.#isReadable(open)
      this.#silence.heard(index, isReadable)
      if (isReadable) this.#context.onReadable(input, index)
    }
  }

  /** Of which partitions there may have been nothing to read for some time, and for how long that must be. */
  #silent(): Listened[] {
    return [...this.#partitions.values()].map(({ progress: { index, input } }) => {
      return { index, input, idleAfterMicros: this.#context.standingOf(input, index).idleAfterMicros }
    })
  }

  /** Refuses partitions that were read to their end and are no longer what was read (U3). */
  async #checkEnded(input: string, source: Source, found: readonly Partition[]): Promise<void> {
    const ended = new Map<string, PartitionProgress>()
    for (const progress of this.#known.values()) {
      if (progress.input === input && progress.ended) ended.set(progress.id, progress)
    }
    for (const partition of found) {
      const progress = ended.get(partition.id)
      if (progress === undefined) continue
      const { index, offset, ordinal, identity } = progress
      const isShorter = partition.size !== undefined && partition.size < offset
      if (!isShorter && partition.identity === identity) continue
      // It is read on (`#adopt`), and compared when it is opened for that: what its source keeps is given back before (O6).
      if (partition.size === undefined && source.state !== undefined) continue
      // Opening it at its end compares it with what was read, and throws where it is something else (O4).
      const reader = await source.open(partition, index, { offset, ordinal }, identity)
      await reader.close()
    }
  }

  #adopt(input: string, source: Source, found: readonly Partition[]): void {
    const known = new Map<string, PartitionProgress>()
    for (const progress of this.#known.values()) if (progress.input === input) known.set(progress.id, progress)
    const fresh: Partition[] = []
    for (const partition of found) {
      const progress = known.get(partition.id)
      known.delete(partition.id)
      if (progress === undefined) fresh.push(partition)
      else if (!progress.ended) this.#partitions.set(progress.index, { source, partition, progress, reader: undefined })
      else if (partition.size === undefined && partition.identity !== progress.identity) {
        // Whether it has grown is known when it is read; that it begins with what was read is known (`#checkEnded`).
        this.#appear(source, partition, { ...progress, identity: partition.identity, ended: false })
      } else if (partition.size !== undefined && partition.size > progress.offset) {
        this.#appear(source, partition, { ...progress, ended: false })
      }
    }
    const whole = fresh.find(({ isWholeInput }) => isWholeInput === true)
    const [other] = whole === undefined ? [] : known.values()
    if (whole !== undefined && other !== undefined) {
      throw readOtherwise(input, known.size === 1 ? other.id : `${other.id} and others, one by one`, whole.id)
    }
    for (const { ended, id } of known.values()) {
      if (ended) continue
      throw new TidemarkError("source-missing", `The input ${input} has lost ${id}, which is not read to its end.`, {
        hint: "Put it back, or start anew with --reset.",
      })
    }
    fresh.sort((a, b) => (a.tieBreak === b.tieBreak ? compare(a.id, b.id) : compare(a.tieBreak, b.tieBreak)))
    for (const partition of fresh) {
      const { id, tieBreak, identity } = partition
      const index = this.#known.size
      this.#appear(source, partition, { index, input, id, tieBreak, identity, offset: 0, ordinal: 0, ended: false })
    }
  }

  #appear(source: Source, partition: Partition, progress: PartitionProgress): void {
    const { index, input } = progress
    this.#known.set(index, progress)
    this.#partitions.set(index, { source, partition, progress, reader: undefined })
    this.#changed.add(index)
    this.#appeared.push({ input, index })
  }
}

/** A source's state under the name that it has in the log. */
function sourceState(input: string, state: SourceState): OperatorState {
  return {
    id: `$input ${input}`,
    signature: "source",
    writeChanges: (out) => state.writeChanges(out),
    writeAll: (out) => state.writeAll(out),
    applyChanges: (changes) => state.applyChanges(changes),
  }
}

function readOtherwise(input: string, before: string, now: string): TidemarkError {
  const message = `The input ${input} was read as ${before}, and would now be read as ${now}.`
  return new TidemarkError("source-changed", message, {
    hint: "Which records were read already could not be told. Bind the input as it was, give what is new an input of its own, or start anew with --reset.",
  })
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0
}
