/** Epochs that are committed and not in the table, as the job was stopped while its database was away. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest"
import { Arena } from "../../batch/arena.ts"
import { batchOfRows } from "../../batch/batch.ts"
import { schema } from "../../batch/schema.ts"
import { t } from "../../batch/types.ts"
import type { Sink, SinkRecovery } from "../../connect/sink.ts"
import { nodeEnv } from "../../env/node/node-env.ts"
import { PostgresBinding } from "./postgres-binding.ts"
import { missingServer, startServer, type TestServer } from "./postgres-server.fixture.ts"
import { connectByPg, DatabaseError, type Session } from "./session.ts"

const Row = schema({ n: t.int32, text: t.string })
const arena = new Arena({ maxBytes: 1 << 24 })
/** Too long for the commit record. */
const LONG = "x".repeat(300_000)

describe.skipIf(missingServer !== undefined)(`epochs that wait ${missingServer ?? ""}`, () => {
  let server: TestServer
  let stateDirectory = ""
  let isAway = false
  const sinks: Sink[] = []
  const sessions = new Set<Session>()

  beforeAll(async () => {
    server = await startServer()
  })
  afterAll(() => server.close())
  beforeEach(async () => {
    stateDirectory = mkdtempSync(join(tmpdir(), "tidemark-postgres-pending-"))
    await server.query("DROP TABLE IF EXISTS results, tidemark_outputs")
  })
  afterEach(async () => {
    for (const sink of sinks.splice(0)) await sink.close()
    rmSync(stateDirectory, { recursive: true, force: true })
  })

  async function connect(): Promise<Session> {
    if (isAway) throw new DatabaseError(new Error("it is away"))
    const session = await connectByPg(server.address, "tidemark tests")
    sessions.add(session)
    return session
  }

  async function open({ checkpoint, staged = [] }: Partial<SinkRecovery>, stopping?: AbortSignal): Promise<Sink> {
    const table = { schema: undefined, name: "results" }
    const target = { connection: "", table, mode: "append", key: [], creates: true, onViolation: "stop" } as const
    const place = { job: "trial", output: "results", baseDirectory: stateDirectory, stateDirectory }
    const context = { env: nodeEnv(), arena, schema: Row, ...place, ...(stopping && { stopping }) }
    const recovery = { checkpoint, staged, reset: false, fresh: checkpoint === undefined && staged.length === 0 }
    const sink = await new PostgresBinding(target, connect).openSink(context, recovery)
    sinks.push(sink)
    return sink
  }

  async function stage(sink: Sink, n: number, text: string): Promise<Uint8Array> {
    const { batch, release } = batchOfRows(arena, Row, [{ n, text }])
    sink.write(batch)
    release()
    return (await sink.stage(false)).slice()
  }

  const goAway = (): void => {
    isAway = true
    for (const session of sessions) session.destroy()
    sessions.clear()
  }
  const stored = async (): Promise<unknown[]> =>
    (await server.query("SELECT n FROM results ORDER BY n")).map(({ n }) => n)
  const files = (): string[] => readdirSync(join(stateDirectory, "outputs/results"))

  test("PG3 PK1 PK2 are in the checkpoint, with their files, and are written by the next run", async () => {
    const stop = new AbortController()
    const first = await open({}, stop.signal)
    await first.apply(await stage(first, 0, "a"))
    await first.apply(await stage(first, 1, LONG))
    goAway()
    stop.abort()
    await first.apply(await stage(first, 2, LONG))
    await first.apply(await stage(first, 3, "d"))
    const checkpoint = await first.checkpoint()
    const last = await stage(first, 4, LONG)
    expect(first.waitsFor).toBe("it is away")
    expect(await stored()).toEqual([0, 1])
    expect(files()).toEqual(["3.rows", "5.rows"])
    isAway = false
    await (await open({ checkpoint, staged: [last] })).close()
    expect(await stored()).toEqual([0, 1, 2, 3, 4])
    // Whoever comes again with the same records finds all of it there, and only it.
    const again = await open({ checkpoint, staged: [last] })
    expect(await stored()).toEqual([0, 1, 2, 3, 4])
    await again.checkpoint()
    expect(files()).toEqual([])
  })

  test("PG4 are refused where a copy of the state has written an epoch of the same number", async () => {
    const first = await open({})
    await first.apply(await stage(first, 0, "a"))
    const checkpoint = await first.checkpoint()
    await first.close()
    const stop = new AbortController()
    const copy = await open({ checkpoint }, stop.signal)
    goAway()
    stop.abort()
    const ofCopy = await stage(copy, 1, "of the copy")
    await copy.apply(ofCopy)
    isAway = false
    const original = await open({ checkpoint })
    await original.apply(await stage(original, 2, "of the original"))
    await original.close()
    await expect(open({ checkpoint, staged: [ofCopy] })).rejects.toMatchObject({ code: "sink-occupied" })
    expect(await stored()).toEqual([0, 2])
  })

  test("PG4 a database that has lost epochs which it had confirmed is told, and not written to", async () => {
    const first = await open({})
    await first.apply(await stage(first, 0, "a"))
    await server.query("CREATE TABLE backup AS SELECT * FROM tidemark_outputs")
    await first.apply(await stage(first, 1, "b"))
    const checkpoint = await first.checkpoint()
    await first.close()
    await server.query(
      "DELETE FROM tidemark_outputs; INSERT INTO tidemark_outputs SELECT * FROM backup; DROP TABLE backup",
    )
    await expect(open({ checkpoint })).rejects.toMatchObject({ code: "sink-failed" })
    await server.query("DELETE FROM tidemark_outputs")
    await expect(open({ checkpoint })).rejects.toMatchObject({ code: "sink-failed" })
  })
})
