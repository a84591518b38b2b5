/**
 * Windows that fire more than once: early, where triggers say so, on time, and again for each record that comes late and is
 * still allowed. A result is of all records so far, and takes the place of the one before it, or, where windows are purged,
 * of those records alone that have come since.
 *
 * Records come in the order of arrival. Before each, all fires that is due at the watermark that the records before it make
 * (`row-watermarks.ts`). So what comes out, and in which order, does not depend on how records are cut into batches, nor on
 * when watermarks were passed on. What the clock fires depends on when it says so, as timers by the clock do (P8).
 *
 * Its state is that of `pane-state.ts`.
 *
 * Invariants (rules of docs/spec/windows.md):
 * - W70 A window fires where something counts in it that is new since it fired last, and only then.
 * - W71 A record counts in a window as long as that is open to it, and fires it at once where it has fired on time.
 * - W72 Where windows are not purged, each result says what becomes of the one before it.
 */
import type { ByteReader, ByteWriter } from "../../../base/bytes.ts"
import { TidemarkError } from "../../../base/errors.ts"
import type { Batch } from "../../../batch/batch.ts"
import { readInt53, type Int64Column } from "../../../batch/column.ts"
import type { Schema } from "../../../batch/schema.ts"
import type { ColumnType } from "../../../batch/type.ts"
import type { Projection } from "../../../expr/lambda.ts"
import type { ClockedOperator, Emitter, OperatorContext, TimedOperator } from "../../operator.ts"
import type { FiringSpec } from "../../plan.ts"
import { RowFailures } from "../../row-failures.ts"
import { leastOfOthers, type FollowingOperator, type Upstream } from "../../row-watermarks.ts"
import { takeChanges } from "../../taken-changes.ts"
import { boolType } from "../../../batch/types/bool.ts"
import { RECORD_BOUNDS } from "../bounds.ts"
import { Partials, type NamedAccumulator } from "../general/partials.ts"
import { ResultRows } from "../general/result-rows.ts"
import { addRowsOf } from "../general/rows-with-late.ts"
import { rowValueReader, RowValues, type ReadRowValue, type RowInput } from "../general/row-values.ts"
import { PaneState } from "./pane-state.ts"
import type { PaneWindows } from "./pane-windows.ts"
import { Panes, type Pane } from "./panes.ts"
import { Triggers } from "./triggers.ts"

/** What the operator is made of. */
export interface TriggeredWindowsOptions {
  readonly id: string
  readonly signature: string
  /** The key columns: their places in the input, and their types. */
  readonly keys: readonly { readonly index: number; readonly type: ColumnType }[]
  /** The place of the event-time column, and what is added to it; `undefined` where the stream has no event time. */
  readonly time: { readonly index: number; readonly shift: number } | undefined
  readonly aggregates: readonly (NamedAccumulator & { readonly input: RowInput; readonly resultType: ColumnType })[]
  readonly firing: FiringSpec
  /** Where a record fires the windows that hold it: what says so. */
  readonly punctuation: Projection | undefined
  /** Whether windows have no bounds but those of their records. */
  readonly isGlobal: boolean
  /** The results: `op` where they are updates, keys, bounds where there is event time, aggregates. */
  readonly schema: Schema
  makeWindows(panes: Panes, partials: Partials): PaneWindows
}

/** See the head of this file. */
export class TriggeredWindows implements TimedOperator, FollowingOperator, ClockedOperator {
  readonly id: string
  readonly signature: string
  readonly #options: TriggeredWindowsOptions
  readonly #context: OperatorContext
  readonly #panes: Panes
  readonly #partials: Partials
  readonly #windows: PaneWindows
  readonly #values: RowValues
  readonly #triggers: Triggers
  readonly #results: ResultRows
  readonly #state: PaneState
  readonly #failures = new RowFailures()
  /** How many columns of the partial results are bounds. */
  readonly #boundCount: number
  #upstreams: readonly Upstream[] = []
  #watermark = -Infinity
  #nowMicros = -Infinity
  #lateRows = 0
  #betweenRows = 0
  #hasMoved = false

  constructor(options: TriggeredWindowsOptions, context: OperatorContext) {
    const { id, keys, aggregates, schema, firing, punctuation, time, isGlobal } = options
    this.id = id
    this.signature = options.signature
    this.#options = options
    this.#context = context
    const bounds = isGlobal && time !== undefined ? RECORD_BOUNDS : []
    this.#boundCount = bounds.length
    const partials = new Partials([...bounds, ...aggregates])
    this.#partials = partials
    const panes = new Panes(firing.latenessMicros)
    this.#panes = panes
    this.#windows = options.makeWindows(panes, partials)
    this.#triggers = new Triggers(firing.early)
    const inputs: RowInput[] = [
      ...bounds.map(() => ({ kind: "none" }) as const),
      ...aggregates.map(({ input }) => input),
    ]
    if (punctuation !== undefined) inputs.push({ kind: "lambda", projection: punctuation, type: boolType })
    this.#values = new RowValues(inputs, context)
    this.#results = new ResultRows({ id, schema, partials }, context)
    this.#state = new PaneState({
      keys: keys.map(({ type }) => type),
      results: aggregates.map(({ resultType }) => resultType),
      panes,
      partials,
      isPane: (start, end) => this.#windows.isPane(start, end),
    })
  }

  follow(upstreams: readonly Upstream[]): void {
    this.#upstreams = upstreams
  }

  get watermark(): number {
    return this.#watermark
  }

  get lateRows(): number {
    return this.#lateRows
  }

  get betweenRows(): number {
    return this.#betweenRows
  }

  /** Of windows with an end. */
  countOpenWindows(): number {
    const open = new Set<number>()
    for (const { end } of this.#panes) if (end < Infinity && this.#watermark < end - 1) open.add(end)
    return open.size
  }

  nextDue(): number {
    return this.#panes.nextMoment()
  }

  get usesProcessingTime(): boolean {
    return this.#triggers.useClock
  }

  get nextProcessingTime(): number {
    return this.#panes.nextClock()
  }

  onBatch(batch: Batch, out: Emitter): void {
    const late = addRowsOf(batch, this.#values, this.#context, out, (...rows) => {
      let count = 0
      this.#results.give(out, () => (count = this.#addRows(batch, ...rows)))
      return count
    })
    this.#lateRows += late
    this.#hasMoved ||= late > 0
    this.#failures.report(this.id, batch, this.#context)
  }

  /** Adds the rows that count, and lists those that are late: how many there are. */
  #addRows(
    batch: Batch,
    readers: readonly ReadRowValue[],
    errors: ReadonlyMap<number, unknown>,
    late: Int32Array,
  ): number {
    const { time: timed, keys, punctuation, aggregates } = this.#options
    const halves = timed && (batch.columns[timed.index] as Int64Column).halves
    const others = leastOfOthers(this.#upstreams, batch.origin.partition)
    const keyReaders = keys.map(({ index }) => rowValueReader(batch.columns[index]!))
    const values = new Array<unknown>(this.#boundCount + aggregates.length)
    const isPunctuation = punctuation === undefined ? () => false : readers.at(-1)!
    let lateCount = 0
    batch.forEachRow((row) => {
      const time = halves === undefined ? 0 : readInt53(halves, row) + timed!.shift
      const watermark = timed === undefined ? -Infinity : (batch.watermarks?.[row] ?? time - 1)
      if (timed !== undefined) this.#advanceTo(Math.min(others, watermark))
      if (Math.abs(time) > this.#windows.maxTime) {
        this.#failures.add(row, outOfTimeError())
        return
      }
      const record = { key: this.#panes.keyOf(keyReaders.map((read) => read(row))), time, watermark }
      const outcome = this.#windows.look(record)
      if (outcome === "late") late[lateCount++] = row
      if (outcome === "between") this.#betweenRows++
      if (outcome !== "counted") return
      if (errors.has(row)) {
        this.#failures.add(row, errors.get(row))
        return
      }
      for (let index = 0; index < values.length; index++) values[index] = readers[index]!(row)
      if (this.#partials.mayRefuse && !this.#isAccepted(record, values, row)) return
      const added = this.#windows.add(record, values)
      this.#panes.ordinal++
      for (const pane of added) this.#counted(pane, time, isPunctuation(row) === true)
    })
    return lateCount
  }

  #isAccepted(record: Parameters<PaneWindows["partialsOf"]>[0], values: readonly unknown[], row: number): boolean {
    try {
      for (const partials of this.#windows.partialsOf(record)) this.#partials.check(partials, values, record.time)
      return true
    } catch (error) {
      this.#failures.add(row, error)
      return false
    }
  }

  /** A record has been added to a pane: that fires at once, or it is said when it does. */
  #counted(pane: Pane, time: number, isPunctuation: boolean): void {
    pane.news++
    this.#panes.touch(pane)
    const isPast = this.#watermark >= pane.end - 1
    if (isPast || isPunctuation || pane.news >= this.#triggers.count) {
      this.#fire(pane, this.#watermark)
      return
    }
    pane.tick = Math.min(pane.tick, this.#triggers.nextTick(Math.max(time, this.#watermark + 1)) - 1)
    if (pane.clockDue === Infinity) this.#panes.scheduleClock(pane, this.#triggers.nextClock(this.#nowMicros))
    this.#panes.schedule(pane, this.#watermark)
  }

  /** Gives the result of a pane, where something is new, and puts off or forgets what it holds. */
  #fire(pane: Pane, watermark: number): void {
    if (pane.news > 0) {
      const { isPurging } = this.#options.firing
      if (isPurging) this.#givePart(pane, watermark)
      else this.#giveUpdate(pane)
      pane.news = 0
    }
    pane.tick = Infinity
    this.#panes.scheduleClock(pane, Infinity)
    this.#panes.touch(pane)
    this.#panes.schedule(pane, this.#watermark)
  }

  #givePart(pane: Pane, watermark: number): void {
    const { row, errors } = this.#resultOf(pane)
    this.#results.put(row, errors, this.#options.time === undefined ? undefined : watermark)
    if (this.#options.isGlobal) this.#panes.remove(pane)
    else pane.partials = this.#partials.none()
  }

  #giveUpdate(pane: Pane): void {
    const { start, end, given, key } = pane
    const { row, errors, results } = this.#resultOf(pane)
    const hasSucceeded = errors.length === 0
    let isKnown = pane.hasGiven
    if (this.#windows.canGrow) {
      const isOwn = (each: { readonly start: number; readonly end: number }) => each.start === start && each.end === end
      for (const old of given) {
        if (!isOwn(old)) this.#results.put(["delete", ...key.values, old.start, old.end, ...old.results], [])
      }
      isKnown = given.some(isOwn)
      pane.given = hasSucceeded ? [{ start, end, results }] : given.filter(isOwn)
    } else if (hasSucceeded) pane.hasGiven = true
    this.#results.put([isKnown ? "update" : "insert", ...row], errors)
  }

  #resultOf({ key, start, end, partials }: Pane) {
    const errors: unknown[] = []
    const all = this.#partials.results(partials, (_index, error) => void errors.push(error))
    const bounds = this.#options.isGlobal ? all.slice(0, this.#boundCount) : [start, end]
    const results = all.slice(this.#boundCount)
    return { row: [...key.values, ...bounds, ...results], errors, results }
  }

  /** Fires what is due up to a watermark. */
  #advanceTo(watermark: number): void {
    if (watermark <= this.#watermark) return
    for (let moment = this.#panes.nextMoment(); moment <= watermark; moment = this.#panes.nextMoment()) {
      // What fires stands before everything of its own time.
      const before = Math.max(this.#watermark, moment - 1)
      this.#watermark = moment
      for (const pane of this.#panes.takeDue(moment)) this.#fire(pane, before)
    }
    this.#watermark = watermark
    this.#panes.passTo(watermark)
    this.#hasMoved = true
  }

  /** At +∞ all windows fire that have an end, and the watermark becomes the last of these; then those without one. */
  onWatermark(watermark: number, out: Emitter): void {
    this.#results.give(out, () => {
      if (watermark < Infinity) {
        this.#advanceTo(watermark)
        return
      }
      let last = this.#watermark
      for (const { end } of this.#panes) if (end < Infinity) last = Math.max(last, end - 1)
      this.#advanceTo(last)
      const endless = [...this.#panes].filter(({ end, news }) => end === Infinity && news > 0)
      for (const pane of endless.sort((one, other) => one.ordinal - other.ordinal)) this.#fire(pane, this.#watermark)
    })
  }

  /** The clock says `nowMicros`: what it fires is given out. */
  onProcessingTime(nowMicros: number, out: Emitter): void {
    if (nowMicros <= this.#nowMicros) return
    this.#nowMicros = nowMicros
    this.#hasMoved = true
    this.#results.give(out, () => {
      for (let moment = this.#panes.nextClock(); moment <= nowMicros; moment = this.#panes.nextClock()) {
        for (const pane of this.#panes.takeClockDue(moment)) this.#fire(pane, this.#watermark)
      }
    })
  }

  writeChanges(out: ByteWriter): void {
    if (!this.#hasMoved && !this.#panes.hasChanged) return
    this.#hasMoved = false
    this.#state.writeChanges(this.#head, out)
  }

  writeAll(out: ByteWriter): void {
    const { watermark, nowMicros, lateRows } = this.#head
    if (watermark === -Infinity && nowMicros === -Infinity && lateRows + this.#panes.ordinal === 0) return
    this.#state.writeAll(this.#head, out)
  }

  get #head() {
    return { watermark: this.#watermark, nowMicros: this.#nowMicros, lateRows: this.#lateRows }
  }

  applyChanges(changes: ByteReader): void {
    takeChanges(this.id, changes, (each) => {
      const { watermark, nowMicros, lateRows } = this.#state.apply(each, this.#watermark)
      this.#watermark = watermark
      this.#nowMicros = nowMicros
      this.#lateRows = lateRows
      this.#hasMoved = false
    })
  }
}

function outOfTimeError(): TidemarkError {
  return new TidemarkError("invalid-timestamp", "the windows of the record reach beyond the years 1684 to 2255")
}
