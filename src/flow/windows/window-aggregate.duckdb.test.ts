/**
 * Windows against DuckDB's SQL: an engine that shares no line with this one. Records are in order, so that none is late;
 * floats are multiples of 1/8, so that sums are exact in any order.
 */
import { DuckDBInstance, type DuckDBConnection } from "@duckdb/node-api"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { Prng } from "../../base/prng.ts"
import { t } from "../../batch/types.ts"
import type { SlicedWindowSpec } from "../plan.ts"
import { hopping, MINUTE, partitionEvent, PlanFixture, rows, runPlan, tumbling } from "../plan-fixture.reference.ts"
import type { Row } from "./window-aggregate.reference.ts"

const COLUMNS = {
  at: t.timestamp(),
  key: t.string.nullable(),
  lane: t.int32,
  n: t.int53.nullable(),
  big: t.int64,
  x: t.float64.nullable(),
}
const HOUR = 60 * MINUTE
const START = 1_717_200_000_000_000

let connection: DuckDBConnection

beforeAll(async () => {
  connection = await (await DuckDBInstance.create(":memory:")).connect()
})

afterAll(() => connection.closeSync())

function randomRecords(prng: Prng, start: number, step: number): Row[] {
  let at = start
  return Array.from({ length: 150 }, () => {
    at += 1 + prng.below(step)
    return {
      at,
      key: prng.pick(["a", "b", "c", "", null]),
      lane: prng.below(3) - 1,
      n: prng.chance(0.2) ? null : prng.below(2_000_001) - 1_000_000,
      big: BigInt(prng.below(1000)) * 2n ** 44n - 2n ** 53n,
      x: prng.chance(0.2) ? null : (prng.below(8001) - 4000) / 8,
    }
  })
}

function ours(window: SlicedWindowSpec, keys: readonly string[], records: readonly Row[]): Row[] {
  const fixture = new PlanFixture()
  const timed = fixture.eventTime(fixture.source(COLUMNS))
  const windowed = fixture.window(timed, window, keys, {
    records: ["count"],
    sum_n: ["sum", "n"],
    sum_big: ["sum", "big"],
    sum_x: ["sum", "x"],
    min_n: ["min", "n"],
    max_x: ["max", "x"],
    mean_n: ["mean", "n"],
    mean_x: ["mean", "x"],
    first_n: ["first", "n"],
    last_key: ["last", "key"],
  })
  fixture.output("results", windowed)
  fixture.output("late", [windowed, "late"])
  const run = runPlan(fixture.plan, [partitionEvent("open", 0), rows(0, ...records), { kind: "drain" }])
  expect(run.outputs.get("late")).toEqual([])
  return run.outputs.get("results")!
}

async function theirs(window: SlicedWindowSpec, keys: readonly string[], records: readonly Row[]): Promise<Row[]> {
  const literal = (value: unknown) => {
    if (typeof value === "string") return `'${value}'`
    return typeof value === "number" || typeof value === "bigint" ? value.toString() : "NULL"
  }
  const values = records.map(({ at, key, lane, n, big, x }) => {
    return `(make_timestamp(${String(at)}), ${[key, lane, n, big, x].map(literal).join(", ")})`
  })
  await connection.run(
    "CREATE OR REPLACE TABLE r (moment TIMESTAMP, key VARCHAR, lane INTEGER, n BIGINT, big BIGINT, x DOUBLE)",
  )
  await connection.run(`INSERT INTO r VALUES ${values.join(", ")}`)
  const groups = keys.map((key) => `${key}, `).join("")
  const result = await connection.runAndReadAll(`
    SELECT ${groups} epoch_us(s)::DOUBLE AS "windowStart", epoch_us(s)::DOUBLE + ${window.sizeMicros} AS "windowEnd",
      count(*)::DOUBLE AS records, sum(n)::DOUBLE AS sum_n, sum(big)::BIGINT AS sum_big, sum(x) AS sum_x,
      min(n)::DOUBLE AS min_n, max(x) AS max_x, avg(n) AS mean_n, avg(x) AS mean_x,
      arg_min(n, moment)::DOUBLE AS first_n, arg_max(key, moment) AS last_key
    FROM (${windowedSql(window)}) GROUP BY ${groups} s`)
  return result.getRowObjects()
}

/** Each record with the start `s` of each window that holds it. */
function windowedSql(window: SlicedWindowSpec): string {
  const { sizeMicros, offsetMicros } = window
  if (window.kind === "tumbling") {
    return `SELECT *, time_bucket(to_microseconds(${sizeMicros}), moment, make_timestamp(${offsetMicros})) AS s FROM r`
  }
  const { slideMicros } = window
  const starts = `
    SELECT make_timestamp(k::BIGINT * ${slideMicros} + ${offsetMicros}) AS s FROM generate_series(
      (SELECT (epoch_us(min(moment)) - ${sizeMicros}) // ${slideMicros} - 2 FROM r),
      (SELECT epoch_us(max(moment)) // ${slideMicros} + 2 FROM r)) AS series(k)`
  return `SELECT r.*, s FROM r JOIN (${starts}) ON moment >= s AND moment < s + to_microseconds(${sizeMicros})`
}

function sorted(results: readonly Row[]): Row[] {
  const textOf = ({ windowEnd, key, lane }: Row) => `${String(windowEnd)} ${typeof key} ${String(key)} ${String(lane)}`
  return [...results].sort((one, other) => (textOf(one) < textOf(other) ? -1 : 1))
}

const CASES: readonly (readonly [string, SlicedWindowSpec, readonly string[]])[] = [
  ["tumbling 1m", tumbling(MINUTE), ["key"]],
  ["tumbling 1m by lane", tumbling(MINUTE), ["lane"]],
  ["tumbling 1m by key and lane", tumbling(MINUTE), ["key", "lane"]],
  ["tumbling 1h", tumbling(HOUR), ["key"]],
  ["tumbling 7m offset 3m", tumbling(7 * MINUTE, 3 * MINUTE), ["lane"]],
  ["tumbling 7m offset -3m", tumbling(7 * MINUTE, -3 * MINUTE), ["lane"]],
  ["tumbling 1d", tumbling(24 * HOUR), ["lane", "key"]],
  ["tumbling 1,000,003 µs", tumbling(1_000_003), ["key"]],
  ["hopping 10m every 1m", hopping(10 * MINUTE, MINUTE), ["key"]],
  ["hopping 10m every 5m by key and lane", hopping(10 * MINUTE, 5 * MINUTE), ["key", "lane"]],
  ["hopping 10m every 3m", hopping(10 * MINUTE, 3 * MINUTE), ["key"]],
  ["hopping 7m every 5m offset 1m", hopping(7 * MINUTE, 5 * MINUTE, MINUTE), ["lane"]],
  ["hopping 5m every 12m", hopping(5 * MINUTE, 12 * MINUTE), ["key"]],
  ["hopping 100 s every 7.000001 s", hopping(100_000_000, 7_000_001, 5), ["lane"]],
  ["hopping 1h every 1h", hopping(HOUR, HOUR, -MINUTE), ["key"]],
]

describe.each([
  ["in 2024", START],
  ["around 1970", -2 * HOUR],
])("%s windows give what DuckDB gives", (_, start) => {
  it.each(CASES)("%s", async (name, window, keys) => {
    const prng = new Prng(name.length + Math.abs(start))
    const records = randomRecords(prng, start, prng.pick([MINUTE / 4, MINUTE, 5 * MINUTE]))
    const [own, reference] = [ours(window, keys, records), await theirs(window, keys, records)]
    expect(own.length).toBeGreaterThan(1)
    expect(sorted(own)).toEqual(sorted(reference))
  })
})
