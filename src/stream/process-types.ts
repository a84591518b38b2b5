/**
 * The types of `process(...)`: what a program declares, and what its handlers are given.
 *
 * Types of handlers follow from what is declared beside them: rows from the stream, states and timers from `state` and
 * `timers`, what may be emitted from `emits` and `sides`.
 */
import type { ColumnTypes } from "../batch/schema.ts"
import type { ValueOf } from "../batch/type.ts"
import type { Timestamp } from "../time/timestamp.ts"

declare const STATE: unique symbol

/**
 * A declared state of each key. `H` is what handlers use it by.
 *
 * @example
 * ```ts
 * import { t, valueState, type StateDeclaration, type ValueState } from "tidemark"
 *
 * const last: StateDeclaration<ValueState<number, undefined>> = valueState(t.float64)
 * ```
 */
export interface StateDeclaration<out H> {
  /** For the compiler only. */
  readonly [STATE]: H
}

/**
 * One value a key. `A` is what `get` gives where there is none: `undefined`, or nothing where the type has a default.
 *
 * @example
 * ```ts
 * import type { ValueState } from "tidemark"
 *
 * const next = (seen: ValueState<number, undefined>): number => (seen.get() ?? 0) + 1
 * ```
 */
export interface ValueState<T, A> {
  /** The value; values cannot be changed, only set. */
  get(): T | A
  set(value: T): void
  clear(): void
}

/**
 * One value a key, into which others are reduced.
 *
 * @example
 * ```ts
 * import type { ReducingState } from "tidemark"
 *
 * const addTo = (total: ReducingState<number, undefined>, fare: number): void => total.add(fare)
 * ```
 */
export interface ReducingState<T, A> {
  get(): T | A
  /** Reduces what is there and `value` to one; where there is nothing it becomes `value`. */
  add(value: T): void
  clear(): void
}

/**
 * Values of a key, in the order in which they were added.
 *
 * @example
 * ```ts
 * import type { ListState } from "tidemark"
 *
 * const mean = (fares: ListState<number>): number => fares.values().reduce((sum, fare) => sum + fare, 0) / fares.length
 * ```
 */
export interface ListState<T> {
  readonly length: number
  values(): readonly T[]
  add(value: T): void
  clear(): void
}

/**
 * Values of a key by keys of their own, in the order in which these came. Keys compare like those of a `Map`.
 *
 * @example
 * ```ts
 * import type { MapState } from "tidemark"
 *
 * const isNew = (seen: MapState<string, number>, id: string): boolean => !seen.has(id)
 * ```
 */
export interface MapState<K, V> {
  readonly size: number
  get(key: K): V | undefined
  has(key: K): boolean
  set(key: K, value: V): void
  delete(key: K): void
  clear(): void
  keys(): readonly K[]
  values(): readonly V[]
  entries(): readonly (readonly [K, V])[]
}

/**
 * A declared kind of timers: `"event"` goes by the watermark, `"processing"` by the clock.
 *
 * @example
 * ```ts
 * import { eventTimer, type TimerDeclaration } from "tidemark"
 *
 * const idle: TimerDeclaration<"event"> = eventTimer()
 * ```
 */
export interface TimerDeclaration<out D extends "event" | "processing"> {
  readonly domain: D
}

/**
 * Timers of one kind and key. Those with different tags stand beside each other; setting one again moves it.
 *
 * @example
 * ```ts
 * import type { Timers, Timestamp } from "tidemark"
 *
 * const remind = (due: Timers, at: Timestamp, order: string): void => due.set(at + 60_000_000, order)
 * ```
 */
export interface Timers {
  /** Fires at `time`, in microseconds since 1970; at once where that has passed. */
  set(time: number, tag?: string): void
  clear(tag?: string): void
  /** When it is due, or `undefined` where it is not set. */
  get(tag?: string): Timestamp | undefined
}

/**
 * States by name.
 *
 * @example
 * ```ts
 * import { listState, t, type StateDeclarations } from "tidemark"
 *
 * const state: StateDeclarations = { fares: listState(t.float64) }
 * ```
 */
export type StateDeclarations = Readonly<Record<string, StateDeclaration<unknown>>>

/**
 * Kinds of timers by name.
 *
 * @example
 * ```ts
 * import { eventTimer, type TimerDeclarations } from "tidemark"
 *
 * const timers: TimerDeclarations = { idle: eventTimer() }
 * ```
 */
export type TimerDeclarations = Readonly<Record<string, TimerDeclaration<"event" | "processing">>>

/**
 * The columns of outputs of an operator's own, by name.
 *
 * @example
 * ```ts
 * import { t, type SideColumns } from "tidemark"
 *
 * const sides: SideColumns = { alerts: { account: t.string } }
 * ```
 */
export type SideColumns = Readonly<Record<string, ColumnTypes>>

/** The values of declared columns. */
type RowOf<C extends ColumnTypes> = { readonly [N in keyof C]: ValueOf<C[N]> }

/**
 * What every handler is given: `K` is the row of the keys, `P` that of the parameters. It holds for one call: outside of
 * the handler it throws.
 *
 * @example
 * ```ts
 * import type { ProcessContext } from "tidemark"
 *
 * type Context = ProcessContext<{ account: string }, unknown, {}, {}, {}, {}>
 * const accountOf = ({ key }: Context): string => key.account
 * ```
 */
export interface ProcessContext<
  K,
  P,
  C extends ColumnTypes,
  S extends StateDeclarations,
  M extends TimerDeclarations,
  D extends SideColumns,
> {
  /** The values of the key columns. */
  readonly key: K
  readonly params: P
  /** The states of the key. */
  readonly state: { readonly [N in keyof S]: S[N] extends StateDeclaration<infer H> ? H : never }
  readonly timers: { readonly [N in keyof M]: Timers }
  /** The watermark that the records before have made, in microseconds; −∞ before the first. */
  readonly watermark: number
  /** What the clock said last, in microseconds. It is asked only where there are timers, or values that expire, by the clock. */
  readonly now: number
  /** Gives a row. */
  readonly emit: (row: RowOf<C>) => void
  /** Gives a row to an output of the operator's own. */
  readonly side: { readonly [N in keyof D]: (row: RowOf<D[N]>) => void }
}

/**
 * What a process declares beside its handlers of records: `K` is the row of the keys.
 *
 * @example
 * ```ts
 * import { t, valueState, type ProcessParts, type ValueState, type StateDeclaration } from "tidemark"
 *
 * type Counting = { n: StateDeclaration<ValueState<number, number>> }
 * type Parts = ProcessParts<{ account: string }, unknown, { n: typeof t.int53 }, Counting, {}, {}, never>
 * const counting: Parts = { emits: { n: t.int53 }, state: { n: valueState(t.int53.default(0)) } }
 * ```
 */
export interface ProcessParts<
  K,
  P,
  C extends ColumnTypes,
  S extends StateDeclarations,
  M extends TimerDeclarations,
  D extends SideColumns,
  E extends string,
> {
  /** The columns of the rows that it gives. */
  readonly emits: C
  /** Which of them is the event time of what follows; without it that has none. */
  readonly eventTime?: E
  /** What it keeps for each key. */
  readonly state?: S
  readonly timers?: M
  /** The columns of outputs of its own. */
  readonly sides?: D
  /** Called with each timer that is due, by the name of its kind. */
  readonly onTimer?: {
    readonly [N in keyof M]: (
      context: ProcessContext<K, P, C, S, M, D> & {
        /** When the timer was due. */
        readonly time: Timestamp
        readonly tag: string
      },
    ) => void
  }
}

/**
 * What `process(...)` takes. Handlers work at once; one that throws leaves no trace, and its record goes where rows go that
 * fail.
 *
 * @example
 * ```ts
 * import { count, eventTimer, job, schema, t, valueState } from "tidemark"
 *
 * const MINUTES_30 = 30 * 60_000_000
 * const idle = job({
 *   name: "idle-accounts",
 *   inputs: { payments: schema({ at: t.timestamp(), account: t.string, cents: t.int53 }) },
 *   flow: ({ payments }) => ({
 *     idle: payments
 *       .eventTime("at", { outOfOrder: "5s" })
 *       .keyBy("account")
 *       .process({
 *         emits: { account: t.string, since: t.timestamp(), payments: t.int53 },
 *         eventTime: "since",
 *         state: { payments: valueState(t.int53.default(0)) },
 *         timers: { idle: eventTimer() },
 *         onRecord(row, { state, timers }) {
 *           state.payments.set(state.payments.get() + 1)
 *           timers.idle.set(row.at + MINUTES_30)
 *         },
 *         onTimer: {
 *           idle({ key, time, state, emit }) {
 *             emit({ account: key.account, since: time, payments: state.payments.get() })
 *             state.payments.clear()
 *           },
 *         },
 *       }, { id: "idle" }),
 *   }),
 * })
 * void [count, idle]
 * ```
 */
export interface ProcessDefinition<
  R,
  K extends keyof R,
  P,
  T extends string,
  C extends ColumnTypes,
  S extends StateDeclarations,
  M extends TimerDeclarations,
  D extends SideColumns,
  E extends string,
> extends ProcessParts<{ readonly [N in K]: R[N] }, P, C, S, M, D, E> {
  /** Called with each record, in the order of arrival. */
  onRecord(
    row: R,
    context: ProcessContext<{ readonly [N in K]: R[N] }, P, C, S, M, D> & {
      /** The record's event time; `undefined` where the stream has none. */
      readonly time: [T] extends [never] ? undefined : Timestamp
    },
  ): void
}
