/**
 * Aggregates without kernels in windows of every kind, over batches, epochs and restarts, against windows that keep every
 * record and add them one by one. What the aggregates themselves compute has twins in `accumulators.fuzz.ts`.
 */
import { describe, expect, it } from "vitest"
import { Arena } from "../../../batch/arena.ts"
import { Prng } from "../../../base/prng.ts"
import type { ColumnType } from "../../../batch/type.ts"
import { t } from "../../../batch/types.ts"
import type { AccumulatorDefinition } from "../../aggregates/accumulator.ts"
import { approxCountDistinct } from "../../aggregates/approx-count-distinct.ts"
import { collect } from "../../aggregates/collect.ts"
import { countDistinct } from "../../aggregates/count-distinct.ts"
import { frequent } from "../../aggregates/frequent.ts"
import { custom } from "../../aggregates/custom.ts"
import { quantiles } from "../../aggregates/quantiles.ts"
import { extremeBy, ranking } from "../../aggregates/ranked.ts"
import { spread } from "../../aggregates/variance.ts"
import type { AccumulatedSpec, AggregateInput, WindowSpec } from "../../plan.ts"
import { hopping, partitionEvent, PlanFixture, rows, tumbling } from "../../plan-fixture.reference.ts"
import { differenceOf, JobRun, runSlowly, type JobEvent, type RandomJob } from "../../random-job.reference.ts"
import type { Row } from "../window-aggregate.reference.ts"

const SCALE = Number(process.env["TIDEMARK_FUZZ_SCALE"] ?? 1)
const SEEDS = 100 * SCALE

const COLUMNS = { at: t.timestamp(), key: t.int32, whole: t.int53.nullable(), x: t.float64, name: t.string.nullable() }
const ROW = t.object({ at: COLUMNS.at, key: COLUMNS.key, whole: COLUMNS.whole, x: COLUMNS.x, name: COLUMNS.name })

const WINDOWS: readonly WindowSpec[] = [
  tumbling(10),
  hopping(25, 10),
  hopping(10, 25),
  { kind: "session", gapMicros: 7 },
  { kind: "cumulate", sizeMicros: 30, stepMicros: 10, offsetMicros: 0 },
]

type Spec = Omit<AccumulatedSpec, "name">

function specOf(input: AggregateInput, inputType: ColumnType, define: () => AccumulatorDefinition): Spec {
  const resultType = define().resultType(inputType)!
  const texts = { call: "tested", settings: "", stateSettings: "", functions: [] }
  return { kind: "accumulated", input, resultType, ...texts, define }
}

const ofWhole = (define: () => AccumulatorDefinition) =>
  specOf({ kind: "column", name: "whole" }, COLUMNS.whole, define)

interface ReadRow {
  readonly x: number
  readonly name: string | null
}

/** Refuses rows by themselves, as the twin of windows needs it. */
function log(state: { log: string }, { x, name }: ReadRow): { log: string } {
  if (x === 13) throw new Error("x is 13")
  return { log: `${state.log}${name ?? "-"}` }
}

const SPECS: Readonly<Record<string, Spec>> = {
  variance: ofWhole(() => spread({ of: "sample", isRoot: false })),
  median: ofWhole(() => quantiles({ quantiles: 0.5, error: 0.01 })),
  tails: specOf({ kind: "column", name: "x" }, COLUMNS.x, () => {
    const asked = [0.01, 0.99].map((quantile) => ({ name: `p${quantile}`, quantile }))
    return quantiles({ quantiles: asked, error: 0.05 })
  }),
  distinct: specOf({ kind: "column", name: "name" }, COLUMNS.name, () => countDistinct),
  approximately: specOf({ kind: "lambda", lambda: (row: Row) => row["x"] as number, type: t.float64 }, t.float64, () =>
    approxCountDistinct(0.1),
  ),
  least: specOf(
    { kind: "columns", names: ["whole", "name"] },
    t.object({ whole: COLUMNS.whole, name: COLUMNS.name }),
    () => extremeBy({ which: "min", by: "whole", of: "name" }),
  ),
  // Of equal times the order of arrival counts, so that the twin, which has all records in order, is right.
  names: specOf({ kind: "column", name: "name" }, COLUMNS.name, () => collect({ limit: 3 })),
  greatest: specOf(
    { kind: "columns", names: ["whole", "name"] },
    t.object({ whole: COLUMNS.whole, name: COLUMNS.name }),
    () => ranking({ which: "max", by: "whole", of: "name" }, 2),
  ),
  often: specOf({ kind: "column", name: "name" }, COLUMNS.name, () => frequent({ limit: 2, error: 0.1 })),
  own: specOf({ kind: "columns", names: ["x", "name"] }, t.object({ x: COLUMNS.x, name: COLUMNS.name }), () => {
    const merge = (earlier: { log: string }, later: { log: string }) => ({
      log: [...(earlier.log + later.log)].sort().join(""),
    })
    const sorted = ({ log }: { log: string }) => [...log].sort().join("")
    return custom(
      {
        state: t.object({ log: t.string }),
        type: t.string,
        init: () => ({ log: "" }),
        add: log,
        merge,
        result: sorted,
      },
      {},
    )
  }),
  reduced: specOf({ kind: "columns", names: Object.keys(COLUMNS) }, ROW, () => {
    const combine = (one: Row, other: Row) => ({
      ...one,
      x: Math.max(one["x"] as number, other["x"] as number),
      at: 0,
      key: 0,
      whole: null,
      name: null,
    })
    return custom({ state: ROW, type: ROW, add: combine, merge: combine }, {})
  }),
}

const arena = new Arena({ maxBytes: 8 << 20 })

function jobOf(window: WindowSpec, prng: Prng): RandomJob {
  const fixture = new PlanFixture()
  const timed = fixture.eventTime(fixture.source(COLUMNS), prng.pick([0, 5, 30]))
  const names = Object.keys(SPECS).filter(() => prng.chance(0.4))
  const aggregates = Object.fromEntries((names.length > 0 ? names : ["own"]).map((name) => [name, SPECS[name]!]))
  const windowed = fixture.window(timed, window, prng.chance(0.7) ? ["key"] : [], { count: ["count"], ...aggregates })
  fixture.output("results", windowed)
  fixture.output("late", [windowed, "late"])
  const events: JobEvent[] = [partitionEvent("open", 0), partitionEvent("open", 1)]
  for (const partition of [0, 1, 0, 1]) {
    let time = prng.pick([0, -40, 1000])
    const records = Array.from({ length: 8 }, (): Row => {
      time += prng.below(6)
      const at = prng.chance(0.6) ? time : time - prng.below(40)
      const whole = prng.chance(0.2) ? null : prng.below(9) - 4
      return {
        at,
        key: prng.below(3),
        whole,
        x: prng.pick([0, -0, 1.5, NaN, 13, 7]),
        name: prng.pick(["a", "b", "", null]),
      }
    })
    events.push(rows(partition, ...records))
  }
  return { plan: fixture.plan, events: [...events, { kind: "drain" }] }
}

describe.each(WINDOWS.map((window) => [window.kind, JSON.stringify(window), window] as const))(
  "%s %s",
  (_kind, label, window) => {
    it("F1 F2 F3 W8 W25 W50 AC4 gives what a window that keeps all records gives", () => {
      const seen = { results: 0, refused: 0 }
      for (let seed = 0; seed < SEEDS; seed++) {
        const prng = new Prng(seed)
        const job = jobOf(window, prng)
        const slow = runSlowly(job)
        const fast = new JobRun(job, { prng, arena, restoreChance: prng.pick([0, 0.2, 0.5]), compile: "off" }).run()
        const difference = differenceOf(slow, fast)
        if (difference !== undefined) {
          expect(fast, `seed ${seed}, ${label}: ${difference}`).toEqual(slow)
          expect.fail(`seed ${seed}, ${label}: ${difference} differ in bits`)
        }
        seen.results += slow.outputs.get("results")!.length
        seen.refused += slow.failures.size
      }
      expect(seen.results).toBeGreaterThan(SEEDS)
      expect(seen.refused).toBeGreaterThan(SEEDS / 20)
      expect(arena.usedBytes).toBe(0)
    }, 600_000)
  },
)
