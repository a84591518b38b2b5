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
    expect(await ids("trips/**")).toEqual(["trips/2024/a.csv", "trips/2024/b.csv"])
    expect(await ids("trips/2024/up/2024/*.csv")).toEqual(["trips/2024/up/2024/a.csv", "trips/2024/up/2024/b.csv"])
    expect(await ids("trips/2024/*/2024/a.csv")).toEqual(["trips/2024/up/2024/a.csv"])
  } finally {
    await rm(base, { recursive: true })
  }
})
