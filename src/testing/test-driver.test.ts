/** A driven job: what a test sees of it, and what it survives. */
import { expect, test } from "vitest"
import { Prng } from "../base/prng.ts"
import { schema } from "../batch/schema.ts"
import { t } from "../batch/types.ts"
import { count, sum } from "../stream/aggregates.ts"
import { job } from "../stream/job.ts"
import {
  eventTimer,
  listState,
  mapState,
  processingTimer,
  reducingState,
  valueState,
} from "../stream/process-declarations.ts"
import { onCount } from "../stream/triggers.ts"
import { hopping, session, tumbling } from "../stream/windows.ts"
import { fromIso } from "../time/iso.ts"
import type { Timestamp } from "../time/timestamp.ts"
import { runOnRows } from "./run-on-rows.ts"
import { testDriver } from "./test-driver.ts"

const SECOND = 1_000_000
const at = (seconds: number) => (seconds * SECOND) as Timestamp

const Trip = schema({ at: t.timestamp(), zone: t.string, fare: t.float64 })
const trip = (seconds: number, zone: string, fare: number) => ({ at: at(seconds), zone, fare })

const revenue = job({
  name: "revenue",
  params: schema({ least: t.float64.default(0) }),
  inputs: { trips: Trip },
  flow: ({ trips }) => {
    const tens = trips
      .filter((each, { least }) => {
        if (each.fare === 666) throw new Error("the number of the beast")
        return each.fare >= least
      })
      .eventTime("at", { outOfOrder: "2s" })
      .keyBy("zone")
      .window(tumbling("10s"))
      .aggregate({ trips: count(), revenue: sum("fare") }, { id: "tens" })
    return { tens, late: tens.late }
  },
})

const User = schema({ user: t.string })

/** Numbers what comes for a key, and tells of keys that were silent for a minute by the clock. */
const sessions = job({
  name: "sessions",
  inputs: { clicks: schema({ user: t.string, page: t.string }) },
  flow: ({ clicks }) => ({
    out: clicks.keyBy("user").process(
      {
        emits: { user: t.string, what: t.string, now: t.int53 },
        state: { seen: valueState(t.int53.default(0)) },
        timers: { silent: processingTimer() },
        onRecord(click, { state, timers, now, emit }) {
          state.seen.set(state.seen.get() + 1)
          timers.silent.set(now + 60 * SECOND)
          emit({ user: click.user, what: `${click.page} ${state.seen.get()}`, now })
        },
        onTimer: {
          silent({ key, now, state, emit }) {
            emit({ user: key.user, what: `silent after ${state.seen.get()}`, now })
            state.seen.clear()
          },
        },
      },
      { id: "sessions" },
    ),
  }),
})

test("TD1 what a push leads to is there when it resolves, also late rows and dead letters", async () => {
  const driver = await testDriver(revenue, { params: { least: 1 } })
  await driver.push("trips", [trip(1, "JFK", 5), trip(3, "JFK", 0.5), trip(2, "LGA", 7)])
  expect(driver.outputs.tens).toEqual([])
  expect(driver.status()).toMatchObject({ state: "running", rowsIn: 3, openWindows: 1, watermarkMicros: -1 })
  await driver.push("trips", [trip(12, "JFK", 4), trip(9, "LGA", 2)])
  expect(driver.take("tens")).toEqual([
    { zone: "JFK", windowStart: at(0), windowEnd: at(10), trips: 1, revenue: 5 },
    { zone: "LGA", windowStart: at(0), windowEnd: at(10), trips: 1, revenue: 7 },
  ])
  expect([driver.take("tens"), driver.outputs.late]).toEqual([[], [trip(9, "LGA", 2)]])
  await driver.push("trips", [trip(13, "LGA", 666)])
  await driver.pushBad("trips", { reason: "fare is no number", raw: "x", field: "fare" })
  expect(driver.deadLetters).toMatchObject([
    { input: "trips", partition: "0", record: 6, reason: "the lambda threw Error: the number of the beast" },
    { input: "trips", record: 7, operator: null, field: "fare", reason: "fare is no number", raw: "x" },
  ])
})

test("T10 windows fire where a test says how far an input is, of all its partitions or of one", async () => {
  const driver = await testDriver(revenue, { partitions: { trips: 2 } })
  await driver.push("trips", [trip(1, "JFK", 5)])
  await driver.advanceWatermark("trips", at(10), { partition: 0 })
  expect(driver.outputs.tens).toEqual([])
  expect(driver.status().holdingBack).toMatchObject([{ input: "trips", partition: "1", watermarkMicros: undefined }])
  await driver.push("trips", [trip(8, "JFK", 1)], { partition: 1 })
  await driver.advanceWatermark("trips", at(10))
  expect(driver.outputs.tens).toMatchObject([{ zone: "JFK", trips: 2 }])
  await driver.push("trips", [trip(9, "JFK", 1)], { partition: 1 })
  expect(driver.outputs.late).toHaveLength(1)
})

test("TD2 what is not committed never happened, and is done again", async () => {
  const driver = await testDriver(sessions, { commits: "by-hand" })
  await driver.push("clicks", [{ user: "ann", page: "/" }])
  expect(driver.outputs.out).toEqual([])
  await driver.commit()
  expect(driver.outputs.out).toMatchObject([{ what: "/ 1" }])
  await driver.push("clicks", [{ user: "ann", page: "/a" }])
  await driver.crash()
  expect([driver.isRunning, driver.outputs.out.length]).toEqual([false, 1])
  await driver.push("clicks", [{ user: "ann", page: "/b" }])
  await driver.restore()
  await driver.commit()
  expect(driver.outputs.out.map(({ what }) => what)).toEqual(["/ 1", "/a 2", "/b 3"])
  const { epoch } = driver.status()
  await driver.commit()
  expect(driver.status().epoch).toBe(epoch)
})

test("TD3 time passes where a test says so, while the job is down, too", async () => {
  const startAt = fromIso("2024-05-01T12:00:00Z")
  const driver = await testDriver(sessions, { startAt })
  await driver.push("clicks", [{ user: "ann", page: "/" }])
  expect(driver.outputs.out[0]?.now).toBe(startAt)
  await driver.advanceTime("59s")
  expect(driver.outputs.out).toHaveLength(1)
  await driver.advanceTime("1s")
  expect(driver.outputs.out[1]).toEqual({ user: "ann", what: "silent after 1", now: startAt + 60 * SECOND })
  await driver.push("clicks", [{ user: "ann", page: "/" }])
  await driver.crash()
  await driver.advanceTime("2m")
  expect(driver.now).toBe(startAt + 180 * SECOND)
  await driver.restore()
  expect(driver.take("out").at(-1)).toEqual({ user: "ann", what: "silent after 1", now: driver.now })
})

test("T13 a partition falls idle as time passes, and wakes with a row; a crash does not undo what was committed", async () => {
  const readings = job({
    name: "readings",
    inputs: { readings: schema({ at: t.timestamp(), n: t.int53 }) },
    flow: ({ readings }) => {
      const sums = readings
        .eventTime("at", { outOfOrder: "0s", idleAfter: "30s" })
        .keyBy()
        .window(tumbling("10s"))
        .aggregate({ n: count() }, { id: "sums" })
      return { sums, late: sums.late }
    },
  })
  const driver = await testDriver(readings, { partitions: { readings: 2 } })
  const at = (seconds: number) => ({ at: (seconds * SECOND) as Timestamp, n: seconds })
  await driver.push("readings", [at(1), at(25)])
  await driver.advanceTime("29s")
  expect(driver.take("sums")).toEqual([])
  await driver.push("readings", [at(26)])
  await driver.advanceTime("2s")
  expect(driver.take("sums")).toHaveLength(1)
  expect(driver.status().idlePartitions).toMatchObject([{ input: "readings", partition: "1" }])
  await driver.crash()
  await driver.restore()
  expect(driver.status().idlePartitions).toMatchObject([{ input: "readings", partition: "1" }])
  await driver.push("readings", [at(7), at(27)], { partition: 1 })
  expect(driver.take("late")).toEqual([at(7)])
  expect(driver.status().idlePartitions).toEqual([])
  await driver.push("readings", [at(99)])
  expect(driver.take("sums")).toEqual([])
  await driver.endInput("readings")
  expect(driver.take("sums").map(({ n }) => n)).toEqual([3, 1])
})

test("TD1 calls are answered, tried again after their back-off, and made again behind a crash", async () => {
  const asked: string[] = []
  let answer: (price: number) => void = () => undefined
  const pricing = job({
    name: "pricing",
    inputs: { orders: schema({ sku: t.string }) },
    flow: ({ orders }) => ({
      priced: orders.asyncMap(
        { price: t.float64 },
        async ({ sku }, _params, { attempt }) => {
          asked.push(`${sku} ${attempt}`)
          if (sku === "tea") return { price: 3 }
          if (sku === "rum" && attempt < 3) throw new Error("not yet")
          if (sku === "slow") return await new Promise<never>(() => undefined)
          if (sku === "held") return { price: await new Promise<number>((resolve) => (answer = resolve)) }
          return { price: 9 }
        },
        { id: "prices", timeout: "5s", retry: { attempts: 3, backOff: "1s", maxBackOff: "2s" } },
      ),
    }),
  })
  const driver = await testDriver(pricing)
  await driver.push("orders", [{ sku: "tea" }, { sku: "rum" }])
  expect(driver.take("priced")).toEqual([{ sku: "tea", price: 3 }])
  expect(driver.status().rowsInFlight).toBe(1)
  await driver.advanceTime("4s")
  expect(driver.take("priced")).toEqual([{ sku: "rum", price: 9 }])
  await driver.push("orders", [{ sku: "held" }])
  await driver.crash()
  answer(1)
  await driver.restore()
  expect(driver.outputs.priced).toHaveLength(2)
  setTimeout(() => answer(2), 5)
  await driver.answered()
  expect(driver.take("priced")).toEqual([{ sku: "held", price: 2 }])
  await driver.push("orders", [{ sku: "slow" }])
  await driver.advanceTime("1m")
  expect(driver.deadLetters).toMatchObject([{ operator: "prices", reason: expect.stringContaining("5s") as string }])
  expect(asked).toEqual(["tea 1", "rum 1", "rum 2", "rum 3", "held 1", "held 1", "slow 1", "slow 2", "slow 3"])
})

test("another program goes on with the state of the one before, or is refused", async () => {
  const counting = (step: number, id = "counted", input = "clicks") =>
    job({
      name: "counting",
      inputs: { [input]: schema({ user: t.string }) } as { clicks: typeof User },
      flow: (streams) => ({
        counted: Object.values(streams)[0]!
          .keyBy("user")
          .process(
            {
              emits: { seen: t.int53 },
              state: { seen: valueState(t.int53.default(0)) },
              onRecord(_, { state, params, emit }) {
                void params
                state.seen.set(state.seen.get() + step)
                emit({ seen: state.seen.get() })
              },
            },
            { id },
          ),
      }),
    })
  const driver = await testDriver(counting(1))
  await driver.push("clicks", [{ user: "ann" }, { user: "ann" }])
  await driver.restart({ job: counting(10) })
  await driver.push("clicks", [{ user: "ann" }])
  driver.expect("counted", [{ seen: 1 }, { seen: 2 }, { seen: 12 }])
  await expect(driver.restart({ job: counting(1, "other") })).rejects.toMatchObject({ code: "state-foreign" })
  expect(driver.isRunning).toBe(false)
  await expect(driver.restore({ job: counting(1, "counted", "views") })).rejects.toThrow(
    "a job that has the inputs views",
  )
  await driver.restore()
  await driver.push("clicks", [{ user: "ann" }])
  driver.expect("counted", [{ seen: 22 }])
})

test("IS2 a process that has died hears of nothing, and asks for nothing more", async () => {
  const asked: { readonly n: number; readonly answer: (double: number) => void }[] = []
  const doubling = job({
    name: "doubling",
    inputs: { numbers: schema({ n: t.int32 }) },
    flow: ({ numbers }) => ({
      // Two rows of one record: both are held, and the second is asked for when the first is answered.
      doubled: numbers
        .flatMap({ n: t.int32 }, ({ n }) => [{ n }, { n: n + 1 }])
        .asyncMap(
          { double: t.int32 },
          async ({ n }) => ({ double: await new Promise<number>((answer) => asked.push({ n, answer })) }),
          { id: "doubled", inFlight: 1 },
        ),
    }),
  })
  const driver = await testDriver(doubling)
  await driver.push("numbers", [{ n: 1 }])
  await driver.crash()
  asked[0]!.answer(0)
  await driver.advanceTime("1s")
  expect(asked).toHaveLength(1)
  await driver.restore()
  expect(asked.map(({ n }) => n)).toEqual([1, 1])
  asked[1]!.answer(2)
  await driver.advanceTime("0s")
  asked[2]!.answer(4)
  await driver.answered()
  expect(driver.outputs.doubled).toEqual([
    { n: 1, double: 2 },
    { n: 2, double: 4 },
  ])
})

test("IS1 rows of several inputs and partitions are read in the order in which they were pushed", async () => {
  const both = job({
    name: "both",
    inputs: { one: schema({ n: t.int32 }), two: schema({ n: t.int32 }) },
    flow: ({ one, two }) => ({ all: one.union(two) }),
  })
  const driver = await testDriver(both, { partitions: { two: 2 }, commits: "by-hand" })
  const expected = [1, 2, 3, 4, 5, 6]
  await driver.push("two", [{ n: 1 }, { n: 2 }], { partition: 1 })
  await driver.push("one", [{ n: 3 }])
  await driver.crash()
  await driver.push("two", [{ n: 4 }])
  await driver.push("one", [{ n: 5 }])
  await driver.push("two", [{ n: 6 }], { partition: 1 })
  for (const batchRows of [1, 3, 100]) {
    await driver.restore({ batchRows })
    if (batchRows < 100) await driver.crash()
  }
  await driver.stop()
  expect(driver.outputs.all.map(({ n }) => n)).toEqual(expected)
})

test("E10 a job that is stopped keeps its windows open, one that is drained does not, and all inputs may end", async () => {
  const driver = await testDriver(revenue)
  await driver.push("trips", [trip(1, "JFK", 5)])
  await driver.stop()
  expect([driver.isRunning, driver.status().state, driver.outputs.tens]).toEqual([false, "stopped", []])
  await driver.restore()
  await driver.drain()
  expect(driver.take("tens")).toHaveLength(1)
  await driver.restore()
  await driver.push("trips", [trip(31, "JFK", 5)])
  await driver.restart({ compile: "off" })
  await driver.endInput("trips")
  expect([driver.isRunning, driver.status().state]).toEqual([false, "finished"])
  expect(driver.take("tens")).toMatchObject([{ windowStart: at(30), trips: 1 }])
})

test("what is kept of keys, windows and calls can be looked at, and nothing changes by it", async () => {
  const both = job({
    name: "both",
    inputs: { trips: Trip },
    flow: ({ trips }) => {
      const timed = trips.eventTime("at", { outOfOrder: "2s" })
      const keyed = timed.keyBy("zone")
      const tens = keyed.window(tumbling("10s")).aggregate({ trips: count(), revenue: sum("fare") }, { id: "tens" })
      return {
        tens: tens.filter((each) => each.revenue > 100),
        slides: keyed.window(hopping("10s", { every: "5s" })).aggregate({ revenue: sum("fare") }, { id: "slides" }),
        sessions: keyed.window(session({ gap: "5s" })).aggregate({ trips: count() }, { id: "sessions" }),
        early: keyed.window(tumbling("10s"), { early: onCount(2) }).aggregate({ trips: count() }, { id: "early" }),
        asked: trips.asyncMap({ n: t.int32 }, () => new Promise<never>(() => undefined), {
          id: "asked",
          timeout: "1h",
        }),
        kept: keyed.process(
          {
            emits: { zone: t.string },
            state: {
              latest: valueState(t.float64),
              fares: listState(t.float64, { ttl: "4s" }),
              byHour: mapState(t.int32, t.float64),
              most: reducingState(t.float64, Math.max),
              unused: valueState(t.string),
            },
            timers: { later: eventTimer(), clock: processingTimer() },
            onRecord({ at: time, fare }, { state, timers, now }) {
              state.latest.set(fare)
              state.fares.add(fare)
              state.byHour.set(time / SECOND, fare)
              state.most.add(fare)
              timers.later.set(time + 20 * SECOND, "a")
              timers.later.set(time + 10 * SECOND, "b")
              if (fare > 8) timers.clock.set(now + SECOND)
            },
            onTimer: { later: () => undefined, clock: () => undefined },
          },
          { id: "kept" },
        ),
      }
    },
  })
  const driver = await testDriver(both, { startAt: at(1000) })
  await driver.push("trips", [trip(1, "JFK", 5), trip(3, "LGA", 9), trip(7, "JFK", 2)])
  const look = () => ({
    tens: driver.openWindows("tens"),
    slides: driver.openWindows("slides"),
    sessions: driver.openWindows("sessions"),
    early: driver.openWindows("early"),
    asked: driver.rowsInFlight("asked"),
    kept: driver.state("kept"),
    status: { ...driver.status(), arenaUsedBytes: 0, arenaPeakBytes: 0 },
  })
  const seen = look()
  const window = (zone: string, from: number, to: number) => ({ zone, windowStart: at(from), windowEnd: at(to) })
  expect(seen.tens).toEqual([
    { ...window("JFK", 0, 10), trips: 2, revenue: 7 },
    { ...window("LGA", 0, 10), trips: 1, revenue: 9 },
  ])
  expect(seen.slides).toContainEqual({ ...window("JFK", 5, 15), revenue: 2 })
  expect(seen.sessions).toEqual([
    { ...window("JFK", 1, 6), trips: 1 },
    { ...window("LGA", 3, 8), trips: 1 },
    { ...window("JFK", 7, 12), trips: 1 },
  ])
  expect(seen.early).toMatchObject([{ zone: "LGA", trips: 1 }])
  expect(seen.asked).toEqual([trip(1, "JFK", 5), trip(3, "LGA", 9), trip(7, "JFK", 2)])
  expect(seen.kept).toEqual([
    {
      key: { zone: "JFK" },
      state: {
        latest: 2,
        fares: [5, 2],
        byHour: new Map([
          [1, 5],
          [7, 2],
        ]),
        most: 5,
      },
      timers: [
        { timer: "later", tag: "b", time: at(17) },
        { timer: "later", tag: "a", time: at(27) },
      ],
    },
    {
      key: { zone: "LGA" },
      state: { latest: 9, fares: [9], byHour: new Map([[3, 9]]), most: 9 },
      timers: [
        { timer: "later", tag: "b", time: at(13) },
        { timer: "later", tag: "a", time: at(23) },
        { timer: "clock", tag: "", time: at(1001) },
      ],
    },
  ])
  expect(look()).toEqual(seen)
  await driver.crash()
  expect(() => driver.state("kept")).toThrow("state(...) is called while the job does not run.")
  await driver.restore()
  expect({ ...look(), status: 0 }).toEqual({ ...seen, status: 0 })
  expect(() => driver.state("tens")).toThrow('state(...): "tens" is not the id of a process of both.')
  expect(() => driver.openWindows("kept")).toThrow('openWindows(...): "kept" is not the id of a window in event time')
  expect(() => driver.rowsInFlight("no")).toThrow('rowsInFlight(...): "no" is not the id of a asyncMap of both.')
})

test("rows that differ are told as they are written, and why some may be missing", async () => {
  const driver = await testDriver(revenue, { partitions: { trips: 2 } })
  await driver.push("trips", [trip(1, "JFK", 5), trip(13, "JFK", 5), trip(2, "JFK", 666)])
  driver.expect("tens", [])
  const window = { windowStart: at(0), windowEnd: at(10) }
  const failure = (act: () => void): { message: string; actual: string; expected: string } => {
    try {
      act()
    } catch (error) {
      return error as never
    }
    throw new Error("it has not thrown")
  }
  const missing = failure(() => driver.expect("tens", [{ zone: "JFK", ...window, trips: 1, revenue: 5 }]))
  expect(missing.message).toBe(`\
The rows of tens are not those expected (- is missing, + has come).
- {"zone":"JFK","windowStart":"1970-01-01T00:00:00Z","windowEnd":"1970-01-01T00:00:10Z","trips":1,"revenue":5}
2 windows are open. There is no watermark yet: it waits for partition 1 of trips.
1 record or row is a dead letter.`)
  expect([missing.actual, missing.expected]).toEqual(["", missing.message.split("\n")[1]!.slice(2)])
  await driver.endInput("trips", { partition: 1 })
  const other = failure(() => driver.expect("tens", [{ zone: "JFK", ...window, trips: 1, revenue: 6 }]))
  expect(other.message.split("\n").slice(2)).toEqual([
    '+ {"zone":"JFK","windowStart":"1970-01-01T00:00:00Z","windowEnd":"1970-01-01T00:00:10Z","trips":1,"revenue":5}',
    "    revenue is 5, not 6",
  ])
})

test("what a job fails of is thrown by the call that led to it, until it is mended", async () => {
  const strict = job({
    name: "strict",
    inputs: { trips: Trip },
    onError: "stop",
    flow: ({ trips }) => ({
      all: trips.filter(({ fare }) => {
        if (fare < 0) throw new Error("negative")
        return true
      }),
    }),
  })
  const driver = await testDriver(strict)
  await driver.push("trips", [trip(1, "JFK", 5)])
  await expect(driver.push("trips", [trip(1, "JFK", -5)])).rejects.toMatchObject({ code: "lambda-failed" })
  expect([driver.isRunning, driver.status().state, driver.outputs.all.length]).toEqual([false, "failed", 1])
  await expect(driver.restore()).rejects.toMatchObject({ code: "lambda-failed" })
})

test.each([NaN, Infinity, 1.5, "2024-05-01T12:00:00Z", undefined])("a watermark of %o is refused", async (time) => {
  const driver = await testDriver(revenue)
  await driver.push("trips", [trip(1, "JFK", 5)])
  const { watermarkMicros } = driver.status()
  await expect(driver.advanceWatermark("trips", time as never)).rejects.toMatchObject({ code: "invalid-options" })
  const message = "The rows of the input trips are an object."
  await expect(driver.push("trips", trip(2, "JFK", 5) as never)).rejects.toMatchObject({ message })
  expect(driver.status().watermarkMicros).toBe(watermarkMicros)
})

test("TD2 comes to what the rows make without any crash, over many seeds", async () => {
  for (let seed = 1; seed <= 40; seed++) {
    const prng = new Prng(seed)
    const rows = Array.from({ length: 30 }, (_, index) =>
      trip(index * 2 - prng.below(5), prng.pick(["JFK", "LGA"]), prng.chance(0.05) ? 666 : prng.below(9)),
    )
    const driver = await testDriver(revenue, { commits: prng.pick(["by-hand", "each-push"]) })
    for (let from = 0; from < rows.length;) {
      const length = 1 + prng.below(6)
      await driver.push("trips", rows.slice(from, (from += length)))
      if (driver.isRunning && prng.chance(0.3)) await driver.commit()
      if (driver.isRunning && prng.chance(0.3)) await driver.crash()
      else if (driver.isRunning && prng.chance(0.1)) await driver.restart({ batchRows: 1 + prng.below(4) })
      if (!driver.isRunning && prng.chance(0.7)) await driver.restore({ batchRows: 1 + prng.below(9) })
    }
    if (!driver.isRunning) await driver.restore()
    await driver.drain()
    const { failedRows, ...outputs } = await runOnRows(revenue, { inputs: { trips: rows } })
    expect({ ...driver.outputs }, `seed ${seed}`).toEqual(outputs)
    expect(driver.deadLetters, `seed ${seed}`).toHaveLength(failedRows.length)
  }
})

test.each<[what: string, act: () => Promise<unknown>, code: string, message: string]>([
  [
    "an unknown option",
    () => testDriver(revenue, { batchrows: 1 } as never),
    "invalid-options",
    'testDriver(...) has no option "batchrows".',
  ],
  [
    "a way to commit that is none",
    () => testDriver(revenue, { commits: "never" } as never),
    "invalid-options",
    'testDriver(...): commits is "never".',
  ],
  [
    "a bad start",
    () => testDriver(revenue, { startAt: "2024" } as never),
    "invalid-options",
    'testDriver(...): startAt is "2024".',
  ],
  [
    "a number of partitions",
    () => testDriver(revenue, { partitions: { trips: 0 } }),
    "invalid-options",
    "testDriver(...): partitions.trips is 0.",
  ],
  [
    "partitions of no input",
    () => testDriver(revenue, { partitions: { trip: 1 } } as never),
    "unbound-input",
    'The job revenue has no input "trip".',
  ],
  [
    "a parameter",
    () => testDriver(revenue, { params: { most: 1 } } as never),
    "invalid-params",
    'The job revenue has no parameter "most".',
  ],
  [
    "an unknown input",
    async () => (await testDriver(revenue)).push("trip" as never, [] as never),
    "unbound-input",
    'The job revenue has no input "trip".',
  ],
  [
    "a row that does not fit",
    async () => (await testDriver(revenue)).push("trips", [{ zone: 1 }] as never),
    "invalid-options",
    'Row [0] of the input trips: the field "at" is',
  ],
  [
    "a partition that there is not",
    async () => (await testDriver(revenue)).push("trips", [], { partition: 1 }),
    "invalid-options",
    "push(...): the input trips has no partition 1, but 1, from 0 on.",
  ],
  [
    "a duration",
    async () => (await testDriver(revenue)).advanceTime("soon" as never),
    "invalid-duration",
    'advanceTime(...) is "soon"',
  ],
  [
    "a restore of what runs",
    async () => (await testDriver(revenue)).restore(),
    "invalid-options",
    "restore(...) is called while the job runs.",
  ],
  [
    "a crash of what does not run",
    async () => {
      const driver = await testDriver(revenue)
      await driver.stop()
      await driver.crash()
    },
    "invalid-options",
    "crash() is called while the job does not run.",
  ],
])("%s is refused", async (_, act, code, message) => {
  await expect(act()).rejects.toMatchObject({ code, message: expect.stringContaining(message) as string })
})
