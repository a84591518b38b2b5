/** The corpus of lambdas through the tools that users have: each must give the same rows and schemas. */
import { execFileSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { buildSync, transformSync, type TransformOptions } from "esbuild"
import ts from "typescript"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { runCorpus, type CorpusOutcomes } from "./lambda-corpus-run.fixture.ts"
import * as corpus from "./lambda-corpus.fixture.ts"

const ROOT = join(import.meta.dirname, "..")
const CORPUS = join(import.meta.dirname, "lambda-corpus.fixture.ts")
const source = readFileSync(CORPUS, "utf8")
const require = createRequire(import.meta.url)
// Not all of them have types of their own.
const { transformSync: transformBySwc } = require("@swc/wasm") as {
  transformSync(source: string, options: object): { code: string }
}
const { transformSync: stripTypes } = require("amaro") as {
  transformSync(source: string, options: { mode: "strip-only" }): { code: string }
}
const { createInstrumenter } = require("istanbul-lib-instrument") as {
  createInstrumenter(options: { esModules: boolean }): { instrumentSync(source: string, file: string): string }
}

const byEsbuild = (options: TransformOptions): string =>
  transformSync(source, { loader: "ts", supported: { bigint: true }, ...options }).code
const byTypeScript = (target: ts.ScriptTarget, module: ts.ModuleKind): string =>
  ts.transpileModule(source, { compilerOptions: { target, module } }).outputText
const bySwc = (options: object, more: object = {}): string =>
  transformBySwc(source, { jsc: { parser: { syntax: "typescript" }, ...options }, module: { type: "es6" }, ...more })
    .code

/** What each tool makes of the corpus: the names of files, and their texts. */
const TOOLS: Readonly<Record<string, () => string>> = {
  "esbuild.mjs": () => byEsbuild({}),
  "esbuild-minified.mjs": () => byEsbuild({ minify: true }),
  "esbuild-names-kept.mjs": () => byEsbuild({ keepNames: true }),
  "esbuild-minified-names-kept.mjs": () => byEsbuild({ minify: true, keepNames: true }),
  "esbuild-es2017.mjs": () => byEsbuild({ target: "es2017" }),
  "esbuild-minified-es2017.mjs": () => byEsbuild({ minify: true, target: "es2017" }),
  "esbuild-es2019.cjs": () => byEsbuild({ format: "cjs", target: "es2019" }),
  "swc.mjs": () => bySwc({ target: "es2022" }),
  "swc-es2017.mjs": () => bySwc({ target: "es2017" }),
  "swc-minified.mjs": () => bySwc({ target: "es2022", minify: { compress: true, mangle: true } }, { minify: true }),
  "typescript.mjs": () => byTypeScript(ts.ScriptTarget.ES2022, ts.ModuleKind.ES2022),
  "typescript-es2017.cjs": () => byTypeScript(ts.ScriptTarget.ES2017, ts.ModuleKind.CommonJS),
  "node-type-stripping.mjs": () => stripTypes(source, { mode: "strip-only" }).code,
  "istanbul.mjs": () => createInstrumenter({ esModules: true }).instrumentSync(byEsbuild({}), CORPUS),
}

let directory = ""
/** What vitest itself has made of this file's import. */
const own = runCorpus(corpus)
let outcomes: Readonly<Record<string, CorpusOutcomes>> = {}

/** Runs the corpus of several files in one process of its own. */
function inProcess(flags: readonly string[], files: readonly string[]): Record<string, CorpusOutcomes> {
  const output = execFileSync(process.execPath, [...flags, join(directory, "main.mjs"), ...files], { encoding: "utf8" })
  return JSON.parse(output) as Record<string, CorpusOutcomes>
}

/** Many processes are started, on machines that may be busy. */
const TIMEOUT_MS = 240_000

beforeAll(() => {
  mkdirSync(join(ROOT, "temp"), { recursive: true })
  directory = mkdtempSync(join(ROOT, "temp", "corpus-"))
  const run = join(directory, "run.mjs")
  const entryPoints = [join(import.meta.dirname, "lambda-corpus-run.fixture.ts")]
  buildSync({ entryPoints, outfile: run, bundle: true, platform: "node", format: "esm", packages: "external" })
  const main = [
    `import { runCorpus } from ${JSON.stringify(pathToFileURL(run).href)}`,
    'import { pathToFileURL } from "node:url"',
    "const outcomes = {}",
    "for (const file of process.argv.slice(2)) {",
    "  const namespace = await import(pathToFileURL(file).href)",
    "  outcomes[file] = runCorpus(namespace.compiledPredicates ? namespace : namespace.default)",
    "}",
    "console.log(JSON.stringify(outcomes))",
  ]
  writeFileSync(join(directory, "main.mjs"), main.join("\n"))
  const files = Object.entries(TOOLS).map(([name, emit]) => {
    const file = join(directory, name)
    writeFileSync(file, emit())
    return file
  })
  const bundle = join(directory, "esbuild-bundle.mjs")
  buildSync({
    entryPoints: [CORPUS],
    outfile: bundle,
    bundle: true,
    platform: "node",
    format: "esm",
    sourcemap: "inline",
  })
  const byTsx = inProcess(["--import", pathToFileURL(require.resolve("tsx")).href], [CORPUS])
  outcomes = { ...inProcess([], [...files, bundle]), [join(directory, "tsx")]: byTsx[CORPUS]! }
}, TIMEOUT_MS)
afterAll(() => rmSync(directory, { recursive: true }))

/** The names of the corpus whose form is not what their group says, with the reason. */
function surprises({ lambdas }: CorpusOutcomes): string[] {
  return Object.entries(lambdas).flatMap(([name, { form, reason }]) =>
    name.startsWith(form) ? [] : [`${name}: ${reason ?? "compiled"}`],
  )
}

function givenBy({ lambdas, ...rest }: CorpusOutcomes): unknown {
  return { ...rest, lambdas: Object.fromEntries(Object.entries(lambdas).map(([name, { given }]) => [name, given])) }
}

describe.each([...Object.keys(TOOLS), "esbuild-bundle.mjs", "tsx"])("lambdas by %s", (name) => {
  const outcome = (): CorpusOutcomes => outcomes[join(directory, name)]!

  it("give the same as their closures", () => {
    for (const [lambda, { given, twin }] of Object.entries(outcome().lambdas)) expect(given, lambda).toBe(twin)
  })

  it("give the same rows and schemas as by any other tool", () => {
    expect(givenBy(outcome())).toEqual(givenBy(own))
  })

  it("are compiled where the form is understood", () => {
    if (name !== "istanbul.mjs") return expect(surprises(outcome())).toEqual([])
    const forms = Object.values(outcome().lambdas).map(({ form }) => form)
    expect([...new Set(forms)]).toEqual(["closure"])
  })
})

describe("lambdas by vitest", () => {
  // Set by the test below, for the runs that it starts.
  const expected = process.env["TIDEMARK_CORPUS_FORM"] ?? "compiled"

  it("give the same as their closures, and are compiled where the form is understood", () => {
    for (const [lambda, { given, twin }] of Object.entries(own.lambdas)) expect(given, lambda).toBe(twin)
    if (expected === "compiled") return expect(surprises(own)).toEqual([])
    const reasons = Object.values(own.lambdas).map(({ reason }) => reason)
    expect(reasons).toContain("It counts its coverage, which only the closure does.")
    expect(reasons).not.toContain(undefined)
  })

  it.skipIf(process.env["TIDEMARK_CORPUS_FORM"] !== undefined).each([
    ["v8", "compiled"],
    ["istanbul", "closure"],
  ])("are the same where it measures coverage by %s", { timeout: TIMEOUT_MS }, (provider, form) => {
    const coverage = { enabled: true, provider, include: "test/lambda-corpus.fixture.ts", reporter: "json" }
    const options = Object.entries(coverage).map(([name, value]) => `--coverage.${name}=${value}`)
    const report = join(directory, provider)
    execFileSync(
      process.execPath,
      [
        join(ROOT, "node_modules/vitest/vitest.mjs"),
        ...["run", "test/lambda-corpus.test.ts", "--testNamePattern", "by vitest", ...options],
        `--coverage.reportsDirectory=${report}`,
      ],
      { cwd: ROOT, encoding: "utf8", env: { ...process.env, TIDEMARK_CORPUS_FORM: form } },
    )
    // The fixture was measured.
    expect(readFileSync(join(report, "coverage-final.json"), "utf8")).toContain("lambda-corpus.fixture.ts")
  })
})
