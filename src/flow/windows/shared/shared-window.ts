/**
 * A window operator that shares its slices with others over the same stream. What it is given goes to the slices
 * (`shared-slices.ts`), which call back where something is late for it or due.
 *
 * The state of the slices lies with the first of the windows; each of the others keeps how many rows came late for it:
 *
 *     varint    rows that came late for all their windows
 */
import { assert } from "../../../base/assert.ts"
import type { ByteReader, ByteWriter } from "../../../base/bytes.ts"
import type { Batch } from "../../../batch/batch.ts"
import type { Schema } from "../../../batch/schema.ts"
import type { Emitter, Operator, OperatorContext, OperatorState, StateSlices } from "../../operator.ts"
import type { SlicedWindowSpec } from "../../plan.ts"
import { DirectFiring } from "./direct-firing.ts"
import { DirectRows } from "./direct-rows.ts"
import { DirectWindows } from "./direct-windows.ts"
import { countOpenWindows, type CountedWindows } from "../open-windows.ts"
import type { SharedFiring } from "./shared-firing.ts"
import { NOBODY, type SharedSlices, type SharingWindow } from "./shared-slices.ts"
import { Slices } from "../kernels/slices.ts"
import { StackedFiring } from "./stacked-firing.ts"
import { overflowError } from "../window-aggregate.ts"
import { PIECE } from "../kernels/window-control.ts"
import { WindowShape, type ShapedAggregate } from "../kernels/window-shape.ts"
import { takeChanges } from "../../taken-changes.ts"

/** What a window is made of. */
export interface SharedWindowOptions {
  readonly id: string
  readonly signature: string
  readonly window: SlicedWindowSpec
  /** Its aggregates, and which of the slices' each is. */
  readonly aggregates: readonly { readonly name: string; readonly shaped: ShapedAggregate; readonly index: number }[]
  /** The results: keys, window start, window end, aggregates. */
  readonly schema: Schema
  /** Whether the state of the slices lies with it. */
  readonly isOwner: boolean
}

/** See the head of this file. */
export class SharedWindow implements Operator, OperatorState, SharingWindow {
  readonly id: string
  readonly signature: string
  /** Whether it is given the batches and watermarks of all windows that share the slices. */
  readonly isLeader: boolean
  readonly #isOwner: boolean
  readonly #shared: SharedSlices
  readonly #slices: Slices
  readonly firing: SharedFiring
  #out: Emitter = NOBODY
  /** Where it is not the owner. */
  #lateRows = 0
  #hasChanged = false

  constructor(options: SharedWindowOptions, shared: SharedSlices, context: OperatorContext) {
    this.id = options.id
    this.signature = options.signature
    this.#isOwner = options.isOwner
    this.#shared = shared
    this.#slices = new Slices(options.window, shared.stored.slices.maxTime)
    this.firing = firingOf(options, this.#slices, shared, context)
    this.isLeader = shared.add(this)
  }

  /** Takes note of who takes what it gives. */
  bind(out: Emitter): void {
    this.#out = out
    this.firing.bind(out)
  }

  /** All windows that end at this + 1 or earlier have fired. */
  get watermark(): number {
    return this.#shared.store.watermark
  }

  /** Rows that came late for all their windows, over the life of the state. */
  get lateRows(): number {
    return this.#isOwner ? this.#shared.store.lateRows : this.#lateRows
  }

  /** How many windows have records and have not fired. */
  countOpenWindows(): number {
    return countOpenWindows(this.#openWindows(), this.#slices.slide)
  }

  /** When the next of them fires; +∞ where there is none. */
  nextDue(): number {
    const open = this.#openWindows().filter(({ from, last }) => from <= last)
    return open.reduce((least, { from }) => Math.min(least, from), Infinity) - 1
  }

  /** Windows that have records and have not fired; a range of none has its last before its first. */
  #openWindows(): CountedWindows[] {
    return this.#shared.stored.pieces.open(-Infinity).map(({ list, index }) => {
      const { firstWindowEnd, lastWindowEnd } = this.#slices.of(list.time(index, PIECE.start))
      const counts = this.#slices.firstWindowEndBehind(list.time(index, PIECE.countsFrom) - 1)
      return { from: Math.max(firstWindowEnd, counts, this.firing.floorEnd), last: lastWindowEnd }
    })
  }

  isLate(batch: Batch, row: number): boolean {
    const time = this.#shared.timeOf(batch, row)
    if (batch.watermarks === null || Math.abs(time) > this.#slices.maxTime) return false
    return this.#slices.of(time).lastWindowEnd - 1 <= batch.watermarks[row]!
  }

  onBatch(batch: Batch): void {
    assert(this.isLeader, "the leader is given the batches of all")
    this.#shared.onBatch(batch)
  }

  giveLate(batch: Batch, late: Int32Array): void {
    if (this.#isOwner) this.#shared.store.addLateRows(late.length)
    else this.#lateRows += late.length
    this.#hasChanged = true
    this.#out.emit("late", batch.with({ selection: late, count: late.length }))
  }

  onWatermark(watermark: number): void {
    assert(this.isLeader, "the leader is given the watermarks of all")
    this.#shared.onWatermark(watermark)
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

  beginSlices(): StateSlices {
    if (this.#isOwner) return this.#shared.store.beginSlices()
    const lateRows = this.#lateRows
    return {
      next: (out) => {
        if (lateRows > 0) out.varint(lateRows)
        return false
      },
    }
  }

  applyChanges(changes: ByteReader): void {
    if (this.#isOwner) {
      this.#shared.store.applyChanges(changes)
      this.#shared.onRestored()
    } else {
      takeChanges(this.id, changes, (each) => {
        this.#lateRows = each.varint()
      })
    }
  }

  /** Gives all memory back. The operator must not be used any more. */
  release(): void {
    this.firing.release()
    this.#shared.release()
  }
}

function firingOf(
  { id, schema, aggregates }: SharedWindowOptions,
  slices: Slices,
  shared: SharedSlices,
  context: OperatorContext,
): SharedFiring {
  const { stored } = shared
  const shaped = aggregates.map((aggregate) => aggregate.shaped)
  const sharedKernels = aggregates.map(({ index }) => stored.shape.kernels[index]!)
  const inputs = sharedKernels.flatMap(({ kernel, inputFrom }) => kernel.inputs.map((_, at) => inputFrom + at))
  const fields = sharedKernels.flatMap(({ kernel, entryFrom }) => kernel.entry.map((_, at) => entryFrom + at))
  const results = {
    id,
    schema,
    keyCount: stored.shape.keys.parts.length,
    shape: new WindowShape(slices, stored.shape.timeShift, shaped, stored.shape.keys),
    texts: { dictionary: (input: number) => stored.texts.dictionary(inputs[input]!) },
    failure: (aggregate: number) => overflowError(aggregates[aggregate]!.name),
  }
  if (!DirectFiring.suits(slices)) return new StackedFiring(results, fields, shared, context)
  const types = schema.fields.map(({ type }) => type.label)
  const key = JSON.stringify([aggregates.map(({ index }) => index), types])
  const { runs } = shared
  const together = shared.directOf(key, () => {
    return new DirectWindows(new DirectRows(results, fields, { stored, runs }, context), shared)
  })
  return new DirectFiring(results, slices, shared, together)
}
