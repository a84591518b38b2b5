import fc from "fast-check"
import { expect, test } from "vitest"
import { choosePartition, MORSEL_BYTES, morselEnd, type Candidate } from "./scheduler.ts"

const candidates = fc.uniqueArray(
  fc.record({
    index: fc.nat(100),
    watermark: fc.oneof(fc.constant(-Infinity), fc.integer({ min: 0, max: 3 })),
    tieBreak: fc.constantFrom("a", "b"),
    id: fc.string({ minLength: 1, maxLength: 3 }),
  }),
  { minLength: 1, maxLength: 8, selector: ({ id }) => id },
)

test("E18 the lowest watermark is next, then the lower tie break, then the lower id", () => {
  fc.assert(
    fc.property(candidates, (all) => {
      const chosen = choosePartition(all)
      for (const other of all) {
        expect(chosen.watermark).toBeLessThanOrEqual(other.watermark)
        if (other.watermark !== chosen.watermark) continue
        expect(chosen.tieBreak <= other.tieBreak).toBe(true)
        if (other.tieBreak === chosen.tieBreak) expect(chosen.id <= other.id).toBe(true)
      }
    }),
  )
})

test("E18 the choice does not depend on the order in which partitions are listed", () => {
  fc.assert(
    fc.property(candidates, fc.nat(), (all, by) => {
      const rotated: Candidate[] = all.map((_, at) => all[(at + by) % all.length]!)
      expect(choosePartition(rotated)).toBe(choosePartition(all))
    }),
  )
})

test("E18 a record belongs to the morsel in which it starts", () => {
  expect(morselEnd(0)).toBe(MORSEL_BYTES)
  expect(morselEnd(MORSEL_BYTES - 1)).toBe(MORSEL_BYTES)
  expect(morselEnd(MORSEL_BYTES)).toBe(2 * MORSEL_BYTES)
})
