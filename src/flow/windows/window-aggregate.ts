/**
 * The window operator: aggregates records by key and window of event time, with code generated for its windows and
 * aggregates (`window-code.ts`).
 *
 * The way of a batch: the lambdas of aggregates fill columns for the records that count; keys become ids; then a kernel
 * adds record after record to the entries of the last slice and opens the next. That is for batches in order of time none
 * of whose records is late; others go the way of `window-disorder.ts`. When the watermark passes a window's end, it
 * fires (`window-firing.ts`).
 *
 * A record that fails (a lambda of an aggregate throws, an integer sum would leave its range, its windows would reach
 * beyond the ends of time) is reported and has no effect on any aggregate.
 *
 * Windows that share slices (`shared-slices.ts`) have one operator, too: it keeps their records and never fires.
 *
 * Invariants (rules of docs/spec/windows.md, beside those of `slices.ts`, `sift-code.ts` and `window-firing.ts`):
 * - W8 A record that fails is in no aggregate, also where only one of several refuses it.
 */
import { assert } from "../../base/assert.ts"
import type { ByteReader, ByteWriter } from "../../base/bytes.ts"
import { TidemarkError } from "../../base/errors.ts"
import type { Batch } from "../../batch/batch.ts"
import { readInt53, type Column, type Int64Column } from "../../batch/column.ts"
import { LinearArray } from "../../batch/linear-array.ts"
import type { Schema } from "../../batch/schema.ts"
import type { ColumnType } from "../../batch/type.ts"
import type { AggregateDefinition } from "../aggregates/aggregate.ts"
import { EveryRow } from "../every-row.ts"
import type { Emitter, Operator, OperatorContext, OperatorState, StateSlices } from "../operator.ts"
import type { AggregateKind, SlicedWindowSpec } from "../plan.ts"
import { RowFailures } from "../row-failures.ts"
import { DirectIds } from "./direct-ids.ts"
import { keyLayout } from "./keys/key-layout.ts"
import { KeyTable } from "./keys/key-table.ts"
import { lateGroups } from "./late-groups.ts"
import { ONLY_ID, OnlyKey } from "./keys/only-key.ts"
import { Slices } from "./kernels/slices.ts"
import { ValueTexts } from "./value-texts.ts"
import { windowFunctions, type WindowFunctions } from "./kernels/window-code.ts"
import { CONTROL, PIECE, STOP } from "./kernels/window-control.ts"
import { WindowDisorder, type SiftedRows } from "./window-disorder.ts"
import { WindowFiring } from "./window-firing.ts"
import { WindowInputs, type WindowInput } from "./window-inputs.ts"
import type { WindowKeys } from "./keys/window-keys.ts"
import { WindowMemory } from "./window-memory.ts"
import { WindowPieces } from "./window-pieces.ts"
import { WindowResults } from "./window-results.ts"
import { shapedAggregate, WindowShape } from "./kernels/window-shape.ts"
import { WindowState } from "./window-state.ts"

/** One result column of a window operator. */
export interface WindowAggregateColumn {
  readonly name: string
  readonly kind: AggregateKind
  readonly definition: AggregateDefinition
  readonly input: WindowInput
}

/** What a window operator is made of. */
export interface WindowAggregateOptions {
  readonly id: string
  readonly signature: string
  readonly window: SlicedWindowSpec
  /** The key columns: their places in the input, and their types. */
  readonly keys: readonly { readonly index: number; readonly type: ColumnType }[]
  /** The place of the event-time column, and what is added to it to give event time. */
  readonly timeIndex: number
  readonly timeShift: number
  readonly aggregates: readonly WindowAggregateColumn[]
  /** The results: keys, window start, window end, aggregates. */
  readonly schema: Schema
  /** Where it holds the slices of windows that share them: it never fires, and refuses no record for a sum. */
  readonly isShared?: true
  /** The greatest distance from 1970 of a record that counts, where it is less than that of the window. */
  readonly maxTime?: number
}

/** What windows that share slices read of the operator that holds them. */
export interface StoredSlices {
  readonly slices: Slices
  readonly shape: WindowShape
  readonly memory: WindowMemory
  readonly pieces: WindowPieces
  readonly texts: ValueTexts
  /** Others after some calls of `pass`. */
  readonly keys: WindowKeys
}

/** Below this many keys it is not worth finding out which are still in use. */
const KEYS_WORTH_COLLECTING = 1024
/** Room for as many entries more than records is made at once. */
const ENTRIES_AHEAD = 64

/** See the head of this file. */
export class WindowAggregate implements Operator, OperatorState {
  readonly id: string
  readonly signature: string
  readonly #options: WindowAggregateOptions
  readonly #context: OperatorContext
  readonly #slices: Slices
  readonly #inputs: WindowInputs
  readonly #memory: WindowMemory
  readonly #pieces: WindowPieces
  readonly #direct: DirectIds
  readonly #disorder: WindowDisorder
  readonly #texts: ValueTexts
  readonly #shape: WindowShape
  readonly #code: WindowFunctions
  readonly #results: WindowResults
  readonly #firing: WindowFiring
  readonly #state: WindowState
  readonly #failures = new RowFailures()
  readonly #everyRow = new EveryRow()
  /** Rows of a batch, and the ids of their keys, for kernels. */
  readonly #rows: LinearArray
  readonly #ids: LinearArray
  /** How many entries the last batch in order took, as far as is known: the next one is likely to take as many. */
  #entriesOfBatch = 0
  #betweenRows = 0

  constructor(options: WindowAggregateOptions, context: OperatorContext) {
    const { id, keys, aggregates, schema } = options
    const { arena } = context
    this.id = id
    this.signature = options.signature
    this.#options = options
    this.#context = context
    this.#slices = new Slices(options.window, options.maxTime)
    const owner = options.isShared === true ? "shared" : keys.length === 0 ? "alone" : "keyed"
    const shaped = aggregates.map(({ kind, definition, input }) => {
      const type = input.kind === "none" ? undefined : input.type
      return shapedAggregate(kind, definition, type, owner)
    })
    const types = keys.map(({ type }) => type)
    const table = types.length === 0 ? new OnlyKey() : new KeyTable(types, arena)
    this.#shape = new WindowShape(this.#slices, options.timeShift, shaped, keyLayout(types))
    this.#code = windowFunctions(this.#shape, arena.memory)
    this.#texts = new ValueTexts(this.#shape)
    this.#memory = new WindowMemory(arena, this.#shape)
    if (types.length === 0) this.#memory.reserveKeys(table.size)
    this.#direct = new DirectIds(this.#memory, this.#shape.control)
    this.#pieces = new WindowPieces(arena, this.#slices, this.#memory)
    const inputs = aggregates.map(({ input }) => input)
    this.#inputs = new WindowInputs(inputs, this.#shape, this.#texts, context)
    const [shape, memory, pieces, texts, slices] = [this.#shape, this.#memory, this.#pieces, this.#texts, this.#slices]
    const { timeShift } = options
    this.#disorder = new WindowDisorder({ arena, slices, memory, pieces, code: this.#code, timeShift })
    const failure = (aggregate: number) => overflowError(aggregates[aggregate]!.name)
    const results = { id, schema, keyCount: keys.length, shape, texts, failure }
    this.#results = new WindowResults(results, memory, context)
    this.#firing = new WindowFiring({ slices, memory, pieces, code: this.#code, results: this.#results })
    this.#state = new WindowState({ operator: id, arena, slices, shape, memory, pieces, texts }, table)
    this.#rows = new LinearArray(arena, 4, 64)
    this.#ids = new LinearArray(arena, 4, 64)
  }

  /** All windows that end at this + 1 or earlier have fired. */
  get watermark(): number {
    return this.#state.watermark
  }

  /** Its slices, for windows that share them. */
  get stored(): StoredSlices {
    const [slices, shape, memory, pieces, texts] = [this.#slices, this.#shape, this.#memory, this.#pieces, this.#texts]
    const state = this.#state
    return {
      slices,
      shape,
      memory,
      pieces,
      texts,
      get keys() {
        return state.keys
      },
    }
  }

  /** The first column of its results that an aggregate fills; before it are those of keys and windows. */
  get firstAggregate(): number {
    return this.#options.keys.length + 2
  }

  /** Before it has any results: whoever takes them can do with batches whose keys and windows have not been filled. */
  deferKeys(): void {
    if (this.#code.keepRows !== undefined) this.#results.deferKeys(this.#code.keepRows)
  }

  /** Rows that came late for all their windows, over the life of the state. */
  get lateRows(): number {
    return this.#state.lateRows
  }

  addLateRows(count: number): void {
    this.#state.addLateRows(count)
  }

  /** Rows that lay between windows, since the operator was made. */
  get betweenRows(): number {
    return this.#betweenRows
  }

  /** How many windows have records and have not fired. */
  countOpenWindows(): number {
    return this.#pieces.countWindows(this.#state.floorEnd)
  }

  /** When the next of them fires; +∞ where there is none. */
  nextDue(): number {
    return this.#pieces.nextEnd(this.#state.floorEnd) - 1
  }

  onBatch(batch: Batch, out: Emitter): void {
    this.#rows.reserve(batch.length)
    this.#ids.reserve(batch.length)
    const isInOrder = this.#isInOrder(batch)
    if (!isInOrder) this.#disorder.begin(batch, this.#options.timeIndex)
    if (isInOrder || this.#disorder.isOnTime(batch)) this.#addAll(batch, isInOrder)
    else this.#addSome(batch, out)
    this.#failures.report(this.id, batch, this.#context)
  }

  /** Whether the fast way is open: in order, nothing late, nothing before the last piece or beyond the ends of time. */
  #isInOrder(batch: Batch): boolean {
    if (!batch.isTimeOrdered || batch.watermarks !== null || this.#slices.slide > this.#slices.size) return false
    const { maxTime } = this.#slices
    const first = this.#timeOf(batch, batch.selection?.[0] ?? 0)
    const last = this.#timeOf(batch, batch.selection?.[batch.count - 1] ?? batch.count - 1)
    return first >= Math.max(this.#pieces.lastStart, -maxTime) && last <= maxTime
  }

  get #hasKeys(): boolean {
    return this.#options.keys.length > 0
  }

  #timesOf({ columns }: Batch): Int64Column {
    return columns[this.#options.timeIndex] as Int64Column
  }

  #timeOf(batch: Batch, row: number): number {
    return readInt53(this.#timesOf(batch).halves, row) + this.#options.timeShift
  }

  /** Finds the keys' ids of `rows[start]` … `rows[end − 1]`, and makes room for them. */
  #findKeys(batch: Batch, rows: Int32Array | null, start: number, end: number): void {
    const { keys } = this.#state
    keys.resolve(this.#keyColumns(batch), rows, start, end, this.#ids.i32)
    this.#memory.reserveKeys(keys.size)
  }

  #keyColumns({ columns }: Batch): Column[] {
    return this.#options.keys.map(({ index }) => columns[index]!)
  }

  #bindTimes(batch: Batch): void {
    this.#memory.setAt(CONTROL.times, this.#timesOf(batch).values.byteOffset)
  }

  /** Adds rows that all count in all their windows. */
  #addAll(batch: Batch, isInOrder: boolean): void {
    const inputs = this.#inputs.columnsOf(batch, this.#failures.add)
    try {
      const rows = this.#rowsInMemory(batch)
      const count = batch.count - this.#failures.size
      if (count === 0) return
      this.#bindTimes(batch)
      this.#inputs.bind(inputs, rows ?? this.#everyRow.below(count), count, batch.length, this.#memory)
      if (isInOrder) this.#ingest(batch, rows, count)
      else {
        this.#findKeys(batch, rows, 0, count)
        this.#ingestAnywhere(batch, rows ?? this.#disorder.rowsOf(batch), count)
      }
    } finally {
      inputs.release()
    }
  }

  /** The rows that count and have not failed, as a list in the arena's memory; `null` where all count. */
  #rowsInMemory(batch: Batch): Int32Array | null {
    const { selection, count } = batch
    const own = this.#rows.i32
    if (this.#failures.size > 0) {
      this.#failures.without(selection ?? this.#everyRow.below(batch.length), count, own)
      return own
    }
    if (selection === null || selection.buffer === own.buffer) return selection
    own.set(selection.subarray(0, count))
    return own
  }

  /** Adds rows in order of time to the last piece and those behind it. */
  #ingest(batch: Batch, rows: Int32Array | null, count: number): void {
    const memory = this.#memory
    const rowOf = (at: number) => (rows === null ? at : rows[at]!)
    const { ingest, ingestAll, ingestDirect, ingestDirectAll } = this.#code
    const findCells = rows === null ? this.#code.findCellsAll : this.#code.findCells
    const direct = rows === null ? ingestDirectAll : ingestDirect
    const isDirect = direct !== undefined && this.#direct.begin(this.#state.keys, this.#keyColumns(batch))
    // Where there is one key, nobody asks for its id.
    if (!isDirect && this.#hasKeys) this.#findKeys(batch, rows, 0, count)
    /** Ids of the rows before are told, those of the others are looked up. */
    let toldEnd = isDirect ? 0 : count
    const rowsAddress = rows === null ? 0 : rows.byteOffset
    // Cells are found once, for all calls to come.
    if (isDirect) findCells?.(memory.controlAddress, 0, count, rowsAddress, this.#ids.address)
    this.#state.touch()
    let at = 0
    // Holes are closed before there are the pieces of a whole batch.
    this.#pieces.reserveEntries(this.#entriesOfBatch)
    const firstEntry = memory.get(CONTROL.entryTail)
    this.#openLast(this.#timeOf(batch, rowOf(0)))
    for (;;) {
      this.#pieces.moveLastToEnd()
      memory.pieces.set(memory.get(CONTROL.tail) - 1, PIECE.dirty, 1)
      const isTold = toldEnd === count || at < toldEnd
      const add = !isTold ? direct! : rows === null ? ingestAll : ingest
      at = add(memory.controlAddress, at, isTold ? toldEnd : count, rowsAddress, this.#ids.address)
      const reason = memory.get(CONTROL.reason)
      if (reason === STOP.done) {
        if (at === count) break
        if (this.#direct.locate(this.#state.keys, this.#keyColumns(batch))) {
          findCells?.(memory.controlAddress, at, count, rowsAddress, this.#ids.address)
        } else toldEnd = this.#tell(batch, rows, at, count)
      } else if (reason === STOP.newSlice) this.#openLast(this.#timeOf(batch, rowOf(at)))
      else if (reason === STOP.noRoom) this.#makeRoom(count - at)
      else if (reason === STOP.newKey) toldEnd = this.#tell(batch, rows, at, count)
      else {
        if (!isTold) this.#findKeys(batch, rows, at, at + 1)
        this.#refuse(rowOf(at), memory.entryOf.i32[this.#hasKeys ? this.#ids.i32[at]! : ONLY_ID]!)
        at++
      }
    }
    this.#entriesOfBatch = Math.max(0, memory.get(CONTROL.entryTail) - firstEntry)
    if (isDirect) this.#direct.end(count)
  }

  /** Finds the ids of some rows from `at` on, and gives the place behind them. */
  #tell(batch: Batch, rows: Int32Array | null, at: number, count: number): number {
    const end = at + this.#direct.takeTold(count - at)
    this.#findKeys(batch, rows, at, end)
    return end
  }

  #makeRoom(records: number): void {
    this.#pieces.reserveEntries(Math.min(records, this.#state.keys.size) + ENTRIES_AHEAD)
    this.#pieces.reservePiece()
  }

  #openLast(time: number): void {
    this.#pieces.openLast(this.#slices.of(time))
  }

  /** Reports a row that would take a sum out of its range. */
  #refuse(row: number, entry: number): void {
    const aggregate = this.#code.refusing(this.#memory.controlAddress, row, entry)
    assert(aggregate >= 0, "some aggregate refuses the row")
    this.#failures.add(row, overflowError(this.#options.aggregates[aggregate]!.name))
  }

  #ingestAnywhere(batch: Batch, rows: Int32Array, count: number): void {
    this.#state.touch()
    this.#disorder.addOnTime(
      rows,
      count,
      this.#ids,
      (row) => this.#timeOf(batch, row),
      (row, entry) => this.#refuse(row, entry),
    )
  }

  /** Adds those rows that count in some of their windows, and gives out those that are late for all. */
  #addSome(batch: Batch, out: Emitter): void {
    this.#bindTimes(batch)
    const sifted = this.#disorder.sift(batch)
    this.#betweenRows += sifted.betweenCount
    for (const row of sifted.outside) this.#failures.add(row, outOfTimeError())
    if (sifted.keptCount > 0) this.#addSifted(batch, sifted)
    // Where windows share the slices, each says itself what was late for it.
    if (sifted.lateCount === 0 || this.#options.isShared === true) return
    this.#state.addLateRows(sifted.lateCount)
    out.emit("late", batch.with({ selection: sifted.late, count: sifted.lateCount }))
  }

  #addSifted(batch: Batch, sifted: SiftedRows): void {
    const { kept, keptCount, onTime, onTimeCount, some, someCount } = sifted
    const failures = this.#failures
    const inputs = this.#inputs.columnsOf(batch.with({ selection: kept, count: keptCount }), failures.add)
    try {
      const remaining = (rows: Int32Array, count: number) =>
        failures.size === 0 ? count : failures.without(rows, count, rows)
      const count = remaining(kept, keptCount)
      this.#inputs.bind(inputs, kept, count, batch.length, this.#memory)
      this.#addOnTime(batch, onTime, remaining(onTime, onTimeCount))
      this.#addLate(batch, some.subarray(0, remaining(some, someCount)))
    } finally {
      inputs.release()
    }
  }

  #addOnTime(batch: Batch, rows: Int32Array, count: number): void {
    if (count === 0) return
    this.#findKeys(batch, rows, 0, count)
    this.#ingestAnywhere(batch, rows, count)
  }

  /** Adds rows that are late for some of their windows. */
  #addLate(batch: Batch, late: Int32Array): void {
    if (late.length === 0) return
    const rows = this.#rows.i32
    this.#state.touch()
    const timeOf = (row: number) => this.#timeOf(batch, row)
    for (const { bounds, countsFrom, rows: ofPiece } of lateGroups(this.#slices, late, timeOf, batch.watermarks!)) {
      rows.set(ofPiece)
      this.#findKeys(batch, rows, 0, ofPiece.length)
      const place = this.#pieces.at(bounds, countsFrom)
      this.#disorder.addTo(place, rows, ofPiece.length, this.#ids, (row, entry) => this.#refuse(row, entry))
    }
  }

  /** Fires the windows that are due. At +∞ all are, and the watermark becomes that at which the last of them is due. */
  onWatermark(watermark: number, out: Emitter): void {
    const state = this.#state
    let lastEnd = -Infinity
    if (this.#pieces.nextEnd(state.floorEnd) - 1 <= watermark) {
      const entries = this.#countEntries()
      lastEnd = this.#firing.fireUntil(watermark + 1, state, state.keys, out)
      this.#collect(entries)
    }
    state.watermark = watermark === Infinity ? lastEnd - 1 : watermark
  }

  /**
   * The start of the first window that is open at a watermark: no record before it counts in what fires from there on. It is
   * −∞ where nothing has passed.
   */
  firstOpenStart(watermark: number): number {
    return watermark === -Infinity ? -Infinity : this.#slices.firstWindowEndBehind(watermark + 1) - this.#slices.size
  }

  /** Takes the windows that end by a watermark for fired, whatever of their records was given: their rows are not wanted. */
  skipTo(watermark: number): void {
    if (watermark <= this.#state.watermark) return
    this.#state.watermark = watermark
    this.#pieces.drop(this.#state.floorEnd)
    // What windows share is found anew from pieces.
    this.#code.reset(this.#memory.controlAddress)
  }

  /** Forgets slices whose last window ends by the watermark, where others fire; gives whether ids have got another meaning. */
  pass(watermark: number): boolean {
    const entries = this.#countEntries()
    this.#state.watermark = watermark
    this.#pieces.drop(this.#state.floorEnd)
    return this.#collect(entries)
  }

  /** Counting takes time for each piece, and few keys are never dropped. */
  #countEntries(): number {
    const { keys, floorEnd } = this.#state
    return keys.size < KEYS_WORTH_COLLECTING ? Infinity : this.#pieces.countEntries(floorEnd)
  }

  /**
   * Drops the keys and texts that are in no piece any more, when they are many: `entries` is how many entries there were
   * before windows fired, so that keys that come again in each window are not lost and found each time. Gives whether any
   * were numbered anew.
   */
  #collect(entries: number): boolean {
    const state = this.#state
    const overgrown = this.#texts.overgrown()
    for (const input of overgrown) this.#renumberTexts(input)
    if (state.keys.size <= entries * 2) return overgrown.length > 0
    this.#pieces.drop(state.floorEnd)
    const lists = this.#pieces.open(state.floorEnd).map((place) => this.#pieces.idsOf(place))
    const old = state.keys
    state.keys = old.withOnly(lists)
    old.release()
    this.#memory.forgetKeys()
    this.#pieces.onIdsMoved()
    return true
  }

  #renumberTexts(input: number): void {
    const field = this.#shape.entryFieldOf(input)
    const codes = this.#memory.entryFields[field]!.i64
    const places = this.#pieces.open(this.#state.floorEnd)
    this.#texts.renumber(input, (renumbered) => {
      for (const { list, index } of places) {
        const from = list.get(index, PIECE.from)
        for (let entry = from; entry < from + list.get(index, PIECE.size); entry++) {
          codes[entry] = BigInt(renumbered(Number(codes[entry]!)))
        }
      }
    })
    // What windows share holds codes, too; it is found anew. Pieces that have left must not seem to wait for a window then.
    this.#pieces.drop(this.#state.floorEnd)
    this.#code.reset(this.#memory.controlAddress)
  }

  writeChanges(out: ByteWriter): void {
    this.#state.writeChanges(out)
  }

  writeAll(out: ByteWriter): void {
    this.#state.writeAll(out)
  }

  beginSlices(): StateSlices {
    return this.#state.beginSlices()
  }

  applyChanges(changes: ByteReader): void {
    this.#state.applyChanges(changes)
    // What windows share is found anew from pieces.
    this.#code.reset(this.#memory.controlAddress)
  }

  /** Gives all memory back. The operator must not be used any more. */
  release(): void {
    this.#memory.release()
    this.#pieces.release()
    this.#disorder.release()
    this.#inputs.release()
    this.#results.release()
    this.#state.release()
    this.#state.keys.release()
    for (const array of [this.#rows, this.#ids]) array.release()
  }
}

/** Why a row fails whose sum is out of range. */
export function overflowError(name: string): TidemarkError {
  return new TidemarkError("aggregate-overflow", `${JSON.stringify(name)} would leave the range of its sum's type`, {
    hint: "Sum a float64, or fewer or smaller values.",
  })
}

function outOfTimeError(): TidemarkError {
  return new TidemarkError("invalid-timestamp", "the windows of the record reach beyond the years 1684 to 2255")
}
