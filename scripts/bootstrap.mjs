/**
 * What stands between a fresh clone and a running Tidemark: installing the packages and building `dist/`.
 * Node's standard library only. `npm start`, `npm test`, `npm run check` and `npm run build` all begin here.
 *
 * Nothing is done twice: packages are installed when `package-lock.json` is not the one that `node_modules` was made
 * from, and `dist/` is built when a source differs from those that it was built from. Both work for root, with
 * `NODE_ENV=production`, with `ignore-scripts`, and whatever else npm was told, because what matters is said to npm
 * in words that overrule its configuration, and tools are started by their file, not by a link in `.bin`.
 *
 * Invariants:
 * - H4 `node_modules/.tidemark-installed` exists only in a complete installation, and names the lockfile it is of.
 * - H5 `dist/` is always one whole build: a new one is made beside it and put in its place by renaming.
 *
 * A build has the code twice: in the few files that are published (`bundle.mjs`), and module by module in `dist/modules/`,
 * for scripts and benches that look inside.
 */
import { spawn } from "node:child_process"
import { createHash } from "node:crypto"
import { chmodSync, existsSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { basename, dirname, join, relative } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import { withLock } from "./lock.mjs"

/** The checkout's root directory. */
export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))

const NODE_MINIMUM = [20, 19]
const STILL_AT_IT_MS = 10_000
const BUNDLER = join(ROOT, "scripts", "bundle.mjs")
/** What `tsconfig.build.json` leaves out. */
const NOT_BUILT = /\.(test|fuzz|bench|conformance|fixture|reference)\.ts$/

/** Installs and builds what is missing in `root`. */
export async function prepare(root = ROOT) {
  requireNode()
  if (isInstalled(root) && isBuilt(root)) return
  await withLock(join(root, ".bootstrap"), say, async (registerChild) => {
    if (!isInstalled(root)) await install(root, registerChild)
    if (!isBuilt(root)) await build(root, registerChild)
  })
}

/** The exit code of a failed step, carried through to the process. */
export class StepFailed extends Error {
  constructor(message, exitCode) {
    super(message)
    this.exitCode = exitCode
  }
}

/** Runs a script's `main` and turns a failure of ours into a line and an exit code, without a stack. */
export async function runMain(main) {
  try {
    await main()
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error
    say(error.message)
    process.exitCode = error.exitCode
  }
}

/** Goes on as another Node program in this same process, so that signals and the exit code are its own. */
export async function become(file, args) {
  process.argv = [process.execPath, file, ...args]
  await import(pathToFileURL(file).href)
}

function say(message) {
  process.stderr.write(`tidemark: ${message}\n`)
}

function requireNode() {
  const [major, minor] = process.versions.node.split(".").map(Number)
  if (major > NODE_MINIMUM[0] || (major === NODE_MINIMUM[0] && minor >= NODE_MINIMUM[1])) return
  const wanted = NODE_MINIMUM.join(".")
  throw new StepFailed(`this is Node ${process.versions.node}; Tidemark needs Node ${wanted} or newer.`, 1)
}

// ---- Installing ----

function stampFile(root) {
  return join(root, "node_modules", ".tidemark-installed")
}

/** What an installation depends on: the lockfile, and the platform that optional packages were chosen for. */
function lockfileHash(root) {
  const lockfile = readFileSync(join(root, "package-lock.json"))
  return createHash("sha256").update(lockfile).update(`${process.platform} ${process.arch}`).digest("hex")
}

/**
 * Whether `node_modules` is what the lockfile says; an installation made by hand is recognised and stamped.
 *
 * @param {string} root
 * @returns {boolean}
 */
export function isInstalled(root) {
  const wanted = lockfileHash(root)
  if (readText(stampFile(root)) === wanted) return true
  if (!isInstalledByHand(root)) return false
  writeFileSync(stampFile(root), wanted)
  return true
}

/** npm notes what it installed in `node_modules/.package-lock.json`. Optional packages depend on the platform. */
function isInstalledByHand(root) {
  const noted = readText(join(root, "node_modules", ".package-lock.json"))
  if (noted === undefined) return false
  const present = JSON.parse(noted).packages
  const wanted = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === "" || entry.optional === true) return true
    return present[path]?.version === entry.version && existsSync(join(root, path, "package.json"))
  })
}

async function install(root, registerChild) {
  const count = Object.keys(JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages).length
  say(`installing up to ${count} packages with npm (once; well under a minute on most networks) …`)
  const started = performance.now()
  const [command, ...first] = npmCommand()
  // Each option overrules what a user's or a machine's npm configuration may say.
  const options = [
    ...["--include=dev", "--include=optional", "--include=peer", "--package-lock=true", "--package-lock-only=false"],
    ...["--global=false", "--dry-run=false", "--install-strategy=hoisted", "--legacy-peer-deps=false"],
    ...["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
  ]
  await run(command, [...first, "ci", ...options], root, "installing", registerChild)
  writeFileSync(stampFile(root), lockfileHash(root))
  say(`installed in ${seconds(started)}.`)
}

/** The npm that started us, or the one on the path. */
function npmCommand() {
  const starter = process.env.npm_execpath
  const isNpm = starter !== undefined && basename(starter) === "npm-cli.js" && existsSync(starter)
  return isNpm ? [process.execPath, starter] : ["npm"]
}

// ---- Building ----

/**
 * Whether `dist/` was built from the sources as they are.
 *
 * @param {string} root
 * @returns {boolean}
 */
export function isBuilt(root) {
  return readText(join(root, "dist", ".built-from")) === sourcesHash(root)
}

/** Depends on everything that the build reads: sources that are not tests, the compiler's settings and version. */
function sourcesHash(root) {
  const hash = createHash("sha256")
  const settings = ["package.json", "package-lock.json", "tsconfig.json", "tsconfig.build.json"]
  const sources = readdirSync(join(root, "src"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.ts$/.test(entry.name) && !NOT_BUILT.test(entry.name))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
  for (const file of [...settings.map((name) => join(root, name)), ...sources.sort()]) {
    hash
      .update(`${relative(root, file)}\0`)
      .update(readFileSync(file))
      .update("\0")
  }
  return hash.digest("hex")
}

/** Source maps name their sources relative to the output, so the new build stands beside the old one (H5). */
async function build(root, registerChild) {
  say("building …")
  const started = performance.now()
  const builtFrom = sourcesHash(root)
  const next = join(root, "dist.next")
  rmSync(next, { recursive: true, force: true })
  const compiler = join(root, "node_modules", "typescript", "bin", "tsc")
  await run(
    process.execPath,
    [compiler, "-p", "tsconfig.build.json", "--outDir", join(next, "modules"), "--declarationDir", next],
    root,
    "building",
    registerChild,
  )
  const manifest = JSON.parse(readText(join(root, "package.json")))
  if (manifest.exports !== undefined) {
    await run(process.execPath, [BUNDLER, root, next], root, "bundling", registerChild)
  }
  for (const command of Object.values(manifest.bin ?? {})) {
    const file = join(next, relative("dist", command))
    if (existsSync(file)) chmodSync(file, 0o755)
  }
  writeFileSync(join(next, ".built-from"), builtFrom)
  const last = join(root, "dist.last")
  rmSync(last, { recursive: true, force: true })
  if (existsSync(join(root, "dist"))) renameSync(join(root, "dist"), last)
  renameSync(next, join(root, "dist"))
  rmSync(last, { recursive: true, force: true })
  say(`built in ${seconds(started)}.`)
}

// ---- Running ----

/** Runs a command quietly, says from time to time that it still runs, and shows its output where it fails. */
async function run(command, args, cwd, doing, registerChild) {
  const started = performance.now()
  const child = spawn(command, args, { cwd, stdio: ["ignore", "pipe", "pipe"], shell: process.platform === "win32" })
  registerChild(child.pid)
  const output = []
  child.stdout.on("data", (chunk) => output.push(chunk))
  child.stderr.on("data", (chunk) => output.push(chunk))
  const saying = setInterval(() => say(`still ${doing}, ${seconds(started)} so far …`), STILL_AT_IT_MS)
  const stop = (signal) => child.kill(signal)
  process.on("SIGINT", stop).on("SIGTERM", stop)
  try {
    const [code, signal] = await new Promise((resolve, reject) => {
      child.on("error", (error) => reject(new StepFailed(`${command} cannot be started: ${error.message}`, 1)))
      child.on("close", (exitCode, exitSignal) => resolve([exitCode, exitSignal]))
    })
    if (code === 0) return
    process.stderr.write(Buffer.concat(output))
    if (signal !== null) throw new StepFailed(`${doing} was stopped by ${signal}.`, signal === "SIGINT" ? 130 : 143)
    throw new StepFailed(`${doing} failed: \`${[basename(command), ...args].join(" ")}\` ended with ${code}.`, 1)
  } finally {
    clearInterval(saying)
    process.off("SIGINT", stop).off("SIGTERM", stop)
  }
}

function seconds(startedMs) {
  return `${((performance.now() - startedMs) / 1000).toFixed(1)} s`
}

function readText(file) {
  try {
    return readFileSync(file, "utf8")
  } catch (error) {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined
    throw error
  }
}
