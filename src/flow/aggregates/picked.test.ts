import { describe, expect, it } from "vitest"
import { Arena } from "../../batch/arena.ts"
import { Prng } from "../../base/prng.ts"
import type { ColumnType } from "../../batch/type.ts"
import { t } from "../../batch/types.ts"
import { hopping, partitionEvent, PlanFixture, rows } from "../plan-fixture.reference.ts"
import { differenceOf, JobRun, runSlowly, type RandomJob } from "../random-job.reference.ts"

/** `first` and `last` of the values, a record each, in overlapping windows. */
function jobOf(type: ColumnType, values: readonly unknown[]): RandomJob {
  const fixture = new PlanFixture()
  const timed = fixture.eventTime(fixture.source({ at: t.timestamp(), key: t.int32, value: type }))
  const aggregates = { first: ["first", "value"], last: ["last", "value"] } as const
  fixture.output("results", fixture.window(timed, hopping(20, 10), ["key"], aggregates))
  const records = values.map((value, at) => ({ at: at * 4, key: at % 2, value }))
  return { plan: fixture.plan, events: [partitionEvent("open", 0), rows(0, ...records), { kind: "drain" }] }
}

/** An arena all of whose bytes are set: what is unspecified is neither zero nor a safe integer nor a code. */
function staleArena(): Arena {
  const arena = new Arena({ maxBytes: 1 << 20 })
  new Uint8Array(arena.buffer).fill(0xff)
  return arena
}

function check(type: ColumnType, values: readonly unknown[]): void {
  const job = jobOf(type, values)
  for (const restoreChance of [0, 1]) {
    for (let seed = 0; seed < 5; seed++) {
      const run = new JobRun(job, { prng: new Prng(seed), arena: staleArena(), restoreChance, compile: "off" })
      expect(differenceOf(runSlowly(job), run.run())).toBeUndefined()
    }
  }
}

describe("first and last", () => {
  const INNER = t.object({ at: t.timestamp(), flag: t.bool, text: t.string, size: t.int53.nullable() })
  const OUTER = t.object({ inner: INNER.nullable(), name: t.enum("a", "b").nullable() })
  const whole = { inner: { at: 7, flag: true, text: "x", size: null }, name: "b" }

  it("F3 keep nothing of what stands where a value is null: columns say nothing of it", () => {
    check(t.timestamp().nullable(), [null, 3, null, null, 5])
    check(t.string.nullable(), [null, null, "x", null])
    check(OUTER, [{ inner: null, name: null }, whole, { inner: null, name: "a" }, whole])
    check(OUTER.nullable(), [null, { inner: null, name: null }, null, whole, null])
  })

  it("F3 keep texts of objects that have all been null so far", () => {
    check(OUTER, [{ inner: null, name: null }])
    check(OUTER.nullable(), [null, null, null])
    check(t.object({ text: t.string }).nullable(), [null, { text: "y" }, null])
    check(t.string.nullable(), [null, null])
  })
})
