/** Which slice records go into, against the definition of windows and of lateness. */
import { expect, it } from "vitest"
import { Arena } from "../../batch/arena.ts"
import { batchOfRows } from "../../batch/batch.ts"
import type { Int64Column } from "../../batch/column.ts"
import { Prng } from "../../base/prng.ts"
import { schema } from "../../batch/schema.ts"
import { t } from "../../batch/types.ts"
import { hopping, tumbling } from "../plan-fixture.reference.ts"
import { SliceAssigner } from "./slice-assigner.ts"
import { Slices } from "./slices.ts"

const SCALE = Number(process.env["TIDEMARK_FUZZ_SCALE"] ?? 1)
const WINDOWS = [tumbling(10), tumbling(7, 3), hopping(20, 10), hopping(300, 10), hopping(25, 10, -4), hopping(10, 25)]

it("W5 W6 W7 each record goes into the slice and counts from the window that the definition says, in large batches too", () => {
  const arena = new Arena({ maxBytes: 1 << 18 })
  for (let seed = 0; seed < 60 * SCALE; seed++) {
    const prng = new Prng(seed)
    const slices = new Slices(WINDOWS[seed % WINDOWS.length]!)
    const assigner = new SliceAssigner(slices)
    const shift = prng.pick([0, -1])
    // The second batch finds nothing of the first.
    for (const length of [prng.below(2000), 500]) {
      const span = prng.pick([30, 400, 20_000])
      let watermark = prng.pick([-Infinity, 0])
      const rows = Array.from({ length }, () => {
        if (prng.chance(0.3)) watermark = Math.max(watermark, prng.below(span) - 20)
        return { at: Math.max(watermark, 0) + prng.below(span) - span / 2, watermark }
      })
      const { batch, release } = batchOfRows(
        arena,
        schema({ at: t.timestamp() }),
        rows.map(({ at }) => ({ at: Math.floor(at) })),
      )
      const chosen = Int32Array.from([...rows.keys()].filter(() => prng.chance(0.9)))
      const watermarks = Float64Array.from(rows, (row) => row.watermark)
      assigner.assign(batch.columns[0] as Int64Column, shift, chosen, chosen.length, watermarks)
      const [counted, late, between]: [string[], number[], number[]] = [[], [], []]
      for (const row of chosen) {
        const time = Math.floor(rows[row]!.at) + shift
        const ends: number[] = []
        const { size, slide, offset } = slices
        for (let end = offset + Math.floor((time - offset) / slide) * slide + size; end > time; end -= slide)
          ends.unshift(end)
        const open = ends.filter((end) => rows[row]!.watermark < end - 1)
        if (ends.length === 0) between.push(row)
        else if (open.length === 0) late.push(row)
        else counted.push(`${row}: ${slices.of(time).start} from ${open[0]!}`)
      }
      const given = Array.from({ length: assigner.count }, (_, at) => {
        const { bounds, countsFrom } = assigner.touched[assigner.sliceIndexes[at]!]!
        return `${assigner.rows[at]!}: ${bounds.start} from ${countsFrom}`
      })
      expect(given, `seed ${seed}`).toEqual(counted)
      expect([...assigner.late.subarray(0, assigner.lateCount)], `seed ${seed}`).toEqual(late)
      expect([assigner.betweenCount, assigner.outOfTime.length]).toEqual([between.length, 0])
      const targets = assigner.touched.map(({ bounds, countsFrom }) => `${bounds.start} ${countsFrom}`)
      expect(new Set(targets).size).toBe(targets.length)
      release()
    }
  }
}, 600_000)
