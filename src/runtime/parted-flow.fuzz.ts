import { expect, it } from "vitest"
import { forEachSeedInTurn } from "../../test/seeds.ts"
import { ByteReader, ByteWriter } from "../base/bytes.ts"
import type { Prng } from "../base/prng.ts"
import { Arena } from "../batch/arena.ts"
import { batchOfRows, type Batch } from "../batch/batch.ts"
import { Schema, type Field } from "../batch/schema.ts"
import type { ColumnType } from "../batch/type.ts"
import { t } from "../batch/types.ts"
import { Dataflow } from "../flow/dataflow.ts"
import { partPlan, type PartPlan } from "../flow/parts/part-plan.ts"
import type { AggregateKind, AggregateSpec, Plan, PlanNode, SlicedWindowSpec } from "../flow/plan.ts"
import { AGGREGATES } from "../flow/aggregates/definitions.ts"
import { localThreads } from "./local-threads.fixture.ts"
import { EMPTY_START, PartedFlow, PartsLost } from "./parted-flow.ts"

type Row = Record<string, unknown>

const UNITS = [1, 7, 1_000_003]
const NUMBERS = [0, -0, 1, -1, 0.5, 0.1, 1e16, -1e16, 3.25, NaN, Infinity, -Infinity]
const arena = new Arena({ maxBytes: 64 << 20 })
const NO_PARAMS = { paramsSchema: new Schema([]), params: {}, compile: { mode: "auto", proof: undefined } } as const

const TEXTS = ["", "a", "b", "日本", "é", "a longer text than most of the others"]
const POINT = t.object({ x: t.float64, name: t.string.nullable() })
const KEYS: readonly ColumnType[] = [
  t.int32,
  t.bool,
  t.enum("a", "b", "c"),
  t.int53.nullable(),
  t.float64,
  t.int32.nullable(),
  t.string,
  t.string.nullable(),
]
const VALUES: readonly ColumnType[] = [
  t.float64,
  t.float64.nullable(),
  t.int53,
  t.int64,
  t.int32.nullable(),
  t.string,
  t.string.nullable(),
  POINT,
]

/** The columns of an input. */
function randomRows(prng: Prng): Schema {
  const fields: Field[] = [
    { name: "at", type: t.timestamp() },
    { name: "keep", type: t.bool },
  ]
  for (let key = prng.below(3); key > 0; key--) fields.push({ name: `k${key}`, type: prng.pick(KEYS) })
  for (let value = 1 + prng.below(3); value > 0; value--) fields.push({ name: `v${value}`, type: prng.pick(VALUES) })
  return new Schema(prng.shuffle(fields))
}

function randomWindow(prng: Prng, unit: number): SlicedWindowSpec {
  const offsetMicros = prng.below(3) * unit
  const sizeMicros = (1 + prng.below(8)) * unit
  if (prng.chance(0.3)) return { kind: "tumbling", sizeMicros, offsetMicros }
  return { kind: "hopping", sizeMicros, slideMicros: (1 + prng.below(6)) * unit, offsetMicros }
}

function windowOver(prng: Prng, id: string, input: number, rows: Schema, timeColumn: string, unit: number): PlanNode {
  const keys = rows.fields.filter(({ name }) => name.startsWith("k") && name !== "keep" && prng.chance(0.8))
  const values = rows.fields.filter(({ name }) => /^[vc]/.test(name))
  const aggregates: AggregateSpec[] = [{ name: "c0", kind: "count", input: { kind: "none" }, resultType: t.int53 }]
  for (const { name, type } of values) {
    const kind = prng.pick<AggregateKind>(["sum", "min", "max", "mean", "first", "last"])
    const result = AGGREGATES[kind].resultType(type)
    if (result === undefined) continue
    aggregates.push({ name: `${kind}_${name}`, kind, input: { kind: "column", name }, resultType: result.nullable() })
  }
  const bounds = ["windowStart", "windowEnd"].map((name) => ({ name, type: t.timestamp() }))
  const results = aggregates.map(({ name, resultType: type }) => ({ name, type }))
  const schema = new Schema([...keys, ...bounds, ...results])
  const window = randomWindow(prng, unit)
  const names = keys.map(({ name }) => name)
  return {
    kind: "windowAggregate",
    id,
    isIdGiven: true,
    schema,
    input,
    inputPort: "main",
    keys: names,
    timeColumn,
    window,
    aggregates,
  }
}

/** A plan: perhaps a filter, event time, perhaps another filter, a window, and perhaps a filter of its results or a window over them. */
function randomPlan(prng: Prng, rows: Schema, unit: number): Plan {
  const nodes: PlanNode[] = [{ kind: "source", id: "source", isIdGiven: true, schema: rows, inputName: "events" }]
  const base = { isIdGiven: true, inputPort: "main" } as const
  const filter = (id: string, predicate: (row: Row) => unknown) =>
    nodes.push({
      ...base,
      kind: "filter",
      id,
      input: nodes.length - 1,
      schema: nodes[nodes.length - 1]!.schema,
      predicate,
    })
  if (prng.chance(0.2)) filter("before", (row) => row["keep"])
  const outOfOrderMicros = prng.pick([0, 0, 1, 3]) * unit
  nodes.push({
    ...base,
    kind: "eventTime",
    id: "time",
    input: nodes.length - 1,
    schema: rows,
    column: "at",
    outOfOrderMicros,
  })
  if (prng.chance(0.2)) filter("behind", (row) => row["keep"])
  nodes.push(windowOver(prng, "first", nodes.length - 1, rows, "at", unit))
  const first = nodes.length - 1
  const outputs = [
    { name: "first", node: first, port: "main" as const },
    { name: "late", node: first, port: "late" as const },
  ]
  const above = prng.pick(["nothing", "nothing", "window", "window", "filter"])
  if (above === "window") {
    nodes.push(windowOver(prng, "second", first, nodes[first]!.schema, "windowEnd", unit))
    outputs.push({ name: "second", node: nodes.length - 1, port: "main" })
    if (prng.chance(0.5)) outputs.shift()
  } else if (above === "filter") {
    filter("having", (row) => (row["c0"] as number) > 1)
    outputs[0] = { name: "having", node: nodes.length - 1, port: "main" }
  }
  return { jobName: "fuzz", nodes, outputs }
}

function randomValue(prng: Prng, type: ColumnType): unknown {
  if (type.isNullable && prng.chance(0.2)) return null
  switch (type.kind) {
    case "bool":
      return prng.chance(0.5)
    case "float64":
      return prng.pick(NUMBERS)
    case "string":
      return prng.chance(0.1) ? `w${prng.below(300)}` : prng.pick(TEXTS)
    case "object":
      return { x: prng.pick(NUMBERS), name: prng.chance(0.3) ? null : prng.pick(TEXTS) }
    case "int64":
      return BigInt(prng.below(1000) - 500)
    case "enum":
      return prng.pick(["a", "b", "c"])
    default:
      return prng.below(12) - 6
  }
}

/** Rows that go on in time, now and then by far, out of order by up to some units. */
function randomStream(prng: Prng, { fields }: Schema, unit: number): Row[] {
  const disorder = prng.pick([0, 0, 1, 3, 12]) * unit
  const pace = prng.pick([0.02, 0.2, 1]) * unit
  let now = prng.below(1000) * unit
  return Array.from({ length: 300 + prng.below(2500) }, () => {
    now += prng.chance(0.002) ? prng.below(40) * unit : prng.below(Math.max(2, Math.floor(2 * pace)))
    const at = now - (prng.chance(0.2) ? prng.below(disorder + 1) : 0)
    return Object.fromEntries(fields.map(({ name, type }) => [name, name === "at" ? at : randomValue(prng, type)]))
  })
}

/** What has come out, by output, and what epochs wrote, by operator. */
class Outcome {
  readonly rows = new Map<string, Row[]>()
  readonly written = new Map<string, Uint8Array[]>()

  readonly emit = (output: string, batch: Batch): void => {
    let rows = this.rows.get(output)
    if (rows === undefined) this.rows.set(output, (rows = []))
    rows.push(...batch.toRows())
  }

  write(changes: ReadonlyMap<string, Uint8Array>): void {
    for (const [id, bytes] of changes) this.written.set(id, [...(this.written.get(id) ?? []), bytes])
  }
}

function dataflowOf(plan: Plan, outcome: Outcome): Dataflow {
  const onFailedRow = () => expect.fail("no row fails")
  return new Dataflow(plan, { ...NO_PARAMS, arena, emit: outcome.emit, onFailedRow })
}

/** A stream, cut into batches, and where epochs are cut between them. */
interface Pieces {
  readonly batches: readonly Row[][]
  readonly cuts: ReadonlySet<number>
}

function piecesOf(prng: Prng, rows: readonly Row[]): Pieces {
  const batches: Row[][] = []
  const most = prng.pick([3, 17, 64, 400])
  for (let at = 0; at < rows.length;) {
    const count = 1 + prng.below(most)
    batches.push(rows.slice(at, at + count))
    at += count
  }
  const chance = prng.pick([0, 0.05, 0.4])
  return { batches, cuts: new Set([...batches.keys()].filter(() => prng.chance(chance))) }
}

/** One dataflow, which also restores what was written, and drains. */
function runAlone(plan: Plan, schema: Schema, { batches, cuts }: Pieces): Outcome {
  const outcome = new Outcome()
  const dataflow = dataflowOf(plan, outcome)
  dataflow.openPartition("events", 0)
  batches.forEach((rows, index) => {
    const { batch, release } = batchOfRows(arena, schema, rows, { partition: 0, offsets: null, ordinals: null })
    dataflow.push("events", batch)
    release()
    dataflow.advance()
    if (!cuts.has(index) && index < batches.length - 1) return
    outcome.write(
      new Map(
        dataflow.states.map((state) => {
          const out = new ByteWriter()
          state.writeChanges(out)
          return [state.id, out.finish()] as const
        }),
      ),
    )
  })
  dataflow.release()
  return outcome
}

async function runInParts(plan: Plan, parts: PartPlan, schema: Schema, pieces: Pieces, prng: Prng): Promise<Outcome> {
  const outcome = new Outcome()
  const count = 1 + prng.below(3)
  const options = {
    count,
    start: EMPTY_START,
    keptRowsMax: prng.pick([100, 1000, 1e6]),
    partRows: 10 + prng.below(300),
  }
  const flow = PartedFlow.start({ plan, parts, arena, threads: localThreads(prng), emit: outcome.emit, ...options })!
  try {
    for (const [index, rows] of pieces.batches.entries()) {
      const { batch, release } = batchOfRows(arena, schema, rows, { partition: 0, offsets: null, ordinals: null })
      flow.take(batch, release)
      const isLast = index === pieces.batches.length - 1
      if (pieces.cuts.has(index) || isLast) flow.cut((changes) => outcome.write(changes))
      await flow.room()
      if (isLast || prng.chance(0.02)) await flow.settle()
    }
  } finally {
    await flow.close()
  }
  return outcome
}

/** What a dataflow gives that has restored what epochs wrote, and drains. */
function restored(plan: Plan, { written }: Outcome): Outcome {
  const outcome = new Outcome()
  const dataflow = dataflowOf(plan, outcome)
  for (const state of dataflow.states) {
    for (const bytes of written.get(state.id) ?? []) state.applyChanges(new ByteReader(bytes))
  }
  outcome.write(
    new Map(
      dataflow.states.map((state) => {
        const all = new ByteWriter()
        state.writeAll(all)
        return [state.id, all.finish()] as const
      }),
    ),
  )
  dataflow.drain()
  dataflow.release()
  return outcome
}

it("PF1 PF2 PT1 PT2 400 random jobs give on one to three threads, bit for bit, what one dataflow gives, and write the same states", async () => {
  let lost = 0
  let cases = 0
  await forEachSeedInTurn(400, async (prng) => {
    cases++
    const unit = prng.pick(UNITS)
    const schema = randomRows(prng)
    const plan = randomPlan(prng, schema, unit)
    const parts = partPlan(plan, NO_PARAMS)
    if ("reason" in parts) return expect.fail(parts.reason)
    const pieces = piecesOf(prng, randomStream(prng, schema, unit))
    const alone = runAlone(plan, schema, pieces)
    let inParts: Outcome
    try {
      inParts = await runInParts(plan, parts, schema, pieces, prng)
    } catch (error) {
      if (!(error instanceof PartsLost)) throw error
      lost++
      return
    }
    expect(inParts.rows).toEqual(alone.rows)
    const [ofParts, ofOne] = [restored(plan, inParts), restored(plan, alone)]
    expect(ofParts.rows).toEqual(ofOne.rows)
    // What stands where a text is null means nothing.
    const mayLackText = ({ type }: Field) => type === POINT || (type.isNullable && type.kind === "string")
    if (!schema.fields.some(mayLackText)) expect(ofParts.written).toEqual(ofOne.written)
    expect(arena.usedBytes).toBe(0)
  })
  // Those whose records are further out of order than was said.
  expect(lost / cases).toBeLessThan(0.2)
}, 600_000)

it("PT1 a record far ahead of its neighbours is not missed where a run-up leaves rows out before it", async () => {
  let lost = 0
  let cases = 0
  await forEachSeedInTurn(60, async (prng) => {
    cases++
    const schema = randomRows(prng)
    const plan = randomPlan(prng, schema, 1)
    const parts = partPlan(plan, NO_PARAMS)
    if ("reason" in parts) return expect.fail(parts.reason)
    // Batches are much longer than windows, so run-ups begin within them.
    const rows = Array.from({ length: 2000 }, (_, at): Row => {
      return Object.fromEntries(
        schema.fields.map(({ name, type }) => [name, name === "at" ? at : randomValue(prng, type)]),
      )
    })
    const early = prng.below(rows.length)
    rows[early]!["at"] = early + 20 + prng.below(400)
    const batches = Array.from({ length: 8 }, (_, batch) => rows.slice(batch * 250, (batch + 1) * 250))
    const pieces: Pieces = { batches, cuts: new Set() }
    const alone = runAlone(plan, schema, pieces)
    try {
      const inParts = await runInParts(plan, parts, schema, pieces, prng)
      expect(inParts.rows).toEqual(alone.rows)
      expect(restored(plan, inParts).rows).toEqual(restored(plan, alone).rows)
    } catch (error) {
      if (!(error instanceof PartsLost)) throw error
      lost++
    }
    expect(arena.usedBytes).toBe(0)
  })
  // It is seen, and not everything is thrown away for it.
  expect(lost).toBeGreaterThan(0)
  expect(lost).toBeLessThan(cases)
}, 600_000)
