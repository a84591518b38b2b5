import fc from "fast-check"
import { expect, test } from "vitest"
import { propertyCases } from "../../test/seeds.ts"
import { MORSEL_BYTES, morselEnd, nextTurn, type LiveCandidate } from "./scheduler.ts"

interface Standing extends LiveCandidate {
  readonly isReadable: boolean
}

const standings = fc.uniqueArray(
  fc.record({
    index: fc.nat(1000),
    watermark: fc.oneof(
      { weight: 1, arbitrary: fc.constant(-Infinity) },
      { weight: 4, arbitrary: fc.integer({ min: 0, max: 3 }) },
    ),
    tieBreak: fc.constantFrom("a", "b"),
    id: fc.string({ minLength: 1, maxLength: 3 }),
    isTimed: fc.constantFrom(true, true, true, false),
    isIdle: fc.boolean(),
    maxDriftMicros: fc.constantFrom(0, 2, Infinity),
    isReadable: fc.boolean(),
  }),
  { minLength: 1, maxLength: 8, selector: ({ id }) => id },
)

/** What may be: only what has event time can be idle or have a watermark, what is idle has nothing to read. */
const candidates = standings.map((all) =>
  all.map((each, index): Standing => {
    const isIdle = each.isTimed && each.isIdle && !each.isReadable
    const watermark = each.isTimed ? each.watermark : -Infinity
    return { ...each, index, watermark, isIdle, isLive: true }
  }),
)

/** All that is there at once. */
const complete = candidates.map((all) =>
  all.map((each): Standing => ({ ...each, isIdle: false, isReadable: true, isLive: false })),
)

const turnOf = (all: readonly Standing[], active?: Standing) =>
  nextTurn(all, active, ({ isReadable }) => Promise.resolve(isReadable))

function isBefore(one: Standing, other: Standing): boolean {
  if (one.watermark !== other.watermark) return one.watermark < other.watermark
  return one.tieBreak === other.tieBreak ? one.id < other.id : one.tieBreak < other.tieBreak
}

test("E18 the lowest watermark is next, then the lower tie break, then the lower id", async () => {
  await fc.assert(
    fc.asyncProperty(complete, async (all) => {
      const first = all.reduce((best, each) => (isBefore(each, best) ? each : best))
      expect(await turnOf(all)).toEqual({ next: first })
    }),
    propertyCases(),
  )
})

test("E18 the choice does not depend on the order in which partitions are listed", async () => {
  await fc.assert(
    fc.asyncProperty(candidates, fc.nat(), async (all, by) => {
      const rotated = all.map((_, at) => all[(at + by) % all.length]!)
      const [one, other] = [await turnOf(all), await turnOf(rotated)]
      if ("next" in one) expect(other).toEqual(one)
      else expect("next" in other).toBe(false)
    }),
    propertyCases(),
  )
})

test("E18 a morsel is read to its end where all is there at once", async () => {
  await fc.assert(
    fc.asyncProperty(complete, fc.nat(), async (all, at) => {
      const active = all[at % all.length]!
      expect(await turnOf(all, active)).toEqual({ next: active })
    }),
    propertyCases(),
  )
})

test("Q1 the partition whose turn it is is waited for, and those with its watermark, where none may be ahead", async () => {
  await fc.assert(
    fc.asyncProperty(candidates, async (given) => {
      const all = given.map((each) => ({ ...each, isTimed: true, isIdle: false, maxDriftMicros: 0 }))
      const least = Math.min(...all.map(({ watermark }) => watermark))
      const slowest = all
        .filter(({ watermark }) => watermark === least)
        .sort((one, other) => (isBefore(one, other) ? -1 : 1))
      const readable = slowest.find(({ isReadable }) => isReadable)
      expect(await turnOf(all)).toEqual(readable === undefined ? { awaited: slowest } : { next: readable })
    }),
    propertyCases(),
  )
})

test("Q2 T13 T14 what is read is the first of those that may be, and what may be is waited for", async () => {
  let passed = 0
  await fc.assert(
    fc.asyncProperty(candidates, async (all) => {
      const awake = all.filter(({ isIdle }) => !isIdle)
      const timed = awake.filter(({ isTimed }) => isTimed)
      const slowest =
        timed.length === 0 ? undefined : timed.reduce((best, each) => (isBefore(each, best) ? each : best))
      // Whoever is not the slowest is read before it only within its drift, and only where there is nothing of those before it.
      const mayPass = (each: Standing) =>
        each === slowest ||
        !each.isTimed ||
        slowest!.isReadable ||
        each.maxDriftMicros === Infinity ||
        each.watermark <= slowest!.watermark + each.maxDriftMicros
      const allowed = awake.filter(mayPass)
      const readable = allowed.filter(({ isReadable }) => isReadable)
      const turn = await turnOf(all)
      if (readable.length > 0) {
        const first = readable.reduce((best, each) => (isBefore(each, best) ? each : best))
        if (first !== slowest && first.isTimed) passed++
        expect(turn).toEqual({ next: first })
      } else {
        expect(new Set((turn as { awaited: Standing[] }).awaited)).toEqual(
          new Set([...all.filter(({ isIdle }) => isIdle), ...allowed]),
        )
      }
    }),
    propertyCases(2000),
  )
  expect(passed).toBeGreaterThan(5)
})

test("Q2 a morsel of what comes with time ends where the partition is too far ahead", async () => {
  const base = { tieBreak: "a", isTimed: true, isIdle: false, maxDriftMicros: 2, isReadable: true }
  const slow: Standing = { ...base, index: 0, id: "slow", watermark: 0, isLive: true }
  const fast = (watermark: number, isLive: boolean): Standing => ({ ...base, index: 1, id: "fast", watermark, isLive })
  const near = fast(2, true)
  const far = fast(3, true)
  expect(await turnOf([slow, near], near)).toEqual({ next: near })
  expect(await turnOf([slow, far], far)).toEqual({ next: slow })
  const silent = { ...slow, isReadable: false }
  expect(await turnOf([silent, far], far)).toEqual({ awaited: [silent] })
  const complete = fast(3, false)
  expect(await turnOf([slow, complete], complete)).toEqual({ next: complete })
})

test("Q1 one that has nothing in the middle of its morsel keeps no slower one waiting, and is waited for with it", async () => {
  const base = { tieBreak: "a", isTimed: true, isIdle: false, maxDriftMicros: Infinity, isLive: true }
  const slow = (isReadable: boolean): Standing => ({ ...base, index: 0, id: "slow", watermark: 0, isReadable })
  const fast = (isReadable: boolean): Standing => ({ ...base, index: 1, id: "fast", watermark: 9, isReadable })
  const faster: Standing = { ...base, index: 2, id: "faster", watermark: 10, isReadable: false }
  const [silent, read, ready] = [fast(false), fast(true), slow(true)]
  expect(await turnOf([ready, silent, faster], silent)).toEqual({ next: ready })
  expect(await turnOf([ready, read, faster], read)).toEqual({ next: read })
  const empty = slow(false)
  expect(await turnOf([empty, read, faster], empty)).toEqual({ next: read })
  expect(await turnOf([empty, silent, faster], silent)).toEqual({ awaited: [silent, empty, faster] })
})

test("E18 a record belongs to the morsel in which it starts", () => {
  expect(morselEnd(0)).toBe(MORSEL_BYTES)
  expect(morselEnd(MORSEL_BYTES - 1)).toBe(MORSEL_BYTES)
  expect(morselEnd(MORSEL_BYTES)).toBe(2 * MORSEL_BYTES)
})
