import { expect, it } from "vitest"
import { randomRow, randomSchema } from "../../test/random-values.ts"
import { forEachSeed } from "../../test/seeds.ts"
import { Arena } from "./arena.ts"
import { Batch, batchOfRows } from "./batch.ts"
import { columnsAt, placesOf, textColumns } from "./column-places.ts"

it("CP1 finds the same values at the places of columns, whatever their types", () => {
  const arena = new Arena({ maxBytes: 1 << 22 })
  forEachSeed(200, (prng) => {
    const schema = randomSchema(prng)
    const rows = Array.from({ length: 1 + prng.below(20) }, () => randomRow(prng, schema))
    const { batch, release } = batchOfRows(arena, schema, rows)
    const types = schema.fields.map(({ type }) => type)
    const columns = columnsAt(arena.buffer, types, structuredClone(placesOf(batch.columns)), rows.length)
    const own = textColumns(batch.columns)
    textColumns(columns).forEach((column, place) => (column.dictionary = own[place]!.dictionary))
    expect(new Batch({ schema, columns, length: rows.length }).toRows()).toEqual(batch.toRows())
    release()
  })
})
