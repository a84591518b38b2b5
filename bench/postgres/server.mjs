/** The server of the tests for measurements: its fixture is TypeScript, and is built to where it finds what npm has installed. */
import { fileURLToPath } from "node:url"
import { build } from "esbuild"

const pathOf = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url))

/** A server that syncs what it commits, as those of users do. */
export async function startDurableServer() {
  const outfile = pathOf("node_modules/.cache/tidemark/postgres-server.mjs")
  const entryPoints = [pathOf("src/connectors/postgres/postgres-server.fixture.ts")]
  await build({ entryPoints, outfile, bundle: true, packages: "external", format: "esm", platform: "node" })
  const { missingServer, startServer } = await import(outfile)
  if (missingServer !== undefined) throw new Error(missingServer)
  return await startServer({ isDurable: true })
}
