/** The server of the tests for measurements and chaos: its fixture is TypeScript, and is built to where it finds what npm has installed. */
import { fileURLToPath } from "node:url"
import { build } from "esbuild"

const pathOf = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url))

/** A server that syncs what it commits, as those of users do. */
export const startDurableServer = () => startServerWith({ isDurable: true })

/** A server whose commits outlive its processes, and not the machine: for who kills it. */
export const startServer = () => startServerWith({})

async function startServerWith(options) {
  const outfile = pathOf("node_modules/.cache/tidemark/postgres-server.mjs")
  const entryPoints = [pathOf("src/connectors/postgres/postgres-server.fixture.ts")]
  await build({ entryPoints, outfile, bundle: true, packages: "external", format: "esm", platform: "node" })
  const fixture = await import(outfile)
  if (fixture.missingServer !== undefined) throw new Error(fixture.missingServer)
  return await fixture.startServer(options)
}
