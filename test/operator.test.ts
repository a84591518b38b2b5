/** Operators of programs' own, in the test kit: each rule of docs/spec/process.md that the fuzz does not show. */
import { describe, expect, expectTypeOf, test } from "vitest"
import { schema } from "../src/batch/schema.ts"
import { t } from "../src/batch/types.ts"
import { memory } from "../src/connectors/memory/memory.ts"
import { explain, formatExplain } from "../src/observe/explain.ts"
import { count } from "../src/stream/aggregates.ts"
import { connect } from "../src/stream/connect.ts"
import { job } from "../src/stream/job.ts"
import type { AppendStream } from "../src/stream/stream.ts"
import { tumbling } from "../src/stream/windows.ts"
import { runOnRows } from "../src/testing/run-on-rows.ts"
import { testDriver } from "../src/testing/test-driver.ts"
import type { Timestamp } from "../src/time/timestamp.ts"

const S = 1_000_000
const Reading = schema({ at: t.timestamp(), sensor: t.string, celsius: t.float64 })
const reading = (seconds: number, sensor = "a", celsius = 20) => ({ at: (seconds * S) as Timestamp, sensor, celsius })

/** The example of docs/guide/operators.md: rows of the whole stream in the order of their times. */
function inOrder<P>(readings: AppendStream<{ at: Timestamp; sensor: string; celsius: number }, P, "at">) {
  const Row = { at: t.timestamp(), sensor: t.string, celsius: t.float64 }
  return readings.keyBy().operator(
    {
      emits: Row,
      eventTime: "at",
      state: t.list(t.object(Row)),
      open({ state = [] }) {
        let waiting = [...state]
        return {
          onRecord(row, { time, watermark, fail }) {
            if (time <= watermark) return fail("it came too late to be put in order")
            const at = waiting.findIndex((other) => other.at > row.at)
            waiting.splice(at < 0 ? waiting.length : at, 0, row)
          },
          wakeAt: () => waiting[0]?.at ?? Infinity,
          onWake(time, { emit }) {
            for (const row of waiting.filter(({ at }) => at === time)) emit(row)
            waiting = waiting.filter(({ at }) => at !== time)
          },
          snapshot: () => (waiting.length === 0 ? undefined : waiting),
        }
      },
    },
    { id: "in-order" },
  )
}

const ordered = job({
  name: "ordered",
  inputs: { readings: Reading },
  flow: ({ readings }) => {
    const ordered = inOrder(readings.eventTime("at", { outOfOrder: "5s" }))
    const perTen = ordered.keyBy().window(tumbling("10s")).aggregate({ n: count() }, { id: "per-ten" })
    return { ordered, perTen }
  },
})

const seconds = (rows: readonly { at: Timestamp }[]) => rows.map(({ at }) => at / S)

describe("operator", () => {
  test("P13 an instance is woken when the watermark has come to the time that it asks for", async () => {
    const rows = [3, 1, 2, 9, 7, 20, 18].map((at) => reading(at))
    const {
      ordered: out,
      perTen,
      failedRows,
    } = await runOnRows(ordered, { inputs: { readings: [...rows, reading(2, "late")] } })
    expect(seconds(out)).toEqual([1, 2, 3, 7, 9, 18, 20])
    expect(failedRows).toMatchObject([
      { operator: "in-order", row: { sensor: "late" }, reason: "it came too late to be put in order" },
    ])
    expect(perTen.map(({ windowStart, n }) => [windowStart / S, n])).toEqual([
      [0, 5],
      [10, 1],
      [20, 1],
    ])
  })

  test("P12 P15 a job that crashes goes on with instances that know what their snapshots say", async () => {
    const driver = await testDriver(ordered, { commits: "by-hand" })
    await driver.push("readings", [reading(3), reading(1)])
    await driver.commit()
    await driver.push("readings", [reading(2)])
    await driver.crash()
    await driver.restore()
    await driver.push("readings", [reading(8), reading(9.5)])
    await driver.commit()
    expect(seconds(driver.take("ordered"))).toEqual([1, 2, 3])
    expect(driver.state("in-order")).toEqual([
      { key: {}, state: { snapshot: [reading(8), reading(9.5)] }, timers: [{ timer: "wake", tag: "", time: 8 * S }] },
    ])
    await driver.endInput("readings")
    expect(seconds(driver.take("ordered"))).toEqual([8, 9.5])
  })

  test("P12 an instance a key, which is opened with its key and the parameters", async () => {
    const numbered = job({
      name: "numbered",
      params: schema({ first: t.int53.default(1) }),
      inputs: { readings: Reading },
      flow: ({ readings }) => {
        const out = readings.keyBy("sensor").operator(
          {
            emits: { sensor: t.string, n: t.int53 },
            sides: { hot: { sensor: t.string } },
            state: t.int53,
            open({ key, params, state }) {
              expectTypeOf(key).toEqualTypeOf<{ readonly sensor: string }>()
              expectTypeOf(state).toEqualTypeOf<number | undefined>()
              let next = state ?? params.first
              return {
                onRecord(row, { emit, side, time, watermark }) {
                  expectTypeOf(time).toEqualTypeOf<undefined>()
                  expect([time, watermark]).toEqual([undefined, -Infinity])
                  emit({ sensor: key.sensor, n: next++ })
                  if (row.celsius > 30) side.hot({ sensor: row.sensor })
                },
                snapshot: () => next,
              }
            },
          },
          { id: "numbered" },
        )
        return { out, hot: out.sides.hot }
      },
    })
    const driver = await testDriver(numbered, { params: { first: 5 } })
    await driver.push("readings", [reading(1, "a"), reading(2, "b", 40), reading(3, "a")])
    await driver.restart()
    await driver.push("readings", [reading(4, "a")])
    expect(driver.outputs.out.map(({ sensor, n }) => `${sensor}${n}`)).toEqual(["a5", "b5", "a6", "a7"])
    expect(driver.outputs.hot).toEqual([{ sensor: "b" }])
  })

  test("P8 P13 the clock wakes it, too, once what it asked for has come", async () => {
    const silent = job({
      name: "silent",
      inputs: { readings: Reading },
      flow: ({ readings }) => ({
        silent: readings.keyBy("sensor").operator(
          {
            emits: { sensor: t.string, at: t.timestamp() },
            state: t.object({ due: t.int53 }),
            open({ key, state }) {
              let due = state?.due ?? Infinity
              return {
                onRecord(_row, { now }) {
                  due = now + 60 * S
                },
                clockAt: () => due,
                onClock(now, { emit }) {
                  emit({ sensor: key.sensor, at: now })
                  due = Infinity
                },
                snapshot: () => (due === Infinity ? undefined : { due }),
              }
            },
          },
          { id: "silent" },
        ),
      }),
    })
    const driver = await testDriver(silent)
    const start = driver.now
    await driver.push("readings", [reading(1)])
    await driver.advanceTime("30s")
    await driver.push("readings", [reading(2)])
    await driver.crash()
    await driver.restore()
    await driver.advanceTime("59s")
    expect(driver.take("silent")).toEqual([])
    await driver.advanceTime("1s")
    expect(driver.take("silent")).toEqual([{ sensor: "a", at: start + 90 * S }])
    expect(driver.state("silent")).toEqual([])
    await driver.advanceTime("5m")
    expect(driver.take("silent")).toEqual([])
  })

  test("P11 connected streams share their instances", async () => {
    const rated = job({
      name: "rated",
      inputs: { readings: Reading, offsets: schema({ sensor: t.string, by: t.float64 }) },
      flow: ({ readings, offsets }) => ({
        rated: connect({ readings: readings.keyBy("sensor"), offsets: offsets.keyBy("sensor") }).operator(
          {
            emits: { sensor: t.string, celsius: t.float64 },
            state: t.float64,
            open({ key, state = 0 }) {
              expectTypeOf(key).toEqualTypeOf<{ readonly sensor: string }>()
              let by = state
              return {
                onRecord: {
                  readings: (row, { emit }) => emit({ sensor: key.sensor, celsius: row.celsius + by }),
                  offsets(row) {
                    by = row.by
                  },
                },
                snapshot: () => by,
              }
            },
          },
          { id: "rated" },
        ),
      }),
    })
    const driver = await testDriver(rated)
    await driver.push("readings", [reading(1)])
    await driver.push("offsets", [{ sensor: "a", by: -2 }])
    await driver.crash()
    await driver.restore()
    await driver.push("readings", [reading(1)])
    expect(driver.outputs.rated.map(({ celsius }) => celsius)).toEqual([20, 18])
    const bound = rated.with({ inputs: { readings: memory(), offsets: memory() }, outputs: { rated: memory() } })
    expect(formatExplain(explain(bound, { compile: { mode: "off", proof: undefined } }))).toContain(
      "connects readings, offsets by sensor, an operator with snapshots of the type float64",
    )
  })

  test("P14 what goes wrong in an instance stops the job, and says where", async () => {
    type Given = Record<string, unknown>
    const failing = (given: Given | undefined) =>
      job({
        name: "failing",
        inputs: { readings: Reading },
        flow: ({ readings }) => ({
          out: readings
            .eventTime("at", { outOfOrder: "0s" })
            .keyBy("sensor")
            .operator({ emits: { n: t.int53 }, state: t.int53, open: () => given as never }, { id: "failing" }),
        }),
      })
    const onRecord = () => undefined
    const snapshot = () => 1
    const wrong: readonly (readonly [Given | undefined, string])[] = [
      [undefined, "open gave undefined"],
      [{ onRecord }, "open gave an instance without snapshot()"],
      [{ snapshot }, "open gave an instance without onRecord"],
      [
        {
          snapshot,
          onRecord() {
            throw new Error("no")
          },
        },
        "the lambda threw Error: no",
      ],
      [{ snapshot, onRecord: async () => await Promise.reject(new Error("later")) }, "onRecord is asynchronous"],
      [
        { snapshot, onRecord: (_row: unknown, { emit }: { emit(row: unknown): void }) => emit({ n: 0.5 }) },
        'the column "n"',
      ],
      [{ snapshot: () => "x", onRecord }, "snapshot() gave"],
      [{ snapshot, onRecord, wakeAt: () => 1.5 }, "wakeAt() gave 1.5, which is no time"],
      [{ snapshot, onRecord, wakeAt: () => S }, "wakeAt() gave a time, and there is no onWake"],
      [{ snapshot, onRecord, wakeAt: () => S, onWake: () => undefined }, `wakeAt() gave ${S} again`],
      [
        { snapshot: () => undefined, onRecord, wakeAt: () => 99 * S, onWake: () => undefined },
        "snapshot() gave nothing, and the instance is to be woken",
      ],
      [
        {
          snapshot,
          onRecord,
          wakeAt: () => S,
          onWake: (_time: number, { fail }: { fail(reason: string): void }) => {
            fail("x")
          },
        },
        "context.fail(...) was called where there is no record",
      ],
    ]
    for (const [given, says] of wrong) {
      const driver = await testDriver(failing(given))
      const run = driver.push("readings", [reading(1), reading(5)])
      await expect(run, says).rejects.toMatchObject({ code: "lambda-failed" })
      await expect(run).rejects.toThrow('The operator failing failed at the key (sensor: "a"): ')
      await expect(run).rejects.toThrow(says)
    }
  })

  test("P13 a wake that has passed comes when the call has returned, and needs event time", async () => {
    const passed = (isTimed: boolean) =>
      job({
        name: "passed",
        inputs: { readings: Reading },
        flow: ({ readings }) => {
          const given = isTimed ? readings.eventTime("at", { outOfOrder: "0s" }) : readings
          return {
            out: (given as unknown as typeof readings).keyBy("sensor").operator(
              {
                emits: { what: t.string },
                state: t.float64,
                open({ state = Infinity }) {
                  let due = state
                  return {
                    onRecord(row, { emit }) {
                      emit({ what: `record ${row.at / S}` })
                      due = row.at - 5 * S
                    },
                    wakeAt: () => due,
                    onWake(time, { emit, watermark }) {
                      emit({ what: `wake ${time / S} at ${Math.ceil(watermark / S)}` })
                      due = Infinity
                    },
                    snapshot: () => (due === Infinity ? undefined : due),
                  }
                },
              },
              { id: "passed" },
            ),
          }
        },
      })
    const driver = await testDriver(passed(true))
    await driver.push("readings", [reading(10), reading(10), reading(10)])
    expect(driver.outputs.out.map(({ what }) => what)).toEqual([
      "record 10",
      "wake 5 at 5",
      "record 10",
      "wake 5 at 10",
      "record 10",
      "wake 5 at 10",
    ])
    const untimed = await testDriver(passed(false))
    await expect(untimed.push("readings", [reading(10)])).rejects.toThrow(
      "wakeAt() gave a time, and the stream has no event time",
    )
  })

  test("calls that are no operators are refused in words", () => {
    const refuse = (definition: unknown) => () =>
      job({
        name: "refused",
        inputs: { readings: Reading },
        flow: ({ readings }) => ({ out: readings.keyBy().operator(definition as never) }),
      })
    expect(refuse(undefined)).toThrow("there is no definition")
    expect(refuse({ emits: { n: t.int53 }, open: () => 1 })).toThrow("state is undefined, and no column type")
    expect(refuse({ emits: { n: t.int53 }, state: t.int53 })).toThrow("there is no open")
    expect(refuse({ emits: { n: t.int53 }, state: t.int53, open: () => 1, onBatch: () => 1 })).toThrow("onBatch")
    expect(refuse({ emits: { at: t.timestamp() }, eventTime: "at", state: t.int53, open: () => 1 })).toThrow(
      "the stream that it reads has no event time",
    )
  })
})
