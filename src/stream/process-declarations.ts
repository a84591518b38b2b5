/** States and timers, as `process(...)` declares them. */
import { checkDuration } from "../base/duration.ts"
import { TidemarkError } from "../base/errors.ts"
import { checkOptions } from "../base/known-options.ts"
import { shownValue } from "../base/shown-value.ts"
import { ColumnType, whyNoKey } from "../batch/type.ts"
import type { StateSpec, TimerDomain, ValueMigration } from "../flow/process/process-spec.ts"
import type { DurationText } from "./duration-text.ts"
import { migrationSpecOf, type Migration } from "./state-migrations.ts"
import type {
  ListState,
  MapState,
  ReducingState,
  StateDeclaration,
  TimerDeclaration,
  ValueState,
} from "./process-types.ts"

/** The specs that stand behind declarations. */
const specs = new WeakMap<object, StateSpec>()

/**
 * Options of a state.
 *
 * @example
 * ```ts
 * import { t, valueState } from "tidemark"
 *
 * const lastSeen = valueState(t.timestamp(), { ttl: "1d" })
 * ```
 */
export interface StateOptions<D extends string, T = unknown> {
  /**
   * How long a value lasts after it was written: in event time, from its record's, until the watermark has passed; on
   * streams without event time by the clock. Values of lists and maps last each by itself. Default: for ever.
   */
  readonly ttl?: DurationText<D>
  /**
   * What becomes of values that an earlier version of the program has kept, whose type was another: for each of those types a `migration`.
   * Wider types, and objects with further fields that have a default or may be null, need none (rule P16).
   */
  readonly migrate?: readonly Migration<T>[]
}

/** A type with a default gives that where there is no value. */
type AbsentOf<C> = C extends { readonly hasDefault: true } ? never : undefined

/**
 * One value a key.
 *
 * @example
 * ```ts
 * import { t, valueState } from "tidemark"
 *
 * const state = { count: valueState(t.int53.default(0)), last: valueState(t.string, { ttl: "1h" }) }
 * ```
 * @throws TidemarkError `invalid-plan` where there is no type; `invalid-duration`.
 */
export function valueState<T, C extends ColumnType<T>, D extends string = never>(
  type: C & ColumnType<T>,
  options?: StateOptions<D, T>,
): StateDeclaration<ValueState<T, AbsentOf<C>>> {
  return declared({ kind: "value", ...parts("valueState", type, options) })
}

/**
 * One value a key, into which others are reduced.
 *
 * @example
 * ```ts
 * import { reducingState, t } from "tidemark"
 *
 * const state = { highest: reducingState(t.float64, Math.max) }
 * ```
 * @throws TidemarkError `invalid-plan` where there is no type or no function; `invalid-duration`.
 */
export function reducingState<T, C extends ColumnType<T>, D extends string = never>(
  type: C & ColumnType<T>,
  reduce: (one: T, other: T) => T,
  options?: StateOptions<D, T>,
): StateDeclaration<ReducingState<T, AbsentOf<C>>> {
  if (typeof reduce !== "function") throw invalid("reducingState", `has no function, but ${shownValue(reduce)}`)
  return declared({ kind: "reducing", reduce, ...parts("reducingState", type, options) })
}

/**
 * Values of a key, in the order in which they were added.
 *
 * @example
 * ```ts
 * import { listState, t } from "tidemark"
 *
 * const state = { fares: listState(t.float64, { ttl: "1h" }) }
 * ```
 * @throws TidemarkError `invalid-plan` where there is no type; `invalid-duration`.
 */
export function listState<T, D extends string = never>(
  type: ColumnType<T>,
  options?: StateOptions<D, T>,
): StateDeclaration<ListState<T>> {
  return declared({ kind: "list", ...parts("listState", type, options) })
}

/**
 * Values of a key by keys of their own.
 *
 * @example
 * ```ts
 * import { mapState, t } from "tidemark"
 *
 * const state = { seen: mapState(t.string, t.timestamp(), { ttl: "1d" }) }
 * ```
 * @throws TidemarkError `invalid-plan` where there is no type, or values of the keys' type are no keys; `invalid-duration`.
 */
export function mapState<K, V, D extends string = never>(
  keyType: ColumnType<K>,
  type: ColumnType<V>,
  options?: StateOptions<D, V>,
): StateDeclaration<MapState<K, V>> {
  if (!(keyType instanceof ColumnType)) throw invalid("mapState", `has no type of keys, but ${shownValue(keyType)}`)
  const problem = whyNoKey(keyType)
  if (problem !== undefined) throw invalid("mapState", `has keys of a type that is ${problem}`)
  return declared({ kind: "map", keyType, ...parts("mapState", type, options) })
}

/**
 * Timers that go by the watermark: one fires when no earlier record is expected any more.
 *
 * @example
 * ```ts
 * import { eventTimer } from "tidemark"
 *
 * const timers = { idle: eventTimer() }
 * ```
 */
export function eventTimer(): TimerDeclaration<"event"> {
  return Object.freeze({ domain: "event" as const })
}

/**
 * Timers that go by the clock. What they give depends on when they fire, and is not the same if it is computed again.
 *
 * @example
 * ```ts
 * import { processingTimer } from "tidemark"
 *
 * const timers = { flush: processingTimer() }
 * ```
 */
export function processingTimer(): TimerDeclaration<"processing"> {
  return Object.freeze({ domain: "processing" as const })
}

/** The spec of a declared state; `undefined` where it is none. */
export function stateSpecOf(declaration: unknown): StateSpec | undefined {
  return typeof declaration === "object" && declaration !== null ? specs.get(declaration) : undefined
}

/** What a declared kind of timers goes by; `undefined` where it is none. */
export function timerDomainOf(declaration: unknown): TimerDomain | undefined {
  const domain: unknown = (declaration as { readonly domain?: unknown } | null | undefined)?.domain
  return domain === "event" || domain === "processing" ? domain : undefined
}

function parts(call: string, type: unknown, options: unknown): Pick<StateSpec, "type" | "ttlMicros" | "migrations"> {
  if (!(type instanceof ColumnType)) throw invalid(call, `has no type of values, but ${shownValue(type)}`)
  const { ttl, migrate } = checkOptions(`${call}(...)`, options ?? {}, ["ttl", "migrate"])
  const ttlMicros = ttl === undefined ? Infinity : checkDuration(`${call}(...): ttl`, ttl)
  if (ttlMicros <= 0) throw invalid(call, `has values that last ${shownValue(ttl)}`)
  if (migrate === undefined) return { type: type as ColumnType, ttlMicros }
  return { type: type as ColumnType, ttlMicros, migrations: migrationsOf(call, type as ColumnType, migrate) }
}

function migrationsOf(call: string, type: ColumnType, given: unknown): ValueMigration[] {
  if (!Array.isArray(given)) throw invalid(call, `has migrate: ${shownValue(given)}, which is no list`)
  return given.map((each: unknown) => {
    const known = migrationSpecOf(each)
    if (known === undefined) throw invalid(call, `has ${shownValue(each)} among its migrations`)
    if (known.type.label === type.label) throw invalid(call, `has a migration from ${type.label}, the type that it has`)
    return known
  })
}

function invalid(call: string, problem: string): TidemarkError {
  const hint =
    "Write valueState(t.float64), listState(t.float64), mapState(t.string, t.float64) or reducingState(t.float64, Math.max)."
  return new TidemarkError("invalid-plan", `${call}(...) ${problem}.`, { hint })
}

function declared<H>(spec: StateSpec): StateDeclaration<H> {
  // What handlers use stands in its type alone.
  const declaration = Object.freeze({ kind: spec.kind }) as unknown as StateDeclaration<H>
  specs.set(declaration, spec)
  return declaration
}
