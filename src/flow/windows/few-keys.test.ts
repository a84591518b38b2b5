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
