/** What becomes of rows, and which pieces late ones belong to, against the definition of windows and of lateness. */
import { expect, it } from "vitest"
import { Arena } from "../../../batch/arena.ts"
import { batchOfRows, type Batch } from "../../../batch/batch.ts"
import type { Int64Column } from "../../../batch/column.ts"
import { Prng } from "../../../base/prng.ts"
import { schema } from "../../../batch/schema.ts"
import { t } from "../../../batch/types.ts"
import { hopping, tumbling } from "../../plan-fixture.reference.ts"
import { keyLayout } from "../keys/key-layout.ts"
import { lateGroups } from "../late-groups.ts"
import { Slices } from "./slices.ts"
import { windowFunctions } from "./window-code.ts"
import { CONTROL } from "./window-control.ts"
import { WindowDisorder } from "../window-disorder.ts"
import { WindowMemory } from "../window-memory.ts"
import { WindowPieces } from "../window-pieces.ts"
import { WindowShape } from "./window-shape.ts"

const SCALE = Number(process.env["TIDEMARK_FUZZ_SCALE"] ?? 1)
const WINDOWS = [
  tumbling(10),
  tumbling(7, 3),
  hopping(20, 10),
  hopping(300, 10),
  hopping(25, 10, -4),
  hopping(7, 5, 2),
  hopping(10, 25),
  hopping(10, 25, -7),
  hopping(3_600_000_000, 60_000_000),
]

/** A row's event time, and the watermark of its partition before it. */
interface TimedRow {
  readonly time: number
  readonly watermark: number
}

/** What becomes of a row by the definition: `outside`, `between`, `late`, or the windows in which it counts. */
function outcomeOf({ time, watermark }: TimedRow, { size, slide, offset, maxTime }: Slices): string {
  if (Math.abs(time) > maxTime) return "outside"
  const [at, length, step] = [BigInt(time), BigInt(size), BigInt(slide)]
  let start = BigInt(offset) + ((at - BigInt(offset)) / step + 1n) * step
  while (start > at) start -= step
  const ends: bigint[] = []
  for (; start + length > at; start -= step) ends.unshift(start + length)
  if (ends.length === 0) return "between"
  const open = ends.filter((end) => watermark < Number(end) - 1)
  if (open.length === 0) return "late"
  return open.length === ends.length ? "on time" : `from ${open[0]!}`
}

function disorderOf(slices: Slices, shift: number, arena: Arena) {
  const shape = new WindowShape(slices, shift, [], keyLayout([t.int32]))
  const memory = new WindowMemory(arena, shape)
  const pieces = new WindowPieces(arena, slices, memory)
  const code = windowFunctions(shape, arena.memory)
  const disorder = new WindowDisorder({ arena, slices, memory, pieces, code, timeShift: shift })
  const sift = (batch: Batch) => {
    memory.setAt(CONTROL.times, (batch.columns[0] as Int64Column).values.byteOffset)
    disorder.begin(batch, 0)
    return disorder.sift(batch)
  }
  const release = () => [memory, pieces, disorder].forEach((each) => each.release())
  return { sift, release }
}

it("W5 W6 W7 W18 each row becomes what the definition says, and late ones count from the window that it says", () => {
  const arena = new Arena({ maxBytes: 1 << 20 })
  const seen = new Map<string, number>()
  for (let seed = 0; seed < 180 * SCALE; seed++) {
    const prng = new Prng(seed)
    const slices = new Slices(WINDOWS[seed % WINDOWS.length]!)
    const shift = prng.pick([0, -1])
    const { sift, release } = disorderOf(slices, shift, arena)
    const { maxTime, size } = slices
    const [start, span] = [prng.pick([0, -5000, maxTime - size, -maxTime]), prng.pick([30, 400, 2 * size])]
    // The second batch finds nothing of the first.
    for (const length of [1 + prng.below(1500), 300]) {
      let watermark = prng.pick([-Infinity, start])
      const isSafe = (time: number) => Math.max(-Number.MAX_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, time))
      const rows = Array.from({ length }, (): TimedRow => {
        if (prng.chance(0.3)) watermark = Math.max(watermark, isSafe(start + prng.below(span)))
        return { time: isSafe(Math.max(watermark, start) + prng.below(span) - Math.floor(span / 2)), watermark }
      })
      const made = batchOfRows(
        arena,
        schema({ at: t.timestamp() }),
        rows.map(({ time }) => ({ at: isSafe(time - shift) })),
      )
      const timed = rows.map(({ time, watermark }) => ({ time: isSafe(time - shift) + shift, watermark }))
      const chosen = Int32Array.from([...rows.keys()].filter(() => prng.chance(0.9)))
      const selected = prng.chance(0.5) ? { selection: chosen, count: chosen.length } : {}
      const watermarks = prng.chance(0.8) ? Float64Array.from(rows, (row) => row.watermark) : null
      const sifted = sift(made.batch.with({ ...selected, watermarks }))
      const kept = [...sifted.kept.subarray(0, sifted.keptCount)]
      const some = sifted.some.subarray(0, sifted.someCount)
      const given = new Map<number, string>(kept.map((row) => [row, "on time"]))
      const groups = lateGroups(slices, some, (row) => timed[row]!.time, watermarks ?? new Float64Array(0))
      for (const { bounds, countsFrom, rows: ofGroup } of groups) {
        for (const row of ofGroup) given.set(row, `from ${countsFrom}`)
        expect(ofGroup.every((row) => slices.of(timed[row]!.time).start === bounds.start)).toBe(true)
        expect(ofGroup).toEqual([...ofGroup].sort((one, other) => one - other))
      }
      expect(new Set(groups.map(({ bounds, countsFrom }) => `${bounds.start} ${countsFrom}`)).size).toBe(groups.length)
      for (const row of sifted.late.subarray(0, sifted.lateCount)) given.set(row, "late")
      for (const row of sifted.outside) given.set(row, "outside")
      const all = selected.selection === undefined ? [...rows.keys()] : [...chosen]
      const expected = all.map((row) => {
        return [row, outcomeOf(watermarks === null ? { ...timed[row]!, watermark: -Infinity } : timed[row]!, slices)]
      })
      const between = expected.filter(([, outcome]) => outcome === "between").length
      const listed = [...given].sort(([one], [other]) => one - other)
      const counted = expected.filter(([, outcome]) => outcome !== "between")
      const wrong = counted.filter(([row, outcome], at) => listed[at]?.[0] !== row || listed[at]?.[1] !== outcome)
      expect([wrong, listed.length], `seed ${seed}`).toEqual([[], counted.length])
      expect(sifted.betweenCount).toBe(between)
      for (const list of [kept, [...some]]) expect(list).toEqual([...list].sort((one, other) => one - other))
      for (const [, outcome] of expected) {
        const kind = String(outcome).split(" ")[0]!
        seen.set(kind, (seen.get(kind) ?? 0) + 1)
      }
      made.release()
    }
    release()
  }
  for (const kind of ["outside", "between", "late", "on", "from"]) expect(seen.get(kind), kind).toBeGreaterThan(100)
  expect(arena.usedBytes).toBe(0)
}, 600_000)
