/** What is pushed is a source like any other. */
import { expect, test } from "vitest"
import { Arena } from "../batch/arena.ts"
import { schema } from "../batch/schema.ts"
import { t } from "../batch/types.ts"
import { describeSourceConformance, type ExpectedRecord } from "../connect/source.conformance.ts"
import { SimWorld } from "../sim/sim-env.ts"
import { InputScript } from "./input-script.ts"
import { scriptSource } from "./script-source.ts"

const Trip = schema({ id: t.int32 })

/** Two partitions of `trips`, pushed to by turns, in pieces. */
function pushed(): { script: InputScript; expected: Map<string, ExpectedRecord[]> } {
  const script = new InputScript(new Map([["trips", 2]]))
  const expected = new Map<string, ExpectedRecord[]>([
    ["0", []],
    ["1", []],
  ])
  for (let id = 0; id < 60; id++) {
    const partition = Math.floor(id / 7) % 2
    const records = expected.get(String(partition))!
    const place = { offset: records.length, ordinal: records.length }
    if (id % 9 === 4) {
      script.add("trips", partition, { kind: "bad", bad: { reason: "bad", raw: "", field: undefined } })
      records.push({ ...place, row: "bad" })
      continue
    }
    script.add("trips", partition, { kind: "row", row: { id } })
    records.push({ ...place, row: { id } })
  }
  for (const partition of [0, 1]) script.add("trips", partition, { kind: "end" })
  return { script, expected }
}

const { script, expected } = pushed()

describeSourceConformance("what a test pushes", {
  createWorld: (seed) => new SimWorld({ seed }),
  baseDirectory: "/job",
  binding: scriptSource(script, { isOver: false }),
  schema: Trip,
  expected,
  callsNothing: true,
  changes: [],
  grow: undefined,
})

test("O5 a watermark is told by a read of its own, in its place", async () => {
  const marked = new InputScript(new Map([["trips", 1]]))
  for (const pushedNext of [
    { kind: "row", row: { id: 1 } },
    { kind: "watermark", micros: 7 },
    { kind: "row", row: { id: 2 } },
    { kind: "end" },
  ] as const)
    marked.add("trips", 0, pushedNext)
  const env = new SimWorld({ seed: 1 }).boot()
  const context = { env, arena: new Arena({ maxBytes: 1 << 20 }), schema: Trip, input: "trips", baseDirectory: "/job" }
  const source = await scriptSource(marked, { isOver: false }).openSource(context)
  const [partition] = await source.partitions()
  for (const start of [0, 1, 2]) {
    const reader = await source.open(partition!, 0, { offset: start, ordinal: start === 0 ? 0 : 1 })
    const reads: unknown[] = []
    for (let hasEnded = false; !hasEnded;) {
      const { batch, watermark, next, end } = await reader.read({ rows: 9, untilOffset: Infinity })
      reads.push([batch?.toRows(), watermark, next.offset, next.ordinal])
      hasEnded = end
    }
    const all = [
      [[{ id: 1 }], undefined, 1, 1],
      [undefined, 7, 2, 1],
      [[{ id: 2 }], undefined, 3, 2],
      [undefined, undefined, 4, 2],
    ]
    expect(reads).toEqual(all.slice(start))
  }
})
