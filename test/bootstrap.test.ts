/** What `npm start` and `npm test` do before anything is installed: the lock, and knowing what is stale. */
import { spawn } from "node:child_process"
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { isBuilt, isInstalled, prepare } from "../scripts/bootstrap.mjs"

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))

let root = ""

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "tidemark-bootstrap-"))
})

afterEach(() => rmSync(root, { recursive: true, force: true }))

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
}

describe("lock", () => {
  /** A process that works under the lock for a moment and writes down when it came and went. */
  function worker(): Promise<number | null> {
    const code = `
      import { appendFileSync } from "node:fs"
      import { withLock } from ${JSON.stringify(pathToFileURL(join(ROOT, "scripts/lock.mjs")).href)}
      const journal = ${JSON.stringify(join(root, "journal"))}
      await withLock(${JSON.stringify(join(root, "lock"))}, () => {}, async () => {
        appendFileSync(journal, "came ")
        await new Promise((resolve) => setTimeout(resolve, 20))
        appendFileSync(journal, "went ")
      })`
    const child = spawn(process.execPath, ["--input-type=module", "-e", code], {
      stdio: ["ignore", "inherit", "inherit"],
    })
    return new Promise((resolve, reject) => child.on("error", reject).on("exit", resolve))
  }

  async function workAtOnce(count: number): Promise<string> {
    const codes = await Promise.all(Array.from({ length: count }, worker))
    expect(codes).toEqual(codes.map(() => 0))
    return readFileSync(join(root, "journal"), "utf8")
  }

  test("H1 processes that start at once hold the lock one after the other", async () => {
    expect(await workAtOnce(6)).toBe("came went ".repeat(6))
  })

  test("H1 H2 processes that find a dead holder at the same moment take over one after the other", async () => {
    const dead = spawn(process.execPath, ["-e", ""])
    await new Promise((resolve) => dead.on("exit", resolve))
    write("lock/lock.7", String(dead.pid))
    expect(await workAtOnce(4)).toBe("came went ".repeat(4))
    expect(existsSync(join(root, "lock/lock.7"))).toBe(false)
  })

  test("H1 a process waits for a holder that lives", async () => {
    write("lock/lock.1", String(process.pid))
    const working = worker()
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    expect(existsSync(join(root, "journal"))).toBe(false)
    write("lock/lock.1", "free")
    expect(await working).toBe(0)
  })
})

describe("staleness", () => {
  const lockfile = (version: string): string => {
    return JSON.stringify({
      packages: { "": {}, "node_modules/some": { version }, "node_modules/extra": { optional: true } },
    })
  }

  test("H4 an installation is stale when the lockfile is another", () => {
    write("package-lock.json", lockfile("1.0.0"))
    expect(isInstalled(root)).toBe(false)
    write("node_modules/.package-lock.json", lockfile("1.0.0"))
    expect(isInstalled(root)).toBe(false)
    write("node_modules/some/package.json", "{}")
    expect(isInstalled(root)).toBe(true)
    expect(existsSync(join(root, "node_modules/.tidemark-installed"))).toBe(true)
    write("package-lock.json", lockfile("2.0.0"))
    expect(isInstalled(root)).toBe(false)
  })

  test("H5 a build is stale when a source changed, and a failed build leaves the last one whole", async () => {
    write("package-lock.json", '{ "packages": {} }')
    write("package.json", '{ "type": "module" }')
    write("node_modules/.package-lock.json", '{ "packages": {} }')
    for (const name of ["typescript", "@types"]) {
      symlinkSync(join(ROOT, "node_modules", name), join(root, "node_modules", name))
    }
    for (const name of ["tsconfig.json", "tsconfig.build.json"]) cpSync(join(ROOT, name), join(root, name))
    write("src/a.ts", "export const a = 1\n")
    write("src/gone.ts", "export const gone = 1\n")
    expect(isBuilt(root)).toBe(false)
    await prepare(root)
    expect(isBuilt(root)).toBe(true)
    expect(readFileSync(join(root, "dist/modules/a.js"), "utf8")).toContain("a = 1")

    write("src/a.test.ts", "not compiled\n")
    expect(isBuilt(root)).toBe(true)
    write("src/a.ts", "export const a: string = 2\n")
    expect(isBuilt(root)).toBe(false)
    await expect(prepare(root)).rejects.toThrow("building failed")
    expect(readFileSync(join(root, "dist/modules/a.js"), "utf8")).toContain("a = 1")

    write("src/a.ts", "export const a = 2\n")
    rmSync(join(root, "src/gone.ts"))
    await prepare(root)
    expect(readFileSync(join(root, "dist/modules/a.js"), "utf8")).toContain("a = 2")
    expect(existsSync(join(root, "dist/modules/gone.js"))).toBe(false)
  })
})
