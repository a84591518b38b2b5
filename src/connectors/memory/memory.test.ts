/** Tests of rows in memory as inputs and outputs. */
import { expect, test } from "vitest"
import { schema } from "../../batch/schema.ts"
import { t } from "../../batch/types.ts"
import { describeSinkConformance } from "../../connect/sink.conformance.ts"
import type { ConformanceRow } from "../../connect/sink-trial.conformance.ts"
import type { SinkBinding } from "../../connect/sink.ts"
import { describeSourceConformance } from "../../connect/source.conformance.ts"
import type { Env } from "../../env/env.ts"
import { SimWorld } from "../../sim/sim-env.ts"
import { job } from "../../stream/job.ts"
import { memory, MemoryTable } from "./memory.ts"

const Trip = schema({ id: t.int32, note: t.string.nullable() })

const ROWS = Array.from({ length: 100 }, (_, id) => (id % 9 === 4 ? { id: "none" } : { id, note: `trip ${id}` }))
const expectedOf = (rows: typeof ROWS) =>
  rows.map((row, ordinal) => ({ offset: ordinal * 16, ordinal, row: ordinal % 9 === 4 ? ("bad" as const) : row }))

let rows: unknown[] = ROWS

describeSourceConformance("memory", {
  createWorld(seed) {
    rows = ROWS
    return new SimWorld({ seed })
  },
  baseDirectory: "/work",
  binding: { describe: () => "memory", openSource: (context) => memory(rows).openSource(context) },
  schema: Trip,
  expected: new Map([["rows", expectedOf(ROWS)]]),
  callsNothing: true,
  changes: [
    { name: "begins with another row", code: "source-changed", apply: () => void (rows = [{ id: 7 }, ...ROWS]) },
    { name: "has fewer rows than were read", code: "source-changed", apply: () => void (rows = ROWS.slice(0, 1)) },
  ],
  grow() {
    rows = [...ROWS, { id: 100, note: null }]
    return [{ offset: 1600, ordinal: 100, row: { id: 100, note: null } }]
  },
})

let target = new MemoryTable<ConformanceRow>([])
let process: Env | undefined

/** A process that dies takes its memory with it. Here the array outlives it, so that what it has can be looked at. */
const binding: SinkBinding = {
  describe: () => "memory",
  guarantee: target.guarantee,
  openSink(context, recovery) {
    if (context.env !== process) target.writer = undefined
    process = context.env
    return target.openSink(context, recovery)
  },
}

describeSinkConformance("memory", {
  createWorld(seed) {
    target = new MemoryTable([])
    return new SimWorld({ seed })
  },
  baseDirectory: "/work",
  binding,
  published: () => [...target.rows],
  takeAway: () => void target.rows.splice(0),
  setAside: () => [...target.superseded],
})

test("an array is another sink's when that has closed", async () => {
  const table = new MemoryTable<unknown>([])
  const env = new SimWorld({ seed: 1 }).boot()
  const context = {
    env,
    arena: undefined as never,
    schema: Trip,
    job: "trial",
    output: "trips",
    baseDirectory: "/work",
  }
  const recovery = { checkpoint: undefined, staged: [], reset: false, fresh: true }
  const first = await table.openSink(context, recovery)
  await expect(table.openSink(context, recovery)).rejects.toMatchObject({ code: "sink-occupied" })
  await first.close()
  await (await table.openSink(context, recovery)).close()
})

test("what is no array is refused, and rows of other types than the input's are told by the compiler", () => {
  expect(() => memory("rows" as never)).toThrow("not an array of rows")
  const trips = job({ name: "trips", inputs: { trips: Trip }, flow: (inputs) => inputs })
  const outputs = { trips: memory<{ id: number }>() }
  const bound = trips.with({ inputs: { trips: memory([{ id: 1 }, { id: 2, note: "two" }]) }, outputs })
  // @ts-expect-error -- The id is no text.
  trips.with({ inputs: { trips: memory([{ id: "one" }]) }, outputs })
  expect(bound.outputs["trips"]!.guarantee).toBe("exactly-once-in-process")
  expect(bound.inputs["trips"]!.source.describe()).toBe("memory()")
})
