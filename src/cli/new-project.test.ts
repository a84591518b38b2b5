import {
  existsSync,
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
import { dirname, join } from "node:path"
import { afterEach, beforeEach, expect, test } from "vitest"
import { newProject } from "./new-project.ts"

let root = ""

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "tidemark-new-project-"))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

function manifestOf(directory: string): { readonly name: string } {
  return JSON.parse(readFileSync(join(directory, "package.json"), "utf8")) as { readonly name: string }
}

test("NP1 refuses a directory that has one of the files, whichever it is, and touches nothing", async () => {
  const { files } = await newProject(join(root, "whole"))
  expect(files).toHaveLength(7)
  for (const [number, file] of files.entries()) {
    const directory = join(root, `taken-${number}`)
    mkdirSync(dirname(join(directory, file)), { recursive: true })
    writeFileSync(join(directory, file), "mine")
    const message = `The directory ${directory} has what a new project would write: ${file}.`
    await expect(newProject(directory)).rejects.toMatchObject({ code: "project-occupied", message })
    const names = readdirSync(directory, { recursive: true, encoding: "utf8" })
    expect(names.filter((name) => statSync(join(directory, name)).isFile())).toEqual([file])
    expect(readFileSync(join(directory, file), "utf8")).toBe("mine")
  }
})

test("NP1 refuses files in the place of directories, and links that lead nowhere", async () => {
  writeFileSync(join(root, "src"), "mine")
  symlinkSync("nowhere", join(root, "README.md"))
  const there = "README.md, src/requests.ts, src/requests.test.ts"
  await expect(newProject(root)).rejects.toMatchObject({ message: expect.stringContaining(there) as string })
  expect(readdirSync(root)).toEqual(["README.md", "src"])
  const message = `${join(root, "src")} is no directory.`
  await expect(newProject(join(root, "src"))).rejects.toMatchObject({ code: "project-occupied", message })
  const below = `${join(root, "src")} is no directory, so ${join(root, "src/a/b")} cannot be made.`
  await expect(newProject(join(root, "src/a/b"))).rejects.toMatchObject({ code: "project-occupied", message: below })
})

test.skipIf(!existsSync("/proc/self"))("NP2 removes what it has made where a file cannot be written", async () => {
  // Nobody can make a file there.
  const half = join(root, "new/half")
  mkdirSync(join(half, "src"), { recursive: true })
  symlinkSync("/proc/self", join(half, "data"))
  const message = expect.stringContaining(`The disk could not write ${join(half, "data/requests.csv")}`) as string
  await expect(newProject(half)).rejects.toMatchObject({ code: "disk-failed", message })
  expect(readdirSync(half)).toEqual(["data", "src"])
  expect(readdirSync(join(half, "src"))).toEqual([])
})

test.each([
  ["Web Shop (2)", "web-shop-2"],
  ["_.hidden", "hidden"],
  ["tidemark", "tidemark-job"],
  ["vitest", "tidemark-job"],
  ["日本", "tidemark-job"],
])("a project in %s is a package %s", async (directory, name) => {
  await newProject(join(root, directory))
  expect(manifestOf(join(root, directory)).name).toBe(name)
})
