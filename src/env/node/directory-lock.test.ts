import { spawn, type ChildProcess } from "node:child_process"
import { once } from "node:events"
import { existsSync, readdirSync } from "node:fs"
import { mkdir, mkdtemp, rm, symlink } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { buildSync } from "esbuild"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { isDirectoryLocked, lockDirectory } from "./directory-lock.ts"

let root: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "tidemark-lock-"))
})
afterEach(() => rm(root, { recursive: true, force: true }))

describe("within a process", () => {
  test("W1 a second taker gets nothing until the first has released, W2 and then it does", async () => {
    const first = await lockDirectory(root)
    expect(first).toBeDefined()
    expect(await lockDirectory(root)).toBeUndefined()
    await first!.release()
    const second = await lockDirectory(root)
    expect(second).toBeDefined()
    await second!.release()
    expect(readdirSync(root)).toEqual([])
  })

  test("W1 a directory is the same by another name, also where the path is too long for a socket", async () => {
    const long = join(root, "d".repeat(120))
    await mkdir(long)
    await symlink(long, join(root, "short"))
    const first = await lockDirectory(long)
    expect(first).toBeDefined()
    expect(await lockDirectory(join(root, "short"))).toBeUndefined()
    expect(readdirSync(long)).toEqual([])
    await first!.release()
    const second = await lockDirectory(join(root, "short"))
    expect(second).toBeDefined()
    await second!.release()
  })

  test("W1 of many takers at once one gets it", async () => {
    for (let round = 0; round < 30; round++) {
      const locks = await Promise.all(Array.from({ length: 10 }, () => lockDirectory(root)))
      const held = locks.filter((lock) => lock !== undefined)
      expect(held).toHaveLength(1)
      await held[0]!.release()
    }
  })

  test("W1 whether it is held can be asked, and asking takes and changes nothing", async () => {
    expect(await isDirectoryLocked(root)).toBe(false)
    const lock = await lockDirectory(root)
    const before = readdirSync(root)
    expect(await isDirectoryLocked(root)).toBe(true)
    expect(readdirSync(root)).toEqual(before)
    await lock!.release()
    expect(await isDirectoryLocked(root)).toBe(false)
    expect(readdirSync(root)).toEqual([])
  })

  test("a directory that is missing is made", async () => {
    const lock = await lockDirectory(join(root, "new"))
    expect(existsSync(join(root, "new"))).toBe(true)
    await lock!.release()
  })
})

describe("between processes", () => {
  /** A process that takes the lock, says whether it got it, and stays. */
  async function takerProcess(directory: string): Promise<{ child: ChildProcess; isHolder: boolean }> {
    const bundle = join(root, "taker.mjs")
    if (!existsSync(bundle)) {
      const contents = `
        import { isDirectoryLocked, lockDirectory } from "./directory-lock.ts"
        const lock = await lockDirectory(process.argv[2])
        process.stdout.write(lock === undefined ? "refused" : "holder")
        setInterval(() => undefined, 1000)`
      const stdin = { contents, resolveDir: import.meta.dirname, loader: "ts" } as const
      buildSync({ stdin, bundle: true, platform: "node", format: "esm", outfile: bundle, logLevel: "silent" })
    }
    const child = spawn(process.execPath, [bundle, directory], { stdio: ["ignore", "pipe", "inherit"] })
    const [output] = (await once(child.stdout, "data")) as [Buffer]
    return { child, isHolder: output.toString() === "holder" }
  }

  async function killHard(child: ChildProcess): Promise<void> {
    const exited = once(child, "exit")
    child.kill("SIGKILL")
    await exited
  }

  test("W1 a living holder keeps the others out, W2 one that was killed does not", async () => {
    for (const directory of [join(root, "state"), join(root, "d".repeat(120))]) {
      const first = await takerProcess(directory)
      const second = await takerProcess(directory)
      expect([first.isHolder, second.isHolder]).toEqual([true, false])
      expect(await lockDirectory(directory)).toBeUndefined()
      await killHard(second.child)
      await killHard(first.child)
      const takers = await Promise.all(Array.from({ length: 10 }, () => lockDirectory(directory)))
      const held = takers.filter((lock) => lock !== undefined)
      expect(held).toHaveLength(1)
      await held[0]!.release()
      const third = await takerProcess(directory)
      expect(third.isHolder).toBe(true)
      await killHard(third.child)
      const lock = await lockDirectory(directory)
      expect(lock).toBeDefined()
      await lock!.release()
    }
  })
})
