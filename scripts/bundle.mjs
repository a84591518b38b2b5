/**
 * Makes the files that are published from the modules that the compiler has written: `node scripts/bundle.mjs ROOT OUT`
 * reads `OUT/modules/`.
 *
 * A process takes longer to find and open four hundred modules than to compile them. So there is one file for each entry
 * of package.json and a few chunks that entries share. Nothing is minified: that saves no time worth mentioning, and
 * stack traces and profiles can be read without source maps.
 *
 * Invariants:
 * - BU1 Each module is in one file, so no class and no variable exists twice, whatever doors a process opens.
 * - BU2 The program of threads lies beside the chunks: the code that starts it looks there.
 */
import { existsSync, readFileSync } from "node:fs"
import { basename, join, relative } from "node:path"
import { build } from "esbuild"

const THREAD_PROGRAM = "embedded/decode-thread"
const MODULES = "./modules"

/** By the name of what is published, without its ending: the module that it is made from. */
function entryPoints(root, out) {
  const { exports, bin = {}, engines } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
  const files = [...Object.values(exports), ...Object.values(bin)].map((target) => target.default ?? target)
  const names = files
    .filter((file) => file.endsWith(".js"))
    .map((file) => relative("dist", file).slice(0, -".js".length))
  const entries = names.map((name) => [name, `${MODULES}/${name}.js`])
  const program = `${MODULES}/${THREAD_PROGRAM}.js`
  if (existsSync(join(out, program))) entries.push([basename(THREAD_PROGRAM), program])
  return { entries: Object.fromEntries(entries), node: /\d+\.\d+/.exec(engines.node)[0] }
}

const [root, out] = process.argv.slice(2)
const { entries, node } = entryPoints(root, out)
await build({
  absWorkingDir: out,
  entryPoints: entries,
  outdir: ".",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: `node${node}`,
  packages: "external",
  sourcemap: true,
  logLevel: "warning",
})
