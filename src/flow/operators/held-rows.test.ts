import { expect, test } from "vitest"
import { ByteReader, ByteWriter } from "../../base/bytes.ts"
import { Prng } from "../../base/prng.ts"
import { Schema } from "../../batch/schema.ts"
import { t } from "../../batch/types.ts"
import { HeldRows, type HeldRow } from "./held-rows.ts"

const { fields } = new Schema(
  Object.entries({
    at: t.timestamp(),
    name: t.string.nullable(),
    big: t.int64,
    whole: t.int53.nullable(),
    small: t.int32,
    float: t.float64,
    flag: t.bool,
    place: t.object({ x: t.float64, inner: t.object({ y: t.string.from("Y") }).nullable() }).nullable(),
  }).map(([name, type]) => ({ name, type })),
)

const made = () =>
  new HeldRows({ operator: "ask", fields, holdOf: ({ row, watermark }) => watermark ?? Number(row["at"]) - 1 })

function arrived(prng: Prng, index: number) {
  return {
    row: {
      at: prng.below(1000),
      name: prng.pick([null, "", "é日", "a".repeat(100)]),
      big: prng.pick([0n, -1n, 2n ** 63n - 1n, -(2n ** 63n)]),
      whole: prng.pick([null, -7, Number.MAX_SAFE_INTEGER]),
      small: prng.pick([0, -(2 ** 31)]),
      float: prng.pick([0, -0, NaN, -Infinity, 0.1]),
      flag: prng.chance(0.5),
      place: prng.pick([null, { x: 1, inner: null }, { x: -0, inner: { y: "z" } }]),
    },
    partition: prng.pick([-1, 0, 3]),
    place: prng.chance(0.5) ? { offset: index * 10, ordinal: index } : null,
    watermark: prng.pick([null, -Infinity, 5]),
  }
}

const shown = (rows: HeldRows) => [...rows].map(({ answer: _answer, ...rest }) => rest)

test("F3 HR1 HR2 AM4 what was written in epochs, or as a whole, gives the same rows, in their order", () => {
  for (let seed = 0; seed < 300; seed++) {
    const prng = new Prng(seed)
    const rows = made()
    const epochs: Uint8Array[] = []
    for (let step = 0; step < 60; step++) {
      if (prng.chance(0.6)) rows.add(arrived(prng, step))
      else if (rows.size > 0) rows.remove(prng.pick<HeldRow>([...rows]))
      expect(rows.leastHold).toBe(Math.min(...[...rows].map(({ hold }) => hold)))
      if (!prng.chance(0.1)) continue
      const out = new ByteWriter()
      rows.writeChanges(out)
      epochs.push(out.finish())
    }
    const out = new ByteWriter()
    rows.writeChanges(out)
    epochs.push(out.finish())
    const again = new ByteWriter()
    rows.writeChanges(again)
    expect(again.length).toBe(0)
    const whole = new ByteWriter()
    rows.writeAll(whole)
    for (const parts of [epochs, [whole.finish()]]) {
      const restored = made()
      for (const part of parts) restored.applyChanges(new ByteReader(part))
      expect(shown(restored)).toEqual(shown(rows))
      expect(restored.leastHold).toBe(rows.leastHold)
      const next = arrived(prng, 0)
      expect(restored.add(next).ticket).toBe(nextTicket(rows))
    }
  }
})

/** The ticket that a row would be given, of which its state tells. */
function nextTicket(rows: HeldRows): number {
  const out = new ByteWriter()
  rows.writeAll(out)
  return out.length === 0 ? 0 : new ByteReader(out.finish()).varint()
}

test("bytes that are no such state are state-corrupt, whatever they are", () => {
  const prng = new Prng(7)
  const rows = made()
  for (let index = 0; index < 4; index++) rows.add(arrived(prng, index))
  const out = new ByteWriter()
  rows.writeAll(out)
  const good = out.finish()
  let refused = 0
  for (let at = 0; at < good.length; at++) {
    for (const bytes of [good.slice(0, at), good.with(at, good[at]! ^ (1 + prng.below(255)))]) {
      const restored = made()
      try {
        restored.applyChanges(new ByteReader(bytes))
      } catch (error) {
        expect(error).toMatchObject({ code: "state-corrupt" })
        refused++
      }
    }
  }
  expect(refused).toBeGreaterThan(good.length)
})
