import { describe, expect, it, vi } from "vitest"
import { Arena } from "../../batch/arena.ts"
import { batchOfRows } from "../../batch/batch.ts"
import type { DictionaryColumn } from "../../batch/column.ts"
import { Prng } from "../../base/prng.ts"
import { schema } from "../../batch/schema.ts"
import type { ColumnType } from "../../batch/type.ts"
import { t } from "../../batch/types.ts"
import { AGGREGATES } from "../aggregates/definitions.ts"
import { hopping, PlanFixture, tumbling } from "../plan-fixture.reference.ts"
import { PlanRun } from "../plan-run.fixture.ts"
import { keyLayout } from "./keys/key-layout.ts"
import { Slices } from "./kernels/slices.ts"
import { ValueTexts } from "./value-texts.ts"
import type { Row } from "./window-aggregate.reference.ts"
import { WindowShape } from "./kernels/window-shape.ts"

const arena = new Arena({ maxBytes: 1 << 24 })

/** The texts of `last` of a type, which has one input that is text. */
function textsOfLast(type: ColumnType): ValueTexts {
  const aggregates = [{ name: "last", kernel: AGGREGATES.last.kernel(type) }]
  return new ValueTexts(new WindowShape(new Slices(tumbling(10)), 0, aggregates, keyLayout([t.int32])))
}

/** Codes of values, each batch with a dictionary of its own; -1 for those that were left alone. */
function codesOf(texts: ValueTexts, type: ColumnType, values: readonly (string | null)[], rows?: readonly number[]) {
  const { batch, release } = batchOfRows(
    arena,
    schema({ value: type }),
    values.map((value) => ({ value })),
  )
  const chosen = Int32Array.from(rows ?? values.keys())
  const codes = new Int32Array(values.length).fill(-1)
  texts.translate(0, batch.columns[0] as DictionaryColumn, chosen, chosen.length, codes)
  release()
  return [...codes]
}

describe("the texts that aggregates keep", () => {
  it("VT1 have one code, whatever the dictionary that they came in", () => {
    const texts = textsOfLast(t.string)
    expect(codesOf(texts, t.string, ["x", "y", "x"])).toEqual([0, 1, 0])
    expect(codesOf(texts, t.string, ["z", "y", "", "x"])).toEqual([2, 1, 3, 0])
    expect([0, 1, 2, 3].map((code) => texts.dictionary(0).text(code))).toEqual(["x", "y", "z", ""])
  })

  it("VT1 are looked up for the rows that count alone", () => {
    const texts = textsOfLast(t.string)
    expect(codesOf(texts, t.string, ["a", "b", "c", "d"], [1, 3])).toEqual([-1, 0, -1, 1])
    expect(texts.dictionary(0).size).toBe(2)
  })

  it("VT1 of an enum begin with its symbols, and null has a code that is never looked at", () => {
    const type = t.enum("low", "high").nullable()
    expect(codesOf(textsOfLast(type), type, ["high", null, "low"])).toEqual([1, 0, 0])
  })

  it("VT1 are known anew where a dictionary has grown between batches", () => {
    const texts = textsOfLast(t.string)
    const rows = schema({ value: t.string })
    const { batch, release } = batchOfRows(arena, rows, [{ value: "a" }, { value: "b" }])
    const column = batch.columns[0] as DictionaryColumn
    const codes = new Int32Array(2)
    texts.translate(0, column, Int32Array.of(0, 1), 2, codes)
    for (let each = 0; each < 100; each++) column.dictionary.codeOf(`text ${each}`)
    column.values[1] = column.dictionary.codeOf("text 99")
    texts.translate(0, column, Int32Array.of(0, 1), 2, codes)
    expect([...codes].map((code) => texts.dictionary(0).text(code))).toEqual(["a", "text 99"])
    release()
  })

  it("VT1 of a dictionary that goes on are looked up anew when they have been numbered anew", () => {
    const texts = textsOfLast(t.string)
    const { batch, release } = batchOfRows(arena, schema({ value: t.string }), [{ value: "a" }, { value: "b" }])
    const codes = new Int32Array(2)
    const translate = () => {
      texts.translate(0, batch.columns[0] as DictionaryColumn, Int32Array.of(0, 1), 2, codes)
      return [...codes].map((code) => texts.dictionary(0).text(code))
    }
    expect(translate()).toEqual(["a", "b"])
    texts.renumber(0, (visit) => visit(codes[1]!))
    expect(translate()).toEqual(["a", "b"])
    expect([...codes]).toEqual([1, 0])
    release()
  })

  it("VT1 are numbered anew when twice as many have come as were in use, and those in use keep their text", () => {
    const texts = textsOfLast(t.string)
    const come = (from: number, count: number) =>
      codesOf(
        texts,
        t.string,
        Array.from({ length: count }, (_, at) => `text ${from + at}`),
      )
    come(0, 1023)
    expect(texts.overgrown()).toEqual([])
    const [code] = come(1023, 1)
    expect(texts.overgrown()).toEqual([0])
    const renumbered: number[] = []
    texts.renumber(0, (visit) => renumbered.push(visit(code!), visit(7), visit(code!)))
    expect(renumbered).toEqual([0, 1, 0])
    expect([0, 1].map((each) => texts.dictionary(0).text(each))).toEqual(["text 1023", "text 7"])
    // What was known of dictionaries is forgotten with the old codes.
    expect(come(7, 2)).toEqual([1, 2])
    // From 1,500 in use, 3,000 are twice as many.
    come(5000, 1497)
    texts.renumber(0, (visit) => Array.from({ length: 1500 }, (_, each) => each).forEach(visit))
    come(10_000, 1499)
    expect(texts.overgrown()).toEqual([])
    come(20_000, 1)
    expect(texts.overgrown()).toEqual([0])
  })
})

describe("windows of many texts", () => {
  const OBJECT = t
    .object({
      name: t.string,
      kind: t.enum("a", "b", "c").nullable(),
      more: t.object({ note: t.string.nullable() }).nullable(),
    })
    .nullable()

  function valueOf(at: number, prng: Prng): Row {
    const text = `text ${at}`
    const more = prng.chance(0.3) ? null : { note: prng.chance(0.3) ? null : `note ${at % 3000}` }
    const object = { name: text, kind: prng.pick(["a", "b", "c", null]), more }
    return {
      text: prng.chance(0.2) ? null : text,
      kind: prng.pick(["c", "b", "a"]),
      object: prng.chance(0.2) ? null : object,
    }
  }

  it.each([tumbling(40), hopping(100, 20), hopping(75, 20)])(
    "VT1 first and last give the texts that came, while dictionaries are numbered anew and states restored: %o",
    (window) => {
      const renumbering = vi.spyOn(ValueTexts.prototype, "renumber")
      const fixture = new PlanFixture()
      const columns = {
        at: t.timestamp(),
        key: t.int32,
        text: t.string.nullable(),
        kind: t.enum("a", "b", "c"),
        object: OBJECT,
      }
      const timed = fixture.eventTime(fixture.source(columns), 30)
      const windowed = fixture.window(timed, window, ["key"], {
        text: ["last", "text"],
        kind: ["first", "kind"],
        object: ["first", "object"],
        latest: ["last", "object"],
      })
      fixture.output("results", windowed)
      const prng = new Prng(1)
      const run = new PlanRun(fixture.plan, arena).open()
      const rows = Array.from({ length: 6000 }, (_, index) => {
        return { at: index - prng.below(20), key: prng.below(3), ...valueOf(index, prng) }
      })
      for (let from = 0; from < rows.length; from += 500) {
        run.push(rows.slice(from, from + 500), { batchRows: prng.pick([50, 200, 500]) })
        if (prng.chance(0.4)) run.restart(prng.pick(["epochs", "snapshot"]))
      }
      run.drain()
      const results = run.take()
      expect(renumbering.mock.calls.length).toBeGreaterThan(2)
      renumbering.mockRestore()
      for (const { key, windowStart, windowEnd, ...given } of results) {
        const inside = rows
          .filter((row) => row.key === key && row.at >= Number(windowStart) && row.at < Number(windowEnd))
          .sort((one, other) => one.at - other.at)
        const first = (name: string, of = inside) => (of as Row[]).find((row) => row[name] !== null)?.[name] ?? null
        const last = (name: string) => first(name, inside.toReversed())
        const expected = { text: last("text"), kind: first("kind"), object: first("object"), latest: last("object") }
        expect(given).toEqual(expected)
      }
      expect(results.length).toBeGreaterThan(300)
      run.release()
    },
  )

  it("T6 a drain leaves the watermark where the last window was due, also where texts have been numbered anew", () => {
    const fixture = new PlanFixture()
    const timed = fixture.eventTime(fixture.source({ at: t.timestamp(), key: t.int32, text: t.string.nullable() }))
    // Records without a text take the watermark up and reach no window.
    const kept = fixture.notNull(timed, "text")
    const windowed = fixture.window(kept, hopping(20, 10), ["key"], { text: ["last", "text"] })
    fixture.output("results", windowed)
    fixture.output("late", [windowed, "late"])
    const run = new PlanRun(fixture.plan, arena).open(0).open(1)
    run.push([{ at: 100, key: 0, text: null }], { partition: 1 })
    run.push(Array.from({ length: 1100 }, (_, key) => ({ at: 5, key, text: `text ${key}` })))
    const renumbering = vi.spyOn(ValueTexts.prototype, "renumber")
    run.push([{ at: 100, key: 0, text: null }])
    expect(renumbering).toHaveBeenCalled()
    expect(run.take()).toHaveLength(2200)
    run.drain()
    expect(run.window.watermark).toBe(99)
    // The other partition holds the watermark where it is.
    run.push([{ at: 101, key: 0, text: "on time" }])
    run.drain()
    expect(run.take("late")).toEqual([])
    expect(run.take().map(({ windowEnd }) => windowEnd)).toEqual([110, 120])
    run.release()
    expect(arena.usedBytes).toBe(0)
  })
})
