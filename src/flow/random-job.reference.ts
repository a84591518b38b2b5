/**
 * Random jobs for fuzzing: a plan with windows, and what happens to it record by record; and the two ways to run them,
 * the dataflow and its slow twin. Everything depends on the seed alone.
 */
import type { Spilling } from "./process/cold-bytes.ts"
import type { Arena } from "../batch/arena.ts"
import { batchOfRows, type Batch } from "../batch/batch.ts"
import type { Prng } from "../base/prng.ts"
import type { RowFunction } from "../expr/lambda.ts"
import { Schema, type Field } from "../batch/schema.ts"
import type { ColumnType } from "../batch/type.ts"
import { t } from "../batch/types.ts"
import { AGGREGATES } from "./aggregates/definitions.ts"
import type { Validator } from "./validator.ts"
import { PendingCalls } from "./calls.reference.ts"
import { Dataflow } from "./dataflow.ts"
import type { KeptCounts } from "./dataflow-status.ts"
import { ReferenceDataflow } from "./dataflow.reference.ts"
import { followedWatermarks } from "./followed-watermarks.ts"
import {
  isUpdating,
  type AggregateKind,
  type AggregateSpec,
  type FiringSpec,
  type OverNode,
  type Plan,
  type PlanNode,
  type WindowAggregateNode,
  type WindowSpec,
} from "./plan.ts"
import { PACKED, POINT, randomValue } from "./random-values.reference.ts"
import type { Row } from "./windows/window-aggregate.reference.ts"
import { allOf, WrittenStates } from "./written-states.fixture.ts"

/** Something that happens to a job. */
export type JobEvent =
  | { readonly kind: "open"; readonly partition: number }
  | { readonly kind: "end"; readonly partition: number }
  | { readonly kind: "watermark"; readonly partition: number; readonly micros: number }
  /** There has been nothing to read of it for so long. */
  | { readonly kind: "silence"; readonly partition: number; readonly micros: number }
  | { readonly kind: "rows"; readonly partition: number; readonly rows: readonly Row[] }
  | { readonly kind: "drain" }
  /** The clock says so. */
  | { readonly kind: "clock"; readonly nowMicros: number }

/** A job and its input. */
export interface RandomJob {
  readonly plan: Plan
  readonly events: readonly JobEvent[]
}

/** What came of a job. */
export interface JobOutcome {
  readonly outputs: ReadonlyMap<string, readonly Row[]>
  /** Rows that failed, in order, by operator; result rows of windows only as their number. */
  readonly failures: ReadonlyMap<string, readonly Row[]>
  readonly failedResults: ReadonlyMap<string, number>
}

/** The inputs that random jobs have; most only the first. Partitions of odd numbers are the second's, where there is one. */
const INPUTS = ["events", "others"]

function inputOf(plan: Plan, partition: number): string {
  const [second] = plan.nodes.filter((node) => node.kind === "source" && node.inputName === INPUTS[1])
  return INPUTS[second === undefined ? 0 : partition % 2]!
}

/** The lengths of which those of windows are some times, unless others are asked for. */
export const UNITS: readonly number[] = [1, 1, 7, 1_000_003, 60_000_000]

/** The windows that kernels cut. */
const SLICED: RandomWindows = { draw: randomWindowSpec, units: UNITS }

const OUT_OF_ORDER_STEPS = [0, 1, 3, 10]
const CHANGE_TYPE = t.enum("insert", "update", "delete")
/** Draws a job: its plan from one generator, its input from another, so that a plan can be tried with many inputs. */
export function randomJob(ofPlan: Prng, ofInput: Prng, windows: RandomWindows = SLICED): RandomJob {
  const unit = ofPlan.pick(windows.units)
  const rows = randomSchema(ofPlan)
  const { starts, drawFiring } = windows
  const plan = randomPlan(ofPlan, rows, unit, windows)
  const events = randomEvents(ofInput, rows, unit, starts)
  if (drawFiring === undefined) return { plan, events }
  let nowMicros = ofInput.below(20) * unit
  const withClock = events.flatMap((event): JobEvent[] => {
    if (ofInput.chance(0.5)) return [event]
    nowMicros += ofInput.below(8) * unit
    return [event, { kind: "clock", nowMicros }]
  })
  return { plan, events: withClock }
}

/** Which windows jobs have, and when their records happen. */
export interface RandomWindows {
  readonly draw: DrawWindow
  /** How windows fire more than once, if they do. */
  readonly drawFiring?: DrawFiring
  /** A function that gives watermarks, instead of an out-of-orderness. */
  readonly watermark?: (prng: Prng, unit: number) => RowFunction
  /** Aggregates over a range instead of windows: its length, if they are. */
  readonly drawRange?: (prng: Prng, unit: number) => number | undefined
  /** Of which lengths are some times, in microseconds. */
  readonly units: readonly number[]
  /** About when records happen; where it is not given, somewhere. */
  readonly starts?: readonly number[]
}

type DrawFiring = (prng: Prng, unit: number, window: WindowSpec) => FiringSpec | undefined

/** Draws a window whose lengths are some times the unit. */
type DrawWindow = (prng: Prng, unit: number) => WindowSpec

/** Draws the columns of an input: `at`, `keep`, keys and values. */
export function randomSchema(prng: Prng): Schema {
  const scalars: ColumnType[] = [
    t.bool,
    prng.pick<ColumnType>([t.int32, t.int8, t.uint16]),
    prng.pick<ColumnType>([t.int53, t.uint32]),
    prng.pick<ColumnType>([t.int64, t.uint64]),
    prng.pick<ColumnType>([t.float64, t.float32]),
    t.string,
    t.enum("a", "b", "c"),
    prng.pick<ColumnType>([t.timestamp(), t.date, t.duration()]),
  ]
  const orNull = (type: ColumnType) => (prng.chance(0.3) ? type.nullable() : type)
  const fields: Field[] = [
    { name: "at", type: t.timestamp() },
    { name: "keep", type: t.bool },
  ]
  const keyCount = 1 + prng.below(3)
  for (let key = 0; key < keyCount; key++) fields.push({ name: `k${key}`, type: orNull(prng.pick(scalars)) })
  const valueCount = 1 + prng.below(4)
  for (let value = 0; value < valueCount; value++) {
    fields.push({
      name: `v${value}`,
      type: orNull(prng.pick([...scalars, t.float64, t.int53, t.int64, POINT, ...PACKED])),
    })
  }
  return new Schema(prng.shuffle(fields))
}

function randomPlan(prng: Prng, rows: Schema, unit: number, windows: RandomWindows): Plan {
  const isGood = (row: Row) => row["keep"]
  const source = { kind: "source", isIdGiven: true } as const
  const nodes: PlanNode[] = [{ ...source, id: "source", schema: rows, inputName: INPUTS[0]! }]
  const outputs: { name: string; node: number; port: "main" | "late" }[] = []
  const add = (node: PlanNode) => nodes.push(node) - 1
  const base = { isIdGiven: true, inputPort: "main" as const }
  let at = 0
  const others = prng.chance(0.15) ? othersOf(prng, rows) : undefined
  const united = prng.pick(["before", "behind"])
  const time = (id: string, input: number, schema: Schema) => {
    const outOfOrderMicros = prng.pick(OUT_OF_ORDER_STEPS) * unit
    const idleAfterMicros = prng.pick([1, 5, Infinity])
    const times = { outOfOrderMicros, idleAfterMicros }
    const node = { ...base, kind: "eventTime", id, schema, input, column: "at", ...times } as const
    return add(windows.watermark === undefined ? node : { ...node, watermark: windows.watermark(prng, unit) })
  }
  const unite = (where: string) => {
    if (others === undefined || united !== where) return
    let input = add({ ...source, id: "others", schema: others, inputName: INPUTS[1]! })
    if (where === "behind") input = time("otherTime", input, others)
    const refs = [{ input, inputPort: "main" as const }]
    at = add({ ...base, kind: "union", id: "union", schema: rows, input: at, others: refs })
  }
  unite("before")
  if (prng.chance(0.1)) at = add({ ...base, kind: "filter", id: "before", schema: rows, input: at, predicate: isGood })
  if (prng.chance(0.08)) at = add({ ...base, kind: "flatMap", id: "flat", schema: rows, input: at, lambda: twice })
  if (prng.chance(0.08)) at = add({ ...base, kind: "validate", id: "valid", schema: rows, input: at, validator: PICKY })
  at = time("time", at, rows)
  unite("behind")
  const timed = at
  if (prng.chance(0.1)) at = add({ ...base, kind: "filter", id: "behind", schema: rows, input: at, predicate: isGood })
  const windowOver = (id: string, timeColumn: string, input: number, inputPort: "main" | "late") => {
    const schema = inputPort === "late" ? rows : nodes[input]!.schema
    const place = { id, rows: schema, timeColumn, input, inputPort, unit, windows }
    const rangeMicros = windows.drawRange?.(prng, unit)
    return add(rangeMicros === undefined ? randomWindow(prng, place) : randomOver(prng, place, rangeMicros))
  }
  at = windowOver("first", "at", at, "main")
  outputs.push({ name: "first", node: at, port: "main" }, { name: "late", node: at, port: "late" })
  const first = nodes[at]!
  if (!(first.kind === "windowAggregate" && isUpdating(first)) && prng.chance(0.15)) {
    const timeColumn = first.kind === "over" ? "at" : "windowEnd"
    outputs.push({ name: "second", node: windowOver("second", timeColumn, at, "main"), port: "main" })
  }
  if (prng.chance(0.1)) {
    outputs.push({ name: "ofLate", node: windowOver("ofLate", "at", at, "late"), port: "main" })
  }
  if (prng.chance(0.1)) {
    outputs.push({ name: "beside", node: windowOver("beside", "at", timed, "main"), port: "main" })
  }
  return { jobName: "random", nodes, outputs }
}

/** The same columns in another order. */
function othersOf(prng: Prng, rows: Schema): Schema {
  return new Schema(prng.shuffle(rows.fields))
}

/** Makes two rows of one, or none, and fails for some. */
function twice(row: Row): Row[] {
  if (row["k0"] === "a") throw new Error("a is refused")
  return row["keep"] === true ? [row, { ...row, keep: false }] : []
}

/** Refuses some rows, and changes the others. */
const PICKY: Validator = {
  vendor: "random",
  validate(value) {
    const row = value as Row
    if (row["k0"] === "c") return { issues: [{ message: "c is refused", path: ["k0"] }] }
    return { value: { keep: row["keep"] !== true } }
  },
}

interface WindowPlace {
  readonly id: string
  readonly rows: Schema
  readonly timeColumn: string
  readonly input: number
  readonly inputPort: "main" | "late"
  readonly unit: number
  readonly windows: RandomWindows
}

function randomWindow(prng: Prng, place: WindowPlace): WindowAggregateNode {
  const { id, timeColumn, input, inputPort, unit, windows } = place
  const { keys, aggregates } = randomGroups(prng, place)
  const window = windows.draw(prng, unit)
  const firing = windows.drawFiring?.(prng, unit, window)
  const schema = new Schema([
    ...(firing === undefined || firing.isPurging ? [] : [{ name: "op", type: CHANGE_TYPE }]),
    ...keys.map(({ name, type }) => ({ name, type })),
    { name: "windowStart", type: t.timestamp() },
    { name: "windowEnd", type: t.timestamp() },
    ...aggregates.map(({ name, resultType }) => ({ name, type: resultType })),
  ])
  return {
    kind: "windowAggregate",
    id,
    isIdGiven: true,
    input,
    inputPort,
    keys: keys.map(({ name }) => name),
    timeColumn,
    window,
    ...(firing === undefined ? {} : { firing }),
    aggregates,
    schema,
  }
}

/** Rows with aggregates over a range. */
function randomOver(prng: Prng, place: WindowPlace, rangeMicros: number): OverNode {
  const { id, rows, timeColumn, input, inputPort } = place
  const { keys, aggregates } = randomGroups(prng, place)
  const results = aggregates.map(({ name, resultType }) => ({ name, type: resultType }))
  const schema = new Schema([...rows.fields, ...results])
  const names = keys.map(({ name }) => name)
  const base = { id, isIdGiven: true, input, inputPort, schema } as const
  return { ...base, kind: "over", keys: names, timeColumn, rangeMicros, aggregates }
}

/** Draws keys and aggregates. */
function randomGroups(prng: Prng, { id, rows, timeColumn }: WindowPlace) {
  const keyable = rows.fields.filter(({ type, name }) => type.storage !== "struct" && name !== timeColumn)
  const preferred = keyable.filter(({ name }) => name.startsWith("k"))
  const keys = prng.shuffle(preferred).slice(0, prng.chance(0.2) ? 0 : 1 + prng.below(preferred.length))
  const aggregates: AggregateSpec[] = []
  const count = 1 + prng.below(5)
  while (aggregates.length < count) {
    const spec = randomAggregate(prng, rows, `${id}${aggregates.length}`)
    if (spec !== undefined) aggregates.push(spec)
  }
  return { keys, aggregates }
}

/** Draws tumbling and hopping windows. */
function randomWindowSpec(prng: Prng, unit: number): WindowSpec {
  const sizeMicros = (1 + prng.below(12)) * unit + (prng.chance(0.2) ? prng.below(3) : 0)
  const offsetMicros = prng.chance(0.5) ? 0 : (prng.below(41) - 20) * prng.pick([1, unit])
  if (prng.chance(0.4)) return { kind: "tumbling", sizeMicros, offsetMicros }
  const slideMicros = (1 + prng.below(8)) * unit + (prng.chance(0.2) ? prng.below(3) : 0)
  return { kind: "hopping", sizeMicros, slideMicros, offsetMicros }
}

/** An aggregate over some column, or `undefined` where what was drawn does not fit. */
function randomAggregate(prng: Prng, rows: Schema, name: string): AggregateSpec | undefined {
  const kind = prng.pick(Object.keys(AGGREGATES) as AggregateKind[])
  const definition = AGGREGATES[kind]
  if (kind === "count") return { name, kind, input: { kind: "none" }, resultType: definition.resultType(undefined)! }
  const field = prng.pick(rows.fields)
  const resultType = definition.resultType(field.type)
  if (resultType === undefined) return undefined
  if (prng.chance(0.95)) return { name, kind, input: { kind: "column", name: field.name }, resultType }
  const lambda = (row: Row) => {
    if (row["k0"] === "b") throw new Error("b is refused")
    return row[field.name]
  }
  return { name, kind, input: { kind: "lambda", lambda, type: field.type }, resultType }
}

/** Draws what happens to a job. */
export function randomEvents(prng: Prng, rows: Schema, unit: number, starts?: readonly number[]): JobEvent[] {
  const events: JobEvent[] = []
  const anywhere = [0, 0, -50 * unit, 1_700_000_000_000_000, -Number.MAX_SAFE_INTEGER + 40 * unit]
  const start = prng.pick(starts ?? anywhere)
  const extremes = prng.chance(0.1)
  const silence = prng.pick([0, 0, 0.1, 0.4])
  let opened = 0
  for (let life = 0; life < (prng.chance(0.3) ? 2 : 1); life++) {
    const streams = Array.from({ length: 1 + prng.below(4) }, () => {
      const drift = prng.below(10) * unit
      return {
        partition: opened++,
        time: start + drift + life * prng.below(30) * unit,
        left: prng.below(13),
        isOpen: false,
      }
    })
    if (prng.chance(0.7)) {
      for (const stream of streams) events.push({ kind: "open", partition: stream.partition })
      for (const stream of streams) stream.isOpen = true
    }
    while (streams.length > 0) {
      const stream = prng.pick(streams)
      const { partition } = stream
      if (!stream.isOpen) events.push({ kind: "open", partition })
      stream.isOpen = true
      if (stream.left === 0) {
        events.push({ kind: "end", partition })
        streams.splice(streams.indexOf(stream), 1)
        continue
      }
      const length = 1 + prng.below(stream.left)
      stream.left -= length
      const records = Array.from({ length }, () => {
        stream.time += prng.below(4) * prng.pick([0, 1, unit])
        const back = prng.chance(0.4) ? prng.below(12) * unit : 0
        return randomRow(prng, rows, stream.time - back, extremes)
      })
      events.push({ kind: "rows", partition, rows: records })
      // What a source says may be behind what its records say, and records may come that it has said not to come.
      if (prng.chance(0.1))
        events.push({ kind: "watermark", partition, micros: stream.time + (prng.below(9) - 4) * unit })
      if (prng.chance(0.02)) events.push({ kind: "drain" })
      if (prng.chance(silence)) {
        const silent = prng.chance(0.5) ? streams : [prng.pick(streams)]
        for (const each of silent) events.push({ kind: "silence", partition: each.partition, micros: 3 })
      }
    }
    events.push({ kind: "drain" })
  }
  return events
}

function randomRow(prng: Prng, rows: Schema, time: number, extremes: boolean): Row {
  const row: Record<string, unknown> = {}
  for (const { name, type } of rows.fields) {
    if (name === "at") row[name] = Math.max(time, -Number.MAX_SAFE_INTEGER)
    else if (name === "keep") row[name] = prng.chance(0.8)
    else if (type.isNullable && prng.chance(0.2)) row[name] = null
    else row[name] = randomValue(prng, type, extremes)
  }
  return row
}

/** Runs a job record by record in the slow twin. */
export function runSlowly({ plan, events }: RandomJob): JobOutcome {
  const twin = new ReferenceDataflow(plan)
  for (const event of events) {
    if (event.kind === "drain") {
      twin.drain()
      continue
    }
    if (event.kind === "clock") {
      twin.onProcessingTime(event.nowMicros)
      continue
    }
    const input = inputOf(plan, event.partition)
    if (event.kind === "open") twin.openPartition(input, event.partition)
    else if (event.kind === "watermark") twin.raiseWatermark(input, event.partition, event.micros)
    else if (event.kind === "silence") twin.idlePartition(input, event.partition, event.micros)
    else if (event.kind === "end") twin.endPartition(input, event.partition)
    else for (const row of event.rows) twin.push(input, event.partition, row)
  }
  const failures = new Map<string, Row[]>()
  for (const { operator, row } of twin.failures) failures.set(operator, [...(failures.get(operator) ?? []), row])
  return { outputs: twin.outputs, failures, failedResults: twin.failedResults }
}

/** How to run a job. */
export interface JobRunOptions {
  readonly prng: Prng
  readonly arena: Arena
  /** How often the state is written, and now and then restored in a new dataflow, between two calls. */
  readonly restoreChance: number
  readonly compile: "auto" | "off"
  /** Where given, batches have so many rows; else as many as the generator says. */
  readonly batchRows?: number
  /** How much of what is kept by key may be in memory. */
  readonly spilling?: Spilling | undefined
}

/** Runs a job in dataflows, with batches cut and states saved and restored where the generator says so. */
export class JobRun {
  readonly #job: RandomJob
  readonly #options: JobRunOptions
  readonly outputs = new Map<string, Row[]>()
  readonly failures = new Map<string, Row[]>()
  readonly failedResults = new Map<string, number>()
  readonly calls: PendingCalls
  #dataflow: Dataflow
  #advances = 0
  /** By operator: everything that was written since the beginning. */
  readonly #written = new WrittenStates()

  constructor(job: RandomJob, options: JobRunOptions) {
    this.#job = job
    this.#options = options
    for (const { name } of job.plan.outputs) this.outputs.set(name, [])
    this.calls = new PendingCalls(job.plan)
    this.#dataflow = this.#makeDataflow()
  }

  #makeDataflow(): Dataflow {
    const { plan } = this.#job
    return new Dataflow(plan, {
      arena: this.#options.arena,
      paramsSchema: new Schema([]),
      params: {},
      compile: { mode: this.#options.compile, proof: undefined },
      calls: this.calls,
      spilling: this.#options.spilling,
      emit: (output, batch) => this.outputs.get(output)!.push(...(batch.toRows() as Row[])),
      onFailedRow: ({ operator, batch, row }) => this.#onFailed(operator, batch, row),
    })
  }

  #onFailed(operator: string, batch: Batch, row: number): void {
    const node = this.#job.plan.nodes.find(({ id }) => id === operator)!
    if (batch.schema.label === node.schema.label && (node.kind === "windowAggregate" || node.kind === "over")) {
      this.failedResults.set(operator, (this.failedResults.get(operator) ?? 0) + 1)
    } else this.failures.set(operator, [...(this.failures.get(operator) ?? []), batch.row(row)])
  }

  run(): JobOutcome {
    const { prng } = this.#options
    for (const event of this.#job.events) {
      this.#take(event)
      if (prng.chance(0.9)) this.#advance()
      this.#perhapsAnswer()
      this.#perhapsRestore()
    }
    this.#dataflow.release()
    return this
  }

  #take(event: JobEvent): void {
    if (event.kind === "drain") return this.#drain()
    if (event.kind === "clock") {
      // Whoever drives a dataflow tells the time when watermarks have been passed on.
      this.#dataflow.advance()
      this.#dataflow.onProcessingTime(event.nowMicros)
      return
    }
    const input = inputOf(this.#job.plan, event.partition)
    if (event.kind === "open") this.#dataflow.openPartition(input, event.partition)
    else if (event.kind === "watermark") this.#dataflow.raiseWatermark(input, event.partition, event.micros)
    else if (event.kind === "silence") this.#dataflow.idlePartition(input, event.partition, event.micros, 0)
    else if (event.kind === "end") this.#dataflow.endPartition(input, event.partition)
    else this.#pushRows(input, event.partition, event.rows)
  }

  /** DF3 in every third case: looking takes longer than advancing. */
  #advance(): void {
    if (++this.#advances % 3 > 0) return this.#dataflow.advance()
    const before = this.#dataflow.status().operators
    this.#dataflow.advance()
    this.#dataflow.status().operators.forEach((now, index) => {
      const { id, rowsOut, nextDue: due = Infinity } = before[index]!
      const watermark = now.watermark ?? -Infinity
      const problem = (what: string) => new Error(`DF3: ${id} ${what}, at the watermark ${watermark}, due at ${due}`)
      const { plan } = this.#job
      const node = plan.nodes[index]!
      if (node.kind === "process" && now.kept !== undefined) this.#checkKept(id, now.kept, "open" in node.spec)
      // Timers of the user's are nobody's windows, and windows that fire more than once do so when records come.
      if (!now.isTimed || now.kind === "process") return
      if (node.kind === "windowAggregate" && node.firing !== undefined) return
      if (now.openWindows > 0 !== (now.nextDue !== undefined)) throw problem("does not agree on what is open")
      if (now.nextDue !== undefined && now.nextDue <= watermark) throw problem("has left a window that is due")
      const [followed, ...others] = followedWatermarks(plan, node)
      if (followed?.kind !== "eventTime" || others.length > 0) return
      if (due > watermark && now.rowsOut > rowsOut) throw problem("has fired before its time")
    })
  }

  /** What is counted of keys and timers is what there is; instances of operators are asked what they keep only at a commit. */
  #checkKept(id: string, { keys, timers }: KeptCounts, isOperator: boolean): void {
    const contents = this.#dataflow.contentsOf(id)
    if (contents?.kind !== "keys") throw new Error(`${id} counts keys, and cannot tell which`)
    const set = contents.keys.reduce((sum, key) => sum + key.timers.length, 0)
    const isRight = isOperator ? keys >= contents.keys.length : keys === contents.keys.length
    if (isRight && timers === set) return
    throw new Error(`${id} counts ${keys} keys and ${timers} timers, and keeps ${contents.keys.length} and ${set}`)
  }

  #drain(): void {
    const { prng } = this.#options
    do {
      this.calls.answerAll(this.#dataflow, prng)
      this.#perhapsRestore()
    } while (!this.#dataflow.drain())
  }

  #perhapsAnswer(): void {
    const { prng } = this.#options
    if (this.calls.size === 0 || prng.chance(0.4)) return
    this.calls.answer(this.#dataflow, prng, 1 + prng.below(this.calls.size))
    this.#dataflow.advance()
  }

  #pushRows(input: string, partition: number, rows: readonly Row[]): void {
    const { schema } = this.#job.plan.nodes.find((node) => node.kind === "source" && node.inputName === input)!
    const { prng, batchRows } = this.#options
    const longest = prng.pick([1, 3, 100])
    for (let from = 0; from < rows.length;) {
      const length = Math.min(rows.length - from, batchRows ?? 1 + prng.below(longest))
      const origin = { partition, offsets: null, ordinals: null }
      const { batch, release } = batchOfRows(this.#options.arena, schema, rows.slice(from, from + length), origin)
      try {
        this.#dataflow.push(input, batch)
      } finally {
        release()
      }
      if (prng.chance(0.8)) this.#advance()
      this.#perhapsAnswer()
      this.#perhapsRestore()
      from += length
    }
  }

  /** An epoch: changes are written; now and then everything, at once or slice by slice; now and then all goes on in a new dataflow. */
  #perhapsRestore(): void {
    const { prng, restoreChance } = this.#options
    const written = this.#written
    // Between two batches of an epoch, too.
    while (written.areSlicesLeft && prng.chance(0.7)) written.writeSlice(prng.pick([1, 40, 500, 1e6]))
    if (prng.chance(restoreChance))
      for (const state of this.#dataflow.states) state.writeEarly?.(prng.pick([1, 2, 100]))
    if (!prng.chance(restoreChance)) return
    written.writeEpoch(this.#dataflow.states)
    if (prng.chance(0.15)) written.replace(new Map(this.#dataflow.states.map((state) => [state.id, allOf(state)])))
    if (!written.areSlicesLeft && prng.chance(0.6)) written.beginSlices(this.#dataflow.states)
    if (prng.chance(0.5)) return
    this.#dataflow.release()
    this.#dataflow = this.#makeDataflow()
    written.restore(this.#dataflow.states)
    this.calls.giveUp()
    this.#dataflow.startCalls()
  }
}

/** Where two outcomes differ, or `undefined`: numbers must have the same bits. */
export function differenceOf(one: JobOutcome, other: JobOutcome): string | undefined {
  for (const part of ["outputs", "failures", "failedResults"] as const) {
    const names = new Set([...one[part].keys(), ...other[part].keys()])
    for (const name of names) if (!isSame(one[part].get(name), other[part].get(name))) return `${part} of ${name}`
  }
  return undefined
}

function isSame(one: unknown, other: unknown): boolean {
  if (typeof one !== "object" || one === null || typeof other !== "object" || other === null)
    return Object.is(one, other)
  const names = Object.keys(one)
  if (names.length !== Object.keys(other).length) return false
  return names.every((name) => isSame((one as Row)[name], (other as Row)[name]))
}
