/** Each aggregate, fed as the window operator feeds it, against its slow twin in `aggregate.reference.ts`. */
import { describe, expect, it } from "vitest"
import { Arena } from "../../batch/arena.ts"
import { allocateColumns, batchOfRows } from "../../batch/batch.ts"
import { readValue } from "../../batch/column.ts"
import { ByteReader, ByteWriter } from "../../base/bytes.ts"
import { Prng } from "../../base/prng.ts"
import { Schema } from "../../batch/schema.ts"
import type { ColumnType } from "../../batch/type.ts"
import { t } from "../../batch/types.ts"
import type { AggregateKind } from "../plan.ts"
import type { Accumulator } from "./aggregate.ts"
import { FAILED, referenceAccepts, referenceResult, type TimedValue } from "./aggregate.reference.ts"
import { AGGREGATES } from "./definitions.ts"
import { Run } from "./run.ts"

const SCALE = Number(process.env["TIDEMARK_FUZZ_SCALE"] ?? 1)
const KINDS = Object.keys(AGGREGATES) as AggregateKind[]
const BIG = Number.MAX_SAFE_INTEGER
const VALUES: Readonly<Record<string, readonly unknown[]>> = {
  bool: [true, false],
  int32: [0, 1, -1, 2 ** 31 - 1, -(2 ** 31), 1000],
  int53: [0, 1, -1, BIG, -BIG, BIG - 1, 2 ** 52, -(2 ** 32), 2 ** 32 + 1],
  int64: [0n, 1n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 62n, 2n ** 61n, -(2n ** 61n), 2n ** 32n, 2n ** 31n],
  float64: [0, -0, 1, 0.1, 0.2, -0.3, 1e308, NaN, Infinity, -Infinity, 5e-324],
  string: ["", "a", "\uFEFF", "日本"],
  timestamp: [0, 1, -BIG, BIG],
  enum: ["a", "b"],
  object: [{ x: -0 }, { x: 1 }],
}
const TYPES = [
  t.bool,
  t.int32,
  t.int53,
  t.int64,
  t.float64,
  t.string,
  t.timestamp(),
  t.enum("a", "b"),
  t.object({ x: t.float64 }),
]
const INPUTS: readonly ColumnType[] = TYPES.flatMap((type): ColumnType[] => [type, type.nullable()])

const arena = new Arena({ maxBytes: 1 << 20 })

/** Records of one slice that were accepted, by group. */
type Accepted = readonly TimedValue[][]

interface Fixture {
  readonly kind: AggregateKind
  readonly type: ColumnType | undefined
  readonly prng: Prng
  readonly groups: number
}

/** Adds random records as the window operator would, and to `accepted` those that the accumulator accepts. */
function addRecords({ kind, type, prng, groups }: Fixture, accumulator: Accumulator, accepted: Accepted): void {
  const rows = new Schema([{ name: "value", type: type ?? t.bool }])
  const run = new Run()
  accumulator.reserve(groups)
  for (let batches = prng.below(4); batches > 0; batches--) {
    const length = 1 + prng.below(6)
    const extremes = prng.chance(0.5)
    const values = Array.from({ length }, () => {
      if (type === undefined) return true
      if (type.isNullable && prng.chance(0.3)) return null
      return prng.pick(VALUES[type.kind]!.slice(0, extremes ? Infinity : 3))
    })
    const { batch, release } = batchOfRows(
      arena,
      rows,
      values.map((value) => ({ value })),
    )
    run.reserve(length)
    for (let at = 0; at < length; at++) {
      run.rows[at] = at
      run.times[at] = prng.below(5)
      run.groups[at] = prng.below(groups)
    }
    const column = type === undefined ? undefined : batch.columns[0]!
    run.select(0, length)
    const areAllAccepted = accumulator.acceptsAll(run, column)
    if (areAllAccepted) accumulator.add(run, column)
    for (let at = 0; at < length; at++) {
      const group = run.groups[at]!
      const isAccepted = referenceAccepts(kind, type, accepted[group]!, values[at])
      if (areAllAccepted) expect(isAccepted).toBe(true)
      else {
        expect(accumulator.accepts(accepted[group]!.length === 0 ? -1 : group, column, at)).toBe(isAccepted)
        run.select(at, at + 1)
        if (isAccepted) accumulator.add(run, column)
      }
      if (isAccepted) accepted[group]!.push({ time: run.times[at]!, value: values[at] })
    }
    release()
  }
}

/** The same accumulator after its state was written and read back. */
function copyByState(accumulator: Accumulator, groups: number, fresh: Accumulator): Accumulator {
  const out = new ByteWriter()
  for (let group = 0; group < groups; group++) accumulator.writeState(group, out)
  fresh.reserve(groups)
  const reader = new ByteReader(out.finish())
  for (let group = 0; group < groups; group++) fresh.readState(group, reader)
  expect(reader.remaining).toBe(0)
  return fresh
}

function resultsOf(accumulator: Accumulator, groups: number, type: ColumnType): unknown[] {
  const at = 3
  const { columns, release } = allocateColumns(arena, new Schema([{ name: "result", type }]), groups + at)
  accumulator.writeResults(0, groups, columns[0]!, at)
  const results = Array.from({ length: groups }, (_, group) => readValue(columns[0]!, at + group))
  release()
  return results
}

describe.each(KINDS)("%s", (kind) => {
  const { resultType, accumulator } = AGGREGATES[kind]
  const inputs = [undefined, ...INPUTS].filter((type) => resultType(type) !== undefined)

  it("G1 G2 G3 G4 gives what its reference gives, over runs, slices and restored state", () => {
    for (let seed = 0; seed < 300 * SCALE; seed++) {
      const prng = new Prng(seed)
      const type = prng.pick(inputs)
      const groups = 1 + prng.below(4)
      const total = accumulator(type)
      total.reserve(groups)
      const failed = new Set<number>()
      const slices: Accepted[] = []
      for (let slice = prng.below(4); slice >= 0; slice--) {
        let one = accumulator(type)
        const accepted: Accepted = Array.from({ length: groups }, () => [])
        for (let restores = prng.below(3); restores >= 0; restores--) {
          addRecords({ kind, type, prng, groups }, one, accepted)
          one = copyByState(one, groups, accumulator(type))
        }
        slices.push(accepted)
        const order = Int32Array.from({ length: groups }, (_, group) => group)
        total.merge(one, order, groups, (group) => failed.add(group))
      }
      const results = resultsOf(total, groups, resultType(type)!.nullable())
      for (let group = 0; group < groups; group++) {
        const ofGroup = slices.map((slice) => slice[group]!)
        // A window has no group without records.
        if (ofGroup.flat().length === 0) continue
        const expected = referenceResult(kind, type, ofGroup)
        if (expected === FAILED) expect(failed.has(group), `seed ${seed}`).toBe(true)
        else expect(results[group], `seed ${seed}: ${kind} of ${type?.label}`).toEqual(expected)
        if (failed.has(group)) expect(expected, `seed ${seed}`).toBe(FAILED)
      }
    }
  })
})

it("every aggregate has a result type for the inputs that docs/spec/windows.md lists, and for no other", () => {
  const table = KINDS.map((kind) => {
    const pairs = [undefined, ...TYPES].flatMap((type) => {
      const result = AGGREGATES[kind].resultType(type)
      return result === undefined ? [] : [`${type?.kind ?? "-"}: ${result.kind}`]
    })
    return `${kind}(${pairs.join(", ")})`
  })
  expect(table).toEqual([
    "count(-: int53)",
    "sum(int32: int53, int53: int53, int64: int64, float64: float64)",
    "min(int32: int32, int53: int53, int64: int64, float64: float64, timestamp: timestamp)",
    "max(int32: int32, int53: int53, int64: int64, float64: float64, timestamp: timestamp)",
    "mean(int32: float64, int53: float64, int64: float64, float64: float64)",
    `first(${TYPES.map(({ kind }) => `${kind}: ${kind}`).join(", ")})`,
    `last(${TYPES.map(({ kind }) => `${kind}: ${kind}`).join(", ")})`,
  ])
})
