/** Few keys: keys that nobody knows yet, and what kernels are told of those that are known. Random streams: `few-keys.fuzz.ts`. */
import { describe, expect, it } from "vitest"
import { Arena } from "../../batch/arena.ts"
import { Prng } from "../../base/prng.ts"
import { t } from "../../batch/types.ts"
import { hopping, partitionEvent, PlanFixture, rows } from "../plan-fixture.reference.ts"
import { differenceOf, JobRun, runSlowly } from "../random-job.reference.ts"
import { codesOfFew, FEW_KEYS, valuesOfFew } from "./keys/few-keys.ts"

/** Two rows a slice, of the keys in turn. */
function rowsOf(keys: readonly number[], from: number, count: number) {
  return Array.from({ length: count }, (_, row) => ({
    at: from + row * 5,
    key: keys[row % keys.length]!,
    x: (from + row) / 7,
  }))
}

describe("few keys", () => {
  // What stands in the fourth lane where there are three keys is -1.
  it.each([[[7, 3, 12, -1]], [[7, 3, 12, 5, 6]], [[-3, -2, -1, -4]], [[7, -1]]])(
    "IL1 a key that nobody knows yet is found in the middle of a batch: %o",
    (keys) => {
      const fixture = new PlanFixture()
      const timed = fixture.eventTime(fixture.source({ at: t.timestamp(), key: t.int32, x: t.float64 }))
      fixture.output("results", fixture.window(timed, hopping(40, 10), ["key"], { mean: ["mean", "x"] }))
      const known = keys.slice(0, -1)
      const parts = [0, 500, 1000].map((from) => rows(0, ...rowsOf(known, from, 100)))
      const last = rows(0, ...rowsOf(known, 1500, 50), ...rowsOf(keys, 1750, 50))
      const events = [partitionEvent("open", 0), ...parts, last, { kind: "drain" } as const]
      const job = { plan: fixture.plan, events }
      const arena = new Arena({ maxBytes: 1 << 22 })
      const options = { prng: new Prng(1), arena, restoreChance: 0, compile: "off", batchRows: 1000 } as const
      const fast = new JobRun(job, options).run()
      const slow = runSlowly(job)
      expect(slow.outputs.get("results")!.length).toBeGreaterThan(200)
      expect(differenceOf(slow, fast)).toBeUndefined()
    },
  )

  it("PL1 keys that are numbered anew, as many others came late and left, have what they had", () => {
    const fixture = new PlanFixture()
    const timed = fixture.eventTime(fixture.source({ at: t.timestamp(), key: t.int32, x: t.float64 }), 100)
    fixture.output("results", fixture.window(timed, hopping(60, 1), ["key"], { sum: ["sum", "x"] }))
    const others = Array.from({ length: 2000 }, (_, key) => ({ at: 1, key: key + 10, x: key / 3 }))
    // Key 1 is known before key 2, and comes after it where pieces are left.
    const few = [50, 51, 52, 53].flatMap((at) => [2, 1].map((key) => ({ at, key, x: at / key })))
    const parts = [rows(0, { at: 0, key: 1, x: 1 }, { at: 0, key: 2, x: 1 }), rows(0, ...few), rows(0, ...others)]
    const later = [162, 163, 230].map((at) => rows(0, { at, key: 2, x: 1 }, { at, key: 1, x: 2 }))
    const job = {
      plan: fixture.plan,
      events: [partitionEvent("open", 0), ...parts, ...later, { kind: "drain" } as const],
    }
    const arena = new Arena({ maxBytes: 1 << 24 })
    const fast = new JobRun(job, { prng: new Prng(1), arena, restoreChance: 0, compile: "off", batchRows: 4000 }).run()
    expect(differenceOf(runSlowly(job), fast)).toBeUndefined()
  })

  it("are told by the values and codes that columns have for them", () => {
    const memory = Int32Array.of(9, 7, -3, 5, 5, 5, 5, 0, 2, 1, 1)
    expect(valuesOfFew(memory, 1, 2)).toEqual([7, -3])
    expect(valuesOfFew(memory, 1, FEW_KEYS)).toEqual([7, -3, 5, 5])
    expect(valuesOfFew(memory, 1, FEW_KEYS + 1)).toEqual([])
    expect(codesOfFew(memory, 7, 4, 2)).toEqual([2, 1])
    expect(codesOfFew(memory, 7, 4, 3)).toEqual([])
    expect(codesOfFew(new Int32Array(100).fill(1), 0, 99, 1)).toEqual([])
  })
})
