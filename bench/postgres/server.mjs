/** The server of the tests for measurements and chaos. */
import { builtFixture } from "../../scripts/fixtures.mjs"

/** A server that syncs what it commits, as those of users do. */
export const startDurableServer = () => startServerWith({ isDurable: true })

/** A server whose commits outlive its processes, and not the machine: for who kills it. */
export const startServer = () => startServerWith({})

async function startServerWith(options) {
  const fixture = await builtFixture("src/connectors/postgres/postgres-server.fixture.ts")
  if (fixture.missingServer !== undefined) throw new Error(fixture.missingServer)
  return await fixture.startServer(options)
}
