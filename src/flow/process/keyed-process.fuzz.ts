import { expect, it } from "vitest"
import { Arena } from "../../batch/arena.ts"
import { Prng } from "../../base/prng.ts"
import { Schema } from "../../batch/schema.ts"
import { t } from "../../batch/types.ts"
import { AGGREGATES } from "../aggregates/definitions.ts"
import type { Plan, PlanNode, PlanOutput, PortRef } from "../plan.ts"
import { differenceOf, JobRun, randomEvents, randomSchema, runSlowly } from "../random-job.reference.ts"
import type { Row } from "../windows/window-aggregate.reference.ts"
import { scarceMemory } from "./cold-bytes.fixture.ts"
import type { ProcessSpec } from "./process-spec.ts"

const SCALE = Number(process.env["TIDEMARK_FUZZ_SCALE"] ?? 1)
const SEED = Number(process.env["TIDEMARK_FUZZ_SEED"] ?? 0)

const EMITTED = new Schema([
  { name: "at", type: t.timestamp() },
  { name: "tag", type: t.string.nullable() },
  { name: "told", type: t.string },
])

/** What handlers of both twins are given, as far as they use it. */
interface Context {
  readonly time: number
  readonly tag: string | undefined
  readonly watermark: number
  readonly key: Row
  emit(row: Row): void
  readonly side: { readonly odd: (row: Row) => void }
  readonly state: Readonly<Record<string, Record<string, (...given: unknown[]) => unknown>>>
  readonly timers: Readonly<Record<string, { set(time: number, tag?: string): void; clear(tag?: string): void }>>
}

/** A state machine that does what numbers drawn from a seed and the call's time say, and tells all that it sees. */
function randomSpec(
  prng: Prng,
  keys: readonly string[],
  unit: number,
  names: readonly (string | undefined)[] = [undefined],
): ProcessSpec {
  const ttl = () => (prng.chance(0.5) ? Infinity : (1 + prng.below(12)) * unit)
  const salt = prng.below(2 ** 31)
  // Keys with nothing but single values are kept otherwise.
  const isFlat = prng.chance(0.4)
  const act = (context: Context, seed: number) => {
    const { state, timers, time, tag, key, watermark } = context
    const drawn = new Prng(seed)
    const states = state
    const steps = 1 + drawn.below(4)
    for (let step = 0; step < steps; step++) {
      const number = drawn.below(5)
      const text = drawn.pick(["a", "b", "c", "\ud800"])
      drawn.pick([
        () => states["one"]!["set"]!({ x: number, s: text }),
        () => states["one"]!["clear"]!(),
        () => states["all"]?.["add"]!(number - 0.5),
        () => states["all"]?.["add"]!(-number),
        () => drawn.chance(0.3) && states["all"]?.["clear"]!(),
        () => states["by"]?.["set"]!(number, drawn.chance(0.2) ? null : text),
        () => states["by"]?.["set"]!(drawn.below(5), text),
        () => states["by"]?.["delete"]!(number),
        () => drawn.chance(0.3) && states["by"]?.["clear"]!(),
        () => states["total"]!["add"]!(BigInt(number)),
        () => timers["soon"]!.set(time + (drawn.below(9) - (tag === undefined ? 2 : -1)) * unit, drawn.pick(["", "x"])),
        () => timers["late"]!.set(time + (1 + drawn.below(30)) * unit),
        () => timers["soon"]!.clear(drawn.pick(["", "x"])),
      ])()
    }
    const told = [
      key,
      states["one"]!["get"]!(),
      states["all"]?.["values"]!(),
      states["by"]?.["entries"]!(),
      states["total"]!["get"]!(),
      watermark,
    ]
    const row = {
      at: time,
      tag: tag ?? null,
      told: JSON.stringify(told, (_, value: unknown) => (typeof value === "bigint" ? `${value}n` : shown(value))),
    }
    if (drawn.chance(0.7)) context.emit(row)
    if (drawn.chance(0.2)) context.side.odd(row)
    if (drawn.chance(0.15)) throw new Error("no")
  }
  const seedOf = (time: number, more: number) => (Math.abs(time) % 100_003) * 7 + more + salt
  const onTimer = (context: Context) => {
    act(context, seedOf(context.time, 1))
  }
  const input = (name: string | undefined, more: number) => {
    const onRecord = (row: Row, context: Context) => {
      act(context, seedOf(context.time, row["keep"] === true ? more : more + 1))
    }
    return { name, timeColumn: "at", onRecord }
  }
  return {
    keys,
    inputs: names.map((name, index) => input(name, 2 + 2 * index)),
    state: {
      one: { kind: "value", type: t.object({ x: t.int53, s: t.string }), ttlMicros: ttl() },
      total: {
        kind: "reducing",
        type: t.int64,
        ttlMicros: ttl(),
        reduce: (one: bigint, other: bigint) => one + other,
      },
      ...(isFlat
        ? {}
        : {
            all: { kind: "list", type: t.float64, ttlMicros: ttl() },
            by: { kind: "map", keyType: t.int53, type: t.string.nullable(), ttlMicros: ttl() },
          }),
    },
    timers: [
      { name: "soon", domain: "event", onTimer },
      { name: "late", domain: "event", onTimer },
    ],
    sides: { odd: EMITTED },
  }
}

/** JSON has no other way to tell these apart. */
function shown(value: unknown): unknown {
  if (typeof value === "string") return value.replace(/\p{Surrogate}/gu, "\ufffd")
  if (Object.is(value, -0)) return "-0"
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value
}

function randomPlan(prng: Prng, rows: Schema, unit: number): Plan {
  const keys = rows.fields.flatMap(({ name }) => (name.startsWith("k") && name !== "keep" ? [name] : []))
  const base = { isIdGiven: true, inputPort: "main" as const }
  const outOfOrderMicros = prng.pick([0, 1, 3, 10]) * unit
  const idleAfterMicros = prng.pick([1, Infinity])
  const nodes: PlanNode[] = [
    { kind: "source", id: "source", isIdGiven: true, schema: rows, inputName: "events" },
    { ...base, kind: "eventTime", id: "time", schema: rows, input: 0, column: "at", outOfOrderMicros, idleAfterMicros },
    { ...base, kind: "filter", id: "filter", schema: rows, input: 1, predicate: (row: Row) => row["v0"] !== 1 },
  ]
  let input = 2
  const others: PortRef[] = []
  if (prng.chance(0.4)) {
    const schema = new Schema(prng.shuffle(rows.fields))
    const times = { outOfOrderMicros: prng.pick([0, 3]) * unit, idleAfterMicros: prng.pick([1, Infinity]) }
    nodes.push(
      { kind: "source", id: "others", isIdGiven: true, schema, inputName: "others" },
      { ...base, kind: "eventTime", id: "otherTime", schema, input: 3, column: "at", ...times },
    )
    const [first, second] = prng.shuffle([2, 4])
    input = first!
    others.push({ input: second!, inputPort: "main" })
  }
  const names = others.length === 0 ? [undefined] : ["one", "other"]
  const spec = randomSpec(prng, prng.shuffle(keys).slice(0, prng.below(keys.length + 1)), unit, names)
  const machine = nodes.push({ ...base, kind: "process", id: "machine", schema: EMITTED, input, others, spec }) - 1
  const outputs = [
    { name: "main", node: machine, port: "main" as PlanOutput["port"] },
    { name: "odd", node: machine, port: "side odd" as const },
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
    nodes.push({ ...base, kind: "windowAggregate", id: "counts", schema, input: machine, ...parts })
    outputs.push({ name: "counts", node: machine + 1, port: "main" })
  }
  if (prng.chance(0.4)) {
    const input = nodes.length - 1
    const isOfCounts = nodes[input]!.kind === "windowAggregate"
    const spec = randomSpec(prng, [], unit)
    const timeColumn = isOfCounts ? "windowEnd" : "at"
    const inputs = spec.inputs.map((each) => ({ ...each, timeColumn }))
    nodes.push({
      ...base,
      kind: "process",
      id: "behind",
      schema: EMITTED,
      input,
      others: [],
      spec: { ...spec, inputs },
    })
    outputs.push({ name: "behind", node: input + 1, port: "main" })
  }
  return { jobName: "random", nodes, outputs }
}

const arena = new Arena({ maxBytes: 16 << 20 })

it("P1 P2 P3 P4 P18 F1 F3 F4 F5 KS2 KS3 KS4 PK3 E23 E25 10,000 random state machines give what their slow twins give", () => {
  let emitted = 0
  let reads = 0
  for (let seed = SEED; seed < SEED + 10_000 * SCALE; seed++) {
    const prng = new Prng(seed + 2 ** 33)
    const unit = prng.pick([1, 7, 1_000_003])
    const rows = randomSchema(prng)
    const job = { plan: randomPlan(prng, rows, unit), events: randomEvents(prng, rows, unit) }
    const slow = runSlowly(job)
    // From chances of their own, so that the rest does not depend on them.
    const ofMemory = new Prng(seed + 2 ** 34)
    const spilling = ofMemory.chance(0.5) ? scarceMemory(ofMemory) : undefined
    const restoreChance = prng.pick([0, 0.1, 0.4])
    const fast = new JobRun(job, { prng, arena, restoreChance, compile: "off", spilling }).run()
    reads += spilling?.cold.reads ?? 0
    for (const told of fast.outputs.values()) emitted += told.length
    const difference = differenceOf(slow, fast)
    if (difference === undefined) continue
    expect(fast.outputs, `TIDEMARK_FUZZ_SEED=${seed}: ${difference}`).toEqual(slow.outputs)
    expect(fast, `TIDEMARK_FUZZ_SEED=${seed}: ${difference}`).toEqual(slow)
  }
  expect(emitted).toBeGreaterThan(10_000 * SCALE)
  expect(reads).toBeGreaterThan(10_000 * SCALE)
  expect(arena.usedBytes).toBe(0)
}, 600_000)
