/** What a `process` operator is made of, as the plan has it. */
import type { Schema } from "../../batch/schema.ts"
import type { ColumnType } from "../../batch/type.ts"

/** What becomes of values that an earlier program has kept. */
export interface ValueMigration {
  /** The type that they had. */
  readonly type: ColumnType
  readonly migrate: (value: never) => unknown
}

interface StateBase {
  /** The type of its values. */
  readonly type: ColumnType
  /** For types that it had in earlier programs. */
  readonly migrations?: readonly ValueMigration[]
  /** How long a value lasts after it was written last, in microseconds; `Infinity` for ever. */
  readonly ttlMicros: number
}

/** State of each key: one value. */
export interface ValueStateSpec extends StateBase {
  readonly kind: "value"
}

/** State of each key: values in the order in which they were added. */
export interface ListStateSpec extends StateBase {
  readonly kind: "list"
}

/** State of each key: values by keys of its own. */
export interface MapStateSpec extends StateBase {
  readonly kind: "map"
  readonly keyType: ColumnType
}

/** State of each key: one value, into which others are reduced. */
export interface ReducingStateSpec extends StateBase {
  readonly kind: "reducing"
  readonly reduce: (one: never, other: never) => unknown
}

/** A state that an operator keeps for each key. */
export type StateSpec = ValueStateSpec | ListStateSpec | MapStateSpec | ReducingStateSpec

/** What a timer goes by: the watermark, or the clock. */
export type TimerDomain = "event" | "processing"

/** A kind of timer. */
export interface TimerSpec {
  readonly name: string
  readonly domain: TimerDomain
  /** Called when such a timer is due, with the operator's context. */
  readonly onTimer: (context: never) => unknown
}

/** One of the streams whose rows such an operator takes. */
export interface ProcessedStream {
  /** What the program calls it, where there are several. */
  readonly name: string | undefined
  /** The column that tells event time: all inputs have one, or none has. */
  readonly timeColumn: string | undefined
}

/** A stream with its handler. */
export interface ProcessInput extends ProcessedStream {
  readonly onRecord: (row: never, context: never) => unknown
}

/** The functions and the state of a `process` operator. */
export interface ProcessSpec {
  /** Columns by which rows have state in common; all inputs have them. */
  readonly keys: readonly string[]
  /** One for each of what feeds the node, in the same order. */
  readonly inputs: readonly ProcessInput[]
  /** By name. */
  readonly state: Readonly<Record<string, StateSpec>>
  /** In the order in which they were declared. */
  readonly timers: readonly TimerSpec[]
  /** What goes to other ports, by name. */
  readonly sides: Readonly<Record<string, Schema>>
}

/** Whether it has event time. */
export function hasEventTime({ inputs }: { readonly inputs: readonly ProcessedStream[] }): boolean {
  return inputs[0]?.timeColumn !== undefined
}

/** What its state means, as text: it is taken over where this is the same. */
export function processText({ keys, state, timers }: ProcessSpec, rows: Schema): string {
  const keyed = keys.map((name) => `${JSON.stringify(name)}: ${rows.field(name)!.type.label}`)
  const states = Object.entries(state).map(([name, spec]) => `${JSON.stringify(name)}: ${stateText(spec)}`)
  const timed = timers.map(({ name, domain }) => `${JSON.stringify(name)}: ${domain}`)
  return `by (${keyed.join(", ")}) with (${states.join(", ")}) and timers (${timed.join(", ")})`
}

function stateText(spec: StateSpec): string {
  const of = spec.kind === "map" ? `${spec.keyType.label}, ${spec.type.label}` : spec.type.label
  return `${spec.kind}(${of})${spec.ttlMicros === Infinity ? "" : " that expires"}`
}
