/** Partitioned outputs: the conformance suite of sinks with one directory and with several, markers, names, refusals. */
import { beforeAll, describe, expect, test } from "vitest"
import { crc32c } from "../../base/crc32c.ts"
import { Arena } from "../../batch/arena.ts"
import { batchOfRows } from "../../batch/batch.ts"
import { schema, type Schema } from "../../batch/schema.ts"
import { t } from "../../batch/types.ts"
import { describeSinkConformance } from "../../connect/sink.conformance.ts"
import type { ConformanceRow, SinkConformanceDriver } from "../../connect/sink-trial.conformance.ts"
import type { Sink, SinkBinding, SinkRecovery, StageProgress } from "../../connect/sink.ts"
import { runProcess } from "../../connect/world.conformance.ts"
import type { Env } from "../../env/env.ts"
import { SimWorld } from "../../sim/sim-env.ts"
import { csv, jsonl } from "./file-connector.ts"
import { BASE_DIRECTORY, fileText, installText, parseJsonLines, withBaseDirectory } from "./file-world.conformance.ts"
import { partitionedCode } from "./on-demand.ts"

// A simulated world has no time for modules to be loaded.
beforeAll(async () => void (await partitionedCode.get()))

const arena = new Arena({ maxBytes: 1 << 22 })
const BUCKETED = schema({ id: t.int32, text: t.string, bucket: t.int32 })

/** A binding whose rows have a bucket more, by which it is partitioned. */
function bucketed(binding: SinkBinding, bucketOf: (id: number) => number): SinkBinding {
  return {
    ...binding,
    describe: () => binding.describe(),
    guarantee: binding.guarantee,
    async openSink(context, recovery) {
      const sink = await binding.openSink({ ...context, schema: BUCKETED }, recovery)
      const write: Sink["write"] = (batch) => {
        const rows = batch.toRows().map((row) => ({ ...row, bucket: bucketOf(row["id"] as number) }))
        const made = batchOfRows(context.arena, BUCKETED, rows)
        sink.write(made.batch)
        made.release()
      }
      return new Proxy(sink, {
        get(target, name) {
          if (name === "write") return write
          const value: unknown = Reflect.get(target, name)
          return typeof value === "function" ? (value as () => unknown).bind(target) : value
        },
      })
    },
  }
}

/** Directories below one, and itself. */
function below(world: SimWorld, path: string): string[] {
  const names = world.image.find(path)?.kind === "directory" ? world.image.list(path) : []
  return [path, ...names.flatMap((name) => (name.includes("=") ? below(world, `${path}/${name}`) : []))]
}

function partsBelow(world: SimWorld, path: string): string[] {
  return below(world, path).flatMap((directory) => {
    const names = world.image.find(directory)?.kind === "directory" ? world.image.list(directory) : []
    return names.filter((name) => name.startsWith("part-")).map((name) => `${directory}/${name}`)
  })
}

/** Parts are read again and again: what was parsed is found by content. */
const parsed = new Map<string, readonly ConformanceRow[]>()

function rowsOfPart(bytes: Uint8Array): readonly ConformanceRow[] {
  const key = `${bytes.length}:${crc32c(bytes)}`
  const rows = parsed.get(key) ?? parseJsonLines(Buffer.from(bytes)).map(({ id, text }) => ({ id, text }))
  parsed.set(key, rows)
  return rows
}

function rowsBelow(world: SimWorld, path: string): ConformanceRow[] {
  return partsBelow(world, path)
    .flatMap((part) => rowsOfPart(world.image.readFile(part)!))
    .sort((one, other) => one.id - other.id)
}

/** While an epoch is applied, some directories have its rows and others do not yet: what is there without a gap is looked at. */
function withoutGap(rows: readonly ConformanceRow[]): ConformanceRow[] {
  const gap = rows.findIndex(({ id }, at) => id > (rows[at - 1]?.id ?? id - 1) + 1)
  return rows.slice(0, gap === -1 ? rows.length : gap)
}

function driver(bucketOf: (id: number) => number): SinkConformanceDriver<SimWorld> {
  const target = `${BASE_DIRECTORY}/out/results`
  return {
    createWorld: (seed) => withBaseDirectory(new SimWorld({ seed })),
    baseDirectory: BASE_DIRECTORY,
    binding: bucketed(jsonl("out/results", { rollBytes: 1_000, partitionBy: "bucket" }), bucketOf),
    published: (world) => withoutGap(rowsBelow(world, target)),
    takeAway(world) {
      for (const part of partsBelow(world, target)) world.image.remove(part)
    },
    setAside(world) {
      const names = world.image.list(`${BASE_DIRECTORY}/out`).filter((name) => name.startsWith("results.superseded-"))
      return names.flatMap((name) => rowsBelow(world, `${BASE_DIRECTORY}/out/${name}`)).sort((a, b) => a.id - b.id)
    },
  }
}

describeSinkConformance(
  "jsonl, all in one partition,",
  driver(() => 1),
  13,
)
describeSinkConformance(
  "jsonl in three partitions",
  driver((id) => id % 3),
  29,
)

const HOUR = 3_600_000_000
const DAY = 24 * HOUR
const START = Date.UTC(2026, 10, 27) * 1000
const TARGET = `${BASE_DIRECTORY}/out`
const TIMED = schema({ at: t.timestamp(), country: t.string.nullable(), n: t.int32 })
const FRESH: SinkRecovery = { checkpoint: undefined, staged: [], reset: false, fresh: true }
const daily = jsonl("out", { partitionBy: { column: "at", by: "day", as: "dt" } })

type TimedRow = readonly [at: number, country: string | null]

function open(binding: SinkBinding, env: Env, recovery = FRESH, of: Schema = TIMED): Promise<Sink> {
  return binding.openSink(
    { env, arena, schema: of, job: "trial", output: "results", baseDirectory: BASE_DIRECTORY },
    recovery,
  )
}

async function epoch(sink: Sink, rows: readonly TimedRow[], progress?: Partial<StageProgress>, final = false) {
  const { batch, release } = batchOfRows(
    arena,
    TIMED,
    rows.map(([at, country], n) => ({ at, country, n })),
  )
  if (rows.length > 0) sink.write(batch)
  release()
  const staged = await sink.stage(final, { watermarkMicros: -Infinity, isFinished: false, ...progress })
  await sink.apply(staged)
  return staged.slice()
}

async function inProcess<T>(world: SimWorld, program: (env: Env) => Promise<T>): Promise<T> {
  return (await runProcess(world, program))!.value
}

const emptyWorld = () => withBaseDirectory(new SimWorld({ seed: 1 }))

/** All that readers may see, by path. */
function seen(world: SimWorld): string[] {
  return below(world, TARGET)
    .flatMap((directory) => world.image.list(directory).map((name) => `${directory}/${name}`))
    .filter((path) => world.image.find(path)?.kind === "file" && !path.includes("/."))
    .map((path) => path.slice(TARGET.length + 1))
    .sort()
}

describe("markers", () => {
  test("K12 a directory is marked with the epoch whose watermark has come to the end of its period, behind its last part", async () => {
    const world = emptyWorld()
    await inProcess(world, async (env) => {
      const sink = await open(daily, env)
      await epoch(sink, [[START + HOUR, "DE"]], { watermarkMicros: START + HOUR })
      await epoch(sink, [[START + DAY, "DE"]], { watermarkMicros: START + DAY - 1 })
      expect(seen(world)).toEqual([])
      await epoch(sink, [], { watermarkMicros: START + DAY })
      expect(seen(world)).toEqual([
        "dt=2026-11-27/_SUCCESS",
        "dt=2026-11-27/part-00000.jsonl",
        "dt=2026-11-28/part-00001.jsonl",
      ])
      await epoch(sink, [[START + DAY + 1, "DE"]], { watermarkMicros: START + 2 * DAY })
      expect(seen(world)).toContain("dt=2026-11-28/_SUCCESS")
      expect(seen(world)).toContain("dt=2026-11-28/part-00002.jsonl")
      await sink.close()
    })
  })

  test("K12 the end of the input marks all, the end of a run does not", async () => {
    for (const isFinished of [false, true]) {
      const world = emptyWorld()
      await inProcess(world, async (env) => {
        const sink = await open(daily, env)
        await epoch(sink, [[START, "DE"]], { isFinished }, true)
        await sink.close()
      })
      const marker = isFinished ? ["dt=2026-11-27/_SUCCESS"] : []
      expect(seen(world)).toEqual([...marker, "dt=2026-11-27/part-00000.jsonl"])
    }
  })

  test("K12 successAfter lets a directory wait longer", async () => {
    const world = emptyWorld()
    const binding = jsonl("out", { partitionBy: { column: "at", by: "day" }, successAfter: "2h" })
    await inProcess(world, async (env) => {
      const sink = await open(binding, env)
      await epoch(sink, [[START, "DE"]], { watermarkMicros: START + DAY + 2 * HOUR - 1 })
      expect(seen(world)).toEqual([])
      await epoch(sink, [], { watermarkMicros: START + DAY + 2 * HOUR })
      expect(seen(world)).toContain("at=2026-11-27/_SUCCESS")
      await sink.close()
    })
  })

  test("K12 rows that come late are added when parts are published, and the marker stays", async () => {
    const world = emptyWorld()
    await inProcess(world, async (env) => {
      const sink = await open(daily, env)
      const watermarkMicros = START + DAY
      await epoch(sink, [[START, "DE"]], { watermarkMicros })
      for (let late = 0; late < 3; late++) await epoch(sink, [[START, "FR"]], { watermarkMicros })
      expect(seen(world)).toEqual(["dt=2026-11-27/_SUCCESS", "dt=2026-11-27/part-00000.jsonl"])
      await epoch(sink, [], { watermarkMicros }, true)
      await sink.close()
    })
    expect(fileText(world, `${TARGET}/dt=2026-11-27/part-00001.jsonl`)!.split("\n")).toHaveLength(4)
  })

  test("K12 a marker that was committed is made by who recovers, from a checkpoint or from records", async () => {
    for (const withCheckpoint of [false, true]) {
      const world = emptyWorld()
      await inProcess(world, async (env) => {
        const sink = await open(daily, env)
        const staged = [await epoch(sink, [[START, "DE"]])]
        const checkpoint = withCheckpoint ? (await sink.checkpoint()).slice() : undefined
        if (withCheckpoint) staged.length = 0
        // The process dies before it applies what was committed.
        staged.push((await sink.stage(false, { watermarkMicros: START + DAY, isFinished: false })).slice())
        expect(seen(world)).toEqual([])
        await sink.close()
        const again = await open(daily, env, { checkpoint, staged, reset: false, fresh: false })
        expect(seen(world)).toEqual(["dt=2026-11-27/_SUCCESS", "dt=2026-11-27/part-00000.jsonl"])
        await again.close()
      })
    }
  })

  test("K2 K12 a marker that was made survives a loss of power, whatever the disk had not written yet", async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const world = withBaseDirectory(new SimWorld({ seed }))
      await inProcess(world, async (env) => {
        const sink = await open(daily, env)
        await epoch(sink, [[START, "DE"]], { watermarkMicros: START + DAY })
        await sink.close()
      })
      world.boot()
      world.crash()
      expect(seen(world)).toEqual(["dt=2026-11-27/_SUCCESS", "dt=2026-11-27/part-00000.jsonl"])
    }
  })

  test("K12 directories without a marker are remembered over a restart", async () => {
    const world = emptyWorld()
    await inProcess(world, async (env) => {
      const sink = await open(daily, env)
      await epoch(sink, [[START, "DE"]], {}, true)
      const checkpoint = (await sink.checkpoint()).slice()
      await sink.close()
      const again = await open(daily, env, { checkpoint, staged: [], reset: false, fresh: false })
      await epoch(again, [], { watermarkMicros: START + DAY })
      expect(seen(world)).toEqual(["dt=2026-11-27/_SUCCESS", "dt=2026-11-27/part-00000.jsonl"])
      await again.close()
    })
  })
})

describe("directories", () => {
  test("are named by values and periods, level by level, whatever the values are", async () => {
    const world = emptyWorld()
    const hostile = ["../../etc", "a=b/c", "", "%", "größe", "CON:\u0000", ".", "x".repeat(500), "x".repeat(501)]
    const binding = csv("out", { partitionBy: ["country", { column: "at", by: "hour" }] })
    await inProcess(world, async (env) => {
      const sink = await open(binding, env)
      await epoch(
        sink,
        [...hostile, null].map((country): TimedRow => [START + 13 * HOUR + 1, country]),
        {},
        true,
      )
      await sink.close()
    })
    const names = seen(world).map((path) => path.replace(/\/part-\d{5}\.csv$/, ""))
    const hour = "at=2026-11-27-13"
    expect(names).toContain(`country=..%2F..%2Fetc/${hour}`)
    expect(names).toContain(`country=a%3Db%2Fc/${hour}`)
    expect(names).toContain(`country=%25/${hour}`)
    expect(names).toContain(`country=gr%C3%B6%C3%9Fe/${hour}`)
    expect(names).toContain(`country=CON%3A%00/${hour}`)
    // Null and the empty text share one, and texts that are too long have one each.
    expect(names.filter((name) => name.startsWith("country=__HIVE_DEFAULT_PARTITION__/"))).toHaveLength(1)
    expect(names.filter((name) => /^country=x+~[0-9a-f]{8}\//.test(name))).toHaveLength(2)
    expect(names).toHaveLength(9)
    expect(world.image.list(BASE_DIRECTORY)).toEqual(["out"])
  })

  test("periods end where they should, before 1970 and at the ends of months and years", async () => {
    const moments: readonly (readonly [string, "year" | "month" | "day" | "hour", string, string])[] = [
      ["1969-12-31T23:59:59.999Z", "hour", "1969-12-31-23", "1970-01-01T00:00:00Z"],
      ["1969-12-31T23:59:59.999Z", "day", "1969-12-31", "1970-01-01T00:00:00Z"],
      ["2024-02-29T12:00:00Z", "month", "2024-02", "2024-03-01T00:00:00Z"],
      ["2026-12-31T23:00:00Z", "month", "2026-12", "2027-01-01T00:00:00Z"],
      ["2026-12-31T23:00:00Z", "year", "2026", "2027-01-01T00:00:00Z"],
    ]
    for (const [at, by, name, end] of moments) {
      const world = emptyWorld()
      const [micros, endMicros] = [Date.parse(at) * 1000, Date.parse(end) * 1000]
      await inProcess(world, async (env) => {
        const sink = await open(jsonl("out", { partitionBy: { column: "at", by } }), env)
        await epoch(sink, [[micros, "DE"]], { watermarkMicros: endMicros - 1 })
        expect(seen(world)).toEqual([])
        await epoch(sink, [], { watermarkMicros: endMicros })
        expect(seen(world)).toEqual([`at=${name}/_SUCCESS`, `at=${name}/part-00000.jsonl`])
        await sink.close()
      })
    }
  })

  test("K11 parts of all directories are published together, by size, by age, and where there are many", async () => {
    const world = emptyWorld()
    const binding = jsonl("out", { partitionBy: "country", rollBytes: 300, rollAfter: "1m" })
    await inProcess(world, async (env) => {
      const sink = await open(binding, env)
      await epoch(sink, [
        [START, "DE"],
        [START, "FR"],
      ])
      expect(seen(world)).toEqual([])
      await env.timers.sleep(30_000_000)
      const untilDue = sink.untilDue!(env.clock.wallMicros())
      expect(untilDue).toBeGreaterThan(29_000_000)
      expect(untilDue).toBeLessThanOrEqual(30_000_000)
      await env.timers.sleep(30_000_000)
      await epoch(sink, [])
      expect(seen(world)).toEqual(["country=DE/part-00000.jsonl", "country=FR/part-00001.jsonl"])
      await epoch(
        sink,
        Array.from({ length: 10 }, () => [START, "DE"] as const),
      )
      expect(seen(world)).toHaveLength(3)
      await epoch(
        sink,
        Array.from({ length: 129 }, (_, at) => [START, `${at}`] as const),
      )
      expect(seen(world)).toHaveLength(132)
      await sink.close()
    })
  })

  test("K13 an epoch of too many directories is refused", async () => {
    const world = emptyWorld()
    await inProcess(world, async (env) => {
      const sink = await open(jsonl("out", { partitionBy: "country" }), env)
      const rows = Array.from({ length: 2001 }, (_, at) => [START, `${at}`] as const)
      await expect(epoch(sink, rows)).rejects.toMatchObject({ code: "sink-failed" })
      await sink.close()
    })
  })
})

describe("refusals", () => {
  const options: readonly (readonly [unknown, RegExp])[] = [
    [[], /names no column/],
    [["a", "a"], /two levels named "a"/],
    [{ column: 3 }, /names the column 3/],
    [{ column: "at", by: "week" }, /by is "week"/],
    [{ column: "at", as: "a/b" }, /as is "a\/b"/],
    [{ column: "at", per: "day" }, /per/],
  ]
  test.each(options)("partitionBy: %j", (partitionBy, says) => {
    expect(() => jsonl("out", { partitionBy: partitionBy as string })).toThrow(says)
  })

  test("successAfter without partitionBy", () => {
    expect(() => jsonl("out", { successAfter: "1h" })).toThrow(/successAfter is given without partitionBy/)
  })

  const columns: readonly (readonly [Parameters<typeof jsonl>[1], RegExp])[] = [
    [{ partitionBy: "nothing" }, /no such column/],
    [{ partitionBy: "at" }, /point in time/],
    [{ partitionBy: { column: "country", by: "day" } }, /has no day/],
    [{ partitionBy: "price" }, /of the type float64/],
    [{ partitionBy: { column: "date", by: "hour" } }, /no hours/],
  ]
  test.each(columns)("of columns: %j", async (given, says) => {
    const of = schema({ at: t.timestamp(), country: t.string, price: t.float64, date: t.date })
    const opening = inProcess(emptyWorld(), (env) => open(jsonl("out", given), env, FRESH, of))
    await expect(opening).rejects.toMatchObject({ code: "invalid-options" })
    await expect(opening).rejects.toThrow(says)
  })

  test("of an output that was not partitioned before, or is not any more", async () => {
    const world = emptyWorld()
    await inProcess(world, async (env) => {
      const plain = await open(jsonl("out"), env)
      const staged = [await epoch(plain, [[START, "DE"]])]
      await plain.close()
      const before = { checkpoint: undefined, reset: false, fresh: false }
      await expect(open(daily, env, { ...before, staged })).rejects.toThrow(/was not partitioned/)
      const sink = await open(jsonl("other", { partitionBy: "country" }), env)
      const parted = [await epoch(sink, [[START, "DE"]])]
      await sink.close()
      await expect(open(jsonl("other"), env, { ...before, staged: parted })).rejects.toThrow(/was partitioned/)
    })
  })

  test("K7 of a part that another job has published in one of the directories", async () => {
    const world = emptyWorld()
    installText(world, `${TARGET}/dt=2026-11-27/part-00004.jsonl`, "{}\n")
    await expect(inProcess(world, (env) => open(daily, env))).rejects.toMatchObject({ code: "sink-occupied" })
  })
})

test("explain says by what an output is partitioned", () => {
  expect(jsonl("out", { partitionBy: ["country", { column: "at", by: "day" }] }).describe()).toBe(
    'jsonl("out", { partitionBy: ["country",{ column: "at", by: "day" }] })',
  )
  expect(jsonl("out", { partitionBy: "country", successAfter: "1h", rollAfter: "5m" }).describe()).toBe(
    'jsonl("out", { partitionBy: "country", rollAfter: "5m", successAfter: "1h" })',
  )
})
