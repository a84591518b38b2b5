/** The slow twin of `operator`: each key has an instance for ever, and wakes are a list that is searched. */
import type { Port } from "../plan.ts"
import { sidePort } from "../plan.ts"
import type { Row } from "../windows/window-aggregate.reference.ts"
import type { ReferenceEmission, ReferenceOutcome } from "./keyed-process.reference.ts"
import type { OperatorInstance, OperatorSpec } from "./operator-spec.ts"

interface Held {
  readonly instance: OperatorInstance
  wake: { readonly time: number; readonly sequence: number } | undefined
}

/** See the head of this file. */
export class ReferenceInstances {
  readonly #spec: OperatorSpec
  readonly #params: Row
  readonly #held = new Map<string, Held>()
  #latest = -Infinity
  #sequence = 0
  watermark = -Infinity
  /** What follows was drained up to here. */
  floor = -Infinity
  #emitted: ReferenceEmission[] = []
  #failed: Row[] = []

  constructor(spec: OperatorSpec, params: Row) {
    this.#spec = spec
    this.#params = params
  }

  onRow(row: Row, time: number, input = 0): ReferenceOutcome {
    const values = this.#spec.keys.map((name) => (row[name] === 0 ? 0 : row[name]))
    const id = values
      .map((value) => (typeof value === "bigint" ? `${value}n` : JSON.stringify([String(value), value])))
      .join()
    let held = this.#held.get(id)
    if (held === undefined) {
      const key = Object.fromEntries(this.#spec.keys.map((name, index) => [name, values[index]]))
      const instance = this.#spec.open({ key, params: this.#params, state: undefined }) as OperatorInstance
      this.#held.set(id, (held = { instance, wake: undefined }))
    }
    const { name } = this.#spec.inputs[input]!
    const { onRecord } = held.instance
    const handler = (name === undefined ? onRecord : (onRecord as Record<string, unknown>)[name]) as (
      ...given: unknown[]
    ) => void
    const { watermark } = this
    handler(row, this.#context({ time, watermark, emitWatermark: watermark, row }))
    this.#ask(held)
    this.#latest = Math.max(this.#latest, time)
    this.#fireDue(this.watermark)
    return this.#taken()
  }

  onWatermark(given: number): ReferenceOutcome {
    const all = [...this.#held.values()]
    const last = Math.max(this.#latest, ...all.map(({ wake }) => wake?.time ?? -Infinity))
    const watermark = given === Infinity ? last : given
    if (given !== Infinity && watermark <= this.watermark) return this.#taken()
    this.#fireDue(watermark)
    if (given !== Infinity) this.watermark = watermark
    return this.#taken()
  }

  #fireDue(watermark: number): void {
    for (;;) {
      const due = [...this.#held.values()]
        .filter(({ wake }) => wake !== undefined && wake.time <= watermark)
        .sort((one, other) => one.wake!.time - other.wake!.time || one.wake!.sequence - other.wake!.sequence)
      const [held] = due
      if (held === undefined) break
      const { time } = held.wake!
      held.wake = undefined
      const reached = Math.max(this.watermark, time)
      this.watermark = Math.max(this.watermark, time - 1)
      const emitWatermark = Math.max(this.watermark, this.floor)
      held.instance.onWake!(time, this.#context({ time, watermark: reached, emitWatermark }))
      this.#ask(held)
      this.watermark = reached
    }
  }

  #ask(held: Held): void {
    const time = (held.instance.wakeAt?.() as number | undefined) ?? Infinity
    if (held.wake?.time === time) return
    if (time !== Infinity) held.wake = { time, sequence: this.#sequence++ }
    else if (held.wake !== undefined) held.wake = undefined
  }

  #context(call: { time: number; watermark: number; emitWatermark: number; row?: Row }) {
    const emit = (port: Port) => (row: Row) => {
      this.#emitted.push({ port, row, watermark: call.emitWatermark })
    }
    return {
      time: call.time,
      watermark: call.watermark,
      emit: emit("main"),
      side: Object.fromEntries(Object.keys(this.#spec.sides).map((name) => [name, emit(sidePort(name))])),
      fail: () => {
        this.#failed.push(call.row!)
      },
    }
  }

  #taken(): ReferenceOutcome {
    const outcome = { emitted: this.#emitted, failed: this.#failed }
    this.#emitted = []
    this.#failed = []
    return outcome
  }
}
