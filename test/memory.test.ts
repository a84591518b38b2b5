/**
 * What reaches the garbage collector, counted and not timed: each probe runs in a process of its own, with flags that say
 * when collections happen.
 */
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { buildSync } from "esbuild"
import { afterAll, beforeAll, describe, expect, it } from "vitest"

/**
 * A number that is handed over as a double takes at least twelve bytes of the heap. What a block of a thousand records takes
 * is some four a row.
 */
const ROW_BYTES_MAX = 8

/** Some seventy bytes a batch are state that was in use at the end of an epoch. */
const BATCH_BYTES_MAX = 180

/** Over some four hundred windows. */
const GROWTH_BYTES_MAX = 250_000

let directory = ""

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "tidemark-probe-"))
})

afterAll(() => {
  rmSync(directory, { recursive: true, force: true })
})

function probe(name: string, ...flags: readonly string[]): unknown {
  const outfile = join(directory, `${name}.mjs`)
  buildSync({ entryPoints: [`test/${name}.ts`], bundle: true, platform: "node", format: "esm", outfile })
  const run = spawnSync(process.execPath, ["--expose-gc", ...flags, outfile], { encoding: "utf8" })
  expect(run.stderr).toBe("")
  return JSON.parse(run.stdout)
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((one, other) => one - other)[numbers.length >> 1]!
}

it("V4 decoders and encoders allocate nothing a row", () => {
  const young = ["--min-semi-space-size=64", "--max-semi-space-size=64"]
  const bytesARow = probe("allocation-probe", ...young) as Record<string, number>
  expect(Object.keys(bytesARow).length).toBeGreaterThan(50)
  expect(Object.entries(bytesARow).filter(([, bytes]) => bytes > ROW_BYTES_MAX)).toEqual([])
})

describe("a job", () => {
  let measured: { readonly leftBytes: readonly number[]; readonly heldBytes: readonly number[] }

  beforeAll(() => {
    measured = probe("job-memory-probe", "--max-semi-space-size=1", "--initial-heap-size=1000") as typeof measured
  })

  it("leaves nothing of a batch to full collections", () => {
    // At first the code that runs is being compiled.
    expect(median(measured.leftBytes.slice(-5)), JSON.stringify(measured.leftBytes)).toBeLessThan(BATCH_BYTES_MAX)
  })

  it("holds no more at the end of a long epoch than before", () => {
    const [, early, , , ...last] = measured.heldBytes
    expect(Math.min(...last) - early!, JSON.stringify(measured.heldBytes)).toBeLessThan(GROWTH_BYTES_MAX)
  })
})
