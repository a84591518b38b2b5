/** Outputs in PostgreSQL as real processes meet it: the job is killed, the server is killed, answers are lost, states are copied. */
import { cpSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest"
import { Prng } from "../src/base/prng.ts"
import { missingServer, startServer, type TestServer } from "../src/connectors/postgres/postgres-server.fixture.ts"
import type { RunOptions } from "../src/embedded/run-options.ts"
import { run } from "../src/embedded/run.ts"
import { job, memory, schema, t } from "../src/index.ts"
import { postgres } from "../src/postgres.ts"
import type { JobHandle } from "../src/runtime/run-job.ts"
import type { JobEvent } from "../src/trace/events.ts"
import { CommitCutter, type CommitFate } from "./commit-cutter.fixture.ts"
import { ShopJob } from "./postgres-job.fixture.ts"

vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 })
const SCALE = Number(process.env["TIDEMARK_FUZZ_SCALE"] ?? 1)

let server: TestServer
let directory = ""
let cases = 0
let place = ""
let cutter: CommitCutter | undefined
let shop: ShopJob | undefined
const handles: JobHandle[] = []

const numbers = job({
  name: "numbers",
  inputs: { numbers: schema({ n: t.int32 }) },
  flow: ({ numbers }) => ({ numbers }),
})

/** The job that copies numbers into a table, in this process. */
async function begin(rows: readonly { n: number }[], options: RunOptions & { readonly address?: string } = {}) {
  const { address = server.address, ...rest } = options
  const events: JobEvent[] = []
  const bound = numbers.with({
    inputs: { numbers: memory(rows) },
    outputs: { numbers: postgres({ connection: address, table: `${place}.numbers` }) },
    epoch: { min: "1ms", max: "5ms" },
  })
  const onEvent = (event: JobEvent) => void events.push(event)
  const handle = await run(bound, { directory: join(directory, "state"), onEvent, ...rest })
  handles.push(handle)
  return { handle, events }
}

const upTo = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => ({ n: from + index }))
const stored = async (): Promise<unknown[]> =>
  (await server.query(`SELECT n FROM ${place}.numbers ORDER BY n`)).map(({ n }) => n)

describe.skipIf(missingServer !== undefined)(`outputs in PostgreSQL ${missingServer ?? ""}`, () => {
  beforeAll(async () => {
    server = await startServer()
  })
  afterAll(() => server.close())
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), "tidemark-postgres-jobs-"))
    place = `case_${++cases}`
    await server.query(`CREATE SCHEMA ${place}`)
  })
  afterEach(async () => {
    shop?.children.forEach((child) => child.kill("SIGKILL"))
    shop = undefined
    for (const handle of handles.splice(0)) await handle.stop().catch(() => undefined)
    await cutter?.close()
    cutter = undefined
    rmSync(directory, { recursive: true, force: true })
  })

  test("PG1 PG2 PG7 each row is there once, however often the job is killed", async () => {
    const prng = new Prng(11)
    shop = new ShopJob(directory, place, Math.round(6_000 * SCALE))
    let kills = 0
    for (let isOver = false; !isOver;) {
      const running = shop.begin(server.address, 1_200)
      // A third of them die while they open their tables, all others some commits later.
      if (kills % 3 === 2) await running.when("opening")
      else await running.when("committed", 1 + prng.below(20))
      await pause(prng.below(kills % 3 === 2 ? 150 : 25))
      running.child.kill("SIGKILL")
      const code = await running.ended
      isOver = code === 0
      if (isOver) break
      expect(code, "it ran until it was killed").toBe(null)
      kills++
      const [seen] = await server.query(`SELECT to_regclass('${place}.orders') IS NOT NULL AS is_there`)
      if (seen!["is_there"] !== true) continue
      const [sums] = await server.query(`SELECT (SELECT count(*) FROM ${place}.orders)::int AS rows,
        (SELECT row_count FROM ${place}.tidemark_outputs WHERE table_name = 'orders')::int AS marked`)
      expect(sums!["rows"], "rows and mark are one").toBe(sums!["marked"])
    }
    expect(await shop.tables(server)).toEqual(await shop.truth())
    expect(kills).toBeGreaterThanOrEqual(4)
  })

  test("PG2 PG3 the job waits and goes on where the server is killed in the middle of commits", async () => {
    const prng = new Prng(12)
    shop = new ShopJob(directory, place, 8_000)
    cutter = await CommitCutter.start(Number(new URL(server.address).port))
    let deaths = 0
    let next = 10
    let isDown: Promise<void> | undefined
    cutter.fateOf = (commit) => {
      if (commit < next || isDown !== undefined) return "pass"
      next = commit + 8 + prng.below(16)
      deaths++
      // The COMMIT is on its way when the server dies, whole or (with it all others) by one of its processes.
      isDown = (deaths % 2 === 0 ? killBackend() : server.kill()).then(async () => {
        await pause(100 + prng.below(400))
        if (server.pid === undefined) await server.start()
        isDown = undefined
      })
      return "pass"
    }
    const running = shop.begin(cutter.throughIt(server.address), 1_000)
    expect(await running.ended).toBe(0)
    await isDown
    expect(await shop.tables(server)).toEqual(await shop.truth())
    expect(deaths).toBeGreaterThanOrEqual(2)
    const told = running.told.filter(({ kind }) => kind === "output-waiting" || kind === "output-resumed")
    expect(told.length, "it is told when it waits, and when it goes on").toBeGreaterThanOrEqual(2)
  })

  test("PG2 a COMMIT whose answer is lost is asked about, one that is still on its way waited for, one that was lost done again", async () => {
    const prng = new Prng(13)
    shop = new ShopJob(directory, place, 3_000)
    cutter = await CommitCutter.start(Number(new URL(server.address).port))
    const fates: Record<CommitFate, number> = { pass: 0, "cut-before": 0, "cut-after": 0, late: 0 }
    cutter.fateOf = (commit) => {
      const each = ["pass", "late", "cut-before", "cut-after"] as const
      const fate: CommitFate = commit < 8 ? each[commit % 4]! : prng.pick([...each, "pass", "pass"])
      fates[fate]++
      return fate
    }
    const running = shop.begin(cutter.throughIt(server.address), 1_000)
    expect(await running.ended).toBe(0)
    expect(await shop.tables(server)).toEqual(await shop.truth())
    expect(Math.min(...Object.values(fates))).toBeGreaterThanOrEqual(2)
  })

  test("PG3 it waits, says so once, and leaves to the next run what it could not write when it was stopped", async () => {
    cutter = await CommitCutter.start(Number(new URL(server.address).port))
    const rows = upTo(0, 10)
    let isAway = true
    cutter.fateOf = (commit) => (isAway && commit > 0 ? "cut-before" : "pass")
    const { handle, events } = await begin(rows, { address: cutter.throughIt(server.address) })
    await vi.waitUntil(() => events.some(({ kind }) => kind === "output-waiting"), { timeout: 60_000 })
    expect(handle.status().waitingOutputs).toMatchObject([{ output: "numbers" }])
    await pause(1_500)
    await handle.stop()
    expect(events.filter(({ kind }) => kind === "output-waiting")).toHaveLength(1)
    expect(events).toContainEqual(expect.objectContaining({ kind: "warning", about: "numbers" }))
    expect(handle.status()).toMatchObject({ state: "stopped", waitingOutputs: [{ output: "numbers" }] })
    expect(await stored()).toEqual([])
    isAway = false
    const again = await begin(rows)
    expect((await again.handle.finished).outcome).toBe("finished")
    expect(again.handle.status().waitingOutputs).toEqual([])
    expect(await stored()).toEqual(rows.map(({ n }) => n))
  })

  test("PG3 while the server is read-only the job waits, and goes on when it is not", async () => {
    await server.query("ALTER SYSTEM SET default_transaction_read_only TO on")
    await server.query("SELECT pg_reload_conf()")
    const starting = begin(upTo(0, 5))
    await pause(1_000)
    await server.query("ALTER SYSTEM RESET default_transaction_read_only")
    await server.query("SELECT pg_reload_conf()")
    const { handle } = await starting
    await handle.finished
    expect(await stored()).toHaveLength(5)
  })

  test("PG3 an epoch of many megabytes is written again where its connection is cut in the middle", async () => {
    cutter = await CommitCutter.start(Number(new URL(server.address).port))
    const warnings: Error[] = []
    const onWarning = (warning: Error) => void warnings.push(warning)
    process.on("warning", onWarning)
    const rows = Array.from({ length: 40 }, (_, n) => ({ n, text: String(n).padEnd(300_000, "x") }))
    const Text = schema({ n: t.int32, text: t.string })
    const bound = job({ name: "texts", inputs: { rows: Text }, flow: (inputs) => inputs }).with({
      inputs: { rows: memory(rows) },
      outputs: { rows: postgres({ connection: cutter.throughIt(server.address), table: `${place}.texts` }) },
    })
    cutter.bytesLeft = 8_000_000
    cutter.pieceMillis = 2
    const handle = await run(bound, { directory: join(directory, "state") })
    handles.push(handle)
    await handle.finished
    expect(cutter.bytesLeft, "it was cut").toBe(Infinity)
    expect(await server.query(`SELECT n, text FROM ${place}.texts ORDER BY n`)).toEqual(rows)
    process.off("warning", onWarning)
    expect(warnings).toEqual([])
  })

  test("PG4 another job, another state of the job, and a copy of the state are refused", async () => {
    const first = await begin(upTo(0, 10))
    await first.handle.finished
    await expect(begin(upTo(0, 10), { directory: join(directory, "other") })).rejects.toMatchObject({
      code: "sink-occupied",
      message: expect.stringContaining("an earlier state of the job numbers") as string,
    })
    cpSync(join(directory, "state"), join(directory, "copy"), { recursive: true })
    const second = await begin(upTo(0, 20))
    await second.handle.finished
    await expect(begin(upTo(0, 30), { directory: join(directory, "copy") })).rejects.toMatchObject({
      code: "sink-occupied",
      message: expect.stringContaining("a copy of the state of the job numbers") as string,
    })
    expect(await stored()).toHaveLength(20)
  })

  test("PG4 of two processes with one state, the one that opened the table last writes", async () => {
    cutter = await CommitCutter.start(Number(new URL(server.address).port))
    // The first is about to commit its epoch when its connection goes, and with it its lock; for a while it makes no other.
    cutter.fateOf = (commit) => {
      cutter!.isShut = commit === 1
      return commit === 1 ? "cut-before" : "pass"
    }
    await (
      await begin(upTo(0, 10))
    ).handle.finished
    cpSync(join(directory, "state"), join(directory, "copy"), { recursive: true })
    const first = await begin(upTo(0, 20), { address: cutter.throughIt(server.address) })
    await vi.waitUntil(() => cutter!.commits === 2, { timeout: 60_000 })
    const second = await begin(upTo(0, 30), { directory: join(directory, "copy") })
    await second.handle.finished
    cutter.isShut = false
    await expect(first.handle.finished).rejects.toMatchObject({ code: "sink-occupied" })
    expect(await stored()).toEqual(upTo(0, 30).map(({ n }) => n))
  })

  test("PG5 a reset moves the rows to a table beside, and views and rights stay", async () => {
    await (
      await begin(upTo(0, 10))
    ).handle.finished
    await server.query(`CREATE VIEW ${place}.few AS SELECT n FROM ${place}.numbers WHERE n < 5`)
    await (
      await begin(upTo(100, 103), { reset: true })
    ).handle.finished
    expect(await stored()).toEqual([100, 101, 102])
    expect(await server.query(`SELECT n FROM ${place}.few`)).toEqual([])
    expect(await server.query(`SELECT n FROM ${place}.numbers_superseded_1`)).toHaveLength(10)
    await (
      await begin(upTo(0, 3), { reset: true })
    ).handle.finished
    expect(await server.query(`SELECT n FROM ${place}.few`)).toHaveLength(3)
    expect(await server.query(`SELECT n FROM ${place}.numbers_superseded_2`)).toHaveLength(3)
  })
})

/** Kills a server process that serves the job: the server ends all others then, and starts anew by itself. */
async function killBackend(): Promise<void> {
  const [found] = await server.query(
    "SELECT pid FROM pg_stat_activity WHERE application_name = 'tidemark shop' AND state <> 'idle' LIMIT 1",
  )
  if (found !== undefined) process.kill(found["pid"] as number, "SIGKILL")
}
