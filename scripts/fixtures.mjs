/** What tests have beside them, for scripts: it is TypeScript, and is built to where it finds what npm has installed. */
import { basename } from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"

const pathOf = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url))

/**
 * Builds a fixture, and gives its module.
 *
 * @param {string} path its source, from the root of the repository
 */
export async function builtFixture(path) {
  const outfile = pathOf(`node_modules/.cache/tidemark/${basename(path, ".fixture.ts")}.mjs`)
  await build({
    entryPoints: [pathOf(path)],
    outfile,
    bundle: true,
    packages: "external",
    format: "esm",
    platform: "node",
  })
  return await import(outfile)
}
