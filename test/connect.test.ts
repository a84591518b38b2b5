/** `connect` as programs use it, in the test kit: streams of different types that share a state by key. */
import { describe, expect, expectTypeOf, test } from "vitest"
import { schema } from "../src/batch/schema.ts"
import { t } from "../src/batch/types.ts"
import { memory } from "../src/connectors/memory/memory.ts"
import { explain, formatExplain } from "../src/observe/explain.ts"
import { count } from "../src/stream/aggregates.ts"
import { connect } from "../src/stream/connect.ts"
import { job, type OutputRows } from "../src/stream/job.ts"
import { eventTimer, listState, processingTimer, valueState } from "../src/stream/process-declarations.ts"
import { tumbling } from "../src/stream/windows.ts"
import { runOnRows } from "../src/testing/run-on-rows.ts"
import { testDriver } from "../src/testing/test-driver.ts"
import type { Timestamp } from "../src/time/timestamp.ts"

const S = 1_000_000
const Order = schema({ at: t.timestamp(), order: t.string, cents: t.int53 })
const Payment = schema({ paidAt: t.timestamp(), order: t.string.nullable(), card: t.string })
const order = (at: number, id: string, cents = 100) => ({ at: (at * S) as Timestamp, order: id, cents })
const payment = (at: number, id: string | null, card = "c") => ({ paidAt: (at * S) as Timestamp, order: id, card })

const paid = job({
  name: "paid",
  params: schema({ days: t.int53.default(10) }),
  inputs: { orders: Order, payments: Payment },
  flow: ({ orders, payments }) => {
    const matched = connect({
      orders: orders.eventTime("at", { outOfOrder: "2s" }).keyBy("order"),
      payments: payments.eventTime("paidAt", { outOfOrder: "0s" }).keyBy("order"),
    }).process(
      {
        emits: { at: t.timestamp(), order: t.string.nullable(), what: t.string },
        eventTime: "at",
        state: { cents: valueState(t.int53), cards: listState(t.string) },
        timers: { due: eventTimer() },
        sides: { odd: { what: t.string } },
        onRecord: {
          orders(row, { key, state, timers, emit, side, params, time }) {
            expectTypeOf(row).toEqualTypeOf<{
              readonly at: Timestamp
              readonly order: string
              readonly cents: number
            }>()
            expectTypeOf(key).toEqualTypeOf<{ readonly order: string | null }>()
            expectTypeOf(time).toEqualTypeOf<Timestamp>()
            expectTypeOf(params.days).toEqualTypeOf<number>()
            if (row.cents === 666) throw new Error("the number of the beast")
            if (row.cents < 0) side.odd({ what: row.order })
            state.cents.set(row.cents)
            if (state.cards.length > 0) emit({ at: time, order: key.order, what: `${row.cents} paid before` })
            else timers.due.set(row.at + params.days * S)
          },
          payments(row, { key, state, timers, emit, watermark }) {
            expectTypeOf(row.card).toEqualTypeOf<string>()
            state.cards.add(row.card)
            timers.due.clear()
            const cents = state.cents.get()
            if (cents !== undefined) {
              emit({ at: row.paidAt, order: key.order, what: `${cents} paid by ${row.card} at ${watermark / S}` })
            }
          },
        },
        onTimer: {
          due({ key, time, state, emit }) {
            emit({ at: time, order: key.order, what: `${state.cents.get()} is due` })
          },
        },
      },
      { id: "matched" },
    )
    const perTen = matched.keyBy().window(tumbling("10s")).aggregate({ n: count() }, { id: "per-ten" })
    return { matched, odd: matched.sides.odd, perTen }
  },
})

const told = ({ matched }: Pick<OutputRows<typeof paid>, "matched">) =>
  matched.map(({ order: id, what }) => `${id ?? "-"}: ${what}`)

describe("connect", () => {
  test("P11 streams of different types share state and timers by key, in the order in which they are read", async () => {
    const driver = await testDriver(paid)
    await driver.push("orders", [order(1, "a"), order(2, "b", 200)])
    await driver.push("payments", [payment(4, "a"), payment(5, null), payment(18, "c", "early")])
    await driver.push("orders", [order(20, "c", -5), order(40, "d")])
    await driver.push("payments", [payment(41, "d", "late")])
    await driver.drain()
    const out = driver.outputs
    expect(told(out)).toEqual([
      "a: 100 paid by c at -Infinity",
      "c: -5 paid before",
      "b: 200 is due",
      "d: 100 paid by late at 17.999999",
    ])
    expect(out.odd).toEqual([{ what: "c" }])
    expect(out.perTen.map(({ windowStart, n }) => [windowStart / S, n])).toEqual([
      [0, 1],
      [10, 1],
      [20, 1],
      [40, 1],
    ])
    expectTypeOf(out.matched[0]!.order).toEqualTypeOf<string | null>()
  })

  test("P11 E18 what is there at once is read in morsels, so a stream may be ahead of another", async () => {
    const out = await runOnRows(paid, {
      inputs: { orders: [order(1, "a"), order(30, "b")], payments: [payment(2, "b"), payment(40, "a")] },
    })
    expect(told(out)).toEqual(["b: 100 paid by c at -Infinity", "a: 100 paid by c at 1.999999"])
  })

  test("P3 P11 what a handler refuses is a row of its own stream", async () => {
    const { failedRows } = await runOnRows(paid, {
      inputs: { orders: [order(1, "a", 666)], payments: [payment(3, "a")] },
    })
    expect(failedRows).toMatchObject([{ operator: "matched", row: { order: "a", cents: 666 } }])
  })

  test("P1 P11 T8 the watermark is the least of the streams', and an ended one does not hold it back", async () => {
    const driver = await testDriver(paid)
    await driver.push("orders", [order(1, "a")])
    await driver.push("orders", [order(100, "b")])
    expect(told({ matched: driver.take("matched") })).toEqual([])
    await driver.push("payments", [payment(50, "x")])
    expect(told({ matched: driver.take("matched") })).toEqual(["a: 100 is due"])
    await driver.push("orders", [order(150, "c")])
    expect(driver.take("matched")).toEqual([])
    await driver.endInput("payments")
    expect(told({ matched: driver.take("matched") })).toEqual(["b: 100 is due"])
  })

  test("P7 P11 state that streams share is there after a crash, whoever wrote it, and a test sees it", async () => {
    const driver = await testDriver(paid, { commits: "by-hand" })
    await driver.push("orders", [order(1, "a"), order(2, "b", 7)])
    await driver.commit()
    await driver.push("payments", [payment(3, "a", "lost")])
    await driver.crash()
    await driver.restore()
    await driver.commit()
    expect(told({ matched: driver.take("matched") })).toEqual(["a: 100 paid by lost at -Infinity"])
    expect(driver.state("matched")).toEqual([
      { key: { order: "a" }, state: { cents: 100, cards: ["lost"] }, timers: [] },
      { key: { order: "b" }, state: { cents: 7 }, timers: [{ timer: "due", tag: "", time: 12 * S }] },
    ])
  })

  test("P8 without event time all is by the clock, and three streams are as good as two", async () => {
    const Line = schema({ id: t.int32, text: t.string })
    const joined = job({
      name: "joined",
      inputs: { one: Line, two: Line, three: schema({ id: t.int32, n: t.float64 }) },
      flow: ({ one, two, three }) => ({
        out: connect({ one: one.keyBy("id"), two: two.keyBy("id"), three: three.keyBy("id") }).process(
          {
            emits: { id: t.int32, text: t.string },
            state: { texts: listState(t.string) },
            timers: { done: processingTimer() },
            onRecord: {
              one(row, { state, timers, now, time }) {
                expectTypeOf(time).toEqualTypeOf<undefined>()
                state.texts.add(row.text)
                timers.done.set(now + S)
              },
              two: (row, { state }) => state.texts.add(row.text.toUpperCase()),
              three: (row, { state }) => state.texts.add(String(row.n)),
            },
            onTimer: { done: ({ key, state, emit }) => emit({ id: key.id, text: state.texts.values().join() }) },
          },
          { id: "joined" },
        ),
      }),
    })
    const driver = await testDriver(joined)
    await driver.push("one", [{ id: 1, text: "a" }])
    await driver.push("three", [{ id: 1, n: 0.5 }])
    await driver.push("two", [{ id: 1, text: "b" }])
    await driver.advanceTime("1s")
    expect(driver.take("out")).toEqual([{ id: 1, text: "a,0.5,B" }])
  })

  test("explain names the streams, and their operator's state is that of one stream", () => {
    const bound = paid.with({
      inputs: { orders: memory(), payments: memory() },
      outputs: { matched: memory(), odd: memory(), perTen: memory() },
    })
    const text = formatExplain(explain(bound, { compile: { mode: "off", proof: undefined } }))
    expect(text).toContain(
      "connects orders, payments by order, state cents (value of int53), cards (list of string), timers due (event time)",
    )
  })

  test("P11 what does not go together is refused in words", () => {
    type Any = Record<string, (...given: unknown[]) => Any>
    const Other = schema({ at: t.timestamp(), order: t.int53, id: t.string })
    const flow = (use: (streams: { orders: Any; payments: Any; others: Any }) => unknown) => () =>
      job({
        name: "refused",
        inputs: { orders: Order, payments: Payment, others: Other },
        flow: (streams) => ({ out: use(streams as never) as never }),
      })
    const tie = (streams: unknown) => connect(streams as never)
    const process = (streams: unknown, onRecord: unknown) =>
      (tie(streams) as unknown as Any)["process"]!({ emits: { n: t.int53 }, onRecord })
    const by = (stream: Any, ...keys: string[]) => stream["keyBy"]!(...keys)
    const timed = (stream: Any, column: string) => stream["eventTime"]!(column, { outOfOrder: "0s" })
    const refused: readonly (readonly [Parameters<typeof flow>[0], string])[] = [
      [() => tie({}), "connect(...): there are no streams."],
      [({ orders }) => tie({ orders }), "connect(...): orders is"],
      [({ orders }) => tie({ "no name": by(orders, "order") }), 'a stream has the name "no name"'],
      [
        ({ orders, payments }) => tie({ a: by(orders, "order"), b: by(payments, "card") }),
        "b is keyed by (card: string), and the first of them by (order: string)",
      ],
      [({ orders, others }) => tie({ a: by(orders, "order"), b: by(others, "order") }), "b is keyed by (order: int53)"],
      [
        ({ orders, payments }) => tie({ a: by(timed(orders, "at"), "order"), b: by(payments, "order") }),
        "b has no event time, and others have",
      ],
      [
        ({ orders }) => tie({ a: by(orders, "order"), b: by(orders, "order") }),
        "the rows of the input orders come to it in two ways",
      ],
      [
        ({ orders, payments }) => {
          const counts = by(timed(orders, "at"), "order")["window"]!(tumbling("1s"))["aggregate"]!({ n: count() })
          return tie({ a: by(counts, "order"), b: by(timed(payments, "paidAt"), "order") })
        },
        "some of its rows have waited",
      ],
      [
        ({ orders, payments }) => process({ a: by(orders, "order"), b: by(payments, "order") }, { a: () => 1 }),
        'the stream "b" has no handler',
      ],
      [
        ({ orders }) => process({ a: by(orders, "order") }, { a: () => 1, c: () => 1 }),
        'onRecord has a handler of "c"',
      ],
      [({ orders }) => process({ a: by(orders, "order") }, () => 1), "onRecord is"],
    ]
    for (const [use, says] of refused) expect(flow(use), says).toThrow(says)
  })
})
