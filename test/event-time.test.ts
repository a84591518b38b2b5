/** Where event time comes from, as programs say it: out-of-orderness, a function, or the clock. */
import { expect, expectTypeOf, test } from "vitest"
import { schema } from "../src/batch/schema.ts"
import { t } from "../src/batch/types.ts"
import { memory } from "../src/connectors/memory/memory.ts"
import { explain, formatExplain } from "../src/observe/explain.ts"
import { count } from "../src/stream/aggregates.ts"
import { job, type OutputRows } from "../src/stream/job.ts"
import type { PartitionOptions } from "../src/stream/window-types.ts"
import { tumbling } from "../src/stream/windows.ts"
import { runOnRows } from "../src/testing/run-on-rows.ts"
import type { Timestamp } from "../src/time/timestamp.ts"

const Event = schema({ at: t.timestamp({ format: "us" }), isMarker: t.bool })
const event = (at: number, isMarker = false) => ({ at: at as Timestamp, isMarker })

const marked = job({
  name: "marked",
  params: schema({ markers: t.bool.default(true) }),
  inputs: { events: Event },
  flow: ({ events }) => {
    const perSecond = events
      .eventTime("at", { watermark: (row, params) => (row.isMarker === params.markers ? row.at : null), id: "marks" })
      .keyBy()
      .window(tumbling("1s"))
      .aggregate({ events: count() }, { id: "per-second" })
    const seen = events.processingTime("seenAt", { id: "seen" })
    const byTheClock = seen.keyBy().window(tumbling("1s")).aggregate({ events: count() }, { id: "by-the-clock" })
    return { perSecond, late: perSecond.late, seen, byTheClock }
  },
})

test("T12 T11 watermarks of a function, and the clock, which stands still in the test kit", async () => {
  const S = 1_000_000
  const events = [event(1), event(5 * S), event(2), event(S, true), event(3)]
  const { perSecond, late, seen, byTheClock } = await runOnRows(marked, { inputs: { events } })
  expect(perSecond.map(({ windowStart, events: n }) => [windowStart, n])).toEqual([
    [0, 2],
    [S, 1],
    [5 * S, 1],
  ])
  expect(late).toEqual([event(3)])
  expect(seen.map(({ seenAt }) => seenAt)).toEqual([0, 0, 0, 0, 0])
  expect(byTheClock).toEqual([{ windowStart: 0, windowEnd: S, events: 5 }])
  expectTypeOf<OutputRows<typeof marked>["seen"][number]["seenAt"]>().toEqualTypeOf<Timestamp>()
})

test("explain says where watermarks come from", () => {
  const outputs = { perSecond: memory(), late: memory(), seen: memory(), byTheClock: memory() }
  const bound = marked.with({ inputs: { events: memory() }, outputs })
  const text = formatExplain(explain(bound, { compile: { mode: "off", proof: undefined } }))
  expect(text).toContain("at, with the watermarks that a lambda gives")
  expect(text).toContain("row.isMarker === params.markers ? row.at : null")
  expect(text).toContain("seenAt, by the clock")
})

test("T13 T14 explain says what partitions may do that bring nothing, or much", () => {
  const sensors = (options: PartitionOptions) =>
    job({
      name: "sensors",
      inputs: { events: Event },
      flow: ({ events }) => ({
        perSecond: events
          .eventTime("at", { outOfOrder: "1s", ...options })
          .keyBy()
          .window(tumbling("1s"))
          .aggregate({ events: count() }),
      }),
    }).with({ inputs: { events: memory() }, outputs: { perSecond: memory() } })
  const text = formatExplain(
    explain(sensors({ idleAfter: "30s", maxDrift: "5m" }), { compile: { mode: "off", proof: undefined } }),
  )
  expect(text).toContain("at, up to 1s out of order, idle after 30s, at most 5m ahead")
})

test("calls at the wrong place are refused in words", () => {
  type Any = Record<string, (...given: unknown[]) => Any>
  const flow = (use: (events: Any) => unknown) => () =>
    job({ name: "refused", inputs: { events: Event }, flow: ({ events }) => ({ out: use(events as never) as never }) })
  const refused: readonly (readonly [(events: Any) => unknown, string])[] = [
    [
      (events) => events["eventTime"]!("at", { outOfOrder: "1s", watermark: () => null }),
      "both outOfOrder and watermark are given",
    ],
    [(events) => events["eventTime"]!("at", { watermark: "at" }), "there is no lambda"],
    [(events) => events["eventTime"]!("at", {}), "outOfOrder is not given"],
    [(events) => events["eventTime"]!("at", { outOfOrder: "0s", idleAfter: "0s" }), "idleAfter is nothing"],
    [(events) => events["eventTime"]!("at", { outOfOrder: "0s", maxDrift: "-1s" }), "maxDrift is "],
    [(events) => events["eventTime"]!("at", { outOfOrder: "0s", maxDrift: 5 }), "maxDrift is 5"],
    [(events) => events["eventTime"]!("at", { outOfOrder: "0s", idle: "1m" }), "idle"],
    [(events) => events["processingTime"]!("at"), 'there is a column "at" already'],
    [(events) => events["processingTime"]!(), "the column has no name"],
    [
      (events) => events["eventTime"]!("at", { outOfOrder: "1s" })["processingTime"]!("seenAt"),
      'this stream has an event time already: "at"',
    ],
    [
      (events) => events["processingTime"]!("seenAt")["eventTime"]!("at", { outOfOrder: "1s" }),
      'this stream has an event time already: "seenAt"',
    ],
  ]
  for (const [use, says] of refused) expect(flow(use)).toThrow(says)
})
