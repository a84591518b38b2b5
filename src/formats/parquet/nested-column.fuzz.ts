/** PQ8 NL1 NC1: columns of lists and objects in every form, with pages cut anywhere, whole and damaged. */
import { afterAll, describe, expect, it } from "vitest"
import { forEachSeed, forEachSeedInTurn } from "../../../test/seeds.ts"
import type { Prng } from "../../base/prng.ts"
import { TidemarkError } from "../../base/errors.ts"
import { schema } from "../../batch/schema.ts"
import { DuckDb, readFile, usedBytes } from "../../connectors/files/parquet-file.fixture.ts"
import { nestedFile, randomTree, randomValue, typeOf, type Tree } from "./nested-file.fixture.ts"

interface Made {
  readonly tree: Tree
  readonly values: readonly unknown[]
  readonly bytes: Uint8Array
}

function randomFile(prng: Prng, rows: number): Made {
  let tree = randomTree(prng, 3)
  while (tree.kind !== "list" && tree.kind !== "object") tree = randomTree(prng, 3)
  const values = Array.from({ length: rows }, () => randomValue(prng, tree))
  return { tree, values, bytes: nestedFile(prng, tree, values) }
}

afterAll(() => {
  expect(usedBytes()).toBe(0)
})

describe("NestedColumnReader", () => {
  it("CT1 PQ8 NL1 gives the rows of random trees, from any row on, whatever pages they lie in", () => {
    let count = 0
    forEachSeed(800, (prng) => {
      const { tree, values, bytes } = randomFile(prng, 1 + prng.below(prng.pick([4, 40, 120])))
      const from = prng.chance(0.5) ? 0 : prng.below(values.length)
      const limit = prng.chance(0.5) ? {} : { limit: () => 1 + prng.below(9) }
      const { rows, bad } = readFile(bytes, schema({ v: typeOf(tree) }), { from, ...limit })
      expect(bad).toEqual([])
      expect(rows).toEqual(values.slice(from).map((v) => ({ v })))
      count += rows.length
    })
    expect(count).toBeGreaterThan(5000)
  })

  it("CT1 DuckDB reads these files in the same way, so that they are Parquet", async () => {
    const duckDb = await DuckDb.open()
    let count = 0
    await forEachSeedInTurn(100, async (prng) => {
      const { values, bytes, tree } = randomFile(prng, 20)
      // What older writers have made, it reads otherwise.
      if (/"bare"|"two"/.test(JSON.stringify(tree))) return
      const read = await duckDb.read(bytes, "SELECT to_json(v)::VARCHAR FROM FILE")
      expect(read.map(([v]) => (v === null ? null : (JSON.parse(v as string) as unknown)))).toEqual(values)
      count++
    })
    duckDb.close()
    expect(count).toBeGreaterThan(20)
  })

  it("CT3 PQ5 reads damaged files, or refuses them", () => {
    const tally = { read: 0, refused: 0 }
    forEachSeed(150, (prng) => {
      const { tree, bytes } = randomFile(prng, 30)
      for (let copy = 0; copy < 10; copy++) {
        const damaged = bytes.slice()
        for (let count = 1 + prng.below(3); count > 0; count--) {
          damaged[prng.below(damaged.length)]! ^= 1 << prng.below(8)
        }
        try {
          readFile(damaged, schema({ v: typeOf(tree) }), { pageBytesMax: 1 << 20 })
          tally.read++
        } catch (error) {
          if (!(error instanceof TidemarkError && error.code === "source-unreadable")) throw error
          tally.refused++
        }
      }
    })
    expect(tally.read).toBeGreaterThan(100)
    expect(tally.refused).toBeGreaterThan(100)
  })
})
