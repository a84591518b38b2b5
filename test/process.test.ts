/** `process` as programs use it, in the test kit: each rule of docs/spec/process.md that the fuzz does not name. */
import { describe, expect, expectTypeOf, test } from "vitest"
import { schema } from "../src/batch/schema.ts"
import { t } from "../src/batch/types.ts"
import { nodeScopes } from "../src/env/node/scopes.ts"
import { explain, formatExplain } from "../src/observe/explain.ts"
import { count } from "../src/stream/aggregates.ts"
import { job, type OutputRows } from "../src/stream/job.ts"
import {
  eventTimer,
  listState,
  mapState,
  processingTimer,
  reducingState,
  valueState,
} from "../src/stream/process-declarations.ts"
import { tumbling } from "../src/stream/windows.ts"
import { runOnRows } from "../src/testing/run-on-rows.ts"
import { testDriver } from "../src/testing/test-driver.ts"
import { fromIso } from "../src/time/iso.ts"
import type { Timestamp } from "../src/time/timestamp.ts"

const Event = schema({ at: t.timestamp({ format: "us" }), key: t.string, n: t.float64 })
const event = (at: number, key = "k", n = 1) => ({ at: at as Timestamp, key, n })

/** A stream's type, for what tests write in its place. */
type Events = Parameters<Parameters<typeof job<{ readonly events: typeof Event }, never>>[0]["flow"]>[0]["events"]

const keyed = (events: Events) => events.eventTime("at", { outOfOrder: "0s" }).keyBy("key")

const told = job({
  name: "told",
  inputs: { events: Event },
  flow: ({ events }) => {
    const told = keyed(events).process(
      {
        emits: { at: t.timestamp(), what: t.string },
        eventTime: "at",
        state: {
          one: valueState(t.float64.default(0)),
          last: valueState(t.object({ n: t.float64 }), { ttl: "1ms" }),
          all: listState(t.float64, { ttl: "1ms" }),
          by: mapState(t.float64, t.float64, { ttl: "1ms" }),
          top: reducingState(t.float64, Math.max),
        },
        timers: { end: eventTimer() },
        sides: { negative: { n: t.float64 } },
        onRecord(row, { state, timers, emit, side, time, key, watermark }) {
          expectTypeOf(key).toEqualTypeOf<{ readonly key: string }>()
          expectTypeOf(time).toEqualTypeOf<Timestamp>()
          expectTypeOf(state.one.get()).toEqualTypeOf<number>()
          expectTypeOf(state.top.get()).toEqualTypeOf<number | undefined>()
          const seen = [
            state.one.get(),
            state.last.get()?.n ?? "-",
            state.all.values(),
            state.by.keys(),
            state.top.get(),
          ]
          emit({ at: time, what: `${key.key} ${JSON.stringify(seen)} ${watermark === -Infinity ? "" : watermark}` })
          state.one.set(row.n)
          state.last.set({ n: row.n })
          state.all.add(row.n)
          state.by.set(row.n, 1)
          state.top.add(row.n)
          if (row.n < 0) side.negative({ n: row.n })
          if (row.n === 666) throw new Error("the number of the beast")
          timers.end.set(row.at + 5, row.n === 7 ? "seven" : "")
          if (row.n === 8) timers.end.clear("seven")
        },
        onTimer: {
          end({ time, tag, emit, state }) {
            emit({ at: time, what: `end ${tag} ${state.one.get()}` })
            if (state.one.get() === 13) throw new Error("thirteen")
          },
        },
      },
      { id: "told" },
    )
    const counts = told
      .keyBy()
      .window(tumbling("10us" as "1us"))
      .aggregate({ n: count() }, { id: "counts" })
    return { told, negative: told.sides.negative, counts }
  },
})

const run = async (...events: ReturnType<typeof event>[]) => {
  const rows = await runOnRows(told, { inputs: { events } })
  return { ...rows, told: rows.told.map(({ what }) => what.trim()) }
}

describe("process", () => {
  test("P2 P5 a timer that is set again is moved, one with another tag stands beside it", async () => {
    const { told } = await run(event(10), event(12), event(13, "k", 7), event(40, "x"))
    expect(told.filter((what) => what.startsWith("end"))).toEqual(["end  7", "end seven 7", "end  1"])
    const { told: cleared } = await run(event(13, "k", 7), event(14, "k", 8))
    expect(cleared.filter((what) => what.startsWith("end"))).toEqual(["end  8"])
  })

  test("P2 TQ1 a handler may set thousands of timers, move them and take them away; those of one time fire in the order in which they were set last", async () => {
    const many = job({
      name: "many",
      inputs: { events: Event },
      flow: ({ events }) => ({
        fired: keyed(events).process(
          {
            emits: { tag: t.string },
            timers: { end: eventTimer() },
            onRecord(row, { timers }) {
              for (let index = 0; index < row.n; index++) timers.end.set(row.at + 10, `${index}`)
              for (let index = 0; index < row.n; index += 3) timers.end.set(row.at + 10, `${index}`)
              for (let index = 1; index < row.n; index += 3) timers.end.clear(`${index}`)
            },
            onTimer: { end: ({ tag, emit }) => emit({ tag }) },
          },
          { id: "many" },
        ),
      }),
    })
    for (const n of [3, 32, 33, 3000]) {
      const { fired } = await runOnRows(many, { inputs: { events: [event(0, "k", n)] } })
      const all = Array.from({ length: n }, (_, index) => index)
      const order = [...all.filter((index) => index % 3 === 2), ...all.filter((index) => index % 3 === 0)]
      expect(fired.map(({ tag }) => Number(tag))).toEqual(order)
    }
  })

  test("P2 a timer that is set to a time that has passed fires when the handler has returned, and waits for no other watermark", async () => {
    // The record of 12 comes at the watermark 39: its timer, of 17, has passed.
    const { told, failedRows } = await run(event(40, "x"), event(12), event(12))
    expect(told).toEqual([
      'x [0,"-",[],[],null]',
      'k [0,"-",[],[],null] 39',
      "end  1",
      "k [1,1,[1],[1],1] 39",
      "end  1",
      "end  1",
    ])
    // There are none left for the end, and what they do when they fail is theirs.
    const { failedRows: thrown } = await run(event(40, "x"), event(12, "k", 13))
    expect(failedRows).toEqual([])
    expect(thrown).toMatchObject([{ row: { key: "k", timer: "end", time: 17 } }])
  })

  test("P1 timers fire before the first record behind which they are due", async () => {
    expect((await run(event(10), event(16, "x"), event(17))).told).toEqual([
      'k [0,"-",[],[],null]',
      'x [0,"-",[],[],null] 9',
      "end  1",
      "k [1,1,[1],[1],1] 15",
      "end  1",
      "end  1",
    ])
  })

  test("P3 a handler that fails leaves no trace", async () => {
    const { told, failedRows, negative } = await run(event(10, "k", -1), event(11, "k", 666), event(12, "k", 13))
    expect(told).toEqual(['k [0,"-",[],[],null]', "k [-1,-1,[-1],[-1],-1] 10"])
    expect(negative).toEqual([{ n: -1 }])
    expect(failedRows).toMatchObject([
      { operator: "told", row: { n: 666 }, reason: "the lambda threw Error: the number of the beast" },
      { operator: "told", row: { key: "k", timer: "end", time: 17 }, reason: "the lambda threw Error: thirteen" },
    ])
  })

  test("P6 values are checked, and cannot be changed", async () => {
    const wrong = job({
      name: "wrong",
      inputs: { events: Event },
      flow: ({ events }) => ({
        out: keyed(events).process(
          {
            emits: { n: t.float64 },
            state: { object: valueState(t.object({ n: t.int53 })), text: valueState(t.string) },
            onRecord(row, { state, emit }) {
              if (row.n === 1) state.text.set(5 as unknown as string)
              if (row.n === 2) emit({} as { n: number })
              state.object.set({ n: -0 })
              const held = state.object.get()!
              if (row.n === 3) (held as { n: number }).n = 5
              emit({ n: Object.is(held.n, -0) ? 1 : 2 })
            },
          },
          { id: "wrong" },
        ),
      }),
    })
    const { out, failedRows } = await runOnRows(wrong, {
      inputs: { events: [1, 2, 3, 4].map((n) => event(n, "k", n)) },
    })
    expect(out).toEqual([{ n: 2 }])
    expect(failedRows.map(({ reason }) => reason)).toEqual([
      'the state "text" was given 5, which is not a string',
      'the lambda gave no value for the column "n"',
      expect.stringContaining("Cannot assign to read only property"),
    ])
  })

  test("P9 values last until the watermark has passed, each by itself", async () => {
    const { told } = await run(event(0, "k", 1), event(600, "k", 2), event(1001, "k", 3), event(1002, "k", 4))
    expect(told.filter((what) => !what.startsWith("end"))).toEqual([
      'k [0,"-",[],[],null]',
      "k [1,1,[1],[1],1] -1",
      "k [2,2,[1,2],[1,2],2] 599",
      "k [3,3,[2,3],[2,3],3] 1000",
    ])
  })

  test("P9 a timer by the clock writes at the watermark, and not at the clock's time", async () => {
    const noted = job({
      name: "noted",
      inputs: { events: Event },
      flow: ({ events }) => ({
        notes: keyed(events).process(
          {
            emits: { note: t.string },
            state: { note: valueState(t.string, { ttl: "1ms" }) },
            timers: { soon: processingTimer() },
            onRecord(row, { state, timers, now, emit }) {
              emit({ note: `${row.n} ${state.note.get() ?? "-"}` })
              if (row.n === 1) timers.soon.set(now + 1000)
            },
            onTimer: { soon: ({ state }) => state.note.set("noted") },
          },
          { id: "noted" },
        ),
      }),
    })
    // The clock stands decades ahead of the events' time.
    const driver = await testDriver(noted, { startAt: fromIso("2026-01-01T00:00:00Z") })
    await driver.push("events", [event(10), event(20, "x", 0)])
    await driver.advanceTime("1s")
    expect(driver.state("noted")).toHaveLength(1)
    await driver.push("events", [event(1018, "k", 2), event(1019, "x", 0), event(1030, "k", 3), event(1031, "k", 4)])
    driver.expect(
      "notes",
      ["1 -", "0 -", "2 noted", "0 -", "3 noted", "4 -"].map((note) => ({ note })),
    )
  })

  test("P10 windows count what is emitted in its own time, also by timers", async () => {
    const { counts } = await run(event(10), event(30, "x"))
    expect(counts.map(({ windowStart, n }) => [windowStart, n])).toEqual([
      [10, 2],
      [30, 2],
    ])
  })

  test("P4 draining fires timers that were set before, and not what they set for later", async () => {
    const beating = job({
      name: "beating",
      inputs: { events: Event },
      flow: ({ events }) => ({
        beats: keyed(events).process(
          {
            emits: { at: t.timestamp() },
            timers: { beat: eventTimer(), clock: processingTimer() },
            onRecord(row, { timers }) {
              timers.beat.set(row.at + 10)
              timers.clock.set(0)
            },
            onTimer: {
              beat({ time, timers, emit }) {
                emit({ at: time })
                timers.beat.set(time + 10)
              },
              clock({ emit }) {
                emit({ at: 0 as Timestamp })
              },
            },
          },
          { id: "beating" },
        ),
      }),
    })
    const { beats } = await runOnRows(beating, { inputs: { events: [event(0), event(25, "x"), event(26, "y")] } })
    expect(beats.map(({ at }) => at)).toEqual([10, 20, 30, 35, 36])
    expectTypeOf<OutputRows<typeof beating>["beats"][number]>().toEqualTypeOf<{ readonly at: Timestamp }>()
  })

  test("W11 -0 and 0 are one key, NaN is one", async () => {
    const sums = job({
      name: "sums",
      inputs: { events: Event },
      flow: ({ events }) => ({
        out: events.keyBy("n").process(
          {
            emits: { n: t.float64, seen: t.int53 },
            state: { seen: valueState(t.int53.default(0)) },
            onRecord(_, { key, state, emit }) {
              state.seen.set(state.seen.get() + 1)
              emit({ n: key.n, seen: state.seen.get() })
            },
          },
          { id: "sums" },
        ),
      }),
    })
    const { out } = await runOnRows(sums, { inputs: { events: [0, -0, NaN, NaN].map((n) => event(1, "k", n)) } })
    expect(out).toEqual([
      { n: 0, seen: 1 },
      { n: 0, seen: 2 },
      { n: NaN, seen: 1 },
      { n: NaN, seen: 2 },
    ])
  })

  test("the context holds for one call only, and handlers work at once", async () => {
    let kept: { emit(row: { n: number }): void } | undefined
    const leaky = job({
      name: "leaky",
      inputs: { events: Event },
      flow: ({ events }) => ({
        out: keyed(events).process(
          {
            emits: { n: t.float64 },
            onRecord(row, context) {
              kept = context
              if (row.n === 2) return Promise.resolve() as unknown as undefined
              return undefined
            },
          },
          { id: "leaky" },
        ),
      }),
    })
    const { failedRows } = await runOnRows(leaky, { inputs: { events: [event(1), event(2, "k", 2)] } })
    expect(failedRows.map(({ reason }) => reason)).toEqual(["the handler is asynchronous"])
    expect(() => kept!.emit({ n: 1 })).toThrow("outside of its handler")
  })

  test("explain tells keys, states and timers, and names outputs", () => {
    const text = formatExplain(explain(told, { compile: { mode: "auto", proof: nodeScopes() } }))
    expect(text).toContain("process  [told]  keeps state")
    expect(text).toContain(
      'by key, state one (value of float64), last (value of object({ "n": float64 })), all (list of float64), by (map of float64), top (reducing of float64), timers end (event time)',
    )
    expect(text).toContain("negative: output negative → not bound")
  })
})
