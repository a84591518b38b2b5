/** Tests of generated inputs. */
import { describe, expect, test } from "vitest"
import { Arena } from "../../batch/arena.ts"
import { START } from "../../batch/position.ts"
import { schema } from "../../batch/schema.ts"
import { t } from "../../batch/types.ts"
import { describeSourceConformance, type ExpectedRecord } from "../../connect/source.conformance.ts"
import type { SourceBinding } from "../../connect/source.ts"
import { SimWorld } from "../../sim/sim-env.ts"
import { job } from "../../stream/job.ts"
import { fakeSink } from "../../stream/trips.fixture.ts"
import { generate } from "./generate.ts"

const Trip = schema({ id: t.int32, fare: t.float64 })

/** Every seventh row is not of the schema. */
const row = (id: number) => ({ id, fare: id % 7 === 3 ? "none" : id / 2 })

const ROWS = 2_000

/** Rows whose numbers are the same modulo 3. */
function expectedOf(place: number, stride: number): ExpectedRecord[] {
  const records: ExpectedRecord[] = []
  for (let id = place, ordinal = 0; id < ROWS; id += 3, ordinal++) {
    records.push({ offset: ordinal * stride, ordinal, row: id % 7 === 3 ? "bad" : { id, fare: id / 2 } })
  }
  return records
}

/** A driver over a binding that changes when the world is changed. */
function describeGenerate(name: string, stride: number, options: { readonly rowsPerSecond?: number }): void {
  let isReseeded = false
  let rows = ROWS
  const openSource: SourceBinding["openSource"] = (context) =>
    generate({ rows, partitions: 3, row, ...options, ...(isReseeded && { seed: 1 }) }).openSource(context)
  describeSourceConformance(name, {
    createWorld(seed) {
      isReseeded = false
      rows = ROWS
      return new SimWorld({ seed })
    },
    baseDirectory: "/work",
    binding: { describe: () => name, openSource },
    schema: Trip,
    expected: new Map([0, 1, 2].map((place) => [`partition ${place}`, expectedOf(place, stride)])),
    callsNothing: true,
    changes: [
      { name: "has another seed", code: "source-changed", apply: () => void (isReseeded = true) },
      { name: "has fewer rows than were read", code: "source-changed", apply: () => void (rows = 0) },
    ],
    grow(_world, id) {
      rows = ROWS + 3
      const ordinal = id === "partition 0" ? 667 : expectedOf(Number(id.at(-1)), stride).length
      const added = ordinal * 3 + Number(id.at(-1))
      return [{ offset: ordinal * stride, ordinal, row: added % 7 === 3 ? "bad" : { id: added, fare: added / 2 } }]
    },
  })
}

describeGenerate("generate", 16, {})
describeGenerate("generate with a pace", 2 ** 17, { rowsPerSecond: 2_400 })

/** Reads what comes of a source within so many µs of a world's time, with the time of each read. */
async function readFor(binding: SourceBinding, micros: number): Promise<[at: number, id: number][]> {
  const world = new SimWorld({ seed: 1 })
  const env = world.boot()
  const arena = new Arena({ maxBytes: 1 << 22 })
  const seen: [number, number][] = []
  const reading = (async () => {
    const startMicros = env.clock.monotonicMicros()
    const source = await binding.openSource({ env, arena, schema: Trip, input: "trips", baseDirectory: "/work" })
    const [partition] = await source.partitions()
    const reader = await source.open(partition!, 0, START)
    for (let isAtEnd = false; !isAtEnd && env.clock.monotonicMicros() - startMicros < micros;) {
      await reader.whenReadable?.(new AbortController().signal)
      const taken = await reader.read({ rows: 1000, untilOffset: Infinity })
      taken.batch?.forEachRow((at) => {
        seen.push([env.clock.monotonicMicros() - startMicros, taken.batch!.row(at)["id"] as number])
      })
      isAtEnd = taken.end
      taken.release()
    }
    await reader.close()
    await source.close()
  })()
  await world.run(reading)
  await reading
  return seen
}

test("NR2 rows come at their time, and none before it", async () => {
  const seen = await readFor(generate({ rowsPerSecond: 250, row: (id) => ({ id, fare: 0 }) }), 2_000_000)
  expect(seen.length).toBeGreaterThanOrEqual(500)
  expect(seen.map(([, id]) => id)).toEqual(seen.map((_, place) => place))
  for (const [at, id] of seen) {
    expect(at).toBeGreaterThanOrEqual(id * 4_000)
    expect(at).toBeLessThan(id * 4_000 + 100_000)
  }
})

test("random is a function of seed and row", async () => {
  const drawn = async (seed: number) => {
    const values: number[][] = []
    const row = (id: number, random: { float(): number; below(bound: number): number }) => {
      values.push([id, random.float(), random.below(100)])
      return { id, fare: 0 }
    }
    await readFor(generate({ rows: 50, seed, row }), 1)
    return values
  }
  const first = await drawn(1)
  expect(first).toHaveLength(50)
  expect(new Set(first.map(([, value]) => value)).size).toBe(50)
  expect(await drawn(1)).toEqual(first)
  expect(await drawn(2)).not.toEqual(first)
})

describe("what does not fit", () => {
  test.each<[string, object, string]>([
    ["no row", { rows: 1 }, "row is undefined"],
    ["an unknown option", { row, rate: 5 }, '"rate"'],
    ["half a row", { row, rows: 1.5 }, "rows is 1.5"],
    ["no pace", { row, rowsPerSecond: 0 }, "rowsPerSecond is 0"],
    ["no partitions", { row, partitions: 0 }, "partitions is 0"],
    ["a seed that is no whole number", { row, seed: NaN }, "seed is NaN"],
  ])("%s is refused by name", (_name, options, text) => {
    const call = () => generate(options as Parameters<typeof generate>[0])
    expect(call).toThrow(expect.objectContaining({ code: "invalid-options" }))
    expect(call).toThrow(text)
  })

  test("rows of other types than the input's are a mistake that the compiler tells", () => {
    const fares = job({
      name: "fares",
      inputs: {
        trips: schema({ at: t.timestamp(), zone: t.enum("a", "b"), fare: t.float64, tip: t.float64.nullable() }),
      },
      flow: ({ trips }) => ({ trips }),
    })
    const outputs = { trips: fakeSink() }
    const at = 5
    const bound = fares.with({
      inputs: {
        trips: generate({ row: (id, random) => ({ at: at + id, zone: random.pick(["a", "b"]), fare: 1, x: 0 }) }),
      },
      outputs,
    })
    fares.with({
      // @ts-expect-error -- The column fare is missing.
      inputs: { trips: generate({ row: () => ({ at, zone: "a" }) }) },
      outputs,
    })
    fares.with({
      // @ts-expect-error -- There is no zone "c".
      inputs: { trips: generate({ row: () => ({ at, zone: "c", fare: 1 }) }) },
      outputs,
    })
    fares.with({
      // @ts-expect-error -- The tip is no text.
      inputs: { trips: generate({ row: () => ({ at, zone: "a", fare: 1, tip: "none" }) }) },
      outputs,
    })
    expect(bound.inputs["trips"]!.source.describe()).toBe("generate({ seed: 0 })")
  })
})

test("describes itself for explain", () => {
  expect(generate({ row }).describe()).toBe("generate({ seed: 0 })")
  expect(generate({ row, rows: 5, rowsPerSecond: 2, seed: 3, partitions: 4 }).describe()).toBe(
    "generate({ rows: 5, rowsPerSecond: 2, seed: 3, partitions: 4 })",
  )
})
