/** Aggregates without kernels as programs call them, run on rows; and what they say where they are called wrongly. */
import { describe, expect, test } from "vitest"
import { schema } from "../src/batch/schema.ts"
import { t } from "../src/batch/types.ts"
import { explain } from "../src/observe/explain.ts"
import { explanationText } from "../src/observe/explanation-text.ts"
import { count, sum } from "../src/stream/aggregates.ts"
import { aggregate } from "../src/stream/custom-aggregate.ts"
import { approxCountDistinct, countDistinct } from "../src/stream/distinct-aggregates.ts"
import { collect, frequent } from "../src/stream/list-aggregates.ts"
import { maxBy, minBy, topK } from "../src/stream/extreme-by.ts"
import { job } from "../src/stream/job.ts"
import { median, percentiles, quantile } from "../src/stream/quantile-aggregates.ts"
import { populationStddev, populationVariance, stddev, variance } from "../src/stream/spread-aggregates.ts"
import { hopping, tumbling } from "../src/stream/windows.ts"
import { errorOf } from "../src/stream/trips.fixture.ts"
import { runOnRows } from "../src/testing/run-on-rows.ts"
import type { Timestamp } from "../src/time/timestamp.ts"

const Bid = schema({
  at: t.timestamp(),
  item: t.string,
  bidder: t.string,
  price: t.float64,
  cents: t.int64,
  quantity: t.int53.nullable(),
})
const Params = schema({ unit: t.float64.default(2) })

const at = (seconds: number) => (seconds * 1_000_000) as Timestamp
const bid = (seconds: number, item: string, bidder: string, price: number, quantity: number | null = null) => {
  return { at: at(seconds), item, bidder, price, cents: BigInt(Math.round(price * 100)), quantity }
}
const BIDS = [
  bid(1, "a", "ann", 10, 3),
  bid(2, "a", "bob", 20),
  bid(3, "a", "ann", 20, 1),
  bid(4, "b", "cy", 5),
  bid(5, "a", "bob", 40, 1),
]

describe("results", () => {
  test("W12 W50 each aggregate gives what it says, and null where there was no value", async () => {
    const auctions = job({
      name: "auctions",
      params: Params,
      inputs: { bids: Bid },
      flow: ({ bids }) => ({
        out: bids
          .eventTime("at", { outOfOrder: "5s" })
          .keyBy("item")
          .window(tumbling("10s"))
          .aggregate({
            n: count(),
            variance: variance("price"),
            stddev: stddev("cents"),
            spread: populationVariance((r) => r.price / 10),
            spreadOfQuantities: populationStddev("quantity"),
            median: median("price"),
            third: quantile(1, t.int64, (r) => r.cents, { error: 0.001 }),
            tails: percentiles([0, 50, 99.9], "quantity"),
            bidders: countDistinct("bidder"),
            prices: approxCountDistinct((r) => r.price, { error: 0.05 }),
            winner: maxBy("price", "bidder"),
            rarest: minBy("quantity", ["bidder", "quantity"]),
            quantities: collect("quantity"),
            dearest: topK(2, "price", ["bidder", "price"]),
            often: frequent("bidder", { limit: 1 }),
          }),
      }),
    })
    const { out } = await runOnRows(auctions, { inputs: { bids: BIDS } })
    const [windowStart, windowEnd] = [at(0), at(10)]
    expect(out).toEqual([
      {
        item: "a",
        windowStart,
        windowEnd,
        n: 4,
        variance: 475 / 3,
        stddev: Math.sqrt(4_750_000 / 3),
        spread: 118.75 / 100,
        spreadOfQuantities: Math.sqrt(8 / 9),
        median: 20,
        third: expect.closeTo(4000, -1) as number,
        tails: { p0: 1, p50: 1, "p99.9": 3 },
        bidders: 2,
        prices: 3,
        winner: "bob",
        rarest: { bidder: "ann", quantity: 1 },
        quantities: [3, 1, 1],
        dearest: [
          { bidder: "bob", price: 40 },
          { bidder: "bob", price: 20 },
        ],
        often: [{ value: "ann", count: 2, countMost: 2 }],
      },
      {
        item: "b",
        windowStart,
        windowEnd,
        n: 1,
        variance: null,
        stddev: null,
        spread: 0,
        spreadOfQuantities: null,
        median: 5,
        third: expect.closeTo(500, 0) as number,
        tails: null,
        bidders: 1,
        prices: 1,
        winner: "cy",
        rarest: null,
        quantities: [],
        dearest: [{ bidder: "cy", price: 5 }],
        often: [{ value: "cy", count: 1, countMost: 1 }],
      },
    ])
  })

  test("W8 W56 an aggregate of one's own sees rows and parameters; a row for which it throws is in none", async () => {
    const weighted = job({
      name: "weighted",
      params: Params,
      inputs: { bids: Bid },
      flow: ({ bids }) => ({
        out: bids
          .eventTime("at", { outOfOrder: "5s" })
          .keyBy()
          .window(hopping("10s", { every: "5s" }))
          .aggregate({
            n: count(),
            total: sum("price"),
            texts: aggregate({
              state: t.object({ texts: t.string, sum: t.float64 }),
              type: t.string.nullable(),
              init: () => ({ texts: "", sum: 0 }),
              add: (state, row, { unit }) => {
                if (row.bidder === "cy") throw new Error("cy may not bid")
                return { texts: state.texts + row.bidder, sum: state.sum + row.price * unit }
              },
              merge: (one, other) => ({ texts: one.texts + other.texts, sum: one.sum + other.sum }),
              result: ({ texts, sum }) => (sum > 100 ? `${texts} ${sum}` : null),
            }),
          }),
      }),
    })
    const { out, failedRows } = await runOnRows(weighted, { inputs: { bids: BIDS }, params: { unit: 3 } })
    expect(failedRows).toHaveLength(1)
    expect(out).toEqual([
      { windowStart: at(-5), windowEnd: at(5), n: 3, total: 50, texts: "annbobann 150" },
      { windowStart: at(0), windowEnd: at(10), n: 4, total: 90, texts: "annbobannbob 270" },
      { windowStart: at(5), windowEnd: at(15), n: 1, total: 40, texts: "bob 120" },
    ])
  })

  test("W57 reduce makes one row of all, with the keys, the bounds of the window and the other columns", async () => {
    const best = job({
      name: "best",
      inputs: { bids: Bid },
      flow: ({ bids }) => {
        const best = bids
          .select("at", "item", "price", "quantity")
          .eventTime("at", { outOfOrder: "5s" })
          .keyBy("item")
          .window(tumbling("10s"))
          .reduce((one, other) => ({ ...(other.price > one.price ? other : one), quantity: 7 }))
        const perMinute = best
          .keyBy()
          .window(tumbling("1m"))
          .aggregate({ items: count(), price: sum("price") })
        return { best, late: best.late, perMinute }
      },
    })
    const { best: rows, perMinute } = await runOnRows(best, { inputs: { bids: BIDS } })
    const [windowStart, windowEnd] = [at(0), at(10)]
    expect(rows).toEqual([
      { item: "a", windowStart, windowEnd, at: at(5), price: 40, quantity: 7 },
      { item: "b", windowStart, windowEnd, at: at(4), price: 5, quantity: null },
    ])
    expect(perMinute).toEqual([{ windowStart: at(0), windowEnd: at(60), items: 2, price: 45 }])
  })

  test("explain names them, what they were told, and why their windows have no kernel", () => {
    const told = job({
      name: "told",
      inputs: { bids: Bid },
      flow: ({ bids }) => ({
        out: bids
          .eventTime("at", { outOfOrder: "5s" })
          .keyBy("item")
          .window(tumbling("10s"))
          .aggregate({ p: percentiles([50, 99], "price", { error: 0.001 }), w: maxBy("price", "bidder") }),
      }),
    })
    const text = explanationText(explain(told, { compile: { mode: "off", proof: undefined } }))
    expect(text).toContain('percentiles("price", p50 p99, error 0.001)')
    expect(text).toContain('maxBy(by "price" of "bidder")')
    expect(text).toContain("percentiles(...) has no kernel")
  })
})

const FUNCTIONS = { state: t.int53, type: t.int53, init: () => 0, add: () => 0, merge: () => 0, result: () => 0 }

/** What a call says in a job, or by itself. */
function saidBy(make: () => unknown): string {
  return errorOf(() => {
    const aggregates = { x: make() }
    job({
      name: "wrong",
      inputs: { bids: Bid },
      flow: ({ bids }) => ({
        out: bids
          .eventTime("at", { outOfOrder: "5s" })
          .keyBy()
          .window(tumbling("10s"))
          .aggregate(aggregates as never),
      }),
    })
  }).message
}

const anyOf = (call: unknown) => call as (...given: unknown[]) => unknown

test.each<[name: string, make: () => unknown, message: string]>([
  [
    "a variance of texts",
    () => variance("item"),
    'variance(...) takes numbers, and the column "item" is of the type string',
  ],
  [
    "a median of times",
    () => median("at"),
    'quantile(...) takes numbers, and the column "at" is of the type timestamp',
  ],
  [
    "a quantile that is none",
    () => quantile(99, "price"),
    "quantile(...): the quantile is a number from 0 to 1, not 99.",
  ],
  [
    "an error that is none",
    () => median("price", { error: 0 }),
    "median(...): the error is a number from 0.000001 to 0.5",
  ],
  ["percentiles of nothing", () => percentiles([], "price"), "percentiles(...) takes a list of percentiles, not"],
  [
    "a percentile beyond",
    () => percentiles([101], "price"),
    "percentiles(...): a percentile is a number from 0 to 100, not 101.",
  ],
  ["a percentile twice", () => percentiles([50, 50], "price"), "percentiles(...): p50 is named twice."],
  ["an unknown option", () => anyOf(median)("price", { eror: 1 }), 'median(...) has no option "eror".'],
  [
    "more than one column",
    () => anyOf(countDistinct)("item", "bidder"),
    "countDistinct(...) takes no more than what it aggregates",
  ],
  [
    "an error of a count",
    () => approxCountDistinct("item", { error: 1 }),
    "approxCountDistinct(...): the error is a number from 0.0021 to 0.1, not 1.",
  ],
  [
    "a comparison of texts",
    () => minBy("item", "price"),
    'minBy(...) compares numbers, and the column "item" does not hold any',
  ],
  [
    "no rows of a ranking",
    () => topK(0, "price", "item"),
    "topK(...): the number of rows is a whole number from 1 to 100000",
  ],
  [
    "a ranking of texts",
    () => topK(2, "item", "price"),
    'topK(...) compares numbers, and the column "item" does not hold',
  ],
  ["a ranking without a number", () => anyOf(topK)("price", "item"), "topK(...): the number of rows is a whole number"],
  [
    "a limit of half a value",
    () => collect("price", { limit: 0.5 }),
    "collect(...): the limit is a whole number from 1",
  ],
  ["an exact sketch", () => frequent("item", { error: 0 }), "frequent(...): the error is a number from 0.00001 to 0.5"],
  ["an unknown column", () => maxBy("price", "who"), 'there is no column "who"'],
  ["a column twice", () => maxBy("price", ["item", "item"]), 'maxBy(...) names the column "item" twice'],
  [
    "no column to give",
    () => anyOf(maxBy)("price"),
    "maxBy(...) takes the column that is compared and what to give, not undefined.",
  ],
  [
    "too much to give",
    () => anyOf(maxBy)("price", "item", "bidder"),
    "maxBy(...) takes no more than what it compares and gives",
  ],
  [
    "a state without a type",
    () => anyOf(aggregate)({ ...FUNCTIONS, state: 0 }),
    'aggregate(...): "state" is 0, not a column type.',
  ],
  [
    "no merge",
    () => anyOf(aggregate)({ ...FUNCTIONS, merge: undefined }),
    'aggregate(...): "merge" is undefined, not a function.',
  ],
  [
    "an unknown function",
    () => anyOf(aggregate)({ ...FUNCTIONS, remove: () => 0 }),
    'aggregate(...) has no option "remove".',
  ],
  [
    "an asynchronous function",
    () => anyOf(aggregate)({ ...FUNCTIONS, add: () => Promise.resolve(0), merge: async () => 0 }),
    "the lambda is asynchronous",
  ],
])("what cannot be is refused in words: %s", (_name, make, message) => {
  expect(saidBy(make)).toContain(message)
})

test("RS1 reduce is refused where the rows have columns of the window", () => {
  const message = errorOf(() =>
    job({
      name: "wrong",
      inputs: { bids: Bid },
      flow: ({ bids }) => {
        const hourly = bids.eventTime("at", { outOfOrder: "5s" }).keyBy("item").window(tumbling("10s"))
        const again = hourly.aggregate({ n: count() }).keyBy("item").window(tumbling("1m"))
        return { out: (again.reduce as unknown as (combine: unknown) => never)((one: unknown) => one) }
      },
    }),
  ).message
  expect(message).toContain('results have a column "windowStart" of their own, and the rows have one, too')
})
