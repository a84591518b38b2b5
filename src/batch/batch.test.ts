import { describe, expect, it } from "vitest"
import { randomRow, randomSchema } from "../../test/random-values.ts"
import { forEachSeed } from "../../test/seeds.ts"
import { AssertionError } from "../base/assert.ts"
import { TidemarkError } from "../base/errors.ts"
import { Arena } from "./arena.ts"
import { allocateColumns, Batch, batchOfRows, MAX_BATCH_ROWS, NO_ORIGIN } from "./batch.ts"
import { schema } from "./schema.ts"
import { t } from "./types.ts"
import { writtenRow } from "./written-row.ts"

const Trip = schema({ zone: t.string, fare: t.float64.nullable() })
const rows = [
  { zone: "a", fare: 1.5 },
  { zone: "b", fare: null },
  { zone: "a", fare: -0 },
]

function tripBatch(): Batch {
  return batchOfRows(new Arena({ maxBytes: 65_536 }), Trip, rows).batch
}

describe("batches", () => {
  it("give back the rows that they were made of", () => {
    forEachSeed(60, (prng) => {
      const made = randomSchema(prng)
      const rows = Array.from({ length: prng.below(30) }, () => randomRow(prng, made))
      const arena = new Arena({ maxBytes: 1024 * 1024 })
      const { batch, release } = batchOfRows(arena, made, rows)
      expect(batch.toRows()).toEqual(rows)
      expect([batch.length, batch.count]).toEqual([rows.length, rows.length])
      release()
      expect(arena.usedBytes).toBe(0)
    })
  })

  it("H0 have a column a field, and at most 65,536 rows", () => {
    const { columns } = tripBatch()
    expect(() => new Batch({ schema: Trip, columns: columns.slice(1), length: 1 })).toThrow(AssertionError)
    expect(() => new Batch({ schema: Trip, columns, length: MAX_BATCH_ROWS + 1 })).toThrow(AssertionError)
  })

  it("H1 visit the rows that count, in order", () => {
    const batch = tripBatch().with({ selection: Int32Array.of(0, 2, 99), count: 2 })
    const visited: number[] = []
    batch.forEachRow((row) => visited.push(row))
    expect(visited).toEqual([0, 2])
    expect(batch.toRows()).toEqual([rows[0], rows[2]])
    expect(batch.row(1)).toEqual(rows[1])
    expect(batch.length).toBe(3)
  })

  it("H1 refuse a selection of more rows than there are, and a count without one", () => {
    expect(() => tripBatch().with({ selection: new Int32Array(9), count: 4 })).toThrow(AssertionError)
    expect(() => tripBatch().with({ count: 2 })).toThrow(AssertionError)
  })

  it("keep all that is not replaced", () => {
    const origin = { partition: 3, offsets: Float64Array.of(0, 10, 20), ordinals: Float64Array.of(1, 2, 3) }
    const { batch } = batchOfRows(new Arena({ maxBytes: 65_536 }), Trip, rows, origin)
    const watermarks = Float64Array.of(1, 2, 3)
    const changed = batch.with({ watermarks }).with({ selection: Int32Array.of(1), count: 1 })
    expect(changed.origin).toBe(origin)
    expect(changed.watermarks).toBe(watermarks)
    expect(changed.columns).toBe(batch.columns)
    expect(tripBatch().origin).toBe(NO_ORIGIN)
  })

  it("H4 free their blocks once, however often they are released", () => {
    const arena = new Arena({ maxBytes: 65_536 })
    const { release } = batchOfRows(arena, Trip, rows)
    expect(arena.usedBytes).toBeGreaterThan(0)
    release()
    release()
    expect(arena.usedBytes).toBe(0)
  })

  it("free what they have taken where the arena is full", () => {
    const arena = new Arena({ maxBytes: 2048 })
    expect(() => allocateColumns(arena, Trip, 100)).toThrow(TidemarkError)
    expect(arena.usedBytes).toBe(0)
  })

  it("write a row as JSON for messages", () => {
    expect([writtenRow(tripBatch(), 1), writtenRow(tripBatch(), 2)]).toEqual([
      '{"zone":"b","fare":null}',
      '{"zone":"a","fare":-0}',
    ])
  })
})
