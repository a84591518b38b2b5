/**
 * What stands behind the types of `stream.ts`: each call checks what it is given, records a node and gives the stream
 * behind it. No row ever passes here.
 *
 * Invariants:
 * - RS1 What the types call a problem throws `invalid-plan` here, in the same words.
 * - RS2 A stream has event time as long as the column that tells it passes through unchanged.
 */
import { shownValue } from "../base/shown-value.ts"
import { Schema, type Field } from "../batch/schema.ts"
import { timestampType } from "../batch/types/timestamp.ts"
import { isKeyable, whyNoKey } from "../batch/type.ts"
import type { StreamKind } from "../connect/sink.ts"
import type { Validator } from "../flow/validator.ts"
import {
  sidePort,
  type AggregateSpec,
  type EventTimeNode,
  type FiringSpec,
  type Port,
  type ProcessNode,
  type WindowSpec,
} from "../flow/plan.ts"
import { callPolicyOf } from "./async-map-options.ts"
import { CallChecks } from "./call-checks.ts"
import {
  recordAggregates,
  recordOver,
  recordReduction,
  unpackReduced,
  type WindowColumns,
} from "./recorded-aggregates.ts"
import { firingOf } from "./recorded-firing.ts"
import { eventTimeColumn, WATERMARK_OPTIONS, watermarksOf } from "./recorded-watermarks.ts"
import { recordOperator } from "./recorded-operator.ts"
import { recordProcess, type Recorded } from "./recorded-process.ts"
import type { Place, Recorder } from "./recorder.ts"
import type { StandardValidator } from "./standard-schema.ts"
import { checkUnitable, checkUnitedOrder } from "./union-checks.ts"

const ORDER_HINT = "The order is .eventTime(...).keyBy(...).window(...).aggregate(...)."

/** A stream in a flow that is being recorded. */
export class RecordedStream {
  readonly kind: StreamKind = "append"
  readonly #recorder: Recorder
  readonly #place: Place

  constructor(recorder: Recorder, place: Place) {
    this.#recorder = recorder
    this.#place = place
  }

  /** The node and port of this stream within the plan of `recorder`; `undefined` where it is another job's. */
  placeIn(recorder: Recorder): { readonly node: number; readonly port: Port } | undefined {
    return this.#recorder === recorder ? this.#place : undefined
  }

  #checks(call: string): CallChecks {
    return new CallChecks(this.#recorder, this.#place, call)
  }

  #behind(node: number, schema: Schema, timeColumn: string | undefined): RecordedStream {
    return new RecordedStream(this.#recorder, { node, port: "main", schema, timeColumn })
  }

  filter(predicate: unknown, options?: unknown): RecordedStream {
    const checks = this.#checks("filter")
    const { schema, timeColumn } = this.#place
    const lambda = checks.lambda(predicate)
    const { id } = checks.options(options, ["id"])
    const node = this.#recorder.add(this.#place, "filter", id, (place) => {
      return { ...place, kind: "filter", schema, predicate: lambda }
    })
    return this.#behind(node, schema, timeColumn)
  }

  derive(declared: unknown, given: unknown, options?: unknown): RecordedStream {
    const checks = this.#checks("derive")
    const { schema: before, timeColumn } = this.#place
    const columns = checks.declaredColumns(declared)
    const lambda = checks.lambda(given)
    const { id } = checks.options(options, ["id"])
    const schema = new Schema(replaced(before.fields, columns))
    const node = this.#recorder.add(this.#place, "derive", id, (place) => {
      return { ...place, kind: "derive", schema, columns, lambda }
    })
    const isReplaced = columns.some(({ name }) => name === timeColumn)
    return this.#behind(node, schema, isReplaced ? undefined : timeColumn)
  }

  asyncMap(declared: unknown, given: unknown, options?: unknown): RecordedStream {
    const checks = this.#checks("asyncMap")
    const { schema: before } = this.#place
    const columns = checks.declaredColumns(declared)
    const lambda = checks.callFunction(given)
    const { id, policy } = callPolicyOf(checks, options)
    const schema = new Schema(replaced(before.fields, columns))
    const isReplaced = columns.some(({ name }) => name === this.#place.timeColumn)
    const timeColumn = isReplaced ? undefined : this.#place.timeColumn
    const node = this.#recorder.add(this.#place, "asyncMap", id, (place) => {
      return { ...place, kind: "asyncMap", schema, columns, lambda, policy, timeColumn }
    })
    return this.#behind(node, schema, timeColumn)
  }

  select(...names: readonly unknown[]): RecordedStream {
    const fields = this.#checks("select").columns(names)
    const columns = fields.map(({ name }) => name)
    const schema = new Schema(fields)
    const node = this.#recorder.add(this.#place, "select", undefined, (place) => {
      return { ...place, kind: "select", schema, columns }
    })
    const { timeColumn } = this.#place
    return this.#behind(
      node,
      schema,
      columns.find((name) => name === timeColumn),
    )
  }

  map(declared: unknown, given: unknown, options?: unknown): RecordedStream {
    const checks = this.#checks("map")
    const schema = new Schema(checks.declaredColumns(declared))
    const lambda = checks.lambda(given)
    const { id } = checks.options(options, ["id"])
    const node = this.#recorder.add(this.#place, "map", id, (place) => ({ ...place, kind: "map", schema, lambda }))
    return this.#behind(node, schema, undefined)
  }

  flatMap(declared: unknown, given: unknown, options?: unknown): RecordedStream {
    const checks = this.#checks("flatMap")
    const schema = new Schema(checks.declaredColumns(declared))
    const lambda = checks.lambda(given)
    const { id } = checks.options(options, ["id"])
    const node = this.#recorder.add(this.#place, "flatMap", id, (place) => {
      return { ...place, kind: "flatMap", schema, lambda }
    })
    return this.#behind(node, schema, undefined)
  }

  validate(given: unknown, options?: unknown): RecordedStream {
    const checks = this.#checks("validate")
    const validator = validatorOf(given)
    if (validator === undefined) {
      const hint =
        "Give a validator of zod, valibot, arktype or another library that speaks Standard Schema, version 1."
      throw checks.error(`${shownValue(given)} is no validator`, hint)
    }
    const { id } = checks.options(options, ["id"])
    const { schema } = this.#place
    const node = this.#recorder.add(this.#place, "validate", id, (place) => {
      return { ...place, kind: "validate", schema, validator }
    })
    return this.#behind(node, schema, undefined)
  }

  notNull(...names: readonly unknown[]): RecordedStream {
    const required = this.#checks("notNull")
      .columns(names)
      .map(({ name, type }) => ({ name, type: type.required() }))
    const columns = required.map(({ name }) => name)
    const schema = new Schema(replaced(this.#place.schema.fields, required))
    const node = this.#recorder.add(this.#place, "notNull", undefined, (place) => {
      return { ...place, kind: "notNull", schema, columns }
    })
    return this.#behind(node, schema, this.#place.timeColumn)
  }

  union(...given: readonly unknown[]): RecordedStream {
    const checks = this.#checks("union")
    const others = given.map((stream) => this.#unitable(checks, stream))
    if (others.length === 0) throw checks.error("there is no other stream", "Write .union(other).")
    checkUnitedOrder(checks, this.#recorder, [this.#place, ...others])
    const { schema, timeColumn } = this.#place
    const node = this.#recorder.add(this.#place, "union", undefined, (place) => {
      return {
        ...place,
        kind: "union",
        schema,
        others: others.map(({ node: input, port }) => ({ input, inputPort: port })),
      }
    })
    return this.#behind(node, schema, timeColumn)
  }

  /** The place of a stream whose rows may stand among those of this one. */
  #unitable(checks: CallChecks, stream: unknown): Place {
    if (stream instanceof RecordedStream && stream.kind === "append" && stream.#recorder === this.#recorder) {
      checkUnitable(checks, this.#place, stream.#place, this.#recorder.nameOf(stream.#place))
      return stream.#place
    }
    const hint = "Write .union(other), with a stream of the same flow."
    throw checks.error("what is given is no stream of this flow", hint)
  }

  pipe(piece: unknown): unknown {
    const checks = this.#checks("pipe")
    if (typeof piece !== "function") throw checks.error("there is no function", "Write .pipe((stream) => ...).")
    return (piece as (stream: this) => unknown)(this)
  }

  eventTime(name: unknown, options?: unknown): RecordedStream {
    const checks = this.#checks("eventTime")
    const { schema, timeColumn } = this.#place
    if (timeColumn !== undefined) {
      const hint = "Call .eventTime(...) once, before .keyBy(...)."
      throw checks.error(`this stream has an event time already: ${JSON.stringify(timeColumn)}`, hint)
    }
    const maker = this.#recorder.makerOf(this.#place)
    if (maker?.kind === "process") {
      const hint = "Name the column that tells it in .process({ ..., eventTime })."
      throw checks.error("what .process(...) gives has the event time that it says, or none", hint)
    }
    if (maker?.kind === "over") {
      const hint = "Keep the column that tells it: with .derive(...) or .select(...) instead of .map(...)."
      throw checks.error("rows behind .over(...) have the event time that they had before it", hint)
    }
    if (maker !== undefined) {
      const hint =
        "Their event time is windowEnd: keep that column with .derive(...) or .select(...) instead of .map(...)."
      throw checks.error("results of windows have no other event time than their window's", hint)
    }
    const calls = this.#recorder.callsBefore(this.#place)
    if (calls !== undefined) {
      const hint =
        "Call .eventTime(...) before .asyncMap(...): in which order inputs are read must not depend on answers."
      throw checks.error(`event time is made before calls, and these rows come from those of ${calls}`, hint)
    }
    const column = eventTimeColumn(checks, name)
    const { id, ...strategy } = checks.options(options, ["id", ...WATERMARK_OPTIONS])
    const watermarks = watermarksOf(checks, strategy)
    const node = this.#recorder.add(this.#place, "eventTime", id, (place): EventTimeNode => {
      return { ...place, kind: "eventTime", schema, column, ...watermarks }
    })
    return this.#behind(node, schema, column)
  }

  processingTime(column: unknown, options?: unknown): RecordedStream {
    const checks = this.#checks("processingTime")
    const { schema: rows, timeColumn } = this.#place
    if (timeColumn !== undefined) {
      const hint = "Call .processingTime(...) instead of .eventTime(...), and before .keyBy(...)."
      throw checks.error(`this stream has an event time already: ${JSON.stringify(timeColumn)}`, hint)
    }
    if (typeof column !== "string" || column === "") {
      throw checks.error("the column has no name", 'Write .processingTime("seenAt").')
    }
    if (rows.field(column) !== undefined) {
      throw checks.error(`there is a column ${JSON.stringify(column)} already`, "Give the time a name of its own.")
    }
    const { id } = checks.options(options, ["id"])
    const schema = new Schema([...rows.fields, { name: column, type: timestampType() }])
    const node = this.#recorder.add(this.#place, "processingTime", id, (place) => {
      return { ...place, kind: "processingTime", schema, column }
    })
    return this.#behind(node, schema, column)
  }

  keyBy(...names: readonly unknown[]): RecordedKeyedStream {
    const checks = this.#checks("keyBy")
    const keys = names.length === 0 ? [] : checks.columns(names)
    const other = keys.find(({ type }) => !isKeyable(type))
    if (other !== undefined) {
      const hint = "Derive a column of what tells the groups apart, such as a field, and key by that."
      throw checks.error(`the column ${JSON.stringify(other.name)} is ${whyNoKey(other.type)!}`, hint)
    }
    const bound = keys.find(({ name }) => name === "windowStart" || name === "windowEnd")
    if (bound !== undefined) {
      const hint = "Derive a column of another name from it, and key by that."
      throw checks.error(`the results of a window have a column ${JSON.stringify(bound.name)} of their own`, hint)
    }
    return new RecordedKeyedStream(this.#recorder, this.#place, keys)
  }

  window(): never {
    throw this.#checks("window").error(
      "call .keyBy(...) before .window(...), or .keyBy() for the whole stream",
      ORDER_HINT,
    )
  }

  reduce(): never {
    throw this.#checks("reduce").error("call .keyBy(...) and .window(...) before .reduce(...)", ORDER_HINT)
  }

  aggregate(): never {
    throw this.#checks("aggregate").error("call .keyBy(...) and .window(...) before .aggregate(...)", ORDER_HINT)
  }
}

/** What a stream grouped by keys stands for. */
export interface KeyedParts {
  readonly recorder: Recorder
  readonly place: Place
  readonly keys: readonly Field[]
}

/** A stream grouped by keys. */
export class RecordedKeyedStream {
  readonly #recorder: Recorder
  readonly #place: Place
  readonly #keys: readonly Field[]

  constructor(recorder: Recorder, place: Place, keys: readonly Field[]) {
    this.#recorder = recorder
    this.#place = place
    this.#keys = keys
  }

  window(window: unknown, options?: unknown): RecordedWindowedStream {
    const checks = new CallChecks(this.#recorder, this.#place, "window")
    if (!isWindowSpec(window)) {
      const hint = 'Write .window(tumbling("1h")) or .window(hopping("1h", { every: "10m" })).'
      throw checks.error("there is no window", hint)
    }
    const hasTime = this.#place.timeColumn !== undefined
    if (!hasTime && window.kind !== "count" && window.kind !== "global") {
      throw checks.error("call .eventTime(...) before .keyBy(...): windows are cut in event time", ORDER_HINT)
    }
    const firing = firingOf(checks, window, hasTime, options)
    return new RecordedWindowedStream(this.#recorder, this.#place, { keys: this.#keys, window, firing })
  }

  over(range: unknown): RecordedOver {
    const checks = new CallChecks(this.#recorder, this.#place, "over")
    const { timeColumn } = this.#place
    if (timeColumn === undefined) {
      throw checks.error("call .eventTime(...) before .keyBy(...): ranges are of event time", ORDER_HINT)
    }
    const groups = { keys: this.#keys, timeColumn, rangeMicros: checks.duration("range", range) }
    return new RecordedOver(this.#recorder, this.#place, groups)
  }

  process(given: unknown, options?: unknown): RecordedProcessResult {
    const checks = new CallChecks(this.#recorder, this.#place, "process")
    const { timeColumn } = this.#place
    const recorded = recordProcess(checks, this.#keys, [{ name: undefined, timeColumn }], given)
    const { id } = checks.options(options, ["id"])
    return addProcess(this.#recorder, [this.#place], recorded, id)
  }

  operator(given: unknown, options?: unknown): RecordedProcessResult {
    const checks = new CallChecks(this.#recorder, this.#place, "operator")
    const { timeColumn } = this.#place
    const recorded = recordOperator(checks, this.#keys, [{ name: undefined, timeColumn }], given)
    const { id } = checks.options(options, ["id"])
    return addProcess(this.#recorder, [this.#place], recorded, id)
  }

  /** What it stands for, for those that take several of its kind. */
  get parts(): KeyedParts {
    return { recorder: this.#recorder, place: this.#place, keys: this.#keys }
  }

  eventTime(): never {
    throw this.#tooEarly("eventTime", "call .eventTime(...) before .keyBy(...)")
  }

  reduce(): never {
    throw this.#tooEarly("reduce", "call .window(...) before .reduce(...)")
  }

  aggregate(): never {
    throw this.#tooEarly("aggregate", "call .window(...) before .aggregate(...)")
  }

  #tooEarly(call: string, problem: string): Error {
    return new CallChecks(this.#recorder, this.#place, call).error(problem, ORDER_HINT)
  }
}

/** Rows grouped by keys, each with those in a range before it. */
export class RecordedOver {
  readonly #recorder: Recorder
  readonly #place: Place
  readonly #groups: { readonly keys: readonly Field[]; readonly timeColumn: string; readonly rangeMicros: number }

  constructor(
    recorder: Recorder,
    place: Place,
    groups: { readonly keys: readonly Field[]; readonly timeColumn: string; readonly rangeMicros: number },
  ) {
    this.#recorder = recorder
    this.#place = place
    this.#groups = groups
  }

  aggregate(given: unknown, options?: unknown): RecordedWindowResult {
    const checks = new CallChecks(this.#recorder, this.#place, "aggregate")
    const { aggregates, schema } = recordOver(checks, this.#place.schema, given)
    const { timeColumn, rangeMicros } = this.#groups
    const keys = this.#groups.keys.map(({ name }) => name)
    const node = this.#recorder.add(this.#place, "over", checks.options(options, ["id"])["id"], (place) => {
      return { ...place, kind: "over", schema, keys, timeColumn, rangeMicros, aggregates }
    })
    const late = new RecordedStream(this.#recorder, { ...this.#place, node, port: "late" })
    return new RecordedWindowResult(this.#recorder, { node, port: "main", schema, timeColumn }, late)
  }
}

/** How rows are grouped, and how windows fire. */
interface Windows {
  readonly keys: readonly Field[]
  readonly window: WindowSpec
  readonly firing: FiringSpec | undefined
}

/** A stream grouped by keys and windows. */
export class RecordedWindowedStream {
  readonly #recorder: Recorder
  readonly #place: Place
  readonly #windows: Windows

  constructor(recorder: Recorder, place: Place, windows: Windows) {
    this.#recorder = recorder
    this.#place = place
    this.#windows = windows
  }

  /** Which columns results have besides keys and aggregates. */
  get #columns(): WindowColumns {
    const { firing } = this.#windows
    const change = firing !== undefined && !firing.isPurging
    return { bounds: this.#place.timeColumn !== undefined, change }
  }

  /** The event time of results. */
  get #resultTime(): string | undefined {
    return this.#columns.bounds ? "windowEnd" : undefined
  }

  aggregate(given: unknown, options?: unknown): RecordedWindowResult | RecordedUpdates {
    const checks = new CallChecks(this.#recorder, this.#place, "aggregate")
    const { aggregates, schema } = recordAggregates(
      checks,
      this.#place.schema,
      this.#windows.keys,
      given,
      this.#columns,
    )
    const node = this.#add(aggregates, schema, checks.options(options, ["id"])["id"])
    return this.#resultOf(node, node, schema)
  }

  reduce(combine: unknown, options?: unknown): RecordedWindowResult | RecordedUpdates {
    const checks = new CallChecks(this.#recorder, this.#place, "reduce")
    const { aggregate, windowed, schema } = recordReduction(
      checks,
      this.#place.schema,
      this.#windows.keys,
      checks.lambda(combine),
      this.#columns,
    )
    const window = this.#add([aggregate], windowed, checks.options(options, ["id"])["id"])
    const from: Place = { node: window, port: "main", schema: windowed, timeColumn: this.#resultTime }
    const node = this.#recorder.add(from, "map", undefined, (place) => {
      return { ...place, kind: "map", schema, lambda: unpackReduced }
    })
    return this.#resultOf(window, node, schema)
  }

  #add(aggregates: readonly AggregateSpec[], schema: Schema, id: unknown): number {
    const { timeColumn } = this.#place
    const { window, firing } = this.#windows
    const keys = this.#windows.keys.map(({ name }) => name)
    const windows = { keys, timeColumn, window, ...(firing === undefined ? {} : { firing }) }
    return this.#recorder.add(this.#place, "windowAggregate", id, (place) => {
      return { ...place, kind: "windowAggregate", schema, ...windows, aggregates }
    })
  }

  /** What a window gives at a node, and the rows that came too late for it. */
  #resultOf(window: number, node: number, schema: Schema): RecordedWindowResult | RecordedUpdates {
    const late = new RecordedStream(this.#recorder, { ...this.#place, node: window, port: "late" })
    const { change } = this.#columns
    const place = { node, port: "main", schema, timeColumn: change ? undefined : this.#resultTime } as const
    return change
      ? new RecordedUpdates(this.#recorder, place, late)
      : new RecordedWindowResult(this.#recorder, place, late)
  }
}

const UPDATES_HINT =
  "Return it as an output, or go on with .changes(): its rows, each with what becomes of the one before."

/** Updates: a later row may replace or withdraw an earlier one. */
export class RecordedUpdates extends RecordedStream {
  override readonly kind = "update"
  /** The rows that came too late. */
  readonly late: RecordedStream
  readonly #recorder: Recorder
  readonly #place: Place

  constructor(recorder: Recorder, place: Place, late: RecordedStream) {
    super(recorder, place)
    this.#recorder = recorder
    this.#place = place
    this.late = late
  }

  /** The same rows as a stream that appends. */
  changes(): RecordedStream {
    return new RecordedStream(this.#recorder, this.#place)
  }

  override filter = this.#refusing("filter")
  override derive = this.#refusing("derive")
  override asyncMap = this.#refusing("asyncMap")
  override select = this.#refusing("select")
  override map = this.#refusing("map")
  override flatMap = this.#refusing("flatMap")
  override notNull = this.#refusing("notNull")
  override union = this.#refusing("union")
  override eventTime = this.#refusing("eventTime")
  override processingTime = this.#refusing("processingTime")
  override keyBy = this.#refusing("keyBy")

  #refusing(call: string): () => never {
    return () => {
      const checks = new CallChecks(this.#recorder, this.#place, call)
      throw checks.error(`this is a stream of updates, and .${call}(...) takes rows that are only added`, UPDATES_HINT)
    }
  }
}

/** What a process gives. */
export class RecordedProcessResult extends RecordedStream {
  /** Its own outputs, by name. */
  readonly sides: Readonly<Record<string, RecordedStream>>

  constructor(recorder: Recorder, place: Place, sides: Readonly<Record<string, RecordedStream>>) {
    super(recorder, place)
    this.sides = Object.freeze(sides)
  }
}

/** Adds a process that takes the rows of these places, and gives what comes of it. */
export function addProcess(
  recorder: Recorder,
  places: readonly Place[],
  { spec, schema, timeColumn }: Recorded<ProcessNode["spec"]>,
  id: unknown,
): RecordedProcessResult {
  const others = places.slice(1).map(({ node, port }) => ({ input: node, inputPort: port }))
  const node = recorder.add(places[0]!, "process", id, (place) => {
    return { ...place, kind: "process", schema, others, spec }
  })
  const sides = Object.entries(spec.sides).map(([name, side]) => {
    const place = { node, port: sidePort(name), schema: side, timeColumn: undefined }
    return [name, new RecordedStream(recorder, place)] as const
  })
  const main = { node, port: "main", schema, timeColumn } as const
  return new RecordedProcessResult(recorder, main, Object.fromEntries(sides))
}

/** What windows give. */
export class RecordedWindowResult extends RecordedStream {
  /** The rows that came too late. */
  readonly late: RecordedStream

  constructor(recorder: Recorder, place: Place, late: RecordedStream) {
    super(recorder, place)
    this.late = late
  }
}

/** The fields with those of `changed` in the place of their namesakes, new ones behind. */
function replaced(fields: readonly Field[], changed: readonly Field[]): Field[] {
  const byName = new Map(changed.map((field) => [field.name, field]))
  const kept = fields.map((field) => byName.get(field.name) ?? field)
  return [...kept, ...changed.filter(({ name }) => !fields.some((field) => field.name === name))]
}

const WINDOW_KINDS: ReadonlySet<unknown> = new Set<WindowSpec["kind"]>([
  "tumbling",
  "hopping",
  "session",
  "cumulate",
  "calendar",
  "count",
  "global",
])

function isWindowSpec(window: unknown): window is WindowSpec {
  if (typeof window !== "object" || window === null || !("kind" in window)) return false
  return WINDOW_KINDS.has(window.kind)
}

/** What is asked of a validator that speaks Standard Schema, version 1; `undefined` where this is none. Some are functions. */
function validatorOf(given: unknown): Validator | undefined {
  if ((typeof given !== "object" && typeof given !== "function") || given === null) return undefined
  const standard = (given as { "~standard"?: Partial<StandardValidator["~standard"]> })["~standard"]
  if (typeof standard !== "object" || standard.version !== 1 || typeof standard.validate !== "function")
    return undefined
  return { vendor: String(standard.vendor), validate: (value) => standard.validate!(value) }
}
