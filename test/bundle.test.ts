/** The files that are published: `scripts/bundle.mjs` has made them. */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { pathToFileURL } from "node:url"
import { expect, test } from "vitest"

const DIST = resolve("dist")

/** The published files that are code, below `dist/`. */
function publishedFiles(): string[] {
  const names = readdirSync(DIST, { recursive: true, encoding: "utf8" })
  return names.filter((name) => name.endsWith(".js") && !name.startsWith("modules/"))
}

/** The modules that a file is made of, as the bundler names them: some more than once. */
function modulesOf(file: string): string[] {
  const text = readFileSync(join(DIST, file), "utf8")
  return [...new Set([...text.matchAll(/^\/\/ (modules\/\S+\.js)$/gm)].map(([, name]) => name!))]
}

test("BU1 each module is in one file, and few files are published", () => {
  const files = publishedFiles()
  const modules = files.flatMap(modulesOf)
  expect(modules.length).toBeGreaterThan(300)
  expect(modules.length).toBe(new Set(modules).size)
  expect(files.length).toBeLessThan(30)
})

test("BU1 what one door throws is of the class that another publishes", async () => {
  const door = async <T>(name: string): Promise<T> => (await import(pathToFileURL(join(DIST, `${name}.js`)).href)) as T
  const { TidemarkError } = await door<{ TidemarkError: new () => Error }>("index")
  const { csv } = await door<{ csv: (path: unknown) => unknown }>("files")
  const { runOnRows } = await door<{ runOnRows: (job: unknown) => Promise<unknown> }>("testing")
  expect(() => csv(5)).toThrow(TidemarkError)
  await expect(Promise.resolve().then(() => runOnRows({}))).rejects.toBeInstanceOf(TidemarkError)
})

test("BU2 the program of threads lies beside the code that starts it", () => {
  const starters = publishedFiles().filter((file) => modulesOf(file).includes("modules/embedded/run.js"))
  expect(starters).toHaveLength(1)
  expect(starters[0]).not.toContain("/")
  expect(existsSync(join(DIST, "decode-thread.js"))).toBe(true)
})
