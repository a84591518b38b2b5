/** The PostgreSQL sink passes the conformance suite of sinks, over a real server. */
import { afterAll, beforeAll, describe } from "vitest"
import { describeSinkConformance } from "../../connect/sink.conformance.ts"
import type { ConformanceRow, SinkConformanceDriver } from "../../connect/sink-trial.conformance.ts"
import { missingServer, startServer, type TestServer } from "./postgres-server.fixture.ts"
import { PostgresBinding } from "./postgres-binding.ts"
import { PostgresWorld } from "./postgres-world.fixture.ts"

/** At every how many calls a process dies: a trial is a dozen transactions of a real server. `TIDEMARK_FUZZ_SCALE` makes it less. */
const STRIDE = Math.max(1, Math.round(23 / Number(process.env["TIDEMARK_FUZZ_SCALE"] ?? 1)))

describe.skipIf(missingServer !== undefined)(`postgres ${missingServer ?? ""}`, () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startServer()
  })
  afterAll(() => server.close())
  for (const mode of ["append", "upsert"] as const) {
    describeSinkConformance(
      `postgres, ${mode}`,
      driverOf(mode, () => server),
      STRIDE,
    )
  }
})

function driverOf(mode: "append" | "upsert", server: () => TestServer): SinkConformanceDriver<PostgresWorld> {
  let world: PostgresWorld
  const key = mode === "upsert" ? ["id"] : []
  const target = { connection: "", table: { schema: undefined, name: "results" }, mode, key, creates: true } as const
  return {
    createWorld(seed) {
      world = new PostgresWorld(seed, server())
      world.image.installDirectory("/job/state")
      return world
    },
    baseDirectory: "/job",
    binding: new PostgresBinding({ ...target, onViolation: "stop" }, () => world.connect()),
    published: async (of) => (await of.rowsOf("results")) as unknown as ConformanceRow[],
    takeAway: async (of) => void (await of.execute("DELETE FROM results")),
    async setAside(of) {
      const all: ConformanceRow[] = []
      for (let number = 1; number < 5; number++) {
        all.push(...((await of.rowsOf(`results_superseded_${number}`)) as unknown as ConformanceRow[]))
      }
      return all
    },
  }
}
