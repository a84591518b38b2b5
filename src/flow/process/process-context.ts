/**
 * What handlers of a `process` operator are given: the key and its state, timers, and ways to emit. There is one context an
 * operator; at each call it stands for that call's key, and between calls for none.
 */
import { TidemarkError } from "../../base/errors.ts"
import { shownValue } from "../../base/shown-value.ts"
import { stringType } from "../../batch/types/string.ts"
import type { MadeRows } from "../made-rows.ts"
import type { CallFrame } from "./call-frame.ts"
import { timerId } from "./key-state.ts"
import type { ProcessSpec } from "./process-spec.ts"
import { stateHandle } from "./state-handles.ts"

type Row = Readonly<Record<string, unknown>>

/** What a context is made of. */
export interface ProcessContextOptions {
  readonly spec: ProcessSpec
  readonly params: Row
  readonly main: MadeRows
  readonly sides: Readonly<Record<string, MadeRows>>
}

/** See the head of this file. Its members are those of the public type of the context. */
export class ProcessContext {
  readonly #frame: CallFrame
  readonly #keys: readonly string[]
  readonly params: Row
  readonly state: Row
  readonly timers: Row
  readonly side: Row
  readonly emit: (row: unknown) => void

  constructor(frame: CallFrame, { spec, params, main, sides }: ProcessContextOptions) {
    this.#frame = frame
    this.#keys = spec.keys
    this.params = params
    const states = Object.entries(spec.state)
    this.state = frozen(states.map(([name, state], index) => [name, stateHandle(frame, name, state, index)]))
    this.timers = frozen(spec.timers.map(({ name }, kind) => [name, Object.freeze(new TimerHandle(frame, name, kind))]))
    const emitTo = (to: MadeRows) => (row: unknown) => {
      frame.emit(to, row)
    }
    this.side = frozen(Object.entries(sides).map(([name, to]) => [name, emitTo(to)]))
    this.emit = emitTo(main)
    Object.freeze(this)
  }

  get key(): Row {
    const { key } = this.#frame.call.state
    return Object.fromEntries(this.#keys.map((name, index) => [name, key[index]]))
  }

  get time(): number | undefined {
    return this.#frame.call.time
  }

  get tag(): string | undefined {
    return this.#frame.call.tag
  }

  get watermark(): number {
    return this.#frame.call.watermark
  }

  get now(): number {
    return this.#frame.nowMicros
  }
}

/** A kind of timers, of the key at hand. */
class TimerHandle {
  readonly #frame: CallFrame
  readonly #name: string
  readonly #kind: number

  constructor(frame: CallFrame, name: string, kind: number) {
    this.#frame = frame
    this.#name = JSON.stringify(name)
    this.#kind = kind
  }

  set(time: unknown, tag: unknown = ""): void {
    if (Number.isSafeInteger(time)) return this.#put(tag, time as number)
    const problem = `the timer ${this.#name} was set to ${shownValue(time)}, which is no time`
    const hint = "Give microseconds since 1970 as a whole number: context.time and a number more."
    throw new TidemarkError("lambda-failed", problem, { hint })
  }

  clear(tag: unknown = ""): void {
    this.#put(tag, undefined)
  }

  get(given: unknown = ""): number | undefined {
    const id = timerId(this.#kind, this.#tagText(given))
    const pending = this.#frame.pendingTimer(id)
    return pending === undefined ? this.#frame.call.state.timers.get(id)?.time : pending.time
  }

  #put(given: unknown, time: number | undefined): void {
    void this.#frame.call
    const tag = this.#tagText(given)
    const id = timerId(this.#kind, tag)
    this.#frame.putTimer({ id, kind: this.#kind, tag, time })
  }

  #tagText(tag: unknown): string {
    if (typeof tag === "string") return stringType.definition.fromText(tag) as string
    throw new TidemarkError("lambda-failed", `the timer ${this.#name} has the tag ${shownValue(tag)}, which is no text`)
  }
}

function frozen(entries: readonly (readonly [string, unknown])[]): Row {
  return Object.freeze(Object.fromEntries(entries))
}
