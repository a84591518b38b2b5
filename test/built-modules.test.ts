/** Scripts and benchmarks take modules of the package as they were built, whose names nothing else holds to those of the sources. */
import { execFileSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { expect, test } from "vitest"

const root = new URL("../", import.meta.url)

/** `import { a } from "../dist/modules/x.js"`, `import * as x from …`, and `const { a } = await fromDist("x")`. */
const TAKEN = [
  /import\s+(?:\{(?<names>[^}]*)\}|\*\s+as\s+\w+)\s+from\s+"[./]*dist\/modules\/(?<module>[\w/-]+)\.js"/gu,
  /(?:\{(?<names>[^{}]*)\}\s*=\s*)?await\s+fromDist\("(?<module>[\w/-]+)"\)/gu,
]

interface Taken {
  readonly by: string
  readonly module: string
  readonly names: readonly string[]
}

function takenBy(path: string): Taken[] {
  const text = readFileSync(new URL(path, root), "utf8")
  return TAKEN.flatMap((form) => [...text.matchAll(form)]).map(({ groups }) => ({
    by: path,
    module: groups!["module"]!,
    names: (groups!["names"] ?? "")
      .split(",")
      .map((each) => each.trim().split(/\s+as\s+|:/u)[0]!)
      .filter((name) => name !== ""),
  }))
}

test("what scripts and benchmarks take of the package is there", async () => {
  const paths = execFileSync("git", ["ls-files", "--", "bench", "scripts"], {
    cwd: fileURLToPath(root),
    encoding: "utf8",
  })
  const taken = paths
    .split("\n")
    .filter((path) => path.endsWith(".mjs"))
    .flatMap(takenBy)
  expect(taken.length).toBeGreaterThan(80)
  const missing: string[] = []
  for (const { by, module, names } of taken) {
    const source = new URL(`src/${module}.ts`, root)
    if (!existsSync(source)) missing.push(`${by}: ${module}`)
    else if (names.length > 0) {
      const exported = (await import(fileURLToPath(source))) as object
      missing.push(...names.filter((name) => !(name in exported)).map((name) => `${by}: ${name} of ${module}`))
    }
  }
  expect(missing).toEqual([])
})
