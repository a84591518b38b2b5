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
 * - BU3 All code is ASCII. Of a file that is not, V8 keeps each character in two bytes, and reads it more slowly.
 * - BU4 Code stays at its line and column when comments go, so source maps fit.
 * - BU5 A job of CSV and JSON lines loads no code of other formats, of compressed files, or of the server.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { basename, dirname, join, relative } from "node:path"
import { parse } from "acorn"
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

/**
 * Comments that stay: those that speak to programs (`@__PURE__`, `# sourceMappingURL=`, `! a licence`; JSDoc begins with
 * another star), and the bundler's, which name the module whose code follows.
 */
const KEPT_COMMENT = /^\s*(?:[@#!]|modules\/)/

function withoutComments(code) {
  const parts = []
  let done = 0
  const onComment = (_isBlock, text, start, end) => {
    if (KEPT_COMMENT.test(text) || code.startsWith("#!", start)) return
    const isLast = end === code.length || code[end] === "\n"
    let from = start
    if (isLast) while (from > done && code[from - 1] === " ") from--
    const comment = code.slice(from, end)
    parts.push(code.slice(done, from), isLast ? comment.replace(/[^\n]/g, "") : comment.replace(/[^\n]/g, " "))
    done = end
  }
  parse(code, { ecmaVersion: "latest", sourceType: "module", onComment })
  parts.push(code.slice(done))
  return parts.join("")
}

function codeOf({ path, text }) {
  const code = withoutComments(text)
  const strange = /[^\0-\x7f]/.exec(code)
  if (strange !== null)
    throw new Error(`${path} has ${JSON.stringify(strange[0])} at ${strange.index}, which is not ASCII`)
  return code
}

const [root, out] = process.argv.slice(2)
const { entries, node } = entryPoints(root, out)
const { outputFiles } = await build({
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
  charset: "ascii",
  write: false,
  logLevel: "warning",
})
for (const file of outputFiles) {
  mkdirSync(dirname(file.path), { recursive: true })
  writeFileSync(file.path, file.path.endsWith(".js") ? codeOf(file) : file.contents)
}
