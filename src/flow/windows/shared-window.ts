/**
 * A window operator that shares its slices with others over the same stream: it is given every batch and watermark as one
 * that is alone, and fires its own windows.
 *
 * The state of the slices lies with the first of the windows; each of the others keeps how many rows came late for it:
 *
 *     varint    rows that came late for all their windows
 */
import type { ByteReader, ByteWriter } from "../../base/bytes.ts"
import { TidemarkError } from "../../base/errors.ts"
import type { Batch } from "../../batch/batch.ts"
import type { Schema } from "../../batch/schema.ts"
import type { Emitter, Operator, OperatorContext, OperatorState } from "../operator.ts"
import type { WindowSpec } from "../plan.ts"
import { countOpenWindows } from "./open-windows.ts"
import type { SharedSlices, SharingWindow } from "./shared-slices.ts"
import { Slices } from "./slices.ts"
import { overflowError } from "./window-aggregate.ts"
import { WindowFeed } from "./window-feed.ts"
import { WindowFiring, type FiredWindows } from "./window-firing.ts"
import { WindowMemory } from "./window-memory.ts"
import { WindowPieces } from "./window-pieces.ts"
import { WindowResults } from "./window-results.ts"
import { WindowShape, type ShapedAggregate } from "./window-shape.ts"

/** What a window is made of. */
export interface SharedWindowOptions {
  readonly id: string
  readonly signature: string
  readonly window: WindowSpec
  /** Its aggregates, and which of the slices' each is. */
  readonly aggregates: readonly { readonly name: string; readonly shaped: ShapedAggregate; readonly index: number }[]
  /** The results: keys, window start, window end, aggregates. */
  readonly schema: Schema
  /** Whether the state of the slices lies with it. */
  readonly isOwner: boolean
}

/** See the head of this file. */
export class SharedWindow implements Operator, OperatorState, SharingWindow, FiredWindows {
  readonly id: string
  readonly signature: string
  readonly #isOwner: boolean
  readonly #shared: SharedSlices
  readonly #slices: Slices
  readonly #memory: WindowMemory
  readonly #pieces: WindowPieces
  readonly #results: WindowResults
  readonly #firing: WindowFiring
  readonly #feed: WindowFeed
  #watermark = -Infinity
  #floorEnd = -Infinity
  /** Where it is not the owner. */
  #lateRows = 0
  #hasChanged = false

  constructor(options: SharedWindowOptions, shared: SharedSlices, context: OperatorContext) {
    const { id, aggregates, schema } = options
    const { arena } = context
    const { stored } = shared
    this.id = id
    this.signature = options.signature
    this.#isOwner = options.isOwner
    this.#shared = shared
    const slices = new Slices(options.window, stored.slices.maxTime)
    const shaped = aggregates.map((aggregate) => aggregate.shaped)
    const shape = new WindowShape(slices, stored.shape.timeShift, shaped, stored.shape.keys)
    const memory = new WindowMemory(arena, shape)
    const pieces = new WindowPieces(arena, slices, memory)
    const code = shared.codeOf(shape)
    const sharedKernels = aggregates.map(({ index }) => stored.shape.kernels[index]!)
    const inputs = sharedKernels.flatMap(({ kernel, inputFrom }) => kernel.inputs.map((_, at) => inputFrom + at))
    const fields = sharedKernels.flatMap(({ kernel, entryFrom }) => kernel.entry.map((_, at) => entryFrom + at))
    const results = {
      id,
      schema,
      keyCount: stored.shape.keys.parts.length,
      shape,
      texts: { dictionary: (input: number) => stored.texts.dictionary(inputs[input]!) },
      failure: (aggregate: number) => overflowError(aggregates[aggregate]!.name),
    }
    const sources = shared.runs.tablesOf(fields)
    this.#slices = slices
    this.#memory = memory
    this.#pieces = pieces
    this.#results = new WindowResults(results, memory, context)
    this.#firing = new WindowFiring({ slices, memory, pieces, code: code.windows, results: this.#results })
    this.#feed = new WindowFeed(arena, { shared, slices, memory, pieces, fields, code: code.merging, sources })
    shared.add(this)
  }

  /** All windows that end at this + 1 or earlier have fired. */
  get watermark(): number {
    return this.#watermark
  }

  /** Rows that came late for all their windows, over the life of the state. */
  get lateRows(): number {
    return this.#isOwner ? this.#shared.store.lateRows : this.#lateRows
  }

  get nextStart(): number {
    return this.#feed.nextStart
  }

  get floorEnd(): number {
    return this.#floorEnd
  }

  passWindow(end: number): void {
    this.#floorEnd = end + this.#slices.slide
  }

  /** How many windows have records and have not fired. */
  countOpenWindows(): number {
    const ranges = this.#shared.stored.pieces.open(-Infinity).map(({ list, index }) => {
      const { firstWindowEnd, lastWindowEnd } = this.#slices.of(list.time(index, "start"))
      const counts = this.#slices.firstWindowEndBehind(list.time(index, "countsFrom") - 1)
      return { from: Math.max(firstWindowEnd, counts, this.#floorEnd), last: lastWindowEnd }
    })
    return countOpenWindows(ranges, this.#slices.slide)
  }

  isLate(batch: Batch, row: number): boolean {
    const time = this.#shared.timeOf(batch, row)
    if (batch.watermarks === null || Math.abs(time) > this.#slices.maxTime) return false
    return this.#slices.of(time).lastWindowEnd - 1 <= batch.watermarks[row]!
  }

  onBatch(batch: Batch, out: Emitter): void {
    this.#shared.onBatch(this, batch)
    const late = this.#shared.lateFor(this, batch)
    if (late === undefined) return
    if (this.#isOwner) this.#shared.store.addLateRows(late.length)
    else this.#lateRows += late.length
    this.#hasChanged = true
    out.emit("late", batch.with({ selection: late, count: late.length }))
  }

  /** Fires the windows that are due. At +∞ all are, and the watermark becomes that at which the last of them is due. */
  onWatermark(watermark: number, out: Emitter): void {
    const before = this.#watermark
    const lastEnd = this.#floorEnd <= watermark + 1 ? this.#fireUntil(watermark + 1, out) : -Infinity
    this.#watermark = Math.max(before, watermark === Infinity ? lastEnd - 1 : watermark)
    if (this.#watermark === before) return
    this.#floorEnd = this.#slices.firstWindowEndBehind(this.#watermark + 1)
    this.#shared.onRisen(before)
  }

  /** Fires the windows that end at `lastDueEnd` or earlier, and gives the end of the last; −∞ where none has. */
  #fireUntil(lastDueEnd: number, out: Emitter): number {
    this.#feed.take(lastDueEnd, this.#floorEnd)
    if (this.#pieces.nextEnd(this.#floorEnd) > lastDueEnd) return -Infinity
    return this.#firing.fireUntil(lastDueEnd, this, this.#shared.stored.keys, out)
  }

  forget(): void {
    this.#feed.forget(this.#floorEnd)
  }

  restore(watermark: number): void {
    this.#watermark = watermark
    this.#floorEnd = watermark === -Infinity ? -Infinity : this.#slices.firstWindowEndBehind(watermark + 1)
    this.#feed.forget(this.#floorEnd)
  }

  writeChanges(out: ByteWriter): void {
    if (this.#isOwner) this.#shared.store.writeChanges(out)
    else if (this.#hasChanged) out.varint(this.#lateRows)
    this.#hasChanged = false
  }

  writeAll(out: ByteWriter): void {
    if (this.#isOwner) this.#shared.store.writeAll(out)
    else if (this.#lateRows > 0) out.varint(this.#lateRows)
  }

  applyChanges(changes: ByteReader): void {
    if (this.#isOwner) {
      this.#shared.store.applyChanges(changes)
      this.#shared.onRestored()
    } else if (changes.remaining > 0) this.#applyLateRows(changes)
  }

  #applyLateRows(changes: ByteReader): void {
    try {
      this.#lateRows = changes.varint()
      if (changes.remaining > 0) throw new RangeError(`there are ${changes.remaining} bytes too many`)
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      throw new TidemarkError("state-corrupt", `The state of the operator ${this.id} cannot be read.`, {
        hint: "Restore the directory from a backup, or start anew with --reset.",
        cause: error,
      })
    }
  }

  /** Gives all memory back. The operator must not be used any more. */
  release(): void {
    this.#feed.release()
    this.#memory.release()
    this.#pieces.release()
    this.#results.release()
    this.#shared.release()
  }
}
