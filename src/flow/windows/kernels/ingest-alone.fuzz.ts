/**
 * Runs of rows in windows without a key, against their slow twin: runs of many lengths, which blocks of rows are a part of
 * or not, of each type that blocks are for; some near the ends of what a sum may be.
 */
import { expect, it } from "vitest"
import { Arena } from "../../../batch/arena.ts"
import { Prng } from "../../../base/prng.ts"
import type { ColumnType } from "../../../batch/type.ts"
import { t } from "../../../batch/types.ts"
import type { AggregateKind, Plan } from "../../plan.ts"
import {
  hopping,
  partitionEvent,
  PlanFixture,
  rows,
  tumbling,
  type FixtureAggregates,
} from "../../plan-fixture.reference.ts"
import { differenceOf, JobRun, runSlowly, type JobEvent } from "../../random-job.reference.ts"
import type { Row } from "../window-aggregate.reference.ts"

const SCALE = Number(process.env["TIDEMARK_FUZZ_SCALE"] ?? 1)
const BIG = Number.MAX_SAFE_INTEGER
const HIGHEST = 2n ** 63n - 1n
const TYPES = [t.int32, t.int53, t.int64, t.float64, t.timestamp()]
const SLIDE = 100
const WINDOWS = [tumbling(SLIDE), hopping(3 * SLIDE, SLIDE, 7), hopping(2 * SLIDE, SLIDE), hopping(250, SLIDE)]
const NUMBERS: readonly AggregateKind[] = ["sum", "mean", "min", "max"]
const ALL: readonly AggregateKind[] = ["min", "max", "first", "last"]

/** What values are like in a run: some leave a sum's range, or look as if they might. */
interface Manner {
  readonly size: "small" | "edge" | "huge"
  /** How many of those that need not be small are. */
  readonly smallShare: number
  /** Which of the large values it is: the one at a place, or any. */
  readonly place: number | undefined
}

function drawManner(prng: Prng): Manner {
  return {
    size: prng.pick(["small", "small", "edge", "huge"]),
    smallShare: prng.pick([0, 0.5, 0.9]),
    place: prng.pick([0, -1, undefined, undefined]),
  }
}

const LARGE: Readonly<Record<string, { readonly edge: readonly unknown[]; readonly huge: readonly unknown[] }>> = {
  int32: { edge: [2 ** 24, -(2 ** 24)], huge: [2 ** 31 - 1, 2 ** 30, -(2 ** 31)] },
  int53: { edge: [2 ** 36 - 1, 2 ** 36, 2 ** 40, -(2 ** 36), -(2 ** 36) - 1], huge: [BIG, -BIG] },
  int64: {
    edge: [2n ** 46n - 1n, 2n ** 46n, 2n ** 55n, -(2n ** 46n), -(2n ** 46n) - 1n],
    huge: [HIGHEST, -HIGHEST - 1n],
  },
  float64: { edge: [-0, -0, 0], huge: [1e300, NaN, Infinity, -Infinity, -1e300] },
}

function drawInput(prng: Prng): ColumnType {
  const type = prng.pick(TYPES)
  return prng.chance(0.4) ? type.nullable() : type
}

function planOf(prng: Prng): { plan: Plan; inputs: readonly ColumnType[] } {
  const inputs = Array.from({ length: 1 + prng.below(3) }, () => drawInput(prng))
  const fixture = new PlanFixture()
  const values = Object.fromEntries(inputs.map((type, index) => [`v${index}`, type]))
  const timed = fixture.eventTime(fixture.source({ at: t.timestamp(), keep: t.bool, ...values }))
  const input = prng.chance(0.3) ? fixture.filter(timed, (row: Row) => row["keep"]) : timed
  const aggregates: Record<string, FixtureAggregates[string]> = prng.chance(0.5) ? { count: ["count"] } : {}
  for (let index = 0; index < inputs.length + prng.below(2); index++) {
    const place = index % inputs.length
    const isTime = inputs[place]!.kind === "timestamp"
    aggregates[`y${index}`] = [prng.pick(isTime || prng.chance(0.2) ? ALL : NUMBERS), `v${place}`]
  }
  fixture.output("results", fixture.window(input, prng.pick(WINDOWS), [], aggregates))
  return { plan: fixture.plan, inputs }
}

function valueOf(type: ColumnType, { size, smallShare, place }: Manner, prng: Prng): unknown {
  if (type.isNullable && prng.chance(0.25)) return null
  const kind = type.kind === "timestamp" ? "int53" : type.kind
  if (size !== "small" && !prng.chance(smallShare)) {
    const values = LARGE[kind]![size]
    return place === undefined ? prng.pick(values) : values.at(place)
  }
  const small = prng.below(2001) - 1000
  if (kind === "int64") return BigInt(small)
  return kind === "float64" ? (prng.float() - 0.5) * 10 ** prng.below(6) : small
}

/** Runs are up to 70 rows long: eight blocks and what is left over. */
function eventsOf(inputs: readonly ColumnType[], prng: Prng): JobEvent[] {
  const events: JobEvent[] = [partitionEvent("open", 0)]
  let start = prng.pick([0, -10_000, 1_700_000_000_000_000])
  let records: Row[] = []
  const isSteady = prng.chance(0.5)
  let length = 1 + prng.below(40)
  for (let run = 3 + prng.below(6); run > 0; run--) {
    if (!isSteady || prng.chance(0.1)) length = prng.below(prng.pick([4, 12, 70]))
    const manner = drawManner(prng)
    for (let row = 0; row < length; row++) {
      const at = start + Math.floor((row * SLIDE) / length)
      const values = inputs.map((type, index) => [`v${index}`, valueOf(type, manner, prng)] as const)
      records.push({ at, keep: prng.chance(0.7), ...Object.fromEntries(values) })
    }
    start += SLIDE * prng.pick([1, 1, 1, 2, 50])
    if (!prng.chance(0.3)) continue
    events.push(rows(0, ...records))
    records = []
  }
  return [...events, rows(0, ...records), { kind: "drain" }]
}

it("G3 W8 W13 W16 W19 adds runs of rows as row by row: of any length, cut into any batches, restored in between", () => {
  const arena = new Arena({ maxBytes: 8 << 20 })
  const seen = { results: 0, refused: 0, failed: 0 }
  for (let seed = 0; seed < 1500 * SCALE; seed++) {
    const { plan, inputs } = planOf(new Prng(Math.floor(seed / 5)))
    const job = { plan, events: eventsOf(inputs, new Prng(seed)) }
    const slow = runSlowly(job)
    const prng = new Prng(seed + 2 ** 32)
    const batchRows = prng.pick([1, 9, 33, 1000, 1000])
    const fast = new JobRun(job, { prng, arena, restoreChance: prng.pick([0, 0.2]), compile: "off", batchRows }).run()
    const difference = differenceOf(slow, fast)
    if (difference !== undefined) {
      expect(fast, `seed ${seed}: ${difference}`).toEqual(slow)
      expect.fail(`seed ${seed}: ${difference} differ in bits`)
    }
    seen.results += slow.outputs.get("results")!.length
    seen.refused += slow.failures.size
    seen.failed += slow.failedResults.size
  }
  for (const [what, count] of Object.entries(seen)) expect(count, what).toBeGreaterThan(20)
  expect(arena.usedBytes).toBe(0)
}, 600_000)
