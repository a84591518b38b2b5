/** `tidemark init` as a user meets it: from the package as it is packed, with npm, in a directory of its own. */
import { execFileSync, spawnSync } from "node:child_process"
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import own from "../package.json" with { type: "json" }

const ROOT = resolve(".")
const CLI = join(ROOT, "dist/cli/main.js")
const FILES = [
  ".gitignore",
  "README.md",
  "data/requests.csv",
  "package.json",
  "src/requests.test.ts",
  "src/requests.ts",
  "tsconfig.json",
]
/** Of tests that run tests: the inner ones are not part of the outer ones. */
const ENV = { ...process.env, NO_COLOR: "1", NODE_OPTIONS: "", VITEST: undefined, VITEST_WORKER_ID: undefined }

let directory = ""

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "tidemark-init-"))
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

function tidemark(cli: string, args: readonly string[], cwd = directory) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], { cwd, encoding: "utf8", env: ENV })
  return { status, stdout, stderr }
}

function filesOf(root: string): string[] {
  const names = readdirSync(root, { recursive: true, encoding: "utf8" })
  return names.filter((name) => statSync(join(root, name)).isFile()).sort()
}

function jsonLines(path: string): Record<string, unknown>[] {
  const lines = readFileSync(path, "utf8").split("\n").filter(Boolean)
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>)
}

/** The package as it would be published. */
function pack(): string {
  const options = { cwd: ROOT, encoding: "utf8", env: ENV } as const
  const args = ["pack", "--ignore-scripts", "--silent", "--dry-run=false", "--pack-destination", directory]
  return join(directory, execFileSync("npm", args, options).trim())
}

/** Puts the package, and what it needs into `node_modules`, as an installation does. */
function install(tarball: string, project: string): string {
  const modules = join(project, "node_modules")
  mkdirSync(join(modules, ".bin"), { recursive: true })
  mkdirSync(join(modules, "tidemark"))
  execFileSync("tar", ["-xzf", tarball, "--strip-components=1", "-C", join(modules, "tidemark")])
  for (const name of [...Object.keys(own.dependencies), "typescript", "vitest"])
    symlinkSync(join(ROOT, "node_modules", name), join(modules, name))
  const programs = { tidemark: own.bin.tidemark, tsc: "bin/tsc", vitest: "vitest.mjs" }
  for (const [name, file] of Object.entries(programs))
    symlinkSync(join("..", name === "tsc" ? "typescript" : name, file), join(modules, ".bin", name))
  return join(modules, "tidemark", own.bin.tidemark)
}

describe("tidemark init", () => {
  test("makes a project whose npm start and npm test run with the package as it is published", () => {
    const elsewhere = join(directory, "elsewhere")
    mkdirSync(elsewhere)
    const tarball = pack()
    const made = tidemark(install(tarball, elsewhere), ["init", "My Project"])
    expect(made).toMatchObject({ status: 0, stderr: "" })
    expect(made.stdout).toContain(
      `\nNothing says from where this tidemark was installed, so the project asks npm's registry for tidemark ^${own.version}.\n`,
    )
    expect(made.stdout).toMatch(/\nNext:\n {2}cd 'My Project' && npm install\n {2}npm start\n$/)
    const project = join(directory, "My Project")
    expect(filesOf(project)).toEqual(FILES)
    const manifest = JSON.parse(readFileSync(join(project, "package.json"), "utf8")) as typeof own
    expect(manifest).toMatchObject({
      name: "my-project",
      type: "module",
      dependencies: { tidemark: `^${own.version}` },
    })
    // What the project asks for is what this repository works with.
    const { typescript, vitest } = own.devDependencies
    expect(manifest.devDependencies).toEqual({ typescript: `~${typescript}.0`, vitest: `^${vitest}.0` })
    expect(readFileSync(join(project, "README.md"), "utf8")).toMatch(/^# my-project\n/)

    install(tarball, project)
    const npm = (...args: string[]) => spawnSync("npm", args, { cwd: project, encoding: "utf8", env: ENV })
    const start = npm("start")
    expect(start.stderr).toContain("requests finished: 122 rows")
    expect(start.stderr).toContain("1 row came too late for its window")
    expect(start.stderr).toContain("1 bad record")
    expect(start.status).toBe(0)
    const rows = jsonLines(join(project, "out/per-path/part-00000.jsonl"))
    expect(sorted(rows)).toEqual(sorted(expectedRows(readFileSync(join(project, "data/requests.csv"), "utf8"))))
    expect(jsonLines(join(project, "out/late/part-00000.jsonl"))).toMatchObject([{ path: "/cart", millis: 41.2 }])
    expect(jsonLines(join(project, ".tidemark/requests/dead-letters/part-00000.jsonl"))).toMatchObject([
      { partition: "data/requests.csv", record: 71, field: "millis" },
    ])
    expect(npm("start").stderr).toContain("nothing new to read")

    const tests = npm("test", "--", "--reporter=json")
    expect(tests.stdout).toContain('"numPassedTests":2')
    expect(tests.status).toBe(0)
  }, 180_000)

  test("NP3 a project that a checkout makes depends on the checkout", () => {
    expect(tidemark(CLI, ["init", "linked"]).status).toBe(0)
    const manifest = JSON.parse(readFileSync(join(directory, "linked/package.json"), "utf8")) as typeof own
    const { tidemark: from } = manifest.dependencies as Record<string, string>
    expect(from).toMatch(/^file:/)
    expect(resolve(directory, "linked", from!.slice("file:".length))).toBe(ROOT)
  })

  test("NP3 a project that an installation from a file makes depends on the file, and nothing is said", () => {
    const there = join(directory, "from-file")
    mkdirSync(there)
    const tarball = pack()
    writeFileSync(join(there, "package.json"), JSON.stringify({ dependencies: { tidemark: `file:${tarball}` } }))
    const made = tidemark(install(tarball, there), ["init", "packed"])
    expect(made).toMatchObject({ status: 0, stderr: "" })
    expect(made.stdout).not.toContain("registry")
    const manifest = JSON.parse(readFileSync(join(directory, "packed/package.json"), "utf8")) as typeof own
    const { tidemark: from } = manifest.dependencies as Record<string, string>
    expect(resolve(directory, "packed", from!.slice("file:".length))).toBe(tarball)
  })

  test("makes it in the working directory, beside files that are not its own", () => {
    const here = join(directory, "here")
    mkdirSync(join(here, "src"), { recursive: true })
    writeFileSync(join(here, "LICENSE"), "mine")
    const { status, stdout } = tidemark(CLI, ["init"], here)
    expect(status).toBe(0)
    expect(stdout).toMatch(/\nNext:\n {2}npm install\n {2}npm start\n$/)
    expect(filesOf(here)).toEqual([...FILES, "LICENSE"].sort())
    const again = tidemark(CLI, ["init"], here)
    const words = `error project-occupied: This directory has what a new project would write: package.json, .gitignore`
    expect(again).toMatchObject({ status: 2, stdout: "", stderr: expect.stringContaining(words) as string })
  })

  test("--help teaches", () => {
    const { status, stdout } = tidemark(CLI, ["init", "--help"])
    for (const file of FILES) expect(stdout).toContain(file)
    expect(stdout).toContain("Examples:")
    expect(stdout).toContain("Exit codes: 0 made")
    expect(status).toBe(0)
  })
})

function sorted(rows: readonly object[]): string[] {
  return rows.map((row) => JSON.stringify(row)).sort()
}

/** The slow twin of the job: what it must write for the file. */
function expectedRows(text: string): Record<string, unknown>[] {
  const groups = new Map<string, { path: string; window: number; millis: number[] }>()
  let furthest = 0
  for (const line of text.trim().split("\n").slice(1)) {
    const [time = "", path = "", millis = ""] = line.split(",")
    if (Number.isNaN(Number(millis)) || path === "/health") continue
    const at = Date.parse(time)
    furthest = Math.max(furthest, at)
    const window = Math.floor(at / 600_000) * 600_000
    if (window + 600_000 <= furthest - 30_000) continue
    const key = `${window} ${path}`
    const group = groups.get(key) ?? { path, window, millis: [] }
    groups.set(key, group)
    group.millis.push(Number(millis))
  }
  return [...groups.values()].map(({ path, window, millis }) => ({
    path,
    windowStart: new Date(window).toISOString().replace(".000", ""),
    windowEnd: new Date(window + 600_000).toISOString().replace(".000", ""),
    requests: millis.length,
    mean: millis.reduce((sum, value) => sum + value, 0) / millis.length,
    slowest: Math.max(...millis),
  }))
}
