/**
 * The call of a handler that is under way: which key it is for, and what it has done so far. Changes of state, timers and
 * rows are pending until the handler has returned.
 */
import { TidemarkError } from "../../base/errors.ts"
import type { MadeRows } from "../made-rows.ts"
import type { Cell, CellWorld } from "./cell.ts"
import type { KeyState } from "./key-state.ts"

type Row = Readonly<Record<string, unknown>>

/** More timers of one call are looked up by their ids. */
const FEW_TIMERS = 32

/** A call of a handler. */
export interface Call {
  readonly state: KeyState
  /** The event time of the record, or when the timer was due; `undefined` for a record without event time. */
  readonly time: number | undefined
  /** The tag of the timer; `undefined` for a record. */
  readonly tag: string | undefined
  /** The watermark that the handler sees. */
  readonly watermark: number
  /** The watermark before what it emits. */
  readonly emitWatermark: number
  /** Whether it is of a timer by the clock: its time is not event time. */
  readonly isByClock: boolean
}

/** A timer that a handler has set, or taken away. */
export interface PendingTimer {
  readonly id: string
  readonly kind: number
  readonly tag: string
  /** `undefined` where it is taken away. */
  readonly time: number | undefined
}

/** What came of a handler's call. */
export interface Committed {
  readonly hasChanged: boolean
  /** When the first value that it has written expires, or `Infinity`. */
  readonly expiresMicros: number
}

/** See the head of this file. */
export class CallFrame implements CellWorld {
  /** Whether time is event time, and not the clock's. */
  readonly #isTimed: boolean
  #call: Call | undefined
  // Lists, as a handler touches few cells and timers: to clear a map costs more than to look through them.
  readonly #touched: Cell[] = []
  /** In the order in which they were set last. */
  readonly #timers: PendingTimer[] = []
  /** All of them by id, in the same order, where they are more than a few; the list is empty then. */
  #manyTimers: Map<string, PendingTimer> | undefined
  readonly #rows: { readonly to: MadeRows; readonly row: Row }[] = []
  /** What the clock said last, in microseconds. */
  nowMicros = 0

  constructor(isTimed: boolean) {
    this.#isTimed = isTimed
  }

  /** The call under way. */
  get call(): Call {
    if (this.#call !== undefined) return this.#call
    throw new TidemarkError("lambda-failed", "the context of a process operator was used outside of its handler", {
      hint: "Take what you need of it within the handler: at the next call it stands for another key.",
    })
  }

  get time(): number {
    return this.#isTimed ? this.call.watermark : this.nowMicros
  }

  get writeTime(): number {
    if (!this.#isTimed) return this.nowMicros
    const { time, watermark, isByClock } = this.call
    // The clock may be years ahead of the records: what lives for a time of theirs must not wait for it.
    return isByClock && watermark > -Infinity ? watermark : Math.max(time ?? -Infinity, watermark)
  }

  touched(cell: Cell): void {
    if (!this.#touched.includes(cell)) this.#touched.push(cell)
  }

  /** What the handler has done with a timer; `undefined` where nothing. */
  pendingTimer(id: string): PendingTimer | undefined {
    return this.#manyTimers === undefined ? this.#timers.find((each) => each.id === id) : this.#manyTimers.get(id)
  }

  /** Takes note that the handler has set a timer, or taken it away: the last counts, and is the last in order. */
  putTimer(timer: PendingTimer): void {
    if (this.#manyTimers !== undefined) {
      this.#manyTimers.delete(timer.id)
      this.#manyTimers.set(timer.id, timer)
      return
    }
    const before = this.#timers.findIndex(({ id }) => id === timer.id)
    if (before >= 0) this.#timers.splice(before, 1)
    this.#timers.push(timer)
    if (this.#timers.length <= FEW_TIMERS) return
    this.#manyTimers = new Map(this.#timers.map((each) => [each.id, each]))
    this.#timers.length = 0
  }

  emit(to: MadeRows, row: unknown): void {
    void this.call
    this.#rows.push({ to, row: to.checked(row) })
  }

  begin(call: Call): void {
    this.#call = call
  }

  /** Takes over what the handler has done; `setTimer` is given its timers, in order. */
  commit(setTimer: (timer: PendingTimer) => void): Committed {
    const { emitWatermark } = this.call
    let expiresMicros = Infinity
    for (const cell of this.#touched) expiresMicros = Math.min(expiresMicros, cell.commit())
    const timers = this.#manyTimers ?? this.#timers
    const hasChanged = this.#touched.length > 0 || this.#manyTimers !== undefined || this.#timers.length > 0
    for (const timer of timers.values()) setTimer(timer)
    for (const { to, row } of this.#rows) to.add(row, emitWatermark)
    this.#end()
    return { hasChanged, expiresMicros }
  }

  /** Drops what the handler has done. */
  rollBack(): void {
    for (const cell of this.#touched) cell.rollBack()
    this.#end()
  }

  #end(): void {
    this.#call = undefined
    this.#touched.length = 0
    this.#timers.length = 0
    this.#manyTimers = undefined
    this.#rows.length = 0
  }
}
