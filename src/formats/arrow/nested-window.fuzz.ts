/** AR6 NW1: columns of lists and objects as the Arrow project's own library writes them, whole and damaged. */
import * as arrowLib from "apache-arrow"
import { afterAll, describe, expect, it } from "vitest"
import { forEachSeedInTurn } from "../../../test/seeds.ts"
import type { Prng } from "../../base/prng.ts"
import { TidemarkError } from "../../base/errors.ts"
import type { ColumnType } from "../../batch/type.ts"
import { schema } from "../../batch/schema.ts"
import { t } from "../../batch/types.ts"
import { randomTree, randomValue, typeOf, type Tree } from "../parquet/nested-file.fixture.ts"
import { readArrowFile, usedBytes } from "../../connectors/files/arrow-file.fixture.ts"

/** The type of a tree in Arrow. */
function arrowType(prng: Prng, tree: Tree): arrowLib.DataType {
  if (tree.kind === "int") return new arrowLib.Int32()
  if (tree.kind === "text") return new arrowLib.Utf8()
  if (tree.kind === "list") {
    const { element } = tree
    return new arrowLib.List(new arrowLib.Field("item", arrowType(prng, element), element.isOptional))
  }
  return new arrowLib.Struct(
    tree.fields.map(([name, field]) => new arrowLib.Field(name, arrowType(prng, field), field.isOptional)),
  )
}

/** A file of one column in record batches of so many rows. */
function written(values: readonly unknown[], type: arrowLib.DataType, batchRows = Infinity): Uint8Array {
  const writer = new arrowLib.RecordBatchFileWriter()
  for (let from = 0; from < values.length; from += batchRows) {
    const some = values.slice(from, from + batchRows)
    const vector = arrowLib.vectorFromArray(some as never[], type)
    for (const batch of new arrowLib.Table({ v: vector }).batches) writer.write(batch)
  }
  writer.finish()
  return writer.toUint8Array(true)
}

afterAll(() => {
  expect(usedBytes()).toBe(0)
})

describe("NestedWindow", () => {
  it("CT1 AR6 gives the rows of random trees, from any row on", async () => {
    let count = 0
    await forEachSeedInTurn(400, async (prng) => {
      const tree = randomTree(prng, 3)
      const values = Array.from({ length: 1 + prng.below(prng.pick([4, 40, 120])) }, () => randomValue(prng, tree))
      const bytes = written(values, arrowType(prng, tree), prng.pick([7, 50, Infinity]))
      const from = prng.chance(0.5) ? 0 : prng.below(values.length)
      const limit = prng.chance(0.5) ? {} : { limit: () => 1 + prng.below(9) }
      const { rows, bad } = await readArrowFile(bytes, schema({ v: typeOf(tree) }), { from, ...limit })
      expect(bad).toEqual([])
      expect(rows).toEqual(values.slice(from).map((v) => ({ v })))
      count += rows.length
    })
    expect(count).toBeGreaterThan(2000)
  })

  it("CT3 AR4 reads damaged files, or refuses them", async () => {
    const tally = { read: 0, refused: 0 }
    await forEachSeedInTurn(100, async (prng) => {
      const tree = randomTree(prng, 3)
      const values = Array.from({ length: 30 }, () => randomValue(prng, tree))
      const bytes = written(values, arrowType(prng, tree))
      for (let copy = 0; copy < 10; copy++) {
        const damaged = bytes.slice()
        for (let times = 1 + prng.below(3); times > 0; times--)
          damaged[prng.below(damaged.length)]! ^= 1 << prng.below(8)
        try {
          await readArrowFile(damaged, schema({ v: typeOf(tree) }))
          tally.read++
        } catch (error) {
          if (!(error instanceof TidemarkError && error.code === "source-unreadable")) throw error
          tally.refused++
        }
      }
    })
    expect(tally.read).toBeGreaterThan(50)
    expect(tally.refused).toBeGreaterThan(50)
  })
})

type Case = readonly [
  name: string,
  type: arrowLib.DataType,
  as: ColumnType,
  values: readonly unknown[],
  expected?: readonly unknown[],
]

describe("AR6 every kind of list", () => {
  const { Dictionary, Field, FixedSizeList, Float64, Int8, Int32, List, Struct, Utf8 } = arrowLib
  const pair = new Struct<arrowLib.TypeMap>([new Field("k", new Utf8()), new Field("v", new Int32(), true)])
  const CASES: readonly Case[] = [
    [
      "of a fixed size",
      new FixedSizeList(2, new Field("item", new Float64())),
      t.list(t.float64),
      [[1, 2], null, [3, 4]],
    ],
    [
      "of texts of a dictionary",
      new List(new Field("item", new Dictionary(new Utf8(), new Int8()), true)),
      t.list(t.string.nullable()),
      [["a", "b", "a"], null, [], ["b", null]],
    ],
    [
      "of JSON text",
      new List(new Field("item", new Utf8(), true)),
      t.list(t.list(t.int32).nullable()),
      [["[1]", null], null],
      [[[1], null], null],
    ],
    [
      "in a map",
      new arrowLib.Map_(new Field("entries", pair as never)),
      t.list(t.object({ key: t.string, value: t.int32.nullable() })),
      [
        new Map([
          ["a", 1],
          ["b", 2],
        ]),
        null,
        new Map(),
      ],
      [
        [
          { key: "a", value: 1 },
          { key: "b", value: 2 },
        ],
        null,
        [],
      ],
    ],
  ]
  for (const [name, type, as, values, expected = values] of CASES) {
    it(name, async () => {
      const { rows, bad } = await readArrowFile(written(values, type), schema({ v: as.nullable() }))
      expect(bad).toEqual([])
      expect(rows.map(({ v }) => v)).toEqual(expected)
    })
  }

  it("parts that are not of their type make bad records, and are told with their place", async () => {
    const type = new List(new Field("item", new Struct([new Field("a", new Int32(), true)]), true))
    const bytes = written([[{ a: 1 }, { a: 300 }], [{ a: 1 }], [{ a: null }], [null], null], type)
    const { rows, bad } = await readArrowFile(bytes, schema({ v: t.list(t.object({ n: t.int8.from("a") })) }))
    expect(rows).toEqual([{ v: [{ n: 1 }] }])
    const object = 'an object whose field "a" is'
    expect(bad).toEqual([
      {
        ordinal: 0,
        reason: `the field "v" is a list whose element [1] is ${object} 300, outside the range of int8 (-128 to 127)`,
      },
      {
        ordinal: 2,
        reason: `the field "v" is a list whose element [0] is ${object} null, and the column is not nullable`,
      },
      { ordinal: 3, reason: 'the field "v" is a list whose element [0] is null, and the column is not nullable' },
      { ordinal: 4, reason: 'the field "v" is null, and the column is not nullable' },
    ])
  })

  it("NW1 a window has fewer rows where they are long, and a row has a bound", async () => {
    const list = (count: number) => Array.from({ length: count }, (_, index) => index)
    const type = new List(new Field("item", new Int32()))
    const values = Array.from({ length: 9000 }, (_, row) => list(row % 500 === 0 ? 3000 : row % 4))
    const { rows } = await readArrowFile(written(values, type), schema({ v: t.list(t.int32) }), { from: 8190 })
    expect(rows.length).toBe(810)
    expect(rows.every(({ v }, index) => (v as number[]).length === values[8190 + index]!.length)).toBe(true)
    await expect(readArrowFile(written([list(1_100_000)], type), schema({ v: t.list(t.int32) }))).rejects.toThrow(
      /The column "v" of the file f\.arrow cannot be read: a row has more than 1048576 values in it/,
    )
  })
})
