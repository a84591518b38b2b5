/**
 * `connect`: keyed streams of different types that share a state by key.
 *
 * @see {@link https://nightlies.apache.org/flink/flink-docs-stable/docs/dev/datastream/operators/overview/#connect | connect of Flink}
 */
import type { ColumnTypes } from "../batch/schema.ts"
import type { ColumnType, ValueOf } from "../batch/type.ts"
import type { Timestamp } from "../time/timestamp.ts"
import type { AnyKeyed, PartsOf } from "./keyed-parts.ts"
import type { Instance, InstanceOpening, OperatorParts, RecordContext } from "./operator-types.ts"
import type { Problem } from "./problem.ts"
import type {
  ProcessContext,
  ProcessParts,
  SideColumns,
  StateDeclarations,
  TimerDeclarations,
} from "./process-types.ts"
import { RecordedConnectedStreams } from "./recorded-connect.ts"
import type { OperatorOptions, ProcessResult } from "./stream.ts"
import type { NoOptions } from "./window-types.ts"

/**
 * Keyed streams by name.
 *
 * @example
 * ```ts
 * import type { AppendStream, ConnectableStreams } from "tidemark"
 *
 * type Order = { id: string; cents: number }
 * const byId = (orders: AppendStream<Order>): ConnectableStreams => ({ orders: orders.keyBy("id") })
 * ```
 */
export type ConnectableStreams = Readonly<Record<string, AnyKeyed>>

/** What is known of all of them. */
type AllOf<S extends ConnectableStreams> = PartsOf<S[keyof S]>
type Keys<S extends ConnectableStreams> = AllOf<S>["keys"]
type KeyRow<S extends ConnectableStreams> = {
  readonly [N in Keys<S>]: N extends keyof AllOf<S>["row"] ? AllOf<S>["row"][N] : never
}
type Params<S extends ConnectableStreams> = AllOf<S>["params"]
type EventTime<S extends ConnectableStreams> = AllOf<S>["time"]

/** The values of the columns `K` of a row. */
type KeyValue<R, K> = K extends keyof R ? NonNullable<R[K]> : never

/** What does not go together, in words, by stream. */
export type ConnectProblems<S extends ConnectableStreams> = {
  readonly [N in keyof S]: [Keys<S>] extends [PartsOf<S[N]>["keys"]]
    ? [KeyValue<AllOf<S>["row"], Keys<S>>] extends [KeyValue<PartsOf<S[N]>["row"], Keys<S>>]
      ? [EventTime<S>] extends [never]
        ? S[N]
        : [PartsOf<S[N]>["time"]] extends [never]
          ? Problem<"Call .eventTime(...) before .keyBy(...) on all streams that are connected, or on none.">
          : S[N]
      : Problem<"Streams that are connected have keys of the same types: derive one of the type of the others.">
    : Problem<"Streams that are connected are keyed by the same columns: derive one of that name.">
}

/**
 * What `connect(...).process(...)` takes: as that of one stream, but with a handler of records for each stream, by its name.
 *
 * @example
 * ```ts
 * import { connect, job, schema, t, valueState } from "tidemark"
 *
 * const billed = job({
 *   name: "billed",
 *   inputs: {
 *     orders: schema({ order: t.string, cents: t.int53 }),
 *     addresses: schema({ order: t.string, city: t.string }),
 *   },
 *   flow: ({ orders, addresses }) => ({
 *     billed: connect({ orders: orders.keyBy("order"), addresses: addresses.keyBy("order") }).process({
 *       emits: { order: t.string, cents: t.int53, city: t.string.nullable() },
 *       state: { city: valueState(t.string) },
 *       onRecord: {
 *         orders: (row, { state, emit }) => emit({ ...row, city: state.city.get() ?? null }),
 *         addresses: (row, { state }) => state.city.set(row.city),
 *       },
 *     }, { id: "billed" }),
 *   }),
 * })
 * void billed
 * ```
 */
export interface ConnectedDefinition<
  L extends ConnectableStreams,
  C extends ColumnTypes,
  S extends StateDeclarations,
  M extends TimerDeclarations,
  D extends SideColumns,
  E extends string,
> extends ProcessParts<KeyRow<L>, Params<L>, C, S, M, D, E> {
  /** By stream: called with each of its records. Records of all streams come in one order, the one in which they are read. */
  readonly onRecord: {
    readonly [N in keyof L]: (
      row: PartsOf<L[N]>["row"],
      context: ProcessContext<KeyRow<L>, Params<L>, C, S, M, D> & {
        /** The record's event time; `undefined` where the streams have none. */
        readonly time: [EventTime<L>] extends [never] ? undefined : Timestamp
      },
    ) => void
  }
}

/**
 * What `connect(...).operator(...)` takes: as that of one stream, but its instances have a handler of records for each stream.
 *
 * @example
 * ```ts
 * import { connect, t, type AppendStream } from "tidemark"
 *
 * const ahead = (one: AppendStream<{ id: string }>, other: AppendStream<{ id: string; n: number }>) =>
 *   connect({ one: one.keyBy("id"), other: other.keyBy("id") }).operator({
 *     emits: { id: t.string, n: t.int53 },
 *     state: t.int53,
 *     open({ key, state = 0 }) {
 *       let n = state
 *       return {
 *         onRecord: { one: (_row, { emit }) => emit({ id: key.id, n }), other: (row) => void (n += row.n) },
 *         snapshot: () => n,
 *       }
 *     },
 *   })
 * void ahead
 * ```
 */
export interface ConnectedOperator<
  L extends ConnectableStreams,
  C extends ColumnTypes,
  D extends SideColumns,
  E extends string,
  Y extends ColumnType,
> extends OperatorParts<C, D, E, Y> {
  /** Makes the instance of a key. */
  open(opening: InstanceOpening<KeyRow<L>, Params<L>, ValueOf<Y>>): Instance<
    {
      readonly [N in keyof L]: (
        row: PartsOf<L[N]>["row"],
        context: RecordContext<C, D, [EventTime<L>] extends [never] ? undefined : Timestamp>,
      ) => void
    },
    C,
    D,
    ValueOf<Y>
  >
}

/**
 * Keyed streams on their way to a process that they share.
 *
 * @example
 * ```ts
 * import { connect, t, type AppendStream } from "tidemark"
 *
 * const both = (one: AppendStream<{ id: string }>, other: AppendStream<{ id: string; n: number }>) =>
 *   connect({ one: one.keyBy("id"), other: other.keyBy("id") }).process({
 *     emits: { id: t.string },
 *     onRecord: { one: (row, { emit }) => emit(row), other: (row, { emit }) => emit({ id: row.id }) },
 *   })
 * void both
 * ```
 */
export interface ConnectedStreams<L extends ConnectableStreams> {
  /** Keeps state by key, as `.process(...)` of one stream does: all of them see it, and set its timers. */
  process<
    const C extends ColumnTypes,
    const S extends StateDeclarations = NoOptions,
    const M extends TimerDeclarations = NoOptions,
    const D extends SideColumns = NoOptions,
    E extends keyof C & string = never,
  >(
    definition: ConnectedDefinition<L, C, S, M, D, E>,
    options?: OperatorOptions,
  ): ProcessResult<{ readonly [N in keyof C]: ValueOf<C[N]> }, Params<L>, E, D>

  /** An operator of your own for all of them, as `.operator(...)` of one stream is. */
  operator<
    const C extends ColumnTypes,
    const Y extends ColumnType,
    const D extends SideColumns = NoOptions,
    E extends keyof C & string = never,
  >(
    definition: ConnectedOperator<L, C, D, E, Y>,
    options?: OperatorOptions,
  ): ProcessResult<{ readonly [N in keyof C]: ValueOf<C[N]> }, Params<L>, E, D>
}

/**
 * Connects keyed streams: they are processed by one operator, in which they share state and timers by key. Their rows are of
 * different types; their keys are columns of the same names and types. The watermark is the least of theirs. Each is of
 * inputs of its own, and none has waited in a window.
 *
 * @example
 * ```ts
 * import { connect, eventTimer, job, schema, t, valueState } from "tidemark"
 *
 * const MINUTE = 60_000_000
 * const late = job({
 *   name: "unpaid-orders",
 *   inputs: {
 *     orders: schema({ at: t.timestamp(), order: t.string, cents: t.int53 }),
 *     payments: schema({ paidAt: t.timestamp(), order: t.string }),
 *   },
 *   flow: ({ orders, payments }) => ({
 *     late: connect({
 *       orders: orders.eventTime("at", { outOfOrder: "5s" }).keyBy("order"),
 *       payments: payments.eventTime("paidAt", { outOfOrder: "5s" }).keyBy("order"),
 *     }).process({
 *       emits: { order: t.string, cents: t.int53 },
 *       state: { cents: valueState(t.int53) },
 *       timers: { due: eventTimer() },
 *       onRecord: {
 *         orders(row, { state, timers }) {
 *           state.cents.set(row.cents)
 *           timers.due.set(row.at + 30 * MINUTE)
 *         },
 *         payments(_row, { state, timers }) {
 *           state.cents.clear()
 *           timers.due.clear()
 *         },
 *       },
 *       onTimer: {
 *         due({ key, state, emit }) {
 *           emit({ order: key.order, cents: state.cents.get() ?? 0 })
 *           state.cents.clear()
 *         },
 *       },
 *     }, { id: "late" }),
 *   }),
 * })
 * void late
 * ```
 *
 * @throws TidemarkError `invalid-plan` where the streams do not go together.
 */
export function connect<const L extends ConnectableStreams>(streams: L & ConnectProblems<L>): ConnectedStreams<L> {
  // Behind the types of streams there are recorded ones.
  return RecordedConnectedStreams.of(streams) as unknown as ConnectedStreams<L>
}
