/** Plans and runs for tests, written short. The builder that users see is in `stream`, which `flow` does not know. */
import { Arena } from "../batch/arena.ts"
import { Prng } from "../base/prng.ts"
import { Schema, type Field } from "../batch/schema.ts"
import type { ColumnType } from "../batch/type.ts"
import { t } from "../batch/types.ts"
import type { RowFunction } from "../expr/lambda.ts"
import { AGGREGATES } from "./aggregates/definitions.ts"
import {
  portSchema,
  type AccumulatedSpec,
  type AggregateKind,
  type AggregateSpec,
  type EventTimeNode,
  type FiringSpec,
  type KernelAggregateInput,
  type Plan,
  type PlanNode,
  type PlanOutput,
  type Port,
  type SlicedWindowSpec,
  type WindowSpec,
} from "./plan.ts"
import { JobRun, type JobEvent } from "./random-job.reference.ts"
import type { Row } from "./windows/window-aggregate.reference.ts"

/** One minute in microseconds. */
export const MINUTE = 60_000_000

/** A tumbling window. */
export function tumbling(sizeMicros: number, offsetMicros = 0): SlicedWindowSpec {
  return { kind: "tumbling", sizeMicros, offsetMicros }
}

/** A hopping window. */
export function hopping(sizeMicros: number, slideMicros: number, offsetMicros = 0): SlicedWindowSpec {
  return { kind: "hopping", sizeMicros, slideMicros, offsetMicros }
}

/** What a window computes: by result column the aggregate, and what it reads. */
export type FixtureAggregates = Readonly<
  Record<
    string,
    | readonly [AggregateKind, (string | { readonly lambda: RowFunction; readonly type: ColumnType })?]
    | Omit<AccumulatedSpec, "name">
  >
>

/** Where a node's rows come from: the node, and its port. */
export type From = number | readonly [node: number, port: Port]

/** A plan under construction; each method gives the index of the node that it adds. */
export class PlanFixture {
  readonly #nodes: PlanNode[] = []
  readonly #outputs: PlanOutput[] = []

  get plan(): Plan {
    return { jobName: "fixture", nodes: this.#nodes, outputs: this.#outputs }
  }

  #add(node: PlanNode): number {
    return this.#nodes.push(node) - 1
  }

  #from(from: From, kind: string) {
    const [input, inputPort] = typeof from === "number" ? [from, "main" as const] : from
    const rows = portSchema(this.plan, input, inputPort)
    return { rows, base: { id: `${kind}${this.#nodes.length}`, isIdGiven: false, input, inputPort } }
  }

  source(columns: Readonly<Record<string, ColumnType>>, inputName = "events"): number {
    const schema = new Schema(fieldsOf(columns))
    return this.#add({ kind: "source", id: inputName, isIdGiven: true, schema, inputName })
  }

  filter(from: From, predicate: (row: never) => unknown): number {
    const { rows, base } = this.#from(from, "filter")
    return this.#add({ ...base, kind: "filter", schema: rows, predicate })
  }

  derive(from: From, columns: Readonly<Record<string, ColumnType>>, lambda: RowFunction): number {
    const { rows, base } = this.#from(from, "derive")
    const added = fieldsOf(columns)
    const kept = rows.fields.map((field) => added.find(({ name }) => name === field.name) ?? field)
    const schema = new Schema([...kept, ...added.filter(({ name }) => rows.indexOf(name) === -1)])
    return this.#add({ ...base, kind: "derive", schema, columns: added, lambda })
  }

  map(from: From, columns: Readonly<Record<string, ColumnType>>, lambda: RowFunction): number {
    const { base } = this.#from(from, "map")
    return this.#add({ ...base, kind: "map", schema: new Schema(fieldsOf(columns)), lambda })
  }

  select(from: From, ...columns: string[]): number {
    const { rows, base } = this.#from(from, "select")
    return this.#add({ ...base, kind: "select", schema: new Schema(columns.map((name) => rows.field(name)!)), columns })
  }

  notNull(from: From, ...columns: string[]): number {
    const { rows, base } = this.#from(from, "notNull")
    const fields = rows.fields.map(({ name, type }) => ({
      name,
      type: columns.includes(name) ? type.required() : type,
    }))
    return this.#add({ ...base, kind: "notNull", schema: new Schema(fields), columns })
  }

  union(from: From, ...others: From[]): number {
    const { rows, base } = this.#from(from, "union")
    const refs = others.map((other) => this.#from(other, "union").base)
    return this.#add({ ...base, kind: "union", schema: rows, others: refs })
  }

  eventTime(
    from: From,
    given: number | Pick<EventTimeNode, "idleAfterMicros"> = 0,
    column = "at",
    watermark?: RowFunction,
  ): number {
    const { rows, base } = this.#from(from, "eventTime")
    const options = typeof given === "number" ? { outOfOrderMicros: given } : { outOfOrderMicros: 0, ...given }
    const strategy = watermark === undefined ? options : { ...options, watermark }
    return this.#add({ ...base, kind: "eventTime", schema: rows, column, ...strategy })
  }

  processingTime(from: From, column: string): number {
    const { rows, base } = this.#from(from, "processingTime")
    const schema = new Schema([...rows.fields, { name: column, type: t.timestamp() }])
    return this.#add({ ...base, kind: "processingTime", schema, column })
  }

  window(
    from: From,
    window: WindowSpec,
    keys: readonly string[],
    aggregates: FixtureAggregates,
    timeColumn: string | null = "at",
    firing?: FiringSpec,
  ): number {
    const { rows, base } = this.#from(from, "window")
    const specs = specsOf(rows, aggregates)
    const isUpdating = firing !== undefined && !firing.isPurging
    const schema = new Schema([
      ...(isUpdating ? [{ name: "op", type: t.enum("insert", "update", "delete") }] : []),
      ...keys.map((name) => ({ name, type: rows.field(name)?.type ?? t.string })),
      ...(timeColumn === null ? [] : ["windowStart", "windowEnd"]).map((name) => ({ name, type: t.timestamp() })),
      ...specs.map(({ name, resultType }) => ({ name, type: resultType })),
    ])
    const how = { timeColumn: timeColumn ?? undefined, ...(firing === undefined ? {} : { firing }) }
    return this.#add({ ...base, ...how, kind: "windowAggregate", schema, keys, window, aggregates: specs })
  }

  over(from: From, rangeMicros: number, keys: readonly string[], aggregates: FixtureAggregates): number {
    const { rows, base } = this.#from(from, "over")
    const specs = specsOf(rows, aggregates)
    const schema = new Schema([...rows.fields, ...specs.map(({ name, resultType }) => ({ name, type: resultType }))])
    return this.#add({ ...base, kind: "over", schema, keys, timeColumn: "at", rangeMicros, aggregates: specs })
  }

  output(name: string, from: From): void {
    const [node, port] = typeof from === "number" ? [from, "main" as const] : from
    this.#outputs.push({ name, node, port })
  }
}

function specsOf(rows: Schema, aggregates: FixtureAggregates): AggregateSpec[] {
  return Object.entries(aggregates).map(([name, given]): AggregateSpec => {
    if ("call" in given) return { name, ...given }
    const [kind, read] = given
    const input: KernelAggregateInput =
      read === undefined
        ? { kind: "none" }
        : typeof read === "string"
          ? { kind: "column", name: read }
          : { kind: "lambda", ...read }
    const type = typeof read === "string" ? rows.field(read)?.type : read?.type
    return { name, kind, input, resultType: AGGREGATES[kind].resultType(type) ?? t.float64 }
  })
}

function fieldsOf(columns: Readonly<Record<string, ColumnType>>): Field[] {
  return Object.entries(columns).map(([name, type]) => ({ name, type }))
}

/** The event that brings rows of a partition. */
export function rows(partition: number, ...records: readonly Row[]): JobEvent {
  return { kind: "rows", partition, rows: records }
}

/** The event that opens or ends a partition. */
export function partitionEvent(kind: "open" | "end", partition: number): JobEvent {
  return { kind, partition }
}

/** Runs a plan on events, each in one batch, and gives what came of it. */
export function runPlan(plan: Plan, events: readonly JobEvent[]): JobRun {
  const arena = new Arena({ maxBytes: 1 << 20 })
  const options = { prng: new Prng(1), arena, restoreChance: 0, compile: "off", batchRows: Infinity } as const
  const run = new JobRun({ plan, events }, options)
  run.run()
  return run
}
