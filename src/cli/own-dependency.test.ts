import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { afterEach, beforeEach, expect, test } from "vitest"
import { VERSION } from "../runtime/version.ts"
import { dependencyOn } from "./own-dependency.ts"

let root = ""

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "tidemark-own-dependency-")))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

/** The dependency of a project in `jobs/new`, made by a Tidemark that lies in a directory of `there`. */
function dependency({ manifest, at = "node_modules/tidemark" }: { readonly manifest?: unknown; readonly at?: string }) {
  const there = join(root, "there")
  mkdirSync(there, { recursive: true })
  const text = typeof manifest === "string" ? manifest : JSON.stringify(manifest)
  if (text !== undefined) writeFileSync(join(there, "package.json"), text)
  return dependencyOn(join(there, at), join(root, "jobs/new"))
}

function file(path: string): string {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), "")
  return path
}

const BY_VERSION = `^${VERSION}`

test.each([
  ["dependencies", "node_modules/tidemark"],
  ["devDependencies", "node_modules/.pnpm/tidemark@file+..+packed+t.tgz/node_modules/tidemark"],
  ["optionalDependencies", "node_modules/tidemark"],
])("NP3 the file that it was installed from, by %s", (kind, at) => {
  file("packed/t.tgz")
  const spec = "file:../../packed/t.tgz"
  expect(dependency({ manifest: { [kind]: { tidemark: "file:../packed/t.tgz" } }, at })).toEqual({
    spec,
    isKnown: true,
  })
  const manifest = { [kind]: { tidemark: `file:${join(root, "packed/t.tgz")}` } }
  expect(dependency({ manifest, at })).toEqual({ spec, isKnown: true })
})

test("NP3 a file that is gone by now is none to depend on", () => {
  const manifest = { dependencies: { tidemark: "file:../packed/t.tgz" } }
  expect(dependency({ manifest })).toEqual({ spec: BY_VERSION, isKnown: false })
})

test.each([
  "https://example.com/tidemark.tgz",
  "git+ssh://git@example.com/tidemark.git#main",
  "github:someone/tidemark",
])("NP3 the address %s", (spec) => {
  expect(dependency({ manifest: { dependencies: { tidemark: spec } } })).toEqual({ spec, isKnown: true })
})

test.each(["^0.1.0", "latest", "npm:tidemark@0.1.0", "workspace:*"])(
  "NP3 its version, where %s was asked for",
  (spec) => {
    const manifest = { dependencies: { tidemark: spec } }
    expect(dependency({ manifest })).toEqual({ spec: BY_VERSION, isKnown: true })
  },
)

test.each([
  ["is none", undefined],
  ["is not JSON", "{"],
  ["is no object", "null"],
  ["has no dependencies", {}],
  ["does not name it", { dependencies: { other: "1" } }],
])("NP3 its version, of which nothing is known, where the package.json %s", (_, manifest) => {
  expect(dependency({ manifest })).toEqual({ spec: BY_VERSION, isKnown: false })
})

test("NP3 a checkout", () => {
  expect(dependency({ at: "checkout" })).toEqual({ spec: "file:../../there/checkout", isKnown: true })
})
