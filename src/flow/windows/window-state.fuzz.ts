/** SC1: what kernels write of pieces is, byte for byte, what JavaScript writes where the arena has no room for them. */
import { expect, it } from "vitest"
import { ByteWriter } from "../../base/bytes.ts"
import { Prng } from "../../base/prng.ts"
import { Arena, type Block } from "../../batch/arena.ts"
import { t } from "../../batch/types.ts"
import type { Plan } from "../plan.ts"
import { hopping, PlanFixture, type FixtureAggregates } from "../plan-fixture.reference.ts"
import { PlanRun } from "../plan-run.fixture.ts"

const SCALE = Number(process.env["TIDEMARK_FUZZ_SCALE"] ?? 1)
const OUT_OF_ORDER = 20

const AGGREGATE_SETS: readonly FixtureAggregates[] = [
  { count: ["count"] },
  { sum: ["sum", "x"], greatest: ["max", "x"], n: ["sum", "n"] },
]

function randomPlan(prng: Prng): Plan {
  const fixture = new PlanFixture()
  const key = prng.pick([t.int32, t.int32.nullable(), t.float64])
  const columns = { at: t.timestamp(), key, other: t.bool, x: t.float64, n: t.int53 }
  const timed = fixture.eventTime(fixture.source(columns), OUT_OF_ORDER)
  const keys = prng.pick([["key"], ["key", "other"], []])
  const slide = 1 + prng.below(10)
  const windows = prng.pick([1, 1, 3])
  for (let window = 0; window < windows; window++) {
    const size = slide * (1 + prng.below(20))
    const windowed = fixture.window(timed, hopping(size, slide), keys, prng.pick(AGGREGATE_SETS))
    fixture.output(`results${window}`, windowed)
  }
  return fixture.plan
}

function randomRows(prng: Prng, from: number, keys: number) {
  const span = prng.pick([1, 20, 100])
  return Array.from({ length: prng.pick([1, 30, keys]) }, () => ({
    at: from + prng.below(span) - prng.below(prng.pick([1, OUT_OF_ORDER, 200])),
    key: prng.below(keys),
    other: prng.chance(0.5),
    x: prng.below(1000) / 8,
    n: prng.below(100),
  }))
}

/** Takes all blocks that kernels could write to. */
function fill(arena: Arena): Block[] {
  const blocks: Block[] = []
  for (let block = arena.tryAllocate(1 << 12); block !== undefined; block = arena.tryAllocate(1 << 12))
    blocks.push(block)
  return blocks
}

function changesOf(run: PlanRun): Uint8Array[] {
  return run.dataflow.states.map((state) => {
    const out = new ByteWriter()
    state.writeChanges(out)
    return out.finish()
  })
}

it("SC1 are the same by kernels and in JavaScript: few and many entries, new and changed, late for some windows", () => {
  const arenas = [new Arena({ maxBytes: 1 << 25 }), new Arena({ maxBytes: 1 << 25 })] as const
  const seen = { bytes: 0, bytesMax: 0 }
  for (let seed = 0; seed < 120 * SCALE; seed++) {
    const prng = new Prng(seed)
    const plan = randomPlan(prng)
    const runs = arenas.map((arena) => new PlanRun(plan, arena).open(0).open(1))
    const keys = prng.pick([1, 10, 100, prng.chance(0.2) ? 9000 : 40])
    let now = 1000
    for (let epoch = 0; epoch < 6; epoch++) {
      for (let batch = prng.below(4); batch >= 0; batch--) {
        now += prng.pick([0, 5, 60])
        const rows = randomRows(prng, now, keys)
        // One partition is behind, so that records come late for some windows and not for others.
        const partition = prng.chance(0.7) ? 0 : 1
        for (const run of runs) run.push(rows, { partition })
      }
      const quickly = changesOf(runs[0]!)
      const blocks = fill(arenas[1])
      const slowly = changesOf(runs[1]!)
      for (const block of blocks) arenas[1].free(block)
      expect(
        quickly.map(({ length }) => length),
        `seed ${seed}`,
      ).toEqual(slowly.map(({ length }) => length))
      quickly.forEach((bytes, index) => {
        expect(Buffer.compare(bytes, slowly[index]!), `seed ${seed}`).toBe(0)
        seen.bytes += bytes.length
        seen.bytesMax = Math.max(seen.bytesMax, bytes.length)
      })
    }
    for (const run of runs) run.release()
    for (const arena of arenas) expect(arena.usedBytes, `seed ${seed}`).toBe(0)
  }
  expect(seen.bytes).toBeGreaterThan(100_000)
  expect(seen.bytesMax).toBeGreaterThan(1 << 17)
})
