/**
 * A plan at work on several threads: the stream is cut into parts, stretches of batches that follow each other, and each
 * part is computed by one thread that has the whole plan (`flow/parts/part-thread.ts`). What comes of them is given out in the order of the
 * stream, on the thread that asks for it.
 *
 * A thread begins a part some batches before it, its *run-up*: from where all records may be that count in a window that is
 * open where the part begins. Whether that was far enough is known when the parts before have been computed, as they tell the
 * greatest event time; where it was not, the parts are lost, and whoever drives this computes from the last commit on by
 * himself. Batches stay where they are until no part can need them.
 *
 * Invariants:
 * - PF1 What is given out, and its order, is what one `Dataflow` gives for the same batches with `advance` behind each of them.
 * - PF2 A batch is released once, when no thread reads it any more.
 * - PF3 Nothing is given out but within `room` and `settle`, and nothing behind a part that was lost.
 * - PF4 Results of which nobody has taken any have a bound for each thread.
 */
import { assert } from "../base/assert.ts"
import type { Arena } from "../batch/arena.ts"
import type { Batch } from "../batch/batch.ts"
import { readInt53, type Int64Column } from "../batch/column.ts"
import { placesOf, textColumns } from "../batch/column-places.ts"
import type { Dictionary } from "../batch/dictionary.ts"
import type { Threads } from "../env/env.ts"
import type { OperatorCounts } from "../flow/dataflow-status.ts"
import {
  packBatches,
  type BatchPlace,
  type FromPartThread,
  type PartResult,
  type PartTask,
} from "../flow/parts/part-messages.ts"
import type { PartPlan } from "../flow/parts/part-plan.ts"
import type { Plan } from "../flow/plan.ts"
import { withLateRows } from "../flow/windows/window-state.ts"
import { DictionaryNumbers } from "./dictionary-numbers.ts"
import { PartedOutputs } from "./parted-outputs.ts"
import { PartSeat } from "./part-seat.ts"

/** A thread has so many parts at once: one that it computes, and the next. */
const OPEN_PARTS_MAX = 2
/** A part has so many rows, where neither its run-up nor its results say otherwise: to tell and to answer costs as much as some thousand. */
const PART_ROWS = 1_048_576
/** A part is so many times as long as its run-up. */
const RUN_UPS = 8
/** Rows are left out so many at once, so that what is left lies as batches do. */
const ROWS_TOGETHER = 64
/** A part has so many bytes of results at most, as far as those before it tell; and a thread that of so many parts. */
const [RESULT_BYTES, RESULT_PARTS] = [8 * 1024 * 1024, 4]
/** The share of the arena that all threads have together, and the most and least bytes of one. */
const THREADS_SHARE = 1 / 8
const [SEAT_BYTES_MAX, SEAT_BYTES_MIN] = [256 * 1024 * 1024, 1024 * 1024]

/** What threads computed is void, or cannot go on. */
export class PartsLost extends Error {}

/** What it is made of. */
export interface PartedFlowOptions {
  readonly plan: Plan
  readonly parts: PartPlan
  readonly arena: Arena
  readonly threads: Threads
  /** How many threads: 1 or more. */
  readonly count: number
  /** Where the stream begins. */
  readonly start: PartedStart
  /** So many rows at most are kept for run-ups. */
  readonly keptRowsMax: number
  /** Rows of a part, where neither its run-up nor its results say otherwise; default 1,048,576. */
  readonly partRows?: number | undefined
  /** Takes rows of an output; they are gone when it returns. */
  readonly emit: (output: string, batch: Batch) => void
  /** Takes what threads have made of rows, where they do not hand them over; see `ResultFold`. */
  readonly onFolded?: (value: unknown) => void
}

/** Where a stream begins that is computed in parts. */
export interface PartedStart {
  /** By operator: its state, as changes of an empty one. */
  readonly states: ReadonlyMap<string, Uint8Array>
  /** By operator: rows that were late before. */
  readonly lateRows: ReadonlyMap<string, number>
  /** The greatest event time before; −∞ where there was none. */
  readonly latestEventTime: number
}

/** That of a stream before which there was nothing. */
export const EMPTY_START: PartedStart = { states: new Map(), lateRows: new Map(), latestEventTime: -Infinity }

/** Changes of states since the cut before, by operator. */
export type CutChanges = ReadonlyMap<string, Uint8Array>

/** A batch, until no part can need it. */
interface Kept {
  readonly place: BatchPlace
  readonly release: () => void
  /** The times of its rows, and that of the last one. */
  readonly times: Int32Array
  readonly lastTime: number
  /** How many rows came before it. */
  readonly rowsBefore: number
  /** The greatest event time up to its end; known when its part is done. */
  latest: number
}

/** Where an epoch was cut: before the batch of that number. */
interface Cut {
  readonly at: number
  readonly take: (changes: CutChanges) => void
  /** Whether a part has it. */
  isSent: boolean
}

interface Part {
  readonly seat: PartSeat
  readonly from: number
  readonly end: number
  /** Where its run-up starts. */
  readonly runUp: number
  readonly rows: number
  /** Whether its run-up begins with states that are those of the whole stream. */
  isExact: boolean
  /** See `FromPartThread`. */
  least: number | undefined
  readonly results: PartResult[]
  done: Extract<FromPartThread, { kind: "done" }> | undefined
  resultRows: number
}

/** See the head of this file. */
export class PartedFlow {
  readonly #options: PartedFlowOptions
  readonly #seats: PartSeat[] = []
  readonly #outputs: PartedOutputs
  readonly #isChained: boolean
  /** Those from the number `#keptFrom` on. */
  readonly #kept: Kept[] = []
  #keptFrom = 0
  /** The greatest event time before the first that is kept, and that of the last row before it. */
  #latestBefore = -Infinity
  #lastTimeBefore = -Infinity
  /** The number of the first batch that is in no part. */
  #openFrom = 0
  #rows = 0
  /** In order, until all that comes of them was given out. */
  readonly #parts: Part[] = []
  #partNumber = 0
  readonly #partByNumber = new Map<number, Part>()
  /** Where epochs were cut, in order, until the changes were given out. */
  readonly #cuts: Cut[] = []
  /** The partition that has ended behind the last batch, until a part knows it. */
  #ends: number | undefined
  /** The last cut that a part has, or none. */
  #lastCut = -1
  #partRows: number
  /** By the operator's id: late rows of the parts that were given out. */
  readonly #lateRows: Map<string, number>
  #counts: OperatorCounts[]
  readonly #dictionaries = new DictionaryNumbers()
  #lost: string | undefined
  #wake: (() => void) | undefined

  private constructor(options: PartedFlowOptions) {
    this.#options = options
    this.#outputs = new PartedOutputs(options.plan, options.arena.buffer)
    this.#partRows = Math.min(options.partRows ?? PART_ROWS, options.keptRowsMax)
    const { nodes } = options.plan
    this.#isChained = nodes.some((node) => node.kind === "windowAggregate" && isOverWindows(options.plan, node.input))
    const { lateRows, latestEventTime } = options.start
    this.#lateRows = new Map(lateRows)
    this.#latestBefore = this.#lastTimeBefore = latestEventTime
    this.#counts = nodes.map(({ id }) => ({ id, rowsIn: 0, rowsOut: 0, lateRows: 0 }))
  }

  /** Threads that compute the plan, or `undefined` where there are none, or no memory for them. */
  static start(options: PartedFlowOptions): PartedFlow | undefined {
    const flow = new PartedFlow(options)
    const { arena, threads, count, parts } = options
    const share = (arena.maxBytes * THREADS_SHARE) / count
    const bytes = Math.min(SEAT_BYTES_MAX, 2 ** Math.floor(Math.log2(share)))
    if (bytes < SEAT_BYTES_MIN) return undefined
    const resultBytesMax = Math.min(RESULT_BYTES * RESULT_PARTS, bytes / 4)
    for (let index = 0; index < count; index++) {
      const seat = PartSeat.start({
        arena,
        threads,
        plan: parts.data,
        states: options.start.states,
        bytes,
        resultBytesMax,
        onAnswer: (answer) => flow.#receive(answer),
        onDeath: (reason) => flow.#lose(`a thread has died: ${reason}`),
      })
      if (seat !== undefined) flow.#seats.push(seat)
    }
    return flow.#seats.length === 0 ? undefined : flow
  }

  /** How many threads there are. */
  get threads(): number {
    return this.#seats.length
  }

  /** What operators have counted since the last call, of the parts that were given out. */
  takeCounts(): readonly OperatorCounts[] {
    const counts = this.#counts
    this.#counts = counts.map(({ id }) => ({ id, rowsIn: 0, rowsOut: 0, lateRows: 0 }))
    return counts
  }

  /** Takes the next batch of the stream, which lies in the arena. It is read until `release` is called. */
  take(batch: Batch, release: () => void): void {
    const { columns, length, selection, count, origin } = batch
    const { halves } = columns[this.#options.parts.data.timeIndex] as Int64Column
    const place: BatchPlace = {
      rows: length,
      places: placesOf(columns),
      dictionaries: textColumns(columns).map(({ dictionary }) => this.#dictionaries.use(dictionary)),
      partition: origin.partition,
      selection: selection && selection.slice(0, count),
    }
    const lastTime = readInt53(halves, selection === null ? length - 1 : selection[count - 1]!)
    this.#kept.push({ place, release, times: halves, lastTime, rowsBefore: this.#rows, latest: NaN })
    this.#rows += length
  }

  /** An epoch is cut behind the last batch: `take` is given what has changed since the cut before, in its turn. */
  cut(take: (changes: CutChanges) => void): void {
    this.#cuts.push({ at: this.#end, take, isSent: false })
  }

  /** The only partition has ended behind the last batch: nothing comes but a cut, and `settle`. */
  end(partition: number): void {
    this.#ends = partition
  }

  /**
   * Gives out what there is, and resolves when another batch should be taken.
   *
   * @throws PartsLost where the threads cannot go on.
   */
  async room(): Promise<void> {
    this.#dispatch(false)
    this.#giveOut()
    while (this.#parts.length > 0 && this.#isFull) await this.#more()
  }

  get #isFull(): boolean {
    if (this.#rows - this.#rowsBefore(this.#keptFrom) > this.#options.keptRowsMax) return true
    return this.#rowsOf(this.#openFrom, this.#end) > this.#partRows * OPEN_PARTS_MAX
  }

  /**
   * Computes all that was taken, and gives it out.
   *
   * @throws PartsLost where the threads cannot go on.
   */
  async settle(): Promise<void> {
    this.#dispatch(true)
    this.#giveOut()
    while (this.#parts.length > 0 || this.#openFrom < this.#end || this.#cuts.length > 0) {
      await this.#more()
      this.#dispatch(true)
      this.#giveOut()
    }
  }

  /** Forgets all batches: after `settle`, where those that were taken are to be something else. */
  forget(): void {
    assert(this.#parts.length === 0 && this.#openFrom === this.#end, "all was computed")
    this.#releaseBefore(this.#end)
  }

  /** Ends all threads. What was not given out is void. */
  async close(): Promise<void> {
    this.#lost ??= "it was closed"
    for (const seat of this.#seats.splice(0)) await seat.stop()
    for (const { release } of this.#kept.splice(0)) release()
  }

  get #end(): number {
    return this.#keptFrom + this.#kept.length
  }

  #keptAt(number: number): Kept {
    const kept = this.#kept[number - this.#keptFrom]
    assert(kept !== undefined, "the batch is there")
    return kept
  }

  #rowsBefore(number: number): number {
    return number === this.#end ? this.#rows : this.#keptAt(number).rowsBefore
  }

  #rowsOf(from: number, end: number): number {
    return this.#rowsBefore(end) - this.#rowsBefore(from)
  }

  async #more(): Promise<void> {
    this.#checkLost()
    await new Promise<void>((resolve) => (this.#wake = resolve))
    this.#wake = undefined
    this.#dispatch(false)
    this.#giveOut()
  }

  #checkLost(): void {
    if (this.#lost !== undefined) throw new PartsLost(this.#lost)
  }

  #lose(reason: string): void {
    this.#lost ??= reason
    this.#wake?.()
  }

  /** Gives parts to threads: all that there is, where nothing more may come before it is computed. */
  #dispatch(isAll: boolean): void {
    if (isAll) this.#cutAtEnd()
    while (this.#lost === undefined && this.#openFrom < this.#end) {
      const open = this.#rowsOf(this.#openFrom, this.#end)
      if (open < this.#partRows && !isAll) return
      const wanted = isAll ? Math.min(this.#partRows, Math.ceil(open / this.#seats.length)) : this.#partRows
      const end = this.#endOf(wanted)
      const plan = this.#planFor(this.#openFrom, this.#rowsOf(this.#openFrom, end))
      if (plan === undefined) return
      this.#send(plan.seat, plan.runUp, end)
    }
  }

  /** Asks for a cut behind the last batch of a part that is under way: by a part without batches. */
  #cutAtEnd(): void {
    const isOpen = this.#openFrom === this.#end && this.#cuts.some(({ isSent }) => !isSent)
    if (this.#lost !== undefined || !isOpen) return
    const seat = this.#seats.find(
      ({ position, openParts }) => position === this.#openFrom && openParts < OPEN_PARTS_MAX,
    )
    if (seat !== undefined) this.#send(seat, this.#openFrom, this.#openFrom)
  }

  /** The end of a part with about so many rows, from the first batch on that is in none. */
  #endOf(rows: number): number {
    let end = this.#openFrom + 1
    while (end < this.#end && this.#rowsOf(this.#openFrom, end) < rows) end++
    return end
  }

  /** Which thread computes the part that begins with a batch, and where its run-up starts. */
  #planFor(from: number, rows: number): { readonly seat: PartSeat; readonly runUp: number } | undefined {
    const wanted = this.#runUpOf(from)
    const plans = this.#seats
      .filter(({ openParts }) => openParts < OPEN_PARTS_MAX)
      .map((seat) => ({ seat, runUp: Math.max(wanted, seat.position) }))
      .filter(({ runUp }) => runUp >= this.#keptFrom)
      .map((plan) => ({ ...plan, runUpRows: this.#rowsOf(plan.runUp, from) }))
      .sort((one, other) => one.seat.openParts - other.seat.openParts || one.runUpRows - other.runUpRows)
    const best = plans[0]
    if (best === undefined) return undefined
    // Who would read more for the run-up than for the part leaves it to the thread that goes on there, however busy.
    const goesOn = plans.find(({ runUpRows }) => runUpRows === 0)
    const longest = Math.max(...plans.map(({ runUpRows }) => runUpRows))
    this.#fit(longest)
    if (best.runUpRows <= rows) return best
    return goesOn ?? (this.#seats.some(({ position }) => position === from) ? undefined : best)
  }

  /** Makes parts longer, where their run-ups are long. */
  #fit(runUpRows: number): void {
    const { partRows = PART_ROWS, keptRowsMax } = this.#options
    const most = keptRowsMax / (OPEN_PARTS_MAX * this.#seats.length + 1)
    const least = Math.min(Math.max(partRows, runUpRows * RUN_UPS), most)
    if (this.#resultBytesPerRow === 0) this.#partRows = least
    else this.#partRows = Math.max(runUpRows, Math.min(least, RESULT_BYTES / this.#resultBytesPerRow))
  }

  #resultBytesPerRow = 0

  /** Where the run-up of a part starts that begins with a batch: before it no record should be that counts in the part. */
  #runUpOf(from: number): number {
    const runUp = this.#reachedFrom(from)
    // Windows over windows have at a cut what windows before have given them by then.
    return this.#isChained && this.#lastCut > runUp && this.#lastCut < from ? this.#reachedFrom(this.#lastCut) : runUp
  }

  /** From which batch on records may count in windows that are open where a batch begins; less than all where too few are kept. */
  #reachedFrom(number: number): number {
    if (number <= this.#keptFrom) return this.#keptFrom - 1
    const { reachMicros, outOfOrderMicros } = this.#options.parts
    const least = this.#keptAt(number - 1).lastTime - reachMicros - 2 * outOfOrderMicros
    let runUp = number
    while (runUp > this.#keptFrom && this.#keptAt(runUp - 1).lastTime >= least) runUp--
    return runUp === this.#keptFrom && this.#lastTimeBefore >= least ? this.#keptFrom - 1 : runUp
  }

  /** How many rows of the first batch of a run-up may be left out, where they seem to be too early. */
  #firstRowOf(runUp: number, resumeAt: number): number {
    if (resumeAt === 0) return 0
    const { place, times } = this.#keptAt(runUp)
    if (place.selection !== null) return 0
    const { reachMicros, outOfOrderMicros } = this.#options.parts
    const least = this.#keptAt(runUp + resumeAt - 1).lastTime - reachMicros - 2 * outOfOrderMicros
    let [low, high] = [0, place.rows - 1]
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (readInt53(times, middle) < least) low = middle
      else high = middle - 1
    }
    return low - (low % ROWS_TOGETHER)
  }

  #send(seat: PartSeat, runUp: number, end: number): void {
    const from = this.#openFrom
    const part = this.#partNumber++
    const lastCut = this.#lastCut >= runUp ? this.#lastCut - runUp : undefined
    const resumeAt = this.#isChained && lastCut !== undefined && lastCut > 0 ? lastCut : from - runUp
    const own: Part = {
      seat,
      from,
      end,
      runUp,
      rows: this.#rowsOf(from, end),
      isExact: runUp === seat.position,
      least: undefined,
      results: [],
      done: undefined,
      resultRows: 0,
    }
    const cuts = this.#cuts.filter(({ at, isSent }) => !isSent && at <= end)
    const ends = end === this.#end ? this.#ends : undefined
    if (ends !== undefined) this.#ends = undefined
    const batches: BatchPlace[] = []
    const dictionaries = new Map<number, Dictionary>()
    for (let number = runUp; number < end; number++) {
      const { place } = this.#keptAt(number)
      batches.push(place)
      for (const each of place.dictionaries) dictionaries.set(each, this.#dictionaries.of(each))
    }
    const task: PartTask = {
      part,
      from: runUp,
      dictionaries: seat.textsOf(dictionaries),
      ...packBatches(batches),
      firstRow: own.isExact ? 0 : this.#firstRowOf(runUp, resumeAt),
      resumeAt,
      start: from - runUp,
      lastCut,
      cuts: cuts.map(({ at }) => at - runUp),
      ends,
    }
    seat.compute(task, end)
    for (const each of cuts) {
      each.isSent = true
      this.#lastCut = each.at
    }
    this.#openFrom = end
    this.#parts.push(own)
    this.#partByNumber.set(part, own)
  }

  #receive(answer: FromPartThread): void {
    const part = this.#partByNumber.get(answer.part)
    if (part === undefined || this.#lost !== undefined) return
    if (answer.kind === "failed") this.#lose(answer.reason)
    else {
      part.least = answer.least
      part.results.push(...answer.results)
      if (answer.kind === "done") {
        part.done = answer
        part.seat.openParts--
      }
    }
    this.#wake?.()
  }

  /** Gives out, in the order of the stream, what has come of it. */
  #giveOut(): void {
    this.#checkLost()
    for (let part = this.#parts[0]; part !== undefined; part = this.#parts[0]) {
      if (!part.isExact) {
        if (part.least === undefined) return
        const latest = this.#latestUpTo(part.runUp)
        if (!(latest < part.least)) {
          this.#lose("records were further out of order than the run-up of a part is long")
          this.#checkLost()
        }
        part.isExact = true
      }
      for (const result of part.results.splice(0)) this.#giveResult(part, result)
      if (part.done === undefined) return
      this.#finish(part, part.done)
    }
  }

  #latestUpTo(number: number): number {
    return number <= this.#keptFrom ? this.#latestBefore : this.#keptAt(number - 1).latest
  }

  #giveResult(part: Part, result: PartResult): void {
    if (result.kind === "cut") {
      const { take } = this.#cuts.shift()!
      take(this.#absolute(result.changes, result.lateRows))
      return
    }
    if (result.kind === "folded") {
      this.#options.onFolded?.(result.value)
      return
    }
    const { output } = result
    if (result.kind === "texts") {
      part.seat.resultTexts(output, result.column).take(result)
      return
    }
    for (const batch of this.#outputs.batchesOf(result, part.seat)) {
      part.resultRows += batch.length
      try {
        this.#options.emit(output, batch)
      } finally {
        part.seat.release()
      }
    }
  }

  /** Changes as the whole stream makes them: a thread knows only the late rows of its part. */
  #absolute(changes: CutChanges, lateRows: ReadonlyMap<string, number>): CutChanges {
    const absolute = new Map<string, Uint8Array>()
    for (const [id, bytes] of changes) {
      const node = this.#options.plan.nodes.find((each) => each.id === id)!
      const isWindow = node.kind === "windowAggregate" && bytes.length > 0
      const late = (this.#lateRows.get(id) ?? 0) + (lateRows.get(id) ?? 0)
      absolute.set(id, isWindow ? withLateRows(bytes, late) : bytes)
    }
    return absolute
  }

  #finish(part: Part, { latest, counts, part: number }: NonNullable<Part["done"]>): void {
    this.#parts.shift()
    this.#partByNumber.delete(number)
    latest.forEach((each, index) => (this.#keptAt(part.from + index).latest = each))
    this.#counts = this.#counts.map((before, index) => sum(before, counts[index]!))
    for (const { id, lateRows } of counts) this.#lateRows.set(id, (this.#lateRows.get(id) ?? 0) + lateRows)
    if (part.rows > 0) this.#resultBytesPerRow = (part.resultRows * this.#outputs.rowBytes) / part.rows
    const wanted = [this.#runUpOf(this.#openFrom), part.end, ...this.#parts.map(({ runUp }) => runUp)]
    this.#releaseBefore(Math.max(Math.min(...wanted), this.#floorOfKept()))
  }

  /** The first batch that may be kept: not more rows than there is room for. */
  #floorOfKept(): number {
    const first = Math.min(this.#openFrom, ...this.#parts.map(({ runUp }) => runUp))
    let floor = this.#keptFrom
    while (floor < first && this.#rowsOf(floor, this.#end) > this.#options.keptRowsMax) floor++
    return floor
  }

  #releaseBefore(number: number): void {
    while (this.#keptFrom < number) {
      const { latest, lastTime, place, release } = this.#kept.shift()!
      for (const number of place.dictionaries) this.#dictionaries.release(number)
      this.#latestBefore = latest
      this.#lastTimeBefore = lastTime
      this.#keptFrom++
      release()
    }
  }
}

function sum(one: OperatorCounts, other: OperatorCounts): OperatorCounts {
  return {
    id: one.id,
    rowsIn: one.rowsIn + other.rowsIn,
    rowsOut: one.rowsOut + other.rowsOut,
    lateRows: one.lateRows + other.lateRows,
  }
}

/** Whether what feeds a window are results of windows. */
function isOverWindows({ nodes }: Plan, input: number): boolean {
  const node = nodes[input]!
  if (node.kind === "source" || node.kind === "eventTime") return false
  return node.kind === "windowAggregate" || isOverWindows({ nodes } as Plan, node.input)
}
