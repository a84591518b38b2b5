import { describe, expect, it } from "vitest"
import { Arena } from "../../batch/arena.ts"
import { batchOfRows } from "../../batch/batch.ts"
import { ByteReader, ByteWriter } from "../../base/bytes.ts"
import { TidemarkError } from "../../base/errors.ts"
import { Prng } from "../../base/prng.ts"
import { schema } from "../../batch/schema.ts"
import { t } from "../../batch/types.ts"
import { EventTime } from "./event-time.ts"

const arena = new Arena({ maxBytes: 1 << 20 })
const ROWS = schema({ other: t.int53, at: t.timestamp() })

function eventTime(outOfOrderMicros = 0): EventTime {
  return new EventTime({ id: "time", signature: "eventTime", timeIndex: 1, outOfOrderMicros }, arena)
}

/**
 * Gives records to a partition, and tells the watermark that each row carries; `null` where none is carried. What a batch
 * says of its order must be so.
 */
function give(
  operator: EventTime,
  partition: number,
  times: readonly number[],
  selection?: readonly number[],
): (number | null)[] {
  const origin = { partition, offsets: null, ordinals: null }
  const { batch, release } = batchOfRows(
    arena,
    ROWS,
    times.map((at) => ({ other: 0, at })),
    origin,
  )
  const rows = selection ?? [...times.keys()]
  const given = selection === undefined ? batch : batch.with({ selection: Int32Array.from(rows), count: rows.length })
  const carried: (number | null)[] = []
  operator.onBatch(given, {
    emit: (port, out) => {
      expect(port).toBe("main")
      const isOrdered = rows.every((row, at) => at === 0 || times[rows[at - 1]!]! <= times[row]!)
      if (out.isTimeOrdered) expect([isOrdered, out.watermarks]).toEqual([true, null])
      for (const row of rows) carried.push(out.watermarks === null ? null : out.watermarks[row]!)
    },
  })
  release()
  return carried
}

function changesOf(operator: EventTime): Uint8Array {
  const out = new ByteWriter()
  operator.writeChanges(out)
  return out.finish()
}

describe("watermarks", () => {
  it("T1 a partition's watermark is the greatest event time so far − out-of-orderness − 1", () => {
    const operator = eventTime(5)
    operator.openPartition(0)
    give(operator, 0, [100, 50, 99])
    expect(operator.partitionWatermark(0)).toBe(94)
    give(operator, 0, [101])
    expect([operator.partitionWatermark(0), operator.maxEventTime]).toEqual([95, 101])
  })

  it("T1 rows that do not count do not move it", () => {
    const operator = eventTime()
    operator.openPartition(0)
    give(operator, 0, [10, 500, 11], [0, 2])
    expect(operator.partitionWatermark(0)).toBe(10)
  })

  it("T2 a row carries its partition's watermark from before it, however rows are cut into batches", () => {
    const whole = eventTime(2)
    whole.openPartition(0)
    expect(give(whole, 0, [10, 8, 20, 15])).toEqual([-Infinity, 7, 7, 17])
    const cut = eventTime(2)
    cut.openPartition(0)
    // Where all rows are ahead of their watermarks, no row can be late, so none carries one.
    expect([10, 8, 20, 15].flatMap((at) => give(cut, 0, [at]))).toEqual([null, null, null, 17])
    expect(give(cut, 0, [18, 18, 19, 400])).toEqual([null, null, null, null])
    expect(cut.partitionWatermark(0)).toBe(397)
  })

  it("T2 a batch that is out of order by less than the out-of-orderness carries no watermarks, and by more it does", () => {
    const operator = eventTime(10)
    operator.openPartition(0)
    expect(give(operator, 0, [100, 90, 95, 90])).toEqual([null, null, null, null])
    expect(give(operator, 0, [90, 100])).toEqual([null, null])
    expect(give(operator, 0, [100, 89])).toEqual([89, 89])
    expect(give(operator, 0, [95, 120, 110, 109], [0, 1, 2])).toEqual([null, null, null])
    expect(give(operator, 0, [110, 140, 120, 130], [0, 2, 3])).toEqual([null, null, null])
    expect(operator.partitionWatermark(0)).toBe(119)
    operator.release()
  })

  it("T1 T2 H5 rows carry no watermark only where all are ahead of it, over random batches", () => {
    for (let seed = 0; seed < 300; seed++) {
      const prng = new Prng(seed)
      const outOfOrder = prng.pick([0, 0, 1, 20, 40])
      const operator = eventTime(outOfOrder)
      operator.openPartition(0)
      let [time, latest] = [prng.pick([0, -500]), -Infinity]
      for (let batch = 0; batch < 6; batch++) {
        const back = prng.pick([0, 0, 0.02, 0.5])
        const step = prng.pick([1, 3, 100])
        const times = Array.from({ length: prng.pick([1, 2, 63, 64, 65, 130]) }, () => {
          time += prng.below(step)
          return prng.chance(back) ? time - prng.below(30) : time
        })
        const kept = [...times.keys()].filter(() => prng.chance(0.8))
        const rows = kept.length > 0 && prng.chance(0.5) ? kept : [...times.keys()]
        const carried = give(operator, 0, times, rows)
        let isAhead = true
        const expected = rows.map((row) => {
          const before = latest - outOfOrder - 1
          if (times[row]! <= before) isAhead = false
          latest = Math.max(latest, times[row]!)
          return before
        })
        expect(carried, `seed ${seed}`).toEqual(isAhead ? rows.map(() => null) : expected)
        expect([operator.maxEventTime, operator.partitionWatermark(0)]).toEqual([latest, latest - outOfOrder - 1])
      }
      operator.release()
    }
  })

  it("T3 the operator's watermark is the least of the open partitions' and never goes back", () => {
    const operator = eventTime()
    operator.openPartition(0)
    operator.openPartition(1)
    give(operator, 0, [101])
    expect(operator.updateWatermark()).toBe(-Infinity)
    give(operator, 1, [51])
    expect(operator.updateWatermark()).toBe(50)
    give(operator, 1, [3])
    expect(operator.updateWatermark()).toBe(50)
  })

  it("T4 a partition that appears starts at the operator's watermark, also where nobody has asked for that yet", () => {
    const operator = eventTime()
    operator.openPartition(0)
    give(operator, 0, [101])
    operator.openPartition(1)
    expect(operator.partitionWatermark(1)).toBe(100)
    expect(give(operator, 1, [5])).toEqual([100])
  })

  it("T4 a partition that is open goes on where it is when it is opened again", () => {
    const operator = eventTime()
    operator.openPartition(0)
    give(operator, 0, [101])
    operator.openPartition(0)
    expect(operator.partitionWatermark(0)).toBe(100)
  })

  it("T5 a partition that has ended holds nothing back, and the last one leaves the watermark where it is", () => {
    const operator = eventTime()
    operator.openPartition(0)
    operator.openPartition(1)
    give(operator, 0, [101])
    give(operator, 1, [51])
    operator.endPartition(1)
    expect(operator.updateWatermark()).toBe(100)
    operator.endPartition(0)
    expect([operator.updateWatermark(), operator.partitionWatermark(0)]).toEqual([100, Infinity])
  })

  it("T6 all watermarks rise to where the last window was due", () => {
    const operator = eventTime()
    operator.openPartition(0)
    operator.openPartition(1)
    give(operator, 0, [11])
    give(operator, 1, [301])
    operator.raiseAll(99)
    expect([operator.watermark, operator.partitionWatermark(0), operator.partitionWatermark(1)]).toEqual([99, 99, 300])
  })

  it("T10 what a source says raises a partition's watermark, and never lowers it", () => {
    const operator = eventTime()
    operator.openPartition(0)
    operator.openPartition(1)
    give(operator, 0, [101])
    operator.raisePartition(0, 99)
    operator.raisePartition(1, 400)
    operator.raisePartition(2, 500)
    expect([operator.partitionWatermark(0), operator.partitionWatermark(1)]).toEqual([100, 400])
    expect([operator.partitionWatermark(2), operator.furthestWatermark]).toEqual([Infinity, 400])
    const restored = eventTime()
    restored.applyChanges(new ByteReader(changesOf(operator)))
    expect(restored.partitionWatermark(1)).toBe(400)
  })
})

describe("the state of event time", () => {
  it("F3 changes restore watermarks and open partitions; nothing is written where nothing has changed", () => {
    const operator = eventTime()
    const restored = eventTime()
    const pass = () => restored.applyChanges(new ByteReader(changesOf(operator)))
    pass()
    operator.openPartition(0)
    operator.openPartition(1)
    pass()
    expect(restored.partitionWatermark(1)).toBe(-Infinity)
    give(operator, 0, [101])
    give(operator, 1, [51])
    pass()
    operator.endPartition(1)
    operator.updateWatermark()
    const last = changesOf(operator)
    restored.applyChanges(new ByteReader(last))
    expect(last.length).toBeGreaterThan(0)
    expect(changesOf(operator)).toHaveLength(0)
    expect([restored.watermark, restored.maxEventTime]).toEqual([100, 101])
    expect([restored.partitionWatermark(0), restored.partitionWatermark(1)]).toEqual([100, Infinity])
    const all = new ByteWriter()
    restored.writeAll(all)
    const again = eventTime()
    again.applyChanges(new ByteReader(all.finish()))
    expect([again.watermark, again.partitionWatermark(0)]).toEqual([100, 100])
  })

  it("refuses bytes that are no state, by name", () => {
    const operator = eventTime()
    operator.openPartition(0)
    const bytes = changesOf(operator)
    const apply = (broken: Uint8Array) => () => eventTime().applyChanges(new ByteReader(broken))
    const refused = expect.objectContaining({
      code: "state-corrupt",
      message: expect.stringContaining("time") as string,
    })
    expect(apply(bytes)).not.toThrow()
    expect(apply(bytes.subarray(0, bytes.length - 1))).toThrow(TidemarkError)
    expect(apply(Uint8Array.of(...bytes, 0))).toThrow(refused as Error)
    const wrongTag = Uint8Array.from(bytes)
    wrongTag[18] = 7
    expect(apply(wrongTag)).toThrow(refused as Error)
    const notANumber = Uint8Array.from(bytes).fill(0xff, 0, 8)
    expect(apply(notANumber)).toThrow(refused as Error)
  })
})
