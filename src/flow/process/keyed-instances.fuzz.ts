import { expect, it } from "vitest"
import { Arena } from "../../batch/arena.ts"
import { Prng } from "../../base/prng.ts"
import { Schema } from "../../batch/schema.ts"
import { t } from "../../batch/types.ts"
import { AGGREGATES } from "../aggregates/definitions.ts"
import type { Plan, PlanNode, PlanOutput, PortRef } from "../plan.ts"
import { differenceOf, JobRun, randomEvents, randomSchema, runSlowly } from "../random-job.reference.ts"
import type { Row } from "../windows/window-aggregate.reference.ts"
import type { OperatorInstance, OperatorSpec } from "./operator-spec.ts"

const SCALE = Number(process.env["TIDEMARK_FUZZ_SCALE"] ?? 1)
const SEED = Number(process.env["TIDEMARK_FUZZ_SEED"] ?? 0)

const EMITTED = new Schema([
  { name: "at", type: t.timestamp() },
  { name: "told", type: t.string },
])

const SNAPSHOT = t.object({ seen: t.list(t.int53), calls: t.int53, wake: t.float64 })

/** What instances of both twins are given, as far as they use it. */
interface Context {
  readonly time: number
  readonly watermark: number
  emit(row: Row): void
  readonly side: { readonly odd: (row: Row) => void }
  fail(reason: string): void
}

interface Kept {
  readonly seen: readonly number[]
  readonly calls: number
  readonly wake: number
}

/** An instance that does what numbers drawn from a seed and the call's time say, and tells all that it knows. */
function randomSpec(
  prng: Prng,
  keys: readonly string[],
  unit: number,
  names: readonly (string | undefined)[],
): OperatorSpec {
  const salt = prng.below(2 ** 31)
  const open: OperatorSpec["open"] = ({ key, state }) => {
    let { seen, calls, wake }: Kept = (state as Kept | undefined) ?? { seen: [], calls: 0, wake: Infinity }
    const act = (context: Context, more: number) => {
      const { time, watermark } = context
      const drawn = new Prng((Math.abs(time) % 100_003) * 7 + more + salt + calls)
      calls++
      if (drawn.chance(0.6)) seen = [...seen, time].slice(-4)
      if (drawn.chance(0.3)) wake = time + (drawn.below(20) - (more === 1 ? -1 : 5)) * unit
      if (drawn.chance(0.1)) wake = Infinity
      if (more === 1 && wake <= time) wake = Infinity
      const row = { at: time, told: JSON.stringify([key, seen, calls, watermark], (_, value: unknown) => shown(value)) }
      if (drawn.chance(0.7)) context.emit(row)
      if (drawn.chance(0.2)) context.side.odd(row)
      if (more !== 1 && drawn.chance(0.1)) context.fail("no")
      // Nothing is left of it: it goes on as a new one.
      if (drawn.chance(0.15)) [seen, calls, wake] = [[], 0, Infinity]
    }
    const handler = (more: number) => (row: Row, context: Context) => {
      act(context, row["keep"] === true ? more : more + 1)
    }
    const instance: OperatorInstance = {
      onRecord:
        names[0] === undefined
          ? handler(2)
          : Object.fromEntries(names.map((name, index) => [name, handler(4 + 2 * index)])),
      wakeAt: () => wake,
      onWake: (_time, context) => {
        wake = Infinity
        act(context as Context, 1)
      },
      snapshot: () => (seen.length === 0 && calls === 0 && wake === Infinity ? undefined : { seen, calls, wake }),
    }
    return instance
  }
  return {
    keys,
    inputs: names.map((name) => ({ name, timeColumn: "at" })),
    sides: { odd: EMITTED },
    type: SNAPSHOT,
    open,
  }
}

/** JSON has no other way to tell these apart. */
function shown(value: unknown): unknown {
  if (typeof value === "bigint") return `${value}n`
  if (typeof value === "string") return value.replace(/\p{Surrogate}/gu, "\ufffd")
  if (Object.is(value, -0)) return "-0"
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value
}

function randomPlan(prng: Prng, rows: Schema, unit: number): Plan {
  const keys = rows.fields.flatMap(({ name }) => (name.startsWith("k") && name !== "keep" ? [name] : []))
  const base = { isIdGiven: true, inputPort: "main" as const }
  const times = () => ({ outOfOrderMicros: prng.pick([0, 3, 10]) * unit, idleAfterMicros: prng.pick([1, Infinity]) })
  const nodes: PlanNode[] = [
    { kind: "source", id: "source", isIdGiven: true, schema: rows, inputName: "events" },
    { ...base, kind: "eventTime", id: "time", schema: rows, input: 0, column: "at", ...times() },
  ]
  const others: PortRef[] = []
  if (prng.chance(0.4)) {
    const schema = new Schema(prng.shuffle(rows.fields))
    nodes.push(
      { kind: "source", id: "others", isIdGiven: true, schema, inputName: "others" },
      { ...base, kind: "eventTime", id: "otherTime", schema, input: 2, column: "at", ...times() },
    )
    others.push({ input: 3, inputPort: "main" })
  }
  const names = others.length === 0 ? [undefined] : ["one", "other"]
  const spec = randomSpec(prng, prng.shuffle(keys).slice(0, prng.below(keys.length + 1)), unit, names)
  const own = nodes.push({ ...base, kind: "process", id: "own", schema: EMITTED, input: 1, others, spec }) - 1
  const outputs: PlanOutput[] = [
    { name: "main", node: own, port: "main" },
    { name: "odd", node: own, port: "side odd" },
  ]
  if (prng.chance(0.4)) {
    const resultType = AGGREGATES.count.resultType(undefined)!
    const aggregates = [{ name: "n", kind: "count" as const, input: { kind: "none" as const }, resultType }]
    const schema = new Schema([
      ...["windowStart", "windowEnd"].map((name) => ({ name, type: t.timestamp() })),
      { name: "n", type: resultType },
    ])
    const window = { kind: "tumbling" as const, sizeMicros: (1 + prng.below(5)) * unit, offsetMicros: 0 }
    const parts = { keys: [], timeColumn: "at", window, aggregates }
    nodes.push({ ...base, kind: "windowAggregate", id: "counts", schema, input: own, ...parts })
    outputs.push({ name: "counts", node: own + 1, port: "main" }, { name: "late", node: own + 1, port: "late" })
  }
  return { jobName: "random", nodes, outputs }
}

const arena = new Arena({ maxBytes: 16 << 20 })

it("P12 P13 P15 F1 F3 F4 5,000 random operators of programs' own give what their slow twins give, from whatever snapshot they go on", () => {
  let emitted = 0
  for (let seed = SEED; seed < SEED + 5_000 * SCALE; seed++) {
    const prng = new Prng(seed + 2 ** 33)
    const unit = prng.pick([1, 7, 1_000_003])
    const rows = randomSchema(prng)
    const job = { plan: randomPlan(prng, rows, unit), events: randomEvents(prng, rows, unit) }
    const slow = runSlowly(job)
    const fast = new JobRun(job, { prng, arena, restoreChance: prng.pick([0, 0.1, 0.4]), compile: "off" }).run()
    for (const told of fast.outputs.values()) emitted += told.length
    const difference = differenceOf(slow, fast)
    if (difference === undefined) continue
    expect(fast.outputs, `TIDEMARK_FUZZ_SEED=${seed}: ${difference}`).toEqual(slow.outputs)
    expect(fast, `TIDEMARK_FUZZ_SEED=${seed}: ${difference}`).toEqual(slow)
  }
  expect(emitted).toBeGreaterThan(5_000 * SCALE)
  expect(arena.usedBytes).toBe(0)
}, 600_000)
