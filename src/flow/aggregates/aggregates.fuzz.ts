/** Each aggregate over each type that it takes, in windows of every shape, against its slow twin in `aggregate.reference.ts`. */
import { describe, expect, it } from "vitest"
import { Arena } from "../../batch/arena.ts"
import { Prng } from "../../base/prng.ts"
import type { ColumnType } from "../../batch/type.ts"
import { t } from "../../batch/types.ts"
import type { AggregateKind, WindowSpec } from "../plan.ts"
import {
  hopping,
  partitionEvent,
  PlanFixture,
  rows,
  tumbling,
  type FixtureAggregates,
} from "../plan-fixture.reference.ts"
import { differenceOf, JobRun, runSlowly, type JobEvent, type RandomJob } from "../random-job.reference.ts"
import type { Row } from "../windows/window-aggregate.reference.ts"
import { AGGREGATES } from "./definitions.ts"

const SCALE = Number(process.env["TIDEMARK_FUZZ_SCALE"] ?? 1)
const KINDS = Object.keys(AGGREGATES) as AggregateKind[]
const BIG = Number.MAX_SAFE_INTEGER
const VALUES: Readonly<Record<string, readonly unknown[]>> = {
  bool: [true, false],
  int8: [0, 1, -1, 127, -128],
  uint8: [0, 1, 255],
  uint32: [0, 1, 2 ** 31, 2 ** 32 - 1],
  uint64: [0n, 1n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n],
  float32: [0, -0, 1, 0.1, -0.3, 3e38, NaN, Infinity, -Infinity, 1e-45].map(Math.fround),
  int32: [0, 1, -1, 2 ** 31 - 1, -(2 ** 31), 1000],
  int53: [0, 1, -1, BIG, -BIG, BIG - 1, 2 ** 52, -(2 ** 32), 2 ** 32 + 1],
  int64: [0n, 1n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 62n, 2n ** 61n, -(2n ** 61n), 2n ** 32n, 2n ** 31n],
  float64: [0, -0, 1, 0.1, 0.2, -0.3, 1e308, NaN, Infinity, -Infinity, 5e-324],
  string: ["", "a", "\uFEFF", "日本"],
  timestamp: [0, 1, -BIG, BIG],
  date: [0, 1, -719_528, 2_932_896],
  duration: [0, 1, -1, BIG, -BIG, BIG - 1],
  enum: ["a", "b"],
  object: [
    { x: -0, name: null, more: null },
    { x: 1, name: "a", more: { at: 5 } },
    { x: NaN, name: "", more: { at: null } },
    { x: -1, name: "b", more: { at: -BIG } },
  ],
}
/** Has a field of each way to be null: a text, an object, and a field of that. */
const OBJECT = t.object({
  x: t.float64,
  name: t.string.nullable(),
  more: t.object({ at: t.timestamp().nullable() }).nullable(),
})
const TYPES = [
  t.bool,
  t.int8,
  t.uint8,
  t.uint32,
  t.uint64,
  t.float32,
  t.int32,
  t.int53,
  t.int64,
  t.float64,
  t.string,
  t.timestamp(),
  t.date,
  t.duration(),
  t.enum("a", "b"),
  OBJECT,
]
const INPUTS: readonly ColumnType[] = TYPES.flatMap((type): ColumnType[] => [type, type.nullable()])

const WINDOWS: readonly WindowSpec[] = [
  tumbling(10),
  hopping(20, 10),
  hopping(50, 10, -3),
  hopping(60, 1),
  // Windows start and end at different moments; windows with gaps between them.
  hopping(25, 10),
  hopping(10, 25),
]

const arena = new Arena({ maxBytes: 8 << 20 })

interface Drawing {
  readonly kind: AggregateKind
  readonly type: ColumnType | undefined
  readonly window: WindowSpec
  /** Whether no record goes back in time, so that batches take the fast way. */
  readonly isOrdered: boolean
}

/** A job with the aggregate and a count beside it, by which a record that is refused in one alone would show. */
function jobOf({ kind, type, window, isOrdered }: Drawing, prng: Prng): RandomJob {
  const fixture = new PlanFixture()
  const columns = { at: t.timestamp(), key: t.int32, value: type ?? t.bool }
  const timed = fixture.eventTime(fixture.source(columns), isOrdered ? 0 : prng.pick([0, 5, 30]))
  const aggregates: FixtureAggregates = { count: ["count"], y: type === undefined ? [kind] : [kind, "value"] }
  const windowed = fixture.window(timed, window, prng.chance(0.7) ? ["key"] : [], aggregates)
  fixture.output("results", windowed)
  fixture.output("late", [windowed, "late"])
  const events: JobEvent[] = [partitionEvent("open", 0), partitionEvent("open", 1)]
  const keys = 1 + prng.below(3)
  const hasExtremes = prng.chance(0.5)
  for (const partition of isOrdered ? [0] : [0, 1, 0, 1]) {
    let time = prng.pick([0, -40, 1000])
    const step = prng.pick([1, 3, 12])
    const records = Array.from({ length: isOrdered ? 24 : 8 }, (): Row => {
      time += prng.below(step)
      const at = isOrdered || prng.chance(0.5) ? time : time - prng.below(40)
      return { at, key: prng.below(keys), value: type === undefined ? true : valueOf(type, hasExtremes, prng) }
    })
    events.push(rows(partition, ...records))
  }
  return { plan: fixture.plan, events: [...events, { kind: "drain" }] }
}

function valueOf(type: ColumnType, hasExtremes: boolean, prng: Prng): unknown {
  if (type.isNullable && prng.chance(0.3)) return null
  return prng.pick(VALUES[type.kind]!.slice(0, hasExtremes ? Infinity : 3))
}

describe.each(KINDS)("%s", (kind) => {
  const { resultType } = AGGREGATES[kind]
  const inputs = [undefined, ...INPUTS].filter((type) => resultType(type) !== undefined)
  const canRefuse = kind === "sum" || kind === "mean"

  it("G1 G2 G3 G4 WH1 WH2 gives, bit for bit, what its reference gives, over batches, windows and restored state", () => {
    const seen = { results: 0, late: 0, refused: 0, failed: 0 }
    for (const [each, type] of inputs.entries()) {
      for (const window of WINDOWS) {
        for (let seed = 0; seed < 4 * SCALE; seed++) {
          const drawing = { kind, type, window, isOrdered: seed % 2 === 0 }
          const prng = new Prng(seed * 100 + each)
          const job = jobOf(drawing, prng)
          const slow = runSlowly(job)
          const restoreChance = prng.pick([0, 0.2, 0.5])
          const fast = new JobRun(job, { prng, arena, restoreChance, compile: "off" }).run()
          const difference = differenceOf(slow, fast)
          if (difference !== undefined) {
            expect(fast, `seed ${seed}, ${JSON.stringify(window)}: ${difference} of ${type?.label}`).toEqual(slow)
            expect.fail(`seed ${seed}, ${JSON.stringify(window)}: ${difference} of ${type?.label} differ in bits`)
          }
          seen.results += slow.outputs.get("results")!.length
          seen.late += slow.outputs.get("late")!.length
          seen.refused += slow.failures.size
          seen.failed += slow.failedResults.size
        }
      }
    }
    expect(seen.results).toBeGreaterThan(1000)
    expect(seen.late).toBeGreaterThan(10)
    expect([seen.refused > 0, seen.failed > 0]).toEqual([canRefuse, canRefuse])
    expect(arena.usedBytes).toBe(0)
  }, 600_000)
})

it("every aggregate has a result type for the inputs that docs/spec/windows.md lists, and for no other", () => {
  const table = KINDS.map((kind) => {
    const pairs = [undefined, ...TYPES].flatMap((type) => {
      const result = AGGREGATES[kind].resultType(type)
      return result === undefined ? [] : [`${type?.kind ?? "-"}: ${result.kind}`]
    })
    return `${kind}(${pairs.join(", ")})`
  })
  expect(table).toEqual([
    "count(-: int53)",
    "sum(int8: int53, uint8: int53, uint32: int53, float32: float64, int32: int53, int53: int53, int64: int64, float64: float64, duration: duration)",
    "min(int8: int8, uint8: uint8, uint32: uint32, uint64: uint64, float32: float32, int32: int32, int53: int53, int64: int64, float64: float64, timestamp: timestamp, date: date, duration: duration)",
    "max(int8: int8, uint8: uint8, uint32: uint32, uint64: uint64, float32: float32, int32: int32, int53: int53, int64: int64, float64: float64, timestamp: timestamp, date: date, duration: duration)",
    "mean(int8: float64, uint8: float64, uint32: float64, float32: float64, int32: float64, int53: float64, int64: float64, float64: float64, duration: float64)",
    `first(${TYPES.map(({ kind }) => `${kind}: ${kind}`).join(", ")})`,
    `last(${TYPES.map(({ kind }) => `${kind}: ${kind}`).join(", ")})`,
  ])
})
