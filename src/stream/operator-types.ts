/**
 * The types of `operator(...)`: what a program declares of an operator of its own, and what its instances are given.
 */
import type { ColumnTypes } from "../batch/schema.ts"
import type { ColumnType, ValueOf } from "../batch/type.ts"
import type { Timestamp } from "../time/timestamp.ts"
import type { SideColumns } from "./process-types.ts"

/** The values of declared columns. */
type RowOf<C extends ColumnTypes> = { readonly [N in keyof C]: ValueOf<C[N]> }

/**
 * What an instance is given with each call. It holds for one call: outside of it, it throws.
 *
 * @example
 * ```ts
 * import { t, type InstanceContext } from "tidemark"
 *
 * type Context = InstanceContext<{ n: typeof t.int53 }, {}>
 * const tell = ({ emit }: Context, n: number): void => emit({ n })
 * ```
 */
export interface InstanceContext<C extends ColumnTypes, D extends SideColumns> {
  /** The watermark that the records before have made, in microseconds; −∞ before the first. */
  readonly watermark: number
  /** What the clock said last, in microseconds. */
  readonly now: number
  /** Gives a row. */
  readonly emit: (row: RowOf<C>) => void
  /** Gives a row to an output of the operator's own. */
  readonly side: { readonly [N in keyof D]: (row: RowOf<D[N]>) => void }
}

/**
 * What an instance is given with a record.
 *
 * @example
 * ```ts
 * import { t, type RecordContext, type Timestamp } from "tidemark"
 *
 * type Context = RecordContext<{ n: typeof t.int53 }, {}, Timestamp>
 * const refuse = ({ fail, time }: Context): void => fail(`there is nothing at ${time}`)
 * ```
 */
export interface RecordContext<C extends ColumnTypes, D extends SideColumns, T> extends InstanceContext<C, D> {
  /** The record's event time; `undefined` where the stream has none. */
  readonly time: T
  /** Takes the record out of the stream: it goes where rows go that fail. What the instance has done with it before stays. */
  readonly fail: (reason: string) => void
}

/**
 * What an instance is opened with.
 *
 * @example
 * ```ts
 * import type { InstanceOpening } from "tidemark"
 *
 * const startOf = ({ state }: InstanceOpening<{ zone: string }, unknown, { n: number }>): number => state?.n ?? 0
 * ```
 */
export interface InstanceOpening<K, P, V> {
  /** The values of the key columns. */
  readonly key: K
  readonly params: P
  /** What `snapshot` has given last for this key; `undefined` where it is new, or had nothing. */
  readonly state: V | undefined
}

/**
 * An instance: what handles the records of one key. It keeps what it likes in variables of its own; what it has to know to go on is
 * what it gives as its snapshot.
 *
 * @example
 * ```ts
 * import { t, type AppendStream, type Timestamp } from "tidemark"
 *
 * // Counts records, and tells the count a minute of event time after the first of them.
 * const counted = (clicks: AppendStream<{ at: Timestamp; page: string }, unknown, "at">) =>
 *   clicks.keyBy("page").operator({
 *     emits: { page: t.string, clicks: t.int53 },
 *     state: t.object({ clicks: t.int53, due: t.int53 }),
 *     open({ key, state }) {
 *       let { clicks, due } = state ?? { clicks: 0, due: 0 }
 *       return {
 *         onRecord(row) {
 *           if (clicks++ === 0) due = row.at + 60_000_000
 *         },
 *         wakeAt: () => (clicks === 0 ? Infinity : due),
 *         onWake(_time, { emit }) {
 *           emit({ page: key.page, clicks })
 *           clicks = 0
 *         },
 *         snapshot: () => (clicks === 0 ? undefined : { clicks, due }),
 *       }
 *     },
 *   })
 * void counted
 * ```
 */
export interface Instance<H, C extends ColumnTypes, D extends SideColumns, V> {
  /** Called with each record, in the order of arrival: a function, or one for each stream where streams are connected. */
  readonly onRecord: H
  /**
   * When the instance wants to be woken by the watermark, in microseconds, or `Infinity`. It is asked behind each call; what it
   * gives is the one time at which it is woken.
   */
  wakeAt?(): number
  /** The watermark has come to what `wakeAt` gave. */
  onWake?(time: Timestamp, context: InstanceContext<C, D>): void
  /** When it wants to be woken by the clock, in microseconds, or `Infinity`. */
  clockAt?(): number
  /** The clock has come to what `clockAt` gave. */
  onClock?(now: Timestamp, context: InstanceContext<C, D>): void
  /**
   * What an instance has to know that goes on in this one's place; `undefined` for nothing. It is asked for where the instance was
   * called since the last commit, and must not change what the instance does.
   */
  snapshot(): V | undefined
}

/**
 * What operators of a program's own declare beside `open`.
 *
 * @example
 * ```ts
 * import { t, type OperatorParts } from "tidemark"
 *
 * const parts: OperatorParts<{ n: typeof t.int53 }, {}, never, typeof t.int53> = { emits: { n: t.int53 }, state: t.int53 }
 * ```
 */
export interface OperatorParts<C extends ColumnTypes, D extends SideColumns, E extends string, Y extends ColumnType> {
  /** The columns of the rows that it gives. */
  readonly emits: C
  /** Which of them is the event time of what follows; without it that has none. */
  readonly eventTime?: E
  /** The columns of outputs of its own. */
  readonly sides?: D
  /** The type of what instances give as their snapshot. */
  readonly state: Y
}

/**
 * What `.keyBy(...).operator(...)` takes: an operator of a program's own. Each key has an instance; behind `.keyBy()` there is one for
 * the whole stream.
 *
 * @example
 * ```ts
 * import { job, schema, t } from "tidemark"
 *
 * const changed = job({
 *   name: "changed-prices",
 *   inputs: { prices: schema({ sku: t.string, cents: t.int53 }) },
 *   flow: ({ prices }) => ({
 *     changed: prices.keyBy("sku").operator({
 *       emits: { sku: t.string, cents: t.int53, before: t.int53 },
 *       state: t.int53,
 *       open({ state }) {
 *         let last = state
 *         return {
 *           onRecord(row, { emit }) {
 *             if (last !== undefined && last !== row.cents) emit({ ...row, before: last })
 *             last = row.cents
 *           },
 *           snapshot: () => last,
 *         }
 *       },
 *     }, { id: "changed" }),
 *   }),
 * })
 * void changed
 * ```
 */
export interface OperatorDefinition<
  R,
  K extends keyof R,
  P,
  T extends string,
  C extends ColumnTypes,
  D extends SideColumns,
  E extends string,
  Y extends ColumnType,
> extends OperatorParts<C, D, E, Y> {
  /** Makes the instance of a key: where its first record comes, and where the job goes on after a restart and it is needed. */
  open(
    opening: InstanceOpening<{ readonly [N in K]: R[N] }, P, ValueOf<Y>>,
  ): Instance<
    (row: R, context: RecordContext<C, D, [T] extends [never] ? undefined : Timestamp>) => void,
    C,
    D,
    ValueOf<Y>
  >
}
