/**
 * The programs of the guide run as they stand in its pages. A fence that names a file ("```ts orders.ts", "```jsonl in/a.jsonl") is
 * that file; test files among them run in node:test; and a "```console" fence is a session in that folder, whose commands stand behind
 * `$` and must print what the page says.
 */
import { execFile } from "node:child_process"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { build } from "esbuild"
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest"

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
// Each command is a process, on machines that have other things to do.
vi.setConfig({ testTimeout: 240_000 })

const FENCE = /^```(\w+)(?: +(\S+))?\n([\s\S]*?)^```$/gm
// The page says `npx tidemark`, which takes long to find out that it is there.
const PRELUDE = 'npx() { "$@"; }\n'
const runFile = promisify(execFile)

interface Page {
  readonly files: ReadonlyMap<string, string>
  /** Each command with the lines that it prints. */
  readonly session: readonly { readonly command: string; readonly prints: string }[]
}

function readPage(name: string): Page {
  const files = new Map<string, string>()
  const session: { command: string; prints: string }[] = []
  const text = readFileSync(join(ROOT, "docs", "guide", name), "utf8")
  for (const [, language, file, content = ""] of text.matchAll(FENCE)) {
    if (file !== undefined) files.set(file, content)
    if (language !== "console") continue
    for (const [, command = "", prints = ""] of content.matchAll(/^\$ (.*)\n((?:(?!\$ ).*\n)*)/gm))
      session.push({ command, prints })
  }
  return { files, session }
}

/** What is said, but for when that was, and the fingerprints of plans, which may change with any version of Tidemark. */
const whatIsSaid = (text: string): string =>
  text
    .replaceAll(/\(plan [0-9a-f]+\)/g, "(plan)")
    .replaceAll(/committed [-:TZ\d]+/g, "committed")
    .replaceAll(/\d+s ago|just now/g, "ago")

describe.each(["first-job.md", "time.md", "connectors.md", "recipes.md"])("docs/guide/%s", (name) => {
  const page = readPage(name)
  const tests = [...page.files.keys()].filter((file) => file.endsWith(".test.ts"))
  let directory: string

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "tidemark-guide-"))
    mkdirSync(join(directory, "node_modules"))
    symlinkSync(ROOT, join(directory, "node_modules", "tidemark"))
    mkdirSync(join(directory, "node_modules", ".bin"))
    symlinkSync(join(ROOT, "dist", "cli", "main.js"), join(directory, "node_modules", ".bin", "tidemark"))
    for (const [file, content] of page.files) {
      mkdirSync(dirname(join(directory, file)), { recursive: true })
      writeFileSync(join(directory, file), content)
    }
  })
  afterAll(() => rmSync(directory, { recursive: true }))

  test.runIf(tests.length > 0)("its tests pass", async () => {
    await build({
      absWorkingDir: directory,
      entryPoints: tests,
      outdir: "built",
      outExtension: { ".js": ".mjs" },
      bundle: true,
      format: "esm",
      platform: "node",
      packages: "external",
    })
    const built = tests.map((file) => join("built", file.replace(/\.ts$/, ".mjs")))
    const env = { ...process.env, NODE_OPTIONS: "", NODE_TEST_CONTEXT: undefined, VITEST: undefined }
    const run = runFile(process.execPath, ["--test", "--test-reporter=tap", ...built], { cwd: directory, env })
    const stdout = await run.then(
      ({ stdout }) => stdout,
      (error: { readonly stdout: string }) => error.stdout,
    )
    expect(stdout).toContain("# fail 0")
    expect(Number(/^# pass (\d+)$/m.exec(stdout)?.[1])).toBeGreaterThanOrEqual(tests.length)
  })

  test("its commands print what it says", async () => {
    const PATH = `${join(directory, "node_modules", ".bin")}:${process.env["PATH"]}`
    const env = { ...process.env, PATH, NO_COLOR: "1" }
    for (const { command, prints } of page.session) {
      const { stdout } = await runFile("sh", ["-c", PRELUDE + command], { cwd: directory, env })
      expect(whatIsSaid(`$ ${command}\n${stdout}`)).toBe(whatIsSaid(`$ ${command}\n${prints}`))
    }
    expect(page.session.length).toBeGreaterThan(0)
  })
})
