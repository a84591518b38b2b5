/** Windows that fire more than once as programs use them: their types, refusals, sinks, and jobs that go on. */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, expectTypeOf, test } from "vitest"
import { schema } from "../src/batch/schema.ts"
import { t } from "../src/batch/types.ts"
import { TidemarkError } from "../src/base/errors.ts"
import { jsonl } from "../src/connectors/files/file-connector.ts"
import { memory } from "../src/connectors/memory/memory.ts"
import { run } from "../src/embedded/run.ts"
import { explain, formatExplain } from "../src/observe/explain.ts"
import { count, sum } from "../src/stream/aggregates.ts"
import { job, type OutputRows } from "../src/stream/job.ts"
import { onClock, onCount, onEventTime, onPunctuation } from "../src/stream/triggers.ts"
import { countWindow, cumulate, globalWindow, session, tumbling } from "../src/stream/windows.ts"
import { runOnRows } from "../src/testing/run-on-rows.ts"
import type { Timestamp } from "../src/time/timestamp.ts"

const Click = schema({ at: t.timestamp({ format: "us" }), page: t.string, cents: t.int53, isLast: t.bool })
const click = (at: number, page = "/", cents = 1, isLast = false) => ({ at: at as Timestamp, page, cents, isLast })

const totals = job({
  name: "totals",
  params: schema({ least: t.int53.default(100) }),
  inputs: { clicks: Click },
  flow: ({ clicks }) => {
    const timed = clicks.eventTime("at", { outOfOrder: "0s" }).keyBy("page")
    const perSecond = timed
      .window(tumbling("1s"), {
        early: onPunctuation((row, params) => row.cents >= params.least),
        allowedLateness: "5s",
      })
      .aggregate({ clicks: count(), cents: sum("cents") }, { id: "per-second" })
    const orders = timed
      .window(globalWindow(), { early: [onPunctuation((row) => row.isLast), onCount(100)], purging: true })
      .aggregate({ clicks: count() }, { id: "orders" })
    return {
      perSecond,
      late: perSecond.late,
      changes: perSecond.changes().filter((row) => row.op !== "insert"),
      orders,
    }
  },
})

describe("in the test kit", () => {
  test("W70 W71 W72 early and late results are updates", async () => {
    const clicks = [click(1), click(2, "/", 200), click(1_500_000), click(3), click(9_000_000), click(4)]
    const { perSecond, late, changes } = await runOnRows(totals, { inputs: { clicks } })
    expectTypeOf(perSecond[0]!.op).toEqualTypeOf<"insert" | "update" | "delete">()
    expect(perSecond.map(({ op, windowStart, clicks, cents }) => `${op} ${windowStart} ${clicks} ${cents}`)).toEqual([
      "insert 0 2 201",
      "update 0 3 202",
      "insert 1000000 1 1",
      "insert 9000000 1 1",
    ])
    expect(changes.map(({ clicks }) => clicks)).toEqual([3])
    expect(late).toEqual([click(4)])
  })

  test("W74 W75 a window without an end that a record ends", async () => {
    const clicks = [click(1), click(2), click(3, "/", 1, true), click(4), click(5, "/b", 1, true)]
    const { orders } = await runOnRows(totals, { inputs: { clicks } })
    expect(
      orders.map(({ page, windowStart, windowEnd, clicks }) => `${page} ${windowStart}–${windowEnd} ${clicks}`),
    ).toEqual(["/ 1–4 3", "/b 5–6 1", "/ 4–5 1"])
    expectTypeOf<keyof OutputRows<typeof totals>["orders"][number]>().toEqualTypeOf<
      "page" | "windowStart" | "windowEnd" | "clicks"
    >()
  })
})

test("explain says how windows fire", () => {
  const bound = totals.with({
    inputs: { clicks: memory() },
    outputs: { perSecond: memory(), late: memory(), changes: memory(), orders: memory() },
  })
  const text = formatExplain(explain(bound, { compile: { mode: "off", proof: undefined } }))
  expect(text).toContain(
    "tumbling 1s of at, by page; fires early where (row, params) => row.cents >= params.least, for 5s of late records, results update",
  )
  expect(text).toContain(
    "global, by page; fires early where (row) => row.isLast, every 100 records, each result of what is new",
  )
  expect(text).toContain("runs on plain values, and not in kernels: windows fire more than once")
})

describe("refusals", () => {
  const flowOf = (use: (clicks: never) => unknown) => () =>
    job({ name: "refused", inputs: { clicks: Click }, flow: ({ clicks }) => ({ out: use(clicks as never) as never }) })
  type Any = Record<string, (...given: unknown[]) => Any>
  const keyed = (clicks: unknown) => (clicks as Any)["eventTime"]!("at", { outOfOrder: "0s" })["keyBy"]!("page")
  const updates = (clicks: unknown) =>
    keyed(clicks)["window"]!(tumbling("1s"), { allowedLateness: "1s" })["aggregate"]!({ n: count() })

  test.each<[name: string, use: (clicks: never) => unknown, code: string, says: string]>([
    [
      "options of a count window",
      (clicks) => keyed(clicks)["window"]!(countWindow(2), { early: onCount(1) }),
      "invalid-plan",
      "countWindow(...) has windows that fire by themselves",
    ],
    [
      "options of cumulate",
      (clicks) => keyed(clicks)["window"]!(cumulate({ size: "1d", step: "1h" }), { purging: true }),
      "invalid-plan",
      "cumulate(...) has windows that fire by themselves",
    ],
    [
      "lateness without an end",
      (clicks) => keyed(clicks)["window"]!(globalWindow(), { allowedLateness: "1s" }),
      "invalid-plan",
      "nothing is late for globalWindow(), which has no end",
    ],
    [
      "what is no trigger",
      (clicks) => keyed(clicks)["window"]!(tumbling("1s"), { early: { kind: "count", count: 1 } }),
      "invalid-plan",
      "which is no trigger",
    ],
    [
      "two punctuations",
      (clicks) =>
        keyed(clicks)["window"]!(globalWindow(), { early: [onPunctuation(() => true), onPunctuation(() => true)] }),
      "invalid-plan",
      "there are two punctuations",
    ],
    [
      "a trigger by event time where there is none",
      (clicks) => (clicks as Any)["keyBy"]!()["window"]!(globalWindow(), { early: onEventTime({ every: "1s" }) }),
      "invalid-plan",
      "onEventTime(...) goes by event time, and the stream has none",
    ],
    [
      "an unknown option",
      (clicks) => keyed(clicks)["window"]!(tumbling("1s"), { lateness: "1s" }),
      "invalid-options",
      'has no option "lateness"',
    ],
    [
      "a lateness that is none",
      (clicks) => keyed(clicks)["window"]!(tumbling("1s"), { allowedLateness: "soon" }),
      "invalid-duration",
      'allowedLateness is "soon"',
    ],
    [
      "an operator behind updates",
      (clicks) => updates(clicks)["filter"]!(() => true),
      "invalid-plan",
      "this is a stream of updates, and .filter(...) takes rows that are only added",
    ],
    [
      "a key named op",
      (clicks) =>
        (clicks as Any)["derive"]!({ op: t.string }, () => ({ op: "" }))["keyBy"]!("op")["window"]!(globalWindow())[
          "aggregate"
        ]!({ n: count() }),
      "invalid-plan",
      'updates have a column "op" of their own, and one of the keys is named so',
    ],
    [
      "an aggregate named op",
      (clicks) => keyed(clicks)["window"]!(globalWindow())["aggregate"]!({ op: count() }),
      "invalid-plan",
      'results have a column "op" already',
    ],
  ])("%s", (_name, use, code, says) => {
    try {
      flowOf(use)()
      expect.fail("it was taken")
    } catch (error) {
      expect(error).toBeInstanceOf(TidemarkError)
      expect(error).toMatchObject({ code })
      expect((error as Error).message).toContain(says)
    }
  })

  test.each<[call: () => unknown, message: string]>([
    [() => onCount(0), "onCount(...) is given 0."],
    [() => onClock({ every: "0s" }), 'onClock(...) has the every "0s".'],
    [() => onEventTime(undefined as never), "onEventTime(...): every is not given."],
    [() => onPunctuation("last" as never), 'onPunctuation(...) is given "last".'],
  ])("%s", (call, message) => {
    expect(call).toThrow(message)
  })

  test("updates go to no sink that only appends", () => {
    const outputs = { late: memory(), changes: memory(), orders: memory() }
    const bind = (perSecond: unknown) =>
      totals.with({
        inputs: { clicks: memory() },
        outputs: { ...outputs, perSecond: perSecond as ReturnType<typeof memory> },
      })
    expect(() => bind(jsonl("out/a"))).toThrow(
      expect.objectContaining({
        message: expect.stringContaining('jsonl("out/a") takes no streams that update') as string,
        hint: expect.stringContaining("{ changelog: true }") as string,
      }),
    )
    expect(() => bind(jsonl("out/a", { changelog: false }))).toThrow("takes no streams that update")
    expect(() => jsonl("out/a", { changelog: "yes" as never })).toThrow('jsonl(...): changelog is "yes".')
    bind(jsonl("out/a", { changelog: true }))
  })
})

describe("jobs that go on", () => {
  let directory: string

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "tidemark-updates-"))
  })

  afterEach(async () => {
    await rm(directory, { recursive: true })
  })

  const visits = job({
    name: "visits",
    inputs: { clicks: Click },
    flow: ({ clicks }) => ({
      visits: clicks
        .eventTime("at", { outOfOrder: "0s" })
        .keyBy("page")
        .window(session({ gap: "1s" }), { allowedLateness: "1m" })
        .aggregate({ clicks: count() }, { id: "visits" }),
    }),
  })

  test("W71 W72 a later run withdraws what an earlier one has published, in a changelog of JSON lines", async () => {
    const S = 1_000_000
    const clicks = memory([click(0), click(1.5 * S)])
    const bound = visits.with({
      inputs: { clicks },
      outputs: { visits: jsonl("out", { changelog: true, rollBytes: 1 }) },
    })
    const start = async () => {
      const handle = await run(bound, { directory: join(directory, "state"), baseDirectory: directory })
      await handle.finished
    }
    await start()
    clicks.rows.push(click(0.8 * S), click(9 * S))
    await start()
    const parts = (await readdir(join(directory, "out"))).filter((name) => name.startsWith("part-")).sort()
    const lines = await Promise.all(parts.map(async (part) => readFile(join(directory, "out", part), "utf8")))
    const rows = lines
      .join("")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { op: string; windowStart: string; windowEnd: string; clicks: number })
    expect(rows.map(({ op, windowStart, clicks }) => `${op} ${windowStart} ${clicks}`)).toEqual([
      "insert 1970-01-01T00:00:00Z 1",
      "insert 1970-01-01T00:00:01.500Z 1",
      "delete 1970-01-01T00:00:00Z 1",
      "delete 1970-01-01T00:00:01.500Z 1",
      "insert 1970-01-01T00:00:00Z 3",
      "insert 1970-01-01T00:00:09Z 1",
    ])
    expect(Object.keys(rows[0]!)).toEqual(["op", "page", "windowStart", "windowEnd", "clicks"])
  })
})
