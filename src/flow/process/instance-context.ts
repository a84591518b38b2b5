/** What instances of an operator are given with each call: there is one an operator, and between calls it stands for nothing. */
import { TidemarkError } from "../../base/errors.ts"
import type { MadeRows } from "../made-rows.ts"

type Row = Readonly<Record<string, unknown>>

/** A call of an instance. */
export interface InstanceCall {
  /** The event time of the record, or when the instance was to be woken; `undefined` for a record without event time. */
  readonly time: number | undefined
  /** The watermark that it sees. */
  readonly watermark: number
  /** The watermark before what it emits. */
  readonly emitWatermark: number
  /** Takes the record out of the stream; absent where there is none. */
  readonly fail?: (error: unknown) => void
}

/** See the head of this file. Its members are those of the public type of the context. */
export class InstanceContext {
  #call: InstanceCall | undefined
  /** What the clock said last, in microseconds. */
  nowMicros = 0
  readonly view: Row

  constructor(main: MadeRows, sides: Readonly<Record<string, MadeRows>>) {
    const emitTo = (to: MadeRows) => (row: unknown) => {
      to.add(to.checked(row), this.#current.emitWatermark)
    }
    const view = {
      emit: emitTo(main),
      side: Object.freeze(Object.fromEntries(Object.entries(sides).map(([name, to]) => [name, emitTo(to)]))),
      fail: (reason: unknown) => {
        this.#fail(reason)
      },
    }
    Object.defineProperties(view, {
      time: { get: () => this.#current.time },
      watermark: { get: () => this.#current.watermark },
      now: { get: () => this.nowMicros },
    })
    this.view = Object.freeze(view)
  }

  /** Lets an instance work. */
  during<T>(call: InstanceCall, work: () => T): T {
    this.#call = call
    try {
      return work()
    } finally {
      this.#call = undefined
    }
  }

  get #current(): InstanceCall {
    if (this.#call !== undefined) return this.#call
    throw new TidemarkError("lambda-failed", "the context of an operator was used outside of its handler", {
      hint: "Take what you need of it within the handler: at the next call it stands for another one.",
    })
  }

  #fail(reason: unknown): void {
    const { fail } = this.#current
    if (fail === undefined) {
      throw new TidemarkError("lambda-failed", "context.fail(...) was called where there is no record", {
        hint: "It takes the record at hand out of the stream: call it in onRecord.",
      })
    }
    fail(new TidemarkError("lambda-failed", typeof reason === "string" ? reason : "the operator refused the record"))
  }
}
