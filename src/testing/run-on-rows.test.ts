/** What `runOnRows` refuses of programs that the compiler has not seen. */
import { expect, test } from "vitest"
import { schema } from "../batch/schema.ts"
import { t } from "../batch/types.ts"
import { fromDate } from "../time/timestamp.ts"
import { count, first, last, mean, sum } from "../stream/aggregates.ts"
import { countDistinct } from "../stream/distinct-aggregates.ts"
import { job } from "../stream/job.ts"
import { hopping, tumbling } from "../stream/windows.ts"
import { runOnRows } from "./run-on-rows.ts"

const fares = job({
  name: "fares",
  params: schema({ least: t.float64.default(0) }),
  inputs: { trips: schema({ fare: t.float64 }) },
  flow: ({ trips }) => ({ paid: trips.filter((trip, params) => trip.fare > params.least) }),
})
const inputs = { trips: [{ fare: 2 }, { fare: 0 }] }

test("a job runs on rows", async () => {
  expect(await runOnRows(fares, { inputs })).toEqual({ paid: [{ fare: 2 }], failedRows: [] })
})

test("TY27 TY28 TY31 TY32 lists, JSON and bytes go through a job as they are, and what lambdas make of them is checked", async () => {
  const hooks = job({
    name: "hooks",
    inputs: {
      hooks: schema({
        at: t.timestamp(),
        shop: t.string,
        items: t.list(t.object({ id: t.int64, tags: t.list(t.string).nullable() })),
        payload: t.json.nullable(),
        raw: t.binary,
      }),
    },
    flow: ({ hooks: all }) => {
      const sold = all
        .filter((hook) => hook.items.length > 0)
        .derive({ ids: t.list(t.int64), more: t.json, size: t.int32 }, (hook) => ({
          ids: hook.items.map((item) => item.id),
          more: { first: hook.items[0]!.tags?.[0] ?? null, of: hook.payload },
          size: hook.raw.length,
        }))
      const latest = sold
        .eventTime("at", { outOfOrder: "0s" })
        .keyBy("shop")
        .window(tumbling("1s"))
        .aggregate({
          ids: last("ids"),
          payload: first("payload"),
          raws: countDistinct("raw"),
          items: countDistinct("items"),
        })
      return { sold: sold.select("ids", "more", "size"), latest: latest.select("ids", "payload", "raws", "items") }
    },
  })
  const items = [{ id: 2n ** 60n, tags: ["a"] }]
  const hook = { at: 0, shop: "one", items, payload: { n: 2n ** 64n }, raw: Uint8Array.of(1) }
  const given = [hook, { ...hook, items: [] }, { ...hook, payload: null, items: [{ id: 1n, tags: null }] }]
  const { sold, latest } = await runOnRows(hooks, { inputs: { hooks: given as never } })
  expect(sold).toEqual([
    { ids: [2n ** 60n], more: { first: "a", of: { n: 2n ** 64n } }, size: 1 },
    { ids: [1n], more: { first: null, of: null }, size: 1 },
  ])
  expect(latest).toEqual([{ ids: [1n], payload: { n: 2n ** 64n }, raws: 1, items: 2 }])
})

test.each<[what: string, given: unknown, code: string, message: string]>([
  ["an unknown option", { inputs, parms: {} }, "invalid-options", 'runOnRows(...) has no option "parms".'],
  ["nothing", undefined, "invalid-options", "runOnRows(...) takes an object of options, not undefined."],
  ["an unknown input", { inputs: { ...inputs, trip: [] } }, "unbound-input", 'The job fares has no input "trip".'],
  ["no inputs", {}, "unbound-input", "The input trips of the job fares has no rows."],
  [
    "a row in the place of rows",
    { inputs: { trips: { fare: 1 } } },
    "unbound-input",
    "The input trips of the job fares is given an object, which is no array of rows.",
  ],
  ["a row that is none", { inputs: { trips: [null] } }, "invalid-options", "Row [0] of the input trips is null."],
  ["an unknown parameter", { inputs, params: { last: 1 } }, "invalid-params", 'The job fares has no parameter "last".'],
])("%s is refused", async (_, given, code, message) => {
  await expect(runOnRows(fares, given as never)).rejects.toMatchObject({ code, message })
})

test("what is no job is refused", async () => {
  await expect(runOnRows({ name: "fares" } as never, { inputs } as never)).rejects.toMatchObject({
    code: "invalid-options",
    message: "runOnRows(...) is given an object that is not a job.",
  })
})

test("W9 a window's row that fails has 0 for what is out of range, whatever was in memory before", async () => {
  const totals = job({
    name: "totals",
    inputs: { readings: schema({ at: t.timestamp(), key: t.int32, value: t.int64 }) },
    flow: ({ readings }) => ({
      totals: readings
        .eventTime("at", { outOfOrder: "0s" })
        .keyBy("key")
        .window(hopping("2s", { every: "1s" }))
        .aggregate({ total: sum("value"), mean: mean("value"), rows: count() }, { id: "totals" }),
    }),
  })
  const most = 9_000_000_000_000_000_000n
  const earlier = Array.from({ length: 5 }, (_, at) => ({
    at: fromDate(new Date(at * 1000)),
    key: at,
    value: BigInt(at * 700),
  }))
  const failing = [10, 11, 20].map((second) => ({
    at: fromDate(new Date(second * 1000)),
    key: 1,
    value: second === 20 ? 1n : most,
  }))
  for (const readings of [failing, [...earlier, ...failing]]) {
    const { failedRows } = await runOnRows(totals, { inputs: { readings } })
    expect(failedRows.map(({ row }) => row)).toEqual([
      { key: 1, windowStart: 10e6, windowEnd: 12e6, total: 0n, mean: 0, rows: 2 },
    ])
  }
})

test("AM1 AM9 calls are made in earnest, each once, and tried again without waiting", async () => {
  const asked: string[] = []
  const pricing = job({
    name: "pricing",
    inputs: { orders: schema({ sku: t.string, units: t.int32 }) },
    flow: ({ orders }) => ({
      priced: orders.asyncMap(
        { price: t.float64 },
        async ({ sku }, _params, { attempt }) => {
          asked.push(`${sku} ${attempt}`)
          await new Promise((resolve) => setTimeout(resolve, sku === "tea" ? 20 : 1))
          if (sku === "rum") throw new Error("not to minors")
          return { price: sku.length }
        },
        { id: "prices", inFlight: 2, retry: { attempts: 2, backOff: "1h", maxBackOff: "1h" } },
      ),
    }),
  })
  const orders = ["tea", "rum", "cocoa", "water"].map((sku, units) => ({ sku, units }))
  const { priced, failedRows } = await runOnRows(pricing, { inputs: { orders } })
  expect(priced).toEqual([
    { sku: "tea", units: 0, price: 3 },
    { sku: "cocoa", units: 2, price: 5 },
    { sku: "water", units: 3, price: 5 },
  ])
  expect(failedRows).toMatchObject([
    {
      operator: "prices",
      row: { sku: "rum" },
      reason: "the call failed 2 times, at last: it threw Error: not to minors",
    },
  ])
  expect(asked.sort()).toEqual(["cocoa 1", "rum 1", "rum 2", "tea 1", "water 1"])
})

test("AM12 in order of completion the two runs may differ in it", async () => {
  const pricing = job({
    name: "pricing",
    inputs: { orders: schema({ units: t.int32 }) },
    flow: ({ orders }) => ({
      priced: orders.asyncMap(
        { price: t.float64 },
        async ({ units }) => {
          await new Promise((resolve) => setTimeout(resolve, 20 - units))
          return { price: units * 2 }
        },
        { id: "prices", order: "completion" },
      ),
    }),
  })
  const orders = [1, 5, 9, 13, 17].map((units) => ({ units }))
  const { priced } = await runOnRows(pricing, { inputs: { orders } })
  expect(priced.map(({ price }) => price).sort((one, other) => one - other)).toEqual([2, 10, 18, 26, 34])
})
