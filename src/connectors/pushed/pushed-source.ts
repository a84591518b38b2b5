/**
 * What a program pushes, as the source of an input: columns are made of it and it is made durable, before whoever pushed it is told.
 *
 * Invariants (rules of docs/spec/pushed.md):
 * - PU1 A push resolves when its records are durable.
 * - PU2 What was pushed is given in the order of the calls.
 * - PU3 What the job has not committed is not let go.
 */
import { assert } from "../../base/assert.ts"
import { TidemarkError } from "../../base/errors.ts"
import type { Batch } from "../../batch/batch.ts"
import type { Column } from "../../batch/column.ts"
import { START, type Position } from "../../batch/position.ts"
import type { Partition, PartitionReader, Source, SourceContext } from "../../connect/source.ts"
import type { NumberedRecords } from "../../batch/numbered-records.ts"
import { ColumnArrays, GivenColumns } from "../../formats/column-arrays.ts"
import { RowObjects } from "../../formats/row-objects.ts"
import { BlockQueue, type QueueEntry } from "./block-queue.ts"
import { AS_PUSHED, BlockRecords } from "./block-record.ts"
import type { BadRow, BlockPlace, PushedBlock } from "./pushed-block.ts"
import { PushedPosition } from "./pushed-position.ts"
import { PushedReader, type KeptRead } from "./pushed-reader.ts"
import type { PushedStore } from "./pushed-store.ts"

/** What a source is made of. */
export interface PushedSourceParts {
  /** Where blocks are kept; `undefined` where they are not. */
  readonly store: PushedStore | undefined
  /** So many bytes of columns may wait in memory for the job. */
  readonly maxWaitingBytes: number
  /** For tests: others come first when so many values have become columns. */
  readonly valuesAtOnce?: number
  readonly onClose: () => void
}

/** What is pushed at once. */
interface Records {
  readonly count: number
  /** Makes columns of as many from one on as one block has room for. */
  take(first: number): NumberedRecords
  /** Whether these are columns: other ones have followed before a disk has begun with these. */
  readonly areFast: boolean
}

/** Blocks that go to the disk together. */
interface Together {
  readonly payloads: Uint8Array[]
  values: number
  readonly places: Promise<readonly BlockPlace[]>
  /** Sends them there. */
  readonly send: () => void
}

const PARTITION = "pushed"

/** When so many values of rows have become columns, what is ready comes first: ends of writes, and what the job has to do. */
const VALUES_AT_ONCE = 2 ** 17
/** When blocks of columns have so many times as many values they go to the disk, though others follow. */
const TIMES_TOGETHER = 4

/** See the head of this file. */
export class PushedSource implements Source {
  readonly state = new PushedPosition()
  readonly #context: SourceContext
  readonly #parts: PushedSourceParts
  readonly #rows: RowObjects
  readonly #columns: ColumnArrays
  readonly #records: BlockRecords
  readonly #queue: BlockQueue
  /** Pushes, and blocks on their way to the disk. */
  readonly #underWay = new Set<Promise<void>>()
  #isClosed = false
  #isEnded = false
  /** Blocks that are not on their way to the disk yet, as others follow at once. */
  #together: Together | undefined
  /** How many values have become columns since others came first. */
  #values = 0

  constructor(context: SourceContext, parts: PushedSourceParts) {
    this.#context = context
    this.#parts = parts
    this.#rows = new RowObjects(context.arena, context.schema, context.prefix?.reads)
    this.#columns = new ColumnArrays(context.arena, context.schema, context.prefix?.reads)
    this.#records = new BlockRecords(context)
    this.#queue = new BlockQueue(parts.maxWaitingBytes)
  }

  /**
   * Takes rows, or an object of columns.
   *
   * @throws TidemarkError `input-closed` where nothing more is taken; `invalid-options` where columns are none; what the log throws where it
   * is not durable.
   */
  push(given: readonly unknown[] | object): Promise<void> {
    return this.#awaited(this.#push(given))
  }

  /** Nothing more is pushed: the input ends behind what was. */
  end(): void {
    this.#isEnded = true
    this.#queue.end()
  }

  async partitions(): Promise<readonly Partition[]> {
    const identity = this.#parts.store?.identity ?? PARTITION
    return [{ id: PARTITION, tieBreak: PARTITION, identity, size: undefined, isWholeInput: true }]
  }

  async open(_partition: Partition, index: number, position: Position): Promise<PartitionReader> {
    const { store } = this.#parts
    const { last } = this.state
    if (last !== undefined && store !== undefined) await store.check(last)
    assert(
      last !== undefined || store === undefined || position.ordinal === START.ordinal,
      "what was read lies in the log",
    )
    const { input } = this.#context
    return new PushedReader({
      input,
      partition: index,
      position,
      state: this.state,
      queue: this.#queue,
      kept: this.#kept(),
    })
  }

  committed(): void {
    const { last } = this.state
    this.#queue.committed()
    if (last !== undefined) this.#parts.store?.committed(last)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#parts.onClose()
    this.#queue.close()
    this.#together?.send()
    await Promise.allSettled(this.#underWay)
    await this.#parts.store?.close()
  }

  async #push(given: readonly unknown[] | object): Promise<void> {
    if (this.#isEnded) throw closedError(this.#context.input)
    const records = Array.isArray(given) ? this.#recordsOfRows(given) : this.#recordsOfColumns(given)
    const stored: Promise<void>[] = []
    for (let first = 0; first < records.count;) {
      const turn = this.#queue.room(first > 0, records.areFast)
      if (turn !== undefined) await turn
      // A push of which some is stored is stored whole (PU1): who is refused pushes all of it again.
      const isBegun = first > 0 && this.#parts.store !== undefined
      if (this.#isClosed && !isBegun) throw closedError(this.#context.input)
      const storing = this.#take(records, first)
      first += storing.taken
      stored.push(storing.done)
      if (this.#isClosed) await storing.done
    }
    await Promise.all(stored)
  }

  #awaited(task: Promise<void>): Promise<void> {
    this.#underWay.add(task)
    const isDone = () => void this.#underWay.delete(task)
    task.then(isDone, isDone)
    return task
  }

  #recordsOfRows(rows: readonly unknown[]): Records {
    const { length: count } = rows
    const rangeFrom = (first: number) => ({ first: 0, count: count - first, stride: 1, partition: 0 })
    const take = (first: number) => this.#rows.take(rangeFrom(first), (number) => rows[first + number])
    return { count, take, areFast: false }
  }

  #recordsOfColumns(columns: object): Records {
    const given = new GivenColumns(this.#context.schema, columns)
    return { count: given.count, take: (first) => this.#columns.take(given, first), areFast: true }
  }

  /** Makes a block of as many records as one has room for, and sees to it that it becomes durable. */
  #take(pushed: Records, first: number): { readonly taken: number; readonly done: Promise<void> } {
    const queue = this.#queue
    const entry = queue.enter()
    try {
      const { batch, bad, records: taken, release } = pushed.take(first)
      const badRows = bad.map(({ reason, field, raw }): BadRow => ({ reason, field, raw }))
      const block = this.#behindPrefix({ batch, bad: badRows, dropped: 0, form: AS_PUSHED, skipped: 0, release })
      this.#pauseBehind(taken)
      queue.fill(entry, bytesOf(block.batch), first + taken < pushed.count)
      const { store } = this.#parts
      if (store === undefined) {
        queue.ready(entry, { ...block, place: undefined })
        return { taken, done: Promise.resolve() }
      }
      const done = this.#store(store, entry, block, taken)
      const isFollowed = pushed.areFast && queue.isFollowed(first + taken < pushed.count)
      if (!isFollowed || this.#together!.values >= TIMES_TOGETHER * this.#valuesAtOnce) this.#together!.send()
      return { taken, done }
    } catch (error) {
      queue.leave(entry)
      this.#together?.send()
      throw error
    }
  }

  get #valuesAtOnce(): number {
    return this.#parts.valuesAtOnce ?? VALUES_AT_ONCE
  }

  /** Lets others come first, where much has been done since they did. */
  #pauseBehind(rows: number): void {
    const { env, schema } = this.#context
    this.#values += rows * schema.fields.length
    if (this.#values < this.#valuesAtOnce) return
    this.#values = 0
    this.#queue.pause(env.turns.pass())
  }

  /** What the prefix leaves of a block of rows as they were pushed, which is released. */
  #behindPrefix(block: Omit<PushedBlock, "place">): Omit<PushedBlock, "place"> {
    const { prefix } = this.#context
    const { batch, bad, skipped } = block
    const { form } = this.#records
    if (prefix === undefined || batch === undefined) return { ...block, form }
    try {
      const left = prefix.run(batch)
      const dropped = batch.count - (left.batch?.length ?? 0) - left.failed.length
      return { batch: left.batch, bad: [...bad, ...left.failed], dropped, form, skipped, release: () => left.release() }
    } finally {
      block.release()
    }
  }

  /** Packs a block of so many records, which goes to the disk with the others that are there. */
  #store(store: PushedStore, entry: QueueEntry, block: Omit<PushedBlock, "place">, records: number): Promise<void> {
    const payload = this.#encoded(block)
    const together = (this.#together ??= this.#begin(store))
    const number = together.payloads.push(payload) - 1
    together.values += records * this.#context.schema.fields.length
    const stored = together.places.then(
      (places) => this.#queue.ready(entry, { ...block, place: places[number]! }),
      (error: unknown) => {
        block.release()
        this.#queue.fail(error)
        throw error
      },
    )
    return this.#awaited(stored)
  }

  #encoded(block: Omit<PushedBlock, "place">): Uint8Array {
    try {
      return this.#records.encode(block)
    } catch (error) {
      block.release()
      throw error
    }
  }

  #begin(store: PushedStore): Together {
    const payloads: Uint8Array[] = []
    let send!: () => void
    const places = new Promise<void>((resolve) => {
      send = () => {
        this.#together = undefined
        resolve()
      }
    }).then(() => store.append(payloads))
    return { payloads, values: 0, places, send }
  }

  async *#kept(): AsyncGenerator<KeptRead, void, undefined> {
    const { store } = this.#parts
    if (store === undefined) return
    const where = `What was pushed into the input ${this.#context.input}`
    for await (const { payload, place, taken } of store.kept(this.state.last)) {
      yield this.#asKept({ ...this.#records.decode(payload, where), place }, taken)
    }
  }

  /** A block that was kept, in the form of now where it is kept as it was pushed; some of it may be read, as the state has it. */
  #asKept(block: PushedBlock, taken: number): KeptRead {
    const { form } = this.#records
    const { form: counted = undefined, skipped = 0 } = taken === 0 ? {} : this.state.last!
    const isOther = block.form !== AS_PUSHED && block.form !== form
    if (block.form !== AS_PUSHED) {
      if (counted === undefined || counted === block.form) return { block, taken, isOther }
    } else if (counted === undefined || counted === form) {
      return { block: { ...this.#behindPrefix(without(block, skipped)), place: block.place }, taken, isOther }
    } else if (counted === AS_PUSHED) {
      const rest = this.#behindPrefix(without(block, taken))
      return { block: { ...rest, place: block.place }, taken: 0, isOther }
    }
    block.release()
    throw new TidemarkError(
      "source-changed",
      `Some of what was pushed into the input ${this.#context.input} was read in part behind other operators than it is now.`,
      { hint: "Run the earlier program until it has committed what was pushed, then this one." },
    )
  }
}

/** A block as it was pushed without its first records, for a prefix to be run over. */
function without({ batch, bad, ...block }: PushedBlock, skipped: number): PushedBlock {
  if (skipped === 0) return { batch, bad, ...block }
  const rows = batch?.length ?? 0
  const left = { ...block, skipped, bad: bad.slice(Math.max(0, skipped - rows)) }
  if (batch === undefined || skipped >= rows) return { ...left, batch: undefined }
  const selection = Int32Array.from({ length: rows - skipped }, (_, index) => skipped + index)
  return { ...left, batch: batch.with({ selection, count: rows - skipped }) }
}

/** About how many bytes a batch takes. */
function bytesOf(batch: Batch | undefined): number {
  const ofColumn = (column: Column): number =>
    column.storage === "struct"
      ? column.children.reduce((sum, child) => sum + ofColumn(child), 0)
      : column.values.byteLength
  return batch === undefined ? 0 : batch.columns.reduce((sum, column) => sum + ofColumn(column), 0)
}

/** Why nothing can be pushed. */
export function closedError(input: string): TidemarkError {
  return new TidemarkError("input-closed", `Nothing can be pushed into ${input} now.`, {
    hint: "Push while a job runs that has it as an input, and before end().",
  })
}
