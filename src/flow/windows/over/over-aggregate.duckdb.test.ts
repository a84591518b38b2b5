/**
 * Aggregates over a range against DuckDB's `OVER (… RANGE BETWEEN … PRECEDING AND CURRENT ROW)`: an engine that shares no line
 * with this one. Records come out of order, as far as none is late; floats are multiples of 1/8, so that sums are exact.
 */
import { DuckDBInstance, type DuckDBConnection } from "@duckdb/node-api"
import { afterAll, beforeAll, expect, it } from "vitest"
import { Prng } from "../../../base/prng.ts"
import { t } from "../../../batch/types.ts"
import { partitionEvent, PlanFixture, rows, runPlan } from "../../plan-fixture.reference.ts"
import type { Row } from "../window-aggregate.reference.ts"

const COLUMNS = {
  at: t.timestamp(),
  id: t.int53,
  key: t.string.nullable(),
  n: t.int53.nullable(),
  x: t.float64.nullable(),
}

let connection: DuckDBConnection

beforeAll(async () => {
  connection = await (await DuckDBInstance.create(":memory:")).connect()
})

afterAll(() => connection.closeSync())

function randomRecords(prng: Prng, step: number, disorder: number): Row[] {
  let time = -100 * step
  return Array.from({ length: 200 }, (_, id) => {
    time += prng.below(step)
    return {
      at: time - prng.below(disorder),
      id,
      key: prng.pick(["a", "b", null]),
      n: prng.chance(0.2) ? null : prng.below(2_000_001) - 1_000_000,
      x: prng.chance(0.2) ? null : (prng.below(8001) - 4000) / 8,
    }
  })
}

function ours(rangeMicros: number, outOfOrder: number, records: readonly Row[]): Row[] {
  const fixture = new PlanFixture()
  const timed = fixture.eventTime(fixture.source(COLUMNS), outOfOrder)
  const aggregates = {
    records: ["count"],
    sum_n: ["sum", "n"],
    sum_x: ["sum", "x"],
    min_n: ["min", "n"],
    max_x: ["max", "x"],
    mean_n: ["mean", "n"],
  } as const
  fixture.output("results", fixture.over(timed, rangeMicros, ["key"], aggregates))
  const run = runPlan(fixture.plan, [partitionEvent("open", 0), rows(0, ...records), { kind: "drain" }])
  return run.outputs.get("results")!.map(({ id, records: count, sum_n, sum_x, min_n, max_x, mean_n }) => {
    return { id, records: count, sum_n, sum_x, min_n, max_x, mean_n }
  })
}

async function theirs(rangeMicros: number, records: readonly Row[]): Promise<Row[]> {
  await connection.run("CREATE OR REPLACE TABLE r (moment BIGINT, id INTEGER, key VARCHAR, n BIGINT, x DOUBLE)")
  const texts = records.map(({ at, id, key, n, x }) => {
    return `(${String(at)}, ${String(id)}, ${key === null ? "NULL" : `'${key as string}'`}, ${String(n)}, ${String(x)})`
  })
  await connection.run(`INSERT INTO r VALUES ${texts.join(", ").replaceAll("null", "NULL")}`)
  const result = await connection.runAndReadAll(`
    SELECT id, count(*) OVER w AS records, CAST(sum(n) OVER w AS DOUBLE) AS sum_n, sum(x) OVER w AS sum_x,
      CAST(min(n) OVER w AS DOUBLE) AS min_n, max(x) OVER w AS max_x, avg(n) OVER w AS mean_n
    FROM r WINDOW w AS (PARTITION BY key ORDER BY moment RANGE BETWEEN ${rangeMicros} PRECEDING AND CURRENT ROW)
    ORDER BY moment, id`)
  return result.getRowObjects().map((row) => ({ ...row, records: Number(row["records"]) }))
}

it.each([0, 1, 7, 100, 5_000])("W80 a range of %d µs gives what DuckDB gives", async (rangeMicros) => {
  for (let seed = 0; seed < 5; seed++) {
    const prng = new Prng(rangeMicros * 10 + seed)
    const [step, disorder] = [prng.pick([2, 10, 100]), prng.pick([1, 5, 200])]
    const records = randomRecords(prng, step, disorder)
    const own = ours(rangeMicros, disorder, records)
    expect(own).toHaveLength(records.length)
    expect(own).toEqual(await theirs(rangeMicros, records))
  }
})
