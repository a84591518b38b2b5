/** The files that are published: `scripts/bundle.mjs` has made them. */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { SourceMap, type SourceMapPayload } from "node:module"
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
  expect(files.length).toBeLessThan(80)
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

test("BU3 what is published is ASCII, without comments but for those that programs read", () => {
  for (const file of publishedFiles()) {
    const text = readFileSync(join(DIST, file), "utf8")
    expect(text, file).not.toMatch(/[^\0-\x7f]/)
    expect(text, file).not.toMatch(/^\s*(?:\/\*\*|\/\/ (?!modules\/))/m)
  }
})

test("BU4 source maps find the place of each function", () => {
  let found = 0
  for (const file of publishedFiles()) {
    const map = JSON.parse(readFileSync(join(DIST, `${file}.map`), "utf8")) as SourceMapPayload
    const places = new SourceMap(map)
    const sources = new Map(map.sources.map((name, at) => [name, map.sourcesContent[at]!.split("\n")]))
    for (const [number, line] of readFileSync(join(DIST, file), "utf8").split("\n").entries()) {
      // The bundler numbers a name that stands for two.
      const [, name] = /^(?:async )?function (\w+?)\d*\(/.exec(line) ?? []
      if (name === undefined) continue
      const place = places.findEntry(number, 0)
      if ("originalLine" in place) {
        expect(sources.get(place.originalSource)![place.originalLine]).toContain(`function ${name}`)
        found++
      }
    }
  }
  expect(found).toBeGreaterThan(1000)
})

test("BU5 a job of CSV and JSON lines loads no code of other formats, and none of a server", () => {
  const seen = new Set<string>()
  const outside = new Set<string>()
  const visit = (file: string): void => {
    if (seen.has(file)) return
    seen.add(file)
    const imports = readFileSync(join(DIST, file), "utf8").matchAll(/^(?:import|export|\})(?: .*? from)? "([^"]+)";$/gm)
    for (const [, name] of imports)
      if (name!.startsWith("./")) visit(name!.slice(2))
      else outside.add(name!)
  }
  visit("index.js")
  visit("files.js")
  expect(outside).toContain("node:fs")
  for (const heavy of ["node:http", "node:zlib", "esbuild", "pg", "zstddec"]) expect([...outside]).not.toContain(heavy)
  expect(seen.size).toBeLessThan(40)
  const loaded = [...seen].flatMap(modulesOf)
  expect(loaded).toContain("modules/formats/csv-decoder.js")
  expect(loaded.filter((name) => /\b(parquet|arrow|gzip|zstd|server|postgres)\b/.test(name))).toEqual([])
})
