/** `aggregate`: an aggregate of a program's own. */
import { TidemarkError } from "../base/errors.ts"
import { checkOptions } from "../base/known-options.ts"
import { shownValue } from "../base/shown-value.ts"
import { ColumnType, type ValueOf } from "../batch/type.ts"
import type { CustomAggregate } from "./aggregate-types.ts"

/**
 * What an aggregate of your own is made of.
 *
 * The state is a value of a column type, so that it can be written with the epoch and read after a crash. It is given
 * frozen: functions give another one, and do not change the one that they are given.
 *
 * @example
 * ```ts
 * import { aggregate, t, type AggregateFunctions } from "tidemark"
 *
 * const State = t.object({ n: t.int53, logs: t.float64 })
 * type Row = { fare: number }
 * const geometricMean: AggregateFunctions<typeof State, typeof t.float64, Row, unknown> = {
 *   state: State,
 *   type: t.float64,
 *   init: () => ({ n: 0, logs: 0 }),
 *   add: ({ n, logs }, row) => ({ n: n + 1, logs: logs + Math.log(row.fare) }),
 *   merge: (earlier, later) => ({ n: earlier.n + later.n, logs: earlier.logs + later.logs }),
 *   result: ({ n, logs }) => Math.exp(logs / n),
 * }
 * const aggregates = { typical: aggregate(geometricMean) }
 * ```
 */
export interface AggregateFunctions<S extends ColumnType, C extends ColumnType, R, P> {
  /** The type of the state. */
  readonly state: S
  /** The type of the results. */
  readonly type: C
  /** Gives the state of no row. */
  readonly init: (params: P) => ValueOf<S>
  /** Gives the state with one more row. Where it throws, or gives what is no state, the row fails, by the job's `onError`. */
  readonly add: (state: ValueOf<S>, row: R, params: P) => ValueOf<S>
  /**
   * Gives the state of all rows of both, those of `earlier` first. It must give what adding them all would give, in whatever
   * parts they come.
   */
  readonly merge: (earlier: ValueOf<S>, later: ValueOf<S>, params: P) => ValueOf<S>
  /** Gives the result. Where it throws, or gives what is not of the type, the row of that key and window fails. */
  readonly result: (state: ValueOf<S>, params: P) => ValueOf<C>
  /** Gives the state without the rows of a part that was merged before, exactly: windows that overlap may use it. */
  readonly inverse?: (whole: ValueOf<S>, part: ValueOf<S>, params: P) => ValueOf<S>
}

const REQUIRED = ["init", "add", "merge", "result"] as const
const KNOWN = ["state", "type", ...REQUIRED, "inverse"] as const

/**
 * An aggregate of your own. Its functions run as they are, on plain objects of all columns of the row; they must be functions of
 * what they are given: no clock, no chance, nothing that is kept outside of the state.
 *
 * @example
 * ```ts
 * import { aggregate, job, schema, t, tumbling } from "tidemark"
 *
 * const weighted = job({
 *   name: "weighted-price",
 *   inputs: { trades: schema({ at: t.timestamp(), symbol: t.string, price: t.float64, size: t.float64 }) },
 *   flow: ({ trades }) => ({
 *     prices: trades
 *       .eventTime("at", { outOfOrder: "1s" })
 *       .keyBy("symbol")
 *       .window(tumbling("1m"))
 *       .aggregate({
 *         price: aggregate({
 *           state: t.object({ paid: t.float64, size: t.float64 }),
 *           type: t.float64,
 *           init: () => ({ paid: 0, size: 0 }),
 *           add: ({ paid, size }, trade) => ({ paid: paid + trade.price * trade.size, size: size + trade.size }),
 *           merge: (earlier, later) => ({ paid: earlier.paid + later.paid, size: earlier.size + later.size }),
 *           result: ({ paid, size }) => paid / size,
 *         }),
 *       }),
 *   }),
 * })
 * ```
 *
 * @throws TidemarkError `invalid-plan` where a function or a type is missing.
 */
export function aggregate<S extends ColumnType, C extends ColumnType, R, P>(
  functions: AggregateFunctions<S, C, R, P>,
): CustomAggregate<R, P, ValueOf<C>> {
  const given = checkOptions("aggregate(...)", functions, KNOWN)
  const hint = "Write aggregate({ state: t.int53, type: t.int53, init, add, merge, result })."
  for (const name of ["state", "type"]) {
    if (given[name] instanceof ColumnType) continue
    const problem = `aggregate(...): ${JSON.stringify(name)} is ${shownValue(given[name])}, not a column type.`
    throw new TidemarkError("invalid-plan", problem, { hint })
  }
  for (const name of [...REQUIRED, ...(given["inverse"] === undefined ? [] : ["inverse"])]) {
    if (typeof given[name] === "function") continue
    const problem = `aggregate(...): ${JSON.stringify(name)} is ${shownValue(given[name])}, not a function.`
    throw new TidemarkError("invalid-plan", problem, { hint })
  }
  const { type, ...others } = functions
  const custom = { kind: "custom", type, functions: Object.freeze(others) }
  return Object.freeze(custom) as unknown as CustomAggregate<R, P, ValueOf<C>>
}
