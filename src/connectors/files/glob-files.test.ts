/** Which files patterns find. */
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, test } from "vitest"
import { nodeEnv } from "../../env/node/node-env.ts"
import { SimWorld } from "../../sim/sim-env.ts"
import { findFiles } from "./glob-files.ts"

const FILES = [
  "/work/trips/b.csv",
  "/work/trips/a.csv",
  "/work/trips/.hidden.csv",
  "/work/trips/2024/a.csv",
  "/work/trips/2024/deep/er/a.csv",
  "/work/trips/.git/a.csv",
  "/work/rides/x.jsonl",
  "/data/a.csv",
]

async function find(pattern: string): Promise<string[]> {
  const world = new SimWorld({ seed: 1 })
  for (const path of FILES) world.image.install(path, new TextEncoder().encode(path))
  world.image.installDirectory("/work/trips/empty.csv")
  const finding = findFiles(world.boot().disk, "/work", pattern)
  await world.run(finding)
  const files = await finding
  for (const { path, entry } of files) if (entry.kind === "file") expect(entry.size).toBe(path.length)
  return files.map(({ id }) => id)
}

test.each([
  ["trips/*.csv", ["trips/a.csv", "trips/b.csv"]],
  ["trips/.*.csv", ["trips/.hidden.csv"]],
  ["trips/**/a.csv", ["trips/2024/a.csv", "trips/2024/deep/er/a.csv", "trips/a.csv"]],
  ["trips/**", ["trips/2024/a.csv", "trips/2024/deep/er/a.csv", "trips/a.csv", "trips/b.csv"]],
  ["trips/**/**/a.csv", ["trips/2024/a.csv", "trips/2024/deep/er/a.csv", "trips/a.csv"]],
  ["*/*.{csv,jsonl}", ["rides/x.jsonl", "trips/a.csv", "trips/b.csv"]],
  ["{trips/a,rides/x}.*", ["rides/x.jsonl", "trips/a.csv"]],
  ["trips/.git/*", ["trips/.git/a.csv"]],
  ["trips/a.csv", ["trips/a.csv"]],
  ["./trips/../trips/a.csv", ["trips/a.csv"]],
  ["/data/*.csv", ["/data/a.csv"]],
  ["../data/*.csv", ["../data/a.csv"]],
  ["trips/nothing-*", []],
  ["nowhere/*.csv", []],
  ["trips/a.csv/*", []],
  // Named literally, a directory is the caller's to refuse; a wildcard passes over it.
  ["trips/empty.csv", ["trips/empty.csv"]],
])("Q3 %s finds %j", async (pattern, expected) => {
  expect(await find(pattern)).toEqual(expected)
})

test("Q3 a link is followed where it is named, and a double star is not led in circles by one", async () => {
  const base = await mkdtemp(join(tmpdir(), "tidemark-glob-"))
  try {
    await mkdir(join(base, "trips/2024"), { recursive: true })
    await writeFile(join(base, "trips/2024/a.csv"), "1")
    await symlink("..", join(base, "trips/2024/up"))
    await symlink("a.csv", join(base, "trips/2024/b.csv"))
    await symlink("nowhere", join(base, "trips/2024/c.csv"))
    const { disk } = nodeEnv()
    const ids = async (pattern: string): Promise<string[]> => (await findFiles(disk, base, pattern)).map(({ id }) => id)
    expect(await ids("trips/**")).toEqual(["trips/2024/a.csv", "trips/2024/b.csv", "trips/2024/c.csv"])
    const above = ["a", "b", "c"].map((name) => `trips/2024/up/2024/${name}.csv`)
    expect(await ids("trips/2024/up/2024/*.csv")).toEqual(above)
    expect(await ids("trips/2024/*/2024/a.csv")).toEqual(["trips/2024/up/2024/a.csv"])
  } finally {
    await rm(base, { recursive: true })
  }
})

test("Q4 what a pattern matches and does not give is told, each thing once", async () => {
  const base = await mkdtemp(join(tmpdir(), "tidemark-glob-"))
  try {
    await mkdir(join(base, "trips/2024.csv"), { recursive: true })
    await writeFile(join(base, "trips/a.csv"), "1")
    await symlink("nowhere", join(base, "trips/gone"))
    await symlink("nowhere", join(base, "trips/gone.csv"))
    await symlink("2024.csv", join(base, "trips/link"))
    await symlink("/dev/null", join(base, "trips/null.csv"))
    const { disk } = nodeEnv()
    const look = async (pattern: string): Promise<[files: string[], passed: string[]]> => {
      const passed: string[] = []
      const files = await findFiles(disk, base, pattern, ({ id, reason }) => void passed.push(`${reason} ${id}`))
      return [files.map(({ id, entry }) => (entry.kind === "file" ? id : `${id} (${entry.kind})`)), passed.sort()]
    }
    const found = ["trips/a.csv", "trips/gone.csv (nowhere)"]
    const special = "special trips/null.csv"
    expect(await look("trips/*.csv")).toEqual([found, ["directory trips/2024.csv", special]])
    expect(await look("trips/{*.csv,2*}")).toEqual([found, ["directory trips/2024.csv", special]])
    const all = ["trips/a.csv", "trips/gone (nowhere)", "trips/gone.csv (nowhere)"]
    expect(await look("trips/**")).toEqual([all, ["linked-directory trips/link", special]])
    // The links that lead nowhere may have been directories, and may not.
    expect(await look("trips/*/b.csv")).toEqual([[], ["dangling-link trips/gone", "dangling-link trips/gone.csv"]])
    expect(await look("trips/gone/b.csv")).toEqual([["trips/gone (nowhere)"], []])
    expect(await look("trips/2024.csv")).toEqual([["trips/2024.csv (directory)"], []])
  } finally {
    await rm(base, { recursive: true })
  }
})

test.skipIf(process.platform === "darwin")("Q4 a name that is not UTF-8 is refused, not missed", async () => {
  const base = await mkdtemp(join(tmpdir(), "tidemark-glob-"))
  try {
    await writeFile(Buffer.concat([Buffer.from(`${base}/bad-`), Buffer.from([0xff]), Buffer.from(".csv")]), "1")
    const find = (pattern: string) => findFiles(nodeEnv().disk, base, pattern)
    const refusal = { code: "source-unreadable", message: expect.stringContaining("is not UTF-8") as string }
    await expect(find("*.csv")).rejects.toMatchObject(refusal)
    await expect(find("**")).rejects.toMatchObject(refusal)
    expect(await find("good-*.csv")).toEqual([])
  } finally {
    await rm(base, { recursive: true })
  }
})
