/**
 * An instance of an operator as it is called: what the program gave is checked when it is opened, and what it gives at each call.
 *
 * Invariant:
 * - P14 Whatever is not as it must be throws `lambda-failed`.
 */
import { TidemarkError } from "../../base/errors.ts"
import { shownValue } from "../../base/shown-value.ts"
import type { ColumnType } from "../../batch/type.ts"
import { isAsynchronous } from "./asynchronous.ts"
import type { OperatorInstance, OperatorSpec } from "./operator-spec.ts"

type Handler = (...given: unknown[]) => unknown

const SHAPE_HINT = "Give { onRecord(row, context) { ... }, snapshot() { return ... } }."

/** See the head of this file. */
export class OpenInstance {
  readonly #given: OperatorInstance
  readonly #handlers: readonly Handler[]
  readonly #type: ColumnType

  /** @param given what `open` gave. */
  constructor(given: unknown, { inputs, type }: OperatorSpec) {
    if (typeof given !== "object" || given === null) throw wrong(`open gave ${shownValue(given)}`, SHAPE_HINT)
    this.#given = given as OperatorInstance
    this.#type = type
    if (typeof this.#given.snapshot !== "function") throw wrong("open gave an instance without snapshot()", SHAPE_HINT)
    const { onRecord } = this.#given
    this.#handlers = inputs.map(({ name }) => {
      const own = name === undefined ? onRecord : (onRecord as Readonly<Record<string, unknown>> | undefined)?.[name]
      if (typeof own !== "function") {
        throw wrong(`open gave an instance without onRecord${name === undefined ? "" : `.${name}`}`, SHAPE_HINT)
      }
      return own.bind(name === undefined ? given : onRecord) as Handler
    })
  }

  onRecord(input: number, row: unknown, context: unknown): void {
    checkDone("onRecord", this.#handlers[input]!(row, context))
  }

  onWake(time: number, context: unknown): void {
    if (this.#given.onWake === undefined) throw wrong("wakeAt() gave a time, and there is no onWake", SHAPE_HINT)
    checkDone("onWake", this.#given.onWake(time, context))
  }

  onClock(now: number, context: unknown): void {
    if (this.#given.onClock === undefined) throw wrong("clockAt() gave a time, and there is no onClock", SHAPE_HINT)
    checkDone("onClock", this.#given.onClock(now, context))
  }

  /** When it wants to be woken by the watermark: behind `after`; +∞ for never. */
  wakeAt(after: number): number {
    return this.#given.wakeAt === undefined ? Infinity : checkTime("wakeAt", this.#given.wakeAt(), after)
  }

  /** The same by the clock. */
  clockAt(after: number): number {
    return this.#given.clockAt === undefined ? Infinity : checkTime("clockAt", this.#given.clockAt(), after)
  }

  /** What it would have to know to go on; `undefined` for nothing, which cannot be where it `isAwaited` by a wake. */
  snapshot(isAwaited: boolean): unknown {
    const snapshot = this.#given.snapshot()
    if (snapshot === undefined && isAwaited) {
      const hint = "What is opened anew must ask for the same wake: keep its time in the snapshot."
      throw wrong("snapshot() gave nothing, and the instance is to be woken", hint)
    }
    const problem = snapshot === undefined ? undefined : this.#type.check(snapshot)
    if (problem !== undefined)
      throw wrong(
        `snapshot() gave ${shownValue(snapshot)}, which is ${problem}`,
        "Give a value of the type that state declares, or undefined for nothing.",
      )
    return snapshot
  }
}

function checkTime(call: string, given: unknown, after: number): number {
  if (given === Infinity) return Infinity
  if (!Number.isSafeInteger(given)) {
    throw wrong(
      `${call}() gave ${shownValue(given)}, which is no time`,
      "Give whole microseconds, or Infinity for never.",
    )
  }
  if ((given as number) > after) return given as number
  throw wrong(
    `${call}() gave ${String(given)} again, for which it has just been called`,
    "Give a later time, or Infinity for never.",
  )
}

function checkDone(call: string, given: unknown): void {
  if (!isAsynchronous(given)) return
  throw wrong(
    `${call} is asynchronous`,
    "An operator works at once: call what takes time with .asyncMap(...) before it.",
  )
}

function wrong(problem: string, hint: string): TidemarkError {
  return new TidemarkError("lambda-failed", problem, { hint })
}
