import { constants } from "node:fs"
import { mkdtemp, mkdir, open, readdir, readFile, readlink, realpath, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { nodeDisk as disk } from "./node-disk.ts"

let root: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "tidemark-disk-"))
})
afterEach(() => rm(root, { recursive: true, force: true }))

describe("a file", () => {
  test("Z2 is written and read whole, also from and into shared memory", async () => {
    const shared = new Uint8Array(new SharedArrayBuffer(300_000))
    for (let at = 0; at < shared.length; at++) shared[at] = at % 251
    const file = (await disk.open(`${root}/a`, "create", "test"))!
    await file.write(shared, 10, "test")
    await file.sync("test")
    expect(await file.size()).toBe(300_010)
    const target = new Uint8Array(new SharedArrayBuffer(300_000))
    expect(await file.read(target, 10, "test")).toBe(300_000)
    expect(Buffer.compare(Buffer.from(target), Buffer.from(shared))).toBe(0)
    await file.truncate(4, "test")
    expect(await file.size()).toBe(4)
    await file.close()
  })

  test("reads less than asked for only at its end", async () => {
    await writeFile(`${root}/a`, "hello")
    const file = (await disk.open(`${root}/a`, "read", "test"))!
    const target = new Uint8Array(4)
    expect(await file.read(target, 3, "test")).toBe(2)
    expect(await file.read(target, 5, "test")).toBe(0)
    await file.close()
  })

  test("opens by its mode, and gives undefined for what is absent or there already", async () => {
    expect(await disk.open(`${root}/a`, "read", "test")).toBeUndefined()
    expect(await disk.open(`${root}/a`, "update", "test")).toBeUndefined()
    const file = await disk.open(`${root}/a`, "create", "test")
    expect(file).toBeDefined()
    await file!.close()
    expect(await disk.open(`${root}/a`, "create", "test")).toBeUndefined()
    expect(await disk.open(`${root}/a/b`, "read", "test")).toBeUndefined()
  })
})

/** How files of a path are open in this process: the flags of each. */
async function openFlags(path: string): Promise<number[]> {
  const flags: number[] = []
  for (const fd of await readdir("/proc/self/fd")) {
    if ((await readlink(`/proc/self/fd/${fd}`).catch(() => "")) !== path) continue
    const [, octal] = /flags:\s*(\d+)/.exec(await readFile(`/proc/self/fdinfo/${fd}`, "utf8"))!
    flags.push(Number.parseInt(octal!, 8))
  }
  return flags
}

describe("Z3 a durable write", () => {
  const STEPS = { write: "test", sync: "test" }
  const text = (words: string) => new TextEncoder().encode(words)

  test("is whole, whatever the file is called by then, and leaves nothing open", async () => {
    const file = (await disk.open(`${root}/a`, "create", "test"))!
    await file.writeDurably(text("one "), 0, STEPS)
    await disk.rename(`${root}/a`, `${root}/b`, "test")
    await file.writeDurably(text("two "), 4, STEPS)
    await file.write(text("three "), 8, "test")
    await file.writeDurably(text("four"), 14, STEPS)
    expect(await readFile(`${root}/b`, "utf8")).toBe("one two three four")
    await file.close()
    if (process.platform === "linux") expect(await openFlags(await realpath(`${root}/b`))).toEqual([])
  })

  test.runIf(process.platform === "linux")(
    "syncs by itself, and what was written otherwise is synced first",
    async () => {
      const probe = await open(`${root}/probe`, "w")
      const datasync = vi.spyOn(Object.getPrototypeOf(probe) as typeof probe, "datasync")
      await probe.close()
      const file = (await disk.open(`${root}/a`, "create", "test"))!
      const syncsOf = async (work: () => unknown): Promise<number> => {
        datasync.mockClear()
        await work()
        return datasync.mock.calls.length
      }
      const writeDurably = () => file.writeDurably(text("x"), 0, STEPS)
      expect(await syncsOf(writeDurably)).toBe(0)
      expect(
        (await openFlags(await realpath(`${root}/a`))).filter((flags) => (flags & constants.O_DSYNC) !== 0),
      ).toHaveLength(1)
      for (const change of [
        () => file.write(text("y"), 1, "test"),
        () => Promise.resolve(file.writeNow(text("z"), 2, "test")),
        () => file.truncate(1, "test"),
      ]) {
        await change()
        expect(await syncsOf(writeDurably)).toBe(1)
        expect(await syncsOf(writeDurably)).toBe(0)
        await change()
        await file.sync("test")
        expect(await syncsOf(writeDurably)).toBe(0)
      }
      datasync.mockRestore()
      await file.close()
    },
  )
})

describe("a directory", () => {
  test("is asked at once whether it has a name", async () => {
    await writeFile(`${root}/a`, "")
    await symlink("nothing", `${root}/dangling`)
    expect(["a", "dangling", "none", "a/b"].map((name) => disk.isThereNow(`${root}/${name}`))).toEqual([
      true,
      true,
      false,
      false,
    ])
  })

  test("lists its names by code unit, and is empty where it is absent", async () => {
    for (const name of ["b", "a", "B", "ä", "10", "9"]) await writeFile(`${root}/${name}`, "")
    expect(await disk.list(root)).toEqual(["10", "9", "B", "a", "b", "ä"])
    expect(await disk.list(`${root}/none`)).toEqual([])
  })

  test("is made with its parents, again without harm, and synced", async () => {
    await disk.makeDirectory(`${root}/x/y`, "test")
    await disk.makeDirectory(`${root}/x/y`, "test")
    await disk.syncDirectory(`${root}/x`, "test")
    expect(await disk.stat(`${root}/x/y`)).toMatchObject({ kind: "directory" })
  })

  test("that a file system has no room for is refused, and not tried for ever", async () => {
    await expect(disk.makeDirectory("/proc/tidemark/x", "test")).rejects.toMatchObject({
      code: expect.stringMatching(/^disk-/) as string,
    })
    await writeFile(`${root}/file`, "")
    await expect(disk.makeDirectory(`${root}/file`, "test")).rejects.toMatchObject({
      message: expect.stringContaining("EEXIST") as string,
    })
  })

  test("loses and gains names by rename and remove", async () => {
    await writeFile(`${root}/a`, "new")
    await writeFile(`${root}/b`, "older")
    await disk.rename(`${root}/a`, `${root}/b`, "test")
    expect(await disk.list(root)).toEqual(["b"])
    expect(await disk.stat(`${root}/b`)).toMatchObject({ kind: "file", size: 3 })
    await disk.remove(`${root}/b`, "test")
    await disk.remove(`${root}/b`, "test")
    expect(await disk.stat(`${root}/b`)).toBeUndefined()
  })
})

test("a file is known whatever it is called, by its path and open", async () => {
  await writeFile(`${root}/a`, "1")
  await writeFile(`${root}/other`, "1")
  const { fileId } = (await disk.stat(`${root}/a`))!
  const file = (await disk.open(`${root}/a`, "read", "test"))!
  expect(await file.fileId()).toBe(fileId)
  await disk.rename(`${root}/a`, `${root}/b`, "test")
  expect((await disk.stat(`${root}/b`))!.fileId).toBe(fileId)
  expect((await disk.stat(`${root}/other`))!.fileId).not.toBe(fileId)
  expect((await disk.stat(root))!.fileId).toBeUndefined()
  await file.close()
})

test("a link is what it leads to, and one that leads nowhere is seen", async () => {
  await writeFile(`${root}/target`, "four")
  await symlink("target", `${root}/link`)
  await symlink("nothing", `${root}/dangling`)
  await symlink("target/x", `${root}/through-a-file`)
  await symlink("itself", `${root}/itself`)
  expect(await disk.stat(`${root}/link`)).toMatchObject({
    kind: "file",
    size: 4,
    isLink: true,
    leadsTo: await realpath(`${root}/target`),
  })
  expect(await disk.stat(`${root}/dangling`)).toEqual({ kind: "nowhere", size: 0, isLink: true })
  expect(await disk.stat(`${root}/through-a-file`)).toMatchObject({ kind: "nowhere" })
  expect(await disk.stat(`${root}/itself`)).toMatchObject({ kind: "nowhere" })
})

describe("Z1 a failure", () => {
  test("names the call, the path and the system's words", async () => {
    await mkdir(`${root}/d`)
    const error = await disk.rename(`${root}/none`, `${root}/b`, "test").catch((caught: unknown) => caught)
    expect(error).toMatchObject({
      name: "TidemarkError",
      code: "disk-failed",
      message: `The disk could not rename ${root}/none to ${root}/b: no such file or directory (ENOENT).`,
    })
    await expect(disk.remove(`${root}/d`, "test")).rejects.toMatchObject({ code: "disk-failed" })
    await expect(disk.syncDirectory(`${root}/none`, "test")).rejects.toMatchObject({ code: "disk-failed" })
    const tooLong = `${root}/${"x".repeat(300)}`
    await expect(disk.stat(tooLong)).rejects.toThrow(/could not look at .*xxx: .*ENAMETOOLONG/)
  })

  test("of a full disk has a code of its own", async () => {
    // Linux has a device that is always full.
    if (process.platform !== "linux") return
    const file = (await disk.open("/dev/full", "update", "test"))!
    await expect(file.write(new Uint8Array(10), 0, "test")).rejects.toMatchObject({ code: "disk-full" })
    await file.close()
  })
})
