import { expect, test } from "vitest"
import { Arena } from "../../batch/arena.ts"
import { batchOfRows } from "../../batch/batch.ts"
import { Schema } from "../../batch/schema.ts"
import { t } from "../../batch/types.ts"
import { FlatMap } from "./flat-map.ts"

const Line = new Schema([{ name: "text", type: t.string }])
const Word = new Schema([{ name: "word", type: t.string }])

/** The places of the words of lines that lie there, as what fails behind would be told at. */
function placesOf(offsets: Float64Array | null, ordinals: Float64Array | null): string[] {
  const arena = new Arena({ maxBytes: 1 << 20 })
  const compile = { mode: "off", proof: undefined } as const
  const context = { arena, paramsSchema: new Schema([]), params: {}, compile, onFailedRow: () => expect.fail() }
  const split = ({ text }: { text: string }) => text.split(" ").flatMap((word) => (word === "" ? [] : [{ word }]))
  const operator = new FlatMap("split", split, Line, Word, context)
  const rows = ["to be", "", "or", "not to be"].map((text) => ({ text }))
  const { batch, release } = batchOfRows(arena, Line, rows, { partition: 7, offsets, ordinals })
  const places: string[] = []
  const selection = Int32Array.of(0, 1, 3)
  operator.onBatch(batch.with({ selection, count: 3 }), {
    emit: (port, { origin, length }) => {
      for (let row = 0; row < length; row++) {
        places.push(`${port} ${origin.partition} ${origin.offsets?.[row] ?? "-"} ${origin.ordinals?.[row] ?? "-"}`)
      }
    },
  })
  release()
  expect(arena.usedBytes).toBe(0)
  return places
}

test("each row has the place of the row that it was made of", () => {
  expect(placesOf(Float64Array.of(0, 6, 7, 10), Float64Array.of(0, 1, 2, 3))).toEqual([
    "main 7 0 0",
    "main 7 0 0",
    "main 7 10 3",
    "main 7 10 3",
    "main 7 10 3",
  ])
})

test("where places are not told, the partition still is", () => {
  expect(placesOf(null, null)).toEqual(Array.from({ length: 5 }, () => "main 7 - -"))
})
