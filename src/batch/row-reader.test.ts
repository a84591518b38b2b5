import { describe, expect, it } from "vitest"
import { randomRow, randomSchema } from "../../test/random-values.ts"
import { forEachSeed } from "../../test/seeds.ts"
import { AssertionError } from "../base/assert.ts"
import { Arena } from "./arena.ts"
import { batchOfRows } from "./batch.ts"
import { rowReader } from "./row-reader.ts"
import { rowView } from "./row-view.ts"
import { schema, type Field } from "./schema.ts"
import { t } from "./types.ts"

const arena = new Arena({ maxBytes: 4 * 1024 * 1024 })
const ODD_NAMES = [
  "constructor",
  "a-b",
  "1",
  "a\u2028b",
  'q"`${1}',
  "*/ //",
  "\\",
  "row",
  "this",
  "toString",
  "columns",
]

/** Reads all fields of a view, which are getters, into a plain object. */
function copied(view: unknown, fields: readonly Field[]): Record<string, unknown> {
  const from = view as Record<string, unknown>
  return Object.fromEntries(
    fields.map(({ name, type }) => {
      const value = from[name]
      return [name, type.storage === "struct" && value !== null ? copied(value, type.definition.fields!) : value]
    }),
  )
}

describe("generated row access", () => {
  it("J1 X1 X2 gives what Batch.row gives, for every schema and row", () => {
    forEachSeed(100, (prng) => {
      const made = randomSchema(prng)
      const [reader, view] = [rowReader(made), rowView(made)]
      for (let round = 0; round < 2; round++) {
        const rows = Array.from({ length: 1 + prng.below(20) }, () => randomRow(prng, made))
        const { batch, release } = batchOfRows(arena, made, rows)
        const read = reader(batch)
        view.bind(batch)
        expect(copied(view.row, made.fields)).toEqual(batch.row(0))
        for (const row of prng.shuffle(rows.map((_, index) => index))) {
          view.moveTo(row)
          const expected = batch.row(row)
          expect(read(row)).toEqual(expected)
          expect(Object.keys(read(row))).toEqual(Object.keys(expected))
          expect(copied(view.row, made.fields)).toEqual(expected)
        }
        release()
      }
    })
  })

  it.each(ODD_NAMES)("X1 X2 knows a field named %j, in the row and in objects", (name) => {
    const made = schema({ [name]: t.int32, other: t.object({ [name]: t.string }) })
    const row = { [name]: 7, other: { [name]: "seven" } }
    const { batch, release } = batchOfRows(arena, made, [row])
    const view = rowView(made)
    view.bind(batch)
    expect(rowReader(made)(batch)(0)).toEqual(row)
    expect(copied(view.row, made.fields)).toEqual(row)
    release()
  })

  it("X1 gives an object of its own each time, and X2 the same one always", () => {
    const made = schema({ a: t.int32, o: t.object({ b: t.int32 }) })
    const { batch, release } = batchOfRows(arena, made, [
      { a: 1, o: { b: 1 } },
      { a: 2, o: { b: 2 } },
    ])
    const read = rowReader(made)(batch)
    expect(read(0)).not.toBe(read(0))
    expect(read(0)["o"]).not.toBe(read(0)["o"])
    const view = rowView(made)
    view.bind(batch)
    const { row } = view
    const { o } = row
    view.moveTo(1)
    expect([view.row === row, row.a, o.b]).toEqual([true, 2, 2])
    release()
  })

  it("X1 reads a null through the bitmap of a column whose type has become required", () => {
    const nullable = schema({ a: t.int32.nullable() })
    const required = schema({ a: t.int32 })
    const { batch, release } = batchOfRows(arena, nullable, [{ a: null }])
    const narrowed = batch.with({ schema: required })
    expect(rowReader(required)(narrowed)(0)).toEqual(narrowed.row(0))
    release()
  })

  it("refuses a batch of another width", () => {
    const { batch, release } = batchOfRows(arena, schema({ a: t.int32 }), [{ a: 1 }])
    const made = schema({ a: t.int32, b: t.int32 })
    expect(() => rowReader(made)(batch)).toThrow(AssertionError)
    expect(() => rowView(made).bind(batch)).toThrow(AssertionError)
    release()
  })
})
