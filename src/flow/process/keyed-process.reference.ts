/**
 * The slow twin of `process`: one record, one watermark at a time, on plain objects. State is copied before each call and
 * put back where the handler fails; timers are a list that is searched.
 */
import type { Port } from "../plan.ts"
import { sidePort } from "../plan.ts"
import type { Row } from "../windows/window-aggregate.reference.ts"
import type { ProcessSpec, StateSpec } from "./process-spec.ts"

interface Held {
  readonly value: unknown
  readonly expires: number
}

interface ReferenceTimer {
  readonly key: string
  readonly kind: number
  readonly tag: string
  readonly time: number
  readonly sequence: number
}

/** The state of a key: by state, pairs of a map key (`null` for all else) and what is held. */
type KeyData = Record<string, { readonly key: unknown; readonly held: Held }[]>

/** A row that was emitted, with the watermark before it. */
export interface ReferenceEmission {
  readonly port: Port
  readonly row: Row
  readonly watermark: number
}

/** What became of a call. */
export interface ReferenceOutcome {
  readonly emitted: readonly ReferenceEmission[]
  /** Rows whose handler failed. */
  readonly failed: readonly Row[]
}

/** See the head of this file. */
export class ReferenceProcess {
  readonly #spec: ProcessSpec
  readonly #data = new Map<string, KeyData>()
  readonly #keys = new Map<string, Row>()
  #timers: ReferenceTimer[] = []
  #sequence = 0
  watermark = -Infinity
  /** What follows was drained up to here. */
  floor = -Infinity
  #emitted: ReferenceEmission[] = []
  #failed: Row[] = []

  constructor(spec: ProcessSpec) {
    this.#spec = spec
  }

  onRow(row: Row, time: number, input = 0): ReferenceOutcome {
    const values = this.#spec.keys.map((name) => (row[name] === 0 ? 0 : row[name]))
    const key = values
      .map((value) => (typeof value === "bigint" ? `${value}n` : JSON.stringify([String(value), value])))
      .join()
    this.#keys.set(key, Object.fromEntries(this.#spec.keys.map((name, index) => [name, values[index]])))
    const { watermark } = this
    const onRecord = this.#spec.inputs[input]!.onRecord as (row: Row, context: unknown) => void
    this.#call(
      { key, time, watermark, emitWatermark: watermark, tag: undefined },
      (context) => onRecord(row, context),
      row,
    )
    this.#fireDue(this.watermark)
    return this.#taken()
  }

  onWatermark(given: number): ReferenceOutcome {
    const last = Math.max(-Infinity, ...this.#timers.filter((timer) => this.#isEvent(timer)).map(({ time }) => time))
    const watermark = given === Infinity ? last : given
    if (watermark <= this.watermark) return this.#taken()
    this.#fireDue(watermark)
    this.watermark = watermark
    return this.#taken()
  }

  #isEvent({ kind }: ReferenceTimer): boolean {
    return this.#spec.timers[kind]!.domain === "event"
  }

  #fireDue(watermark: number): void {
    for (;;) {
      const due = this.#timers
        .filter((timer) => this.#isEvent(timer) && timer.time <= watermark)
        .sort((one, other) => one.time - other.time || one.sequence - other.sequence)
      const [timer] = due
      if (timer === undefined) break
      const reached = Math.max(this.watermark, timer.time)
      this.watermark = Math.max(this.watermark, timer.time - 1)
      this.#fire(timer, reached, Math.max(this.watermark, this.floor))
    }
  }

  #fire(timer: ReferenceTimer, watermark: number, emitWatermark: number): void {
    const { key, kind, tag, time } = timer
    this.#timers.splice(this.#timers.indexOf(timer), 1)
    const { name, onTimer } = this.#spec.timers[kind]!
    const handler = onTimer as (context: unknown) => void
    this.#call({ key, time, watermark, emitWatermark, tag }, handler, { ...this.#keys.get(key)!, timer: name, time })
  }

  #call(
    call: { key: string; time: number; watermark: number; emitWatermark: number; tag: string | undefined },
    handler: (context: unknown) => void,
    failing: Row,
  ): void {
    const { key, time, watermark, emitWatermark, tag } = call
    const before = this.#data.get(key) ?? Object.fromEntries(Object.keys(this.#spec.state).map((name) => [name, []]))
    const data = Object.fromEntries(Object.entries(before).map(([name, entries]) => [name, [...entries]]))
    this.#data.set(key, data)
    const [timers, sequence, emitted] = [[...this.#timers], this.#sequence, [...this.#emitted]]
    const emit = (port: Port) => (row: Row) => {
      this.#emitted.push({ port, row, watermark: emitWatermark })
    }
    const writeTime = Math.max(time, watermark)
    const states = Object.entries(this.#spec.state).map(([name, spec]) => {
      return [name, stateOf(spec, data[name]!, watermark, writeTime)]
    })
    const pending = new Map<string, () => void>()
    const timersOf = this.#spec.timers.map(({ name }, kind) => [name, this.#timersOf(key, kind, pending)])
    try {
      handler({
        key: this.#keys.get(key),
        time,
        tag,
        watermark,
        emit: emit("main"),
        side: Object.fromEntries(Object.keys(this.#spec.sides).map((name) => [name, emit(sidePort(name))])),
        state: Object.fromEntries(states) as unknown,
        timers: Object.fromEntries(timersOf) as unknown,
      })
      for (const set of pending.values()) set()
    } catch {
      this.#data.set(key, before)
      this.#timers = timers
      this.#sequence = sequence
      this.#emitted = emitted
      this.#failed.push(failing)
    }
  }

  #timersOf(key: string, kind: number, pending: Map<string, () => void>) {
    const remove = (tag: string) => {
      this.#timers = this.#timers.filter((timer) => timer.key !== key || timer.kind !== kind || timer.tag !== tag)
    }
    const put = (tag: string, set: () => void) => {
      pending.delete(`${kind} ${tag}`)
      pending.set(`${kind} ${tag}`, set)
    }
    return {
      set: (time: number, tag = "") => {
        put(tag, () => {
          remove(tag)
          this.#timers.push({ key, kind, tag, time, sequence: this.#sequence++ })
        })
      },
      clear: (tag = "") => {
        put(tag, () => {
          remove(tag)
        })
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

/** A state on its list of what is held. */
function stateOf(spec: StateSpec, entries: KeyData[string], watermark: number, writeTime: number) {
  const there = () => entries.filter(({ held }) => held.expires > watermark)
  const held = (value: unknown): Held => ({ value, expires: writeTime + spec.ttlMicros })
  const indexOf = (key: unknown) => entries.findIndex((entry) => Object.is(entry.key, key))
  const clear = () => {
    entries.length = 0
  }
  const get = (key: unknown = null) => there().find((entry) => Object.is(entry.key, key))?.held.value
  const set = (value: unknown) => {
    entries.splice(0, entries.length, { key: null, held: held(value) })
  }
  switch (spec.kind) {
    case "value":
      return { get: () => get(), set, clear }
    case "reducing": {
      const reduce = spec.reduce as (one: unknown, other: unknown) => unknown
      const add = (value: unknown) => {
        const before = get()
        set(before === undefined ? value : reduce(before, value))
      }
      return { get: () => get(), add, clear }
    }
    case "list": {
      const add = (value: unknown) => {
        const expires = Math.max(writeTime + spec.ttlMicros, entries.at(-1)?.held.expires ?? -Infinity)
        entries.push({ key: null, held: { value, expires } })
      }
      return { values: () => there().map((entry) => entry.held.value), add, clear }
    }
    case "map": {
      const remove = (key: unknown) => {
        const at = indexOf(key)
        if (at >= 0) entries.splice(at, 1)
      }
      const put = (key: unknown, value: unknown) => {
        const at = indexOf(key)
        if (at >= 0 && entries[at]!.held.expires > watermark) entries[at] = { key, held: held(value) }
        else {
          remove(key)
          entries.push({ key, held: held(value) })
        }
      }
      const pairs = () => there().map((entry) => [entry.key, entry.held.value])
      return { get, set: put, delete: remove, clear, entries: pairs }
    }
  }
}
