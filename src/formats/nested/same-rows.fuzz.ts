/** The same lists and objects through JSON lines, Arrow and Parquet are the same rows. */
import { afterAll, expect, it } from "vitest"
import { forEachSeedInTurn } from "../../../test/seeds.ts"
import { Arena } from "../../batch/arena.ts"
import { batchOfRows } from "../../batch/batch.ts"
import { START } from "../../batch/position.ts"
import { schema, type Schema } from "../../batch/schema.ts"
import { t } from "../../batch/types.ts"
import { readFile } from "../../connectors/files/parquet-file.fixture.ts"
import { readArrowFile } from "../../connectors/files/arrow-file.fixture.ts"
import { ArrowEncoder } from "../arrow/arrow-encoder.ts"
import { ByteOutput } from "../byte-output.ts"
import type { RecordEncoder } from "../decoder.ts"
import { decodeAll, WHOLE } from "../decoder.conformance.ts"
import { JsonLinesDecoder } from "../json-lines-decoder.ts"
import { JsonLinesEncoder } from "../json-lines-encoder.ts"
import { ParquetEncoder } from "../parquet/parquet-encoder.ts"
import { randomTree, randomValue, typeOf } from "../parquet/nested-file.fixture.ts"
import { fileOf } from "../trailer.fixture.ts"

const arena = new Arena({ maxBytes: 64 * 1024 * 1024 })

afterAll(() => {
  expect(arena.usedBytes).toBe(0)
})

function encoded(encoder: RecordEncoder, of: Schema, rows: readonly Record<string, unknown>[]): Uint8Array {
  const out = new ByteOutput()
  const { batch, release } = batchOfRows(arena, of, rows)
  encoder.encode(batch, out)
  release()
  encoder.finish?.(out)
  return out.finish()
}

it("TY9 PQ7 PQ8 JSONL7 AR5: written and read back by each format", async () => {
  let count = 0
  await forEachSeedInTurn(200, async (prng) => {
    const tree = randomTree(prng, 3)
    const of = schema({ v: typeOf(tree), more: t.list(t.object({ n: t.int64, at: t.timestamp() })).nullable() })
    const rows = Array.from({ length: 1 + prng.below(40) }, () => ({
      v: randomValue(prng, tree),
      more: prng.chance(0.2)
        ? null
        : Array.from({ length: prng.below(3) }, () => ({ n: 2n ** 60n + 1n, at: prng.below(1e9) })),
    }))
    const lines = encoded(new JsonLinesEncoder({ arena, schema: of }), of, rows)
    const decoder = new JsonLinesDecoder({ arena, schema: of })
    const [parquet, arrow] = [new ParquetEncoder({ schema: of }), new ArrowEncoder({ schema: of })]
    expect(decodeAll(decoder, lines, START, WHOLE).rows.map(({ row }) => row)).toEqual(rows)
    expect(readFile(fileOf(parquet, encoded(parquet, of, rows)), of).rows).toEqual(rows)
    expect((await readArrowFile(fileOf(arrow, encoded(arrow, of, rows)), of)).rows).toEqual(rows)
    count += rows.length
  })
  expect(count).toBeGreaterThan(1000)
})
