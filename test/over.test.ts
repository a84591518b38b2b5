/** `.over(...)` and `countWindow(...)` as programs use them, in the test kit: their types, their place in a plan, refusals. */
import { expect, expectTypeOf, test } from "vitest"
import { schema } from "../src/batch/schema.ts"
import { t } from "../src/batch/types.ts"
import { memory } from "../src/connectors/memory/memory.ts"
import { explain, formatExplain } from "../src/observe/explain.ts"
import { count, max, sum } from "../src/stream/aggregates.ts"
import { job, type OutputRows } from "../src/stream/job.ts"
import { countWindow, tumbling } from "../src/stream/windows.ts"
import { runOnRows } from "../src/testing/run-on-rows.ts"
import type { Timestamp } from "../src/time/timestamp.ts"

const Payment = schema({ at: t.timestamp({ format: "us" }), card: t.string, cents: t.int53 })
const payment = (at: number, cents: number, card = "c") => ({ at: at as Timestamp, card, cents })

const risky = job({
  name: "risky",
  inputs: { payments: Payment },
  flow: ({ payments }) => {
    const history = payments
      .eventTime("at", { outOfOrder: "1s" })
      .keyBy("card")
      .over("10s")
      .aggregate({ payments: count(), spent: sum((row) => row.cents) }, { id: "history" })
    const perMinute = history
      .keyBy("card")
      .window(tumbling("1m"))
      .aggregate({ most: max("spent") }, { id: "per-minute" })
    const pairs = payments
      .keyBy("card")
      .window(countWindow(2))
      .aggregate({ cents: sum("cents") }, { id: "pairs" })
    return { risky: history.filter((row) => row.spent > 100), late: history.late, perMinute, pairs }
  },
})

test("W80 W64 rows have what was before them, and go on with their event time", async () => {
  const S = 1_000_000
  const payments = [
    payment(20 * S, 60),
    payment(19.5 * S, 50),
    payment(31 * S, 70),
    payment(5 * S, 7),
    payment(30 * S, 1),
  ]
  const { risky: rows, late, perMinute, pairs } = await runOnRows(risky, { inputs: { payments } })
  expect(rows).toEqual([{ ...payment(20 * S, 60), payments: 2, spent: 110 }])
  expect(late).toEqual([payment(5 * S, 7)])
  expect(perMinute).toEqual([{ card: "c", windowStart: 0, windowEnd: 60 * S, most: 110 }])
  expect(pairs.map(({ cents }) => cents)).toEqual([110, 77])
  expectTypeOf<keyof OutputRows<typeof risky>["risky"][number]>().toEqualTypeOf<
    "at" | "card" | "cents" | "payments" | "spent"
  >()
  expectTypeOf<keyof OutputRows<typeof risky>["pairs"][number]>().toEqualTypeOf<"card" | "cents">()
})

test("explain says which rows an aggregate is over", () => {
  const outputs = { risky: memory(), late: memory(), perMinute: memory(), pairs: memory() }
  const bound = risky.with({ inputs: { payments: memory() }, outputs })
  const text = formatExplain(explain(bound, { compile: { mode: "off", proof: undefined } }))
  expect(text).toContain("the last 10s of at, by card")
  expect(text).toContain("payments: int53 = count()")
  expect(text).toContain("count 2 of records, by card")
})

test("calls at the wrong place are refused in words", () => {
  type Any = Record<string, (...given: unknown[]) => Any>
  const flow = (use: (payments: Any) => unknown) => () =>
    job({
      name: "refused",
      inputs: { payments: Payment },
      flow: ({ payments }) => ({ out: use(payments as never) as never }),
    })
  expect(flow((payments) => payments["keyBy"]!("card")["over"]!("1h"))).toThrow(
    "call .eventTime(...) before .keyBy(...): ranges are of event time",
  )
  const timed = (payments: Any) => payments["eventTime"]!("at", { outOfOrder: "0s" })["keyBy"]!("card")
  expect(flow((payments) => timed(payments)["over"]!("long"))).toThrow('range is "long", which is not a duration')
  expect(flow((payments) => timed(payments)["over"]!("1h")["aggregate"]!({ cents: count() }))).toThrow(
    'results have a column "cents" already',
  )
  expect(flow((payments) => timed(payments)["over"]!("1h")["aggregate"]!({}))).toThrow("there are no aggregates")
  const again = (payments: Any) =>
    timed(payments)["over"]!("1h")["aggregate"]!({ n: count() })["map"]!({ at: t.timestamp() }, () => ({ at: 0 }))
  expect(flow((payments) => again(payments)["eventTime"]!("at", { outOfOrder: "0s" }))).toThrow(
    "rows behind .over(...) have the event time that they had before it",
  )
})
