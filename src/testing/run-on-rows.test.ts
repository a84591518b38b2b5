/** What `runOnRows` refuses of programs that the compiler has not seen. */
import { expect, test } from "vitest"
import { schema } from "../batch/schema.ts"
import { t } from "../batch/types.ts"
import { fromDate } from "../time/timestamp.ts"
import { count, mean, sum } from "../stream/aggregates.ts"
import { job } from "../stream/job.ts"
import { hopping } from "../stream/windows.ts"
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
  ["a row that is none", { inputs: { trips: [null] } }, "invalid-options", "Row 0 of the input trips is null."],
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
