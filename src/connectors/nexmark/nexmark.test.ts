/** Tests of the events of Nexmark. */
import { describe, expect, test } from "vitest"
import { Prng } from "../../base/prng.ts"
import { Arena } from "../../batch/arena.ts"
import { START } from "../../batch/position.ts"
import { schema, type Schema } from "../../batch/schema.ts"
import { t } from "../../batch/types.ts"
import { describeSourceConformance } from "../../connect/source.conformance.ts"
import type { SourceBinding } from "../../connect/source.ts"
import { SimWorld } from "../../sim/sim-env.ts"
import { job } from "../../stream/job.ts"
import { fakeSink } from "../../stream/trips.fixture.ts"
import { countBelow, kindOf, numberOf, type EventKind, type NexmarkSettings } from "./model.ts"
import { nexmark, type NexmarkOptions } from "./nexmark.ts"
import { referenceEvents } from "./nexmark.reference.ts"
import { Auction, Bid, NexmarkEvent, Person } from "./schemas.ts"

const SETTINGS: NexmarkSettings = {
  events: Infinity,
  seed: 0,
  eventsPerSecond: 10_000,
  paced: false,
  baseTimeMicros: Date.UTC(2015, 6, 15) * 1000,
  firstEventNumber: 0,
  outOfOrderGroupSize: 1,
  hotAuctionRatio: 2,
  hotSellersRatio: 4,
  hotBiddersRatio: 4,
  activePeople: 1000,
  inFlightAuctions: 100,
}

/** All rows of an input, read in pieces of random sizes. */
async function rowsOf(binding: SourceBinding, rows: Schema, seed = 1): Promise<Record<string, unknown>[]> {
  const prng = new Prng(seed)
  const arena = new Arena({ maxBytes: 1 << 26 })
  const env = new SimWorld({ seed: 1 }).boot()
  const source = await binding.openSource({ env, arena, schema: rows, input: "events", baseDirectory: "/work" })
  const [partition] = await source.partitions()
  const reader = await source.open(partition!, 0, START)
  const read: Record<string, unknown>[] = []
  for (let isAtEnd = false; !isAtEnd;) {
    const taken = await reader.read({ rows: 1 + prng.below(prng.pick([3, 500, 60_000])), untilOffset: Infinity })
    read.push(...(taken.batch?.toRows() ?? []))
    isAtEnd = taken.end
    taken.release()
  }
  expect(arena.usedBytes).toBe(0)
  return read
}

const OPTIONS: readonly NexmarkOptions[] = [
  {},
  { seed: 2 ** 40 + 7, eventsPerSecond: 3, outOfOrderGroupSize: 100 },
  { seed: -1, hotAuctionRatio: 10, hotSellersRatio: 1, hotBiddersRatio: 100, activePeople: 5, inFlightAuctions: 1 },
]

test.each(OPTIONS)("NX1, NX2 columns hold what the slow twin makes, with %j", async (options) => {
  const events = referenceEvents({ ...SETTINGS, ...options }, 1_017)
  const { persons, auctions, bids, events: all } = nexmark({ ...options, events: 1_017 })
  const ofKind = (kind: EventKind) => events.filter((event) => event.kind === kind).map(({ row }) => row)
  expect(await rowsOf(persons, Person)).toEqual(ofKind("person"))
  expect(await rowsOf(auctions, Auction)).toEqual(ofKind("auction"))
  expect(await rowsOf(bids, Bid)).toEqual(ofKind("bid"))
  const objects = events.map(({ kind, dateTime, row }) => {
    return { kind, dateTime, person: null, auction: null, bid: null, [kind]: row }
  })
  expect(await rowsOf(all, NexmarkEvent)).toEqual(objects)
})

test("NX1 events from a number on are those of that number", async () => {
  const events = referenceEvents(SETTINGS, 700)
  for (const from of [1, 49, 50, 53, 54, 123]) {
    const { bids, events: all } = nexmark({ firstEventNumber: from, events: 700 - from })
    const bidsFrom = events.slice(from).flatMap(({ kind, row }) => (kind === "bid" ? [row] : []))
    expect(await rowsOf(bids, Bid)).toEqual(bidsFrom)
    expect((await rowsOf(all, NexmarkEvent)).map(({ kind }) => kind)).toEqual(
      events.slice(from).map(({ kind }) => kind),
    )
  }
})

test("an input has the columns that it declares, under its own names", async () => {
  const { bids } = nexmark({ events: 500 })
  const All = schema({ cents: t.float64.from("price"), channel: t.string, note: t.string.nullable() })
  const bidRows = referenceEvents(SETTINGS, 500).filter(({ kind }) => kind === "bid")
  const expected = bidRows.map(({ row }) => ({ cents: row["price"], channel: row["channel"], note: null }))
  expect(await rowsOf(bids, All)).toEqual(expected)
  const [inEvents] = [schema({ bid: t.object({ price: t.int53 }).nullable() })]
  const prices = (await rowsOf(nexmark({ events: 500 }).events, inEvents)).map(({ bid }) => bid)
  expect(prices.filter((bid) => bid !== null)).toEqual(bidRows.map(({ row }) => ({ price: row["price"] })))
})

test("numbers and places of a kind are each other's inverse", () => {
  const counts = { person: 0, auction: 0, bid: 0 }
  for (let number = 0; number < 1_000; number++) {
    for (const kind of ["person", "auction", "bid"] as const) expect(countBelow(kind, number)).toBe(counts[kind])
    const kind = kindOf(number)
    expect(numberOf(kind, counts[kind]++)).toBe(number)
  }
})

test("the distributions are those of the benchmark", async () => {
  const { auctions, bids } = nexmark({ events: 20_000 })
  const Some = schema({ auction: t.int53, bidder: t.int53, price: t.int53, channel: t.string })
  const Sold = schema({ seller: t.int53, category: t.int53 })
  const bidRows = (await rowsOf(bids, Some)) as { auction: number; bidder: number; price: number; channel: string }[]
  const share = (count: number, of: number) => Math.round((count / of) * 100) / 100
  expect(bidRows).toHaveLength(18_400)
  const hot = bidRows.filter(({ auction }) => auction % 100 === 0).length
  expect(share(hot, bidRows.length)).toBeCloseTo(0.505, 1)
  expect(share(bidRows.filter(({ bidder }) => bidder % 100 === 1).length, bidRows.length)).toBeCloseTo(0.7525, 1)
  expect(share(bidRows.filter(({ channel }) => !channel.startsWith("channel-")).length, bidRows.length)).toBeCloseTo(
    0.5,
    1,
  )
  const prices = bidRows.map(({ price }) => price).sort((one, other) => one - other)
  // As many prices below 1,000 dollars as above, in cents, and as many in each of six orders of magnitude.
  for (let order = 1; order < 6; order++) {
    const quantile = prices[Math.floor((prices.length * order) / 6)]!
    expect(Math.log10(quantile / 100)).toBeCloseTo(order, 1)
  }
  const auctionRows = (await rowsOf(auctions, Sold)) as { seller: number; category: number }[]
  expect(share(auctionRows.filter(({ seller }) => seller % 100 === 0).length, auctionRows.length)).toBeCloseTo(
    0.7525,
    1,
  )
  expect(new Set(auctionRows.map(({ category }) => category))).toEqual(new Set([10, 11, 12, 13, 14]))
})

describe("Nexmark as a source", () => {
  const Events = schema({ kind: t.enum("person", "auction", "bid"), dateTime: t.timestamp() })
  const expectedOf = (events: number) =>
    referenceEvents(SETTINGS, events).map(({ kind, dateTime }, ordinal) => {
      return { offset: ordinal * 16, ordinal, row: { kind, dateTime } }
    })
  let options: NexmarkOptions = {}
  describeSourceConformance("nexmark", {
    createWorld(seed) {
      options = { events: 300 }
      return new SimWorld({ seed })
    },
    baseDirectory: "/work",
    binding: { describe: () => "nexmark", openSource: (context) => nexmark(options).events.openSource(context) },
    schema: Events,
    expected: new Map([["events", expectedOf(300)]]),
    callsNothing: true,
    changes: [
      { name: "has another seed", code: "source-changed", apply: () => void (options = { events: 300, seed: 1 }) },
      { name: "begins elsewhere", code: "source-changed", apply: () => void (options = { firstEventNumber: 1 }) },
      { name: "has fewer events than were read", code: "source-changed", apply: () => void (options = { events: 1 }) },
    ],
    grow() {
      options = { events: 330 }
      return expectedOf(330).slice(300)
    },
  })
})

test("paced events come when they happen", async () => {
  const world = new SimWorld({ seed: 1 })
  const env = world.boot()
  const arena = new Arena({ maxBytes: 1 << 22 })
  const reading = (async () => {
    const binding = nexmark({ paced: true, eventsPerSecond: 500, events: 200 }).bids
    const start = env.clock.monotonicMicros()
    const source = await binding.openSource({ env, arena, schema: Bid, input: "bids", baseDirectory: "/work" })
    const reader = await source.open((await source.partitions())[0]!, 0, START)
    for (let isAtEnd = false; !isAtEnd;) {
      const taken = await reader.read({ rows: 100, untilOffset: Infinity })
      isAtEnd = taken.end
      taken.release()
    }
    return env.clock.monotonicMicros() - start
  })()
  await world.run(reading)
  // The last of 184 bids comes 183 / 460 s after the first.
  expect(await reading).toBeGreaterThan(390_000)
  expect(await reading).toBeLessThan(500_000)
})

test("what does not fit is refused by name", async () => {
  for (const [options, text] of [
    [{ events: -1 }, "events is -1"],
    [{ eventsPerSecond: 0 }, "eventsPerSecond is 0"],
    [{ paced: 1 }, "paced is 1"],
    [{ baseTime: "noon" }, 'baseTime is "noon"'],
    [{ hotAuctionRatio: 0.5 }, "hotAuctionRatio is 0.5"],
    [{ hotAuctionsRatio: 2 }, '"hotAuctionsRatio"'],
  ] as const) {
    expect(() => nexmark(options as NexmarkOptions)).toThrow(text)
  }
  const Unknown = schema({ price: t.int53, volume: t.int53 })
  await expect(rowsOf(nexmark({ events: 1 }).bids, Unknown)).rejects.toMatchObject({ code: "invalid-options" })
  const Wrong = schema({ price: t.string })
  await expect(rowsOf(nexmark({ events: 1 }).bids, Wrong)).rejects.toThrow("price as string")
})

test("inputs of other columns are a mistake that the compiler tells", () => {
  const inputs = { bids: schema({ price: t.int53, dateTime: t.timestamp() }) }
  const prices = job({ name: "prices", inputs, flow: ({ bids }) => ({ bids }) })
  const outputs = { bids: fakeSink() }
  const bound = prices.with({ inputs: { bids: nexmark({ events: 5 }).bids }, outputs })
  // @ts-expect-error -- People have no price.
  prices.with({ inputs: { bids: nexmark().persons }, outputs })
  expect(bound.inputs["bids"]!.source.describe()).toBe("nexmark({ events: 5 }).bids")
})
