/** Rows added block by block, where most are the first of their key: at each edge of blocks, and what may stop them there. */
import { beforeEach, describe, expect, it } from "vitest"
import { Arena } from "../../../batch/arena.ts"
import { Prng } from "../../../base/prng.ts"
import { t } from "../../../batch/types.ts"
import type { ColumnType } from "../../../batch/type.ts"
import { PlanFixture, tumbling } from "../../plan-fixture.reference.ts"
import { PlanRun } from "../../plan-run.fixture.ts"
import { BLOCK_ROWS } from "./window-control.ts"
import type { Row } from "../window-aggregate.reference.ts"

const SLICE = 1000
/** No window is due before the end, so that entries become many and room for them runs out in blocks. */
const ALL_OPEN = 1_000_000
const LENGTHS = [1, 2, 5, BLOCK_ROWS - 1, BLOCK_ROWS, BLOCK_ROWS + 1, 2 * BLOCK_ROWS, 2 * BLOCK_ROWS + 7]

/** Keys of one column or two, and how they are made of a number. */
interface Keys {
  readonly columns: Readonly<Record<string, ColumnType>>
  readonly of: (number: number) => Row
}

const KEYS: readonly (readonly [string, Keys])[] = [
  ["whole numbers", { columns: { a: t.int32 }, of: (number) => ({ a: number }) }],
  ["texts", { columns: { a: t.string }, of: (number) => ({ a: `key ${number}` }) }],
  ["cells", { columns: { a: t.int32, b: t.int32 }, of: (number) => ({ a: number >> 3, b: number & 7 }) }],
  [
    "whole numbers that may be null",
    { columns: { a: t.int32.nullable() }, of: (number) => ({ a: number === 1 ? null : number }) },
  ],
]

/** A row of a slice, with the key of a number. */
interface Reading {
  readonly slice: number
  readonly key: number
  readonly x: number
}

class BlockRun {
  readonly run: PlanRun
  readonly #keys: Keys
  readonly #taken: Reading[] = []

  constructor(keys: Keys, arena: Arena) {
    const fixture = new PlanFixture()
    const source = fixture.source({ at: t.timestamp(), x: t.int53, ...keys.columns })
    const aggregates = { count: ["count"], sum: ["sum", "x"], first: ["first", "x"], last: ["last", "x"] } as const
    const window = fixture.window(
      fixture.eventTime(source, ALL_OPEN),
      tumbling(SLICE),
      Object.keys(keys.columns),
      aggregates,
    )
    fixture.output("results", window)
    this.run = new PlanRun(fixture.plan, arena).open()
    this.#keys = keys
  }

  /** Pushes readings, which are in order of time, as one batch. `refused` are none of those that count. */
  push(readings: readonly Reading[], refused?: Reading): void {
    this.run.push(readings.map(({ slice, key, x }) => ({ at: slice * SLICE, x, ...this.#keys.of(key) })))
    this.#taken.push(...readings.filter((each) => each !== refused))
  }

  /** Gives all results, and what they should be: by slice, and in a slice by the first row of each key. */
  finish(): { readonly given: unknown[]; readonly expected: unknown[] } {
    this.run.drain()
    const given = this.run.take().map(({ windowStart, windowEnd: _, ...rest }) => ({
      slice: Number(windowStart) / SLICE,
      ...rest,
    }))
    this.run.release()
    const groups = new Map<string, { slice: number; count: number; sum: number; first: number; last: number } & Row>()
    for (const { slice, key, x } of this.#taken) {
      const name = `${slice} ${key}`
      const group = groups.get(name) ?? { slice, ...this.#keys.of(key), count: 0, sum: 0, first: x, last: x }
      groups.set(name, { ...group, count: group.count + 1, sum: group.sum + x, last: x })
    }
    return { given, expected: [...groups.values()] }
  }
}

describe.each(KEYS)("blocks of rows by %s", (_, keys) => {
  let arena: Arena
  beforeEach(() => {
    arena = new Arena({ maxBytes: 1 << 26 })
  })

  const KNOWN = 300

  /** Rows of a slice, all of known keys, of which few come twice. */
  function readings(prng: Prng, slice: number, length: number): Reading[] {
    return Array.from({ length }, () => ({ slice, key: prng.below(KNOWN), x: prng.below(1000) }))
  }

  /** A run that knows its keys, in a slice in which each row was the first of its key. */
  function started(prng: Prng): BlockRun {
    const run = new BlockRun(keys, arena)
    run.push(Array.from({ length: KNOWN }, (_, key) => ({ slice: 1, key, x: prng.below(1000) })))
    return run
  }

  it("W8 give each key what it has, in runs of each length, in one batch and in several, written in between", () => {
    for (const length of LENGTHS) {
      const prng = new Prng(length)
      const run = started(prng)
      run.push([2, 3, 4, 5].flatMap((slice) => readings(prng, slice, length)))
      run.run.writeEpoch()
      run.push([5, 6, 7].flatMap((slice) => readings(prng, slice, length)))
      run.run.restart("epochs")
      run.push(Array.from({ length: 60 }, (_, index) => readings(prng, 7 + index, length)).flat())
      const { given, expected } = run.finish()
      expect(given, `runs of ${length}`).toEqual(expected)
    }
    expect(arena.usedBytes).toBe(0)
  })

  it.each([
    ["a new key", { key: KNOWN + 9, x: 1 }],
    ["a key that is beyond all tables", { key: 2 ** 31 - 1, x: 1 }],
    ["a row that is refused", { key: 2, x: Number.MAX_SAFE_INTEGER }],
  ])("W8 come to %s at each place beside the edges of blocks", (what, special) => {
    const places = [0, 1, 2, 3, 4, 5].flatMap((place) => [place, BLOCK_ROWS - 3 + place, 2 * BLOCK_ROWS - 3 + place])
    for (const place of places) {
      const prng = new Prng(place)
      const run = started(prng)
      const rows = readings(prng, 3, 2 * BLOCK_ROWS + 3).map((each) => ({
        ...each,
        key: each.key === 2 ? 3 : each.key,
      }))
      const row = { slice: 3, ...special }
      const second = { slice: 3, key: 2, x: 1 }
      run.push(
        [...readings(prng, 2, 100), second, ...rows.toSpliced(place, 0, row), ...readings(prng, 4, 70)],
        what === "a row that is refused" ? row : undefined,
      )
      const { given, expected } = run.finish()
      expect(given, `at ${place}`).toEqual(expected)
    }
    expect(arena.usedBytes).toBe(0)
  })
})
