/** The examples of docs/guide/testing.md are tests: they run in node:test and in vitest, on the package as it was built. */
import { execFile } from "node:child_process"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { transform } from "esbuild"
import { afterAll, beforeAll, expect, test, vi } from "vitest"

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
// Programs start dozens of processes, on machines that have other things to do.
vi.setConfig({ testTimeout: 240_000 })

const FENCE = /^```ts\n([\s\S]*?)^```$/gm
const runFile = promisify(execFile)

/** What a program prints, also where it fails: then it says what. */
async function printed(args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<string> {
  try {
    return (await runFile(process.execPath, args, { cwd: directory, env })).stdout
  } catch (error) {
    return (error as { readonly stdout: string }).stdout
  }
}

let directory: string
const files: string[] = []

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "tidemark-guide-"))
  mkdirSync(join(directory, "node_modules"))
  symlinkSync(ROOT, join(directory, "node_modules", "tidemark"))
  symlinkSync(join(ROOT, "node_modules", "vitest"), join(directory, "node_modules", "vitest"))
  const guide = readFileSync(join(ROOT, "docs", "guide", "testing.md"), "utf8")
  for (const [, example = ""] of guide.matchAll(FENCE)) {
    const { code } = await transform(example, { loader: "ts", format: "esm" })
    const name = `example-${files.length}`
    const inVitest = code.replace('from "node:test"', 'from "vitest"')
    writeFileSync(join(directory, `${name}.mjs`), code)
    writeFileSync(join(directory, `${name}.test.mjs`), inVitest)
    files.push(name)
  }
})
afterAll(() => rmSync(directory, { recursive: true }))

test("the examples run in node:test", async () => {
  const examples = files.map((name) => `${name}.mjs`)
  const env = { ...process.env, NODE_OPTIONS: "", NODE_TEST_CONTEXT: undefined, VITEST: undefined }
  const stdout = await printed(["--test", "--test-reporter=tap", ...examples], env)
  expect(stdout).toContain("# fail 0")
  expect(Number(/^# pass (\d+)$/m.exec(stdout)?.[1])).toBeGreaterThanOrEqual(files.length)
})

test("the examples run in vitest", async () => {
  const vitest = join(ROOT, "node_modules", "vitest", "vitest.mjs")
  const stdout = await printed([vitest, "run", "--root", directory, "--reporter=json", "--maxWorkers=1"])
  expect(stdout).toContain('"success":true')
  const { numPassedTests } = JSON.parse(stdout) as { numPassedTests: number }
  expect(numPassedTests).toBeGreaterThanOrEqual(files.length)
})
