import { chmod, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import { afterEach, beforeEach, expect, test } from "vitest"
import { KEPT_BUNDLES, writeBundle } from "./bundle-directory.ts"

let directory = ""

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "tidemark-bundles-"))
})

afterEach(async () => {
  await chmod(directory, 0o755)
  await rm(directory, { recursive: true })
})

const hashOf = (index: number): string => index.toString(16).padStart(16, "0")

test("BD1 keeps the newest bundles of a file, and those of other files", async () => {
  await writeFile(join(directory, `sales-eu-${hashOf(0)}.mjs`), "")
  for (let index = 0; index < KEPT_BUNDLES + 3; index++) {
    const bundle = await writeBundle(directory, "sales", hashOf(index), "export default 1")
    await utimes(bundle, index + 1, index + 1)
  }
  const names = await readdir(directory)
  expect(names).toContain(`sales-eu-${hashOf(0)}.mjs`)
  const own = names.filter((name) => !name.startsWith("sales-eu")).sort()
  expect(own).toHaveLength(KEPT_BUNDLES)
  expect(own.at(-1)).toBe(`sales-${hashOf(KEPT_BUNDLES + 2)}.mjs`)
  expect(own).not.toContain(`sales-${hashOf(0)}.mjs`)
})

test("a bundle that is there is not written again, and one that cannot be written is told as a disk's failure", async () => {
  const bundle = await writeBundle(directory, "sales", hashOf(1), "one")
  expect(basename(bundle)).toBe(`sales-${hashOf(1)}.mjs`)
  expect(await writeBundle(directory, "sales", hashOf(1), "two")).toBe(bundle)
  await expect(writeBundle(join(directory, "nowhere"), "sales", hashOf(2), "x")).rejects.toMatchObject({
    code: "disk-failed",
    message: expect.stringContaining("no such file or directory (ENOENT)") as string,
  })
})
