import { expect, test } from "vitest"
import { schema } from "../batch/schema.ts"
import { t } from "../batch/types.ts"
import { arrow, csv, jsonl, parquet, type FileOptions } from "../connectors/files/file-connector.ts"
import { stdout } from "../connectors/stdout/stdout.ts"
import { job } from "../stream/job.ts"
import type { SinkBinding } from "../connect/sink.ts"
import { changedShapes, checkCompatible } from "./compatibility.ts"
import { describeRun, shapedAsBefore } from "./run-description.ts"

const copying = job({ name: "copying", inputs: { rows: schema({ n: t.int32 }) }, flow: ({ rows }) => ({ rows }) })

const few = job({
  name: "copying",
  inputs: { rows: schema({ n: t.int32 }) },
  flow: ({ rows }) => ({ rows: rows.derive({ twice: t.float64 }, (row) => ({ twice: row.n * 2 })) }),
})

function runOf(options: FileOptions) {
  const rows = jsonl("in.jsonl")
  return describeRun(copying.with({ inputs: { rows }, outputs: { rows: jsonl("out", options) }, deadLetter: stdout() }))
}

test("E13 a run tells of outputs what must stay as it is, and beside it what may change", () => {
  expect(runOf({ rollAfter: "1h", partitionBy: "n" }).outputs).toEqual([
    {
      name: "rows",
      sink: 'jsonl("out", { partitionBy: "n" })',
      described: 'jsonl("out", { partitionBy: "n", rollAfter: "1h" })',
    },
    { name: "$deadLetter", sink: "stdout()" },
  ])
  expect(runOf({}).outputs[0]).toEqual({ name: "rows", sink: 'jsonl("out")' })
})

test("E13 a run tells of the shape of rows where it must stay as it is in a part, and of none where it need not", () => {
  const shapeOf = (sink: SinkBinding, shown: "rows" | "few" = "rows") => {
    const bound = { rows: copying, few }[shown].with({ inputs: { rows: jsonl("in.jsonl") }, outputs: { rows: sink } })
    return describeRun(bound).outputs[0]!.shape
  }
  expect(shapeOf(jsonl("out"))).toBeUndefined()
  expect(shapeOf(stdout())).toBeUndefined()
  expect(shapeOf(csv("out"))).toBe('delimiter ",", quote "\\"", with header: n int32')
  const bare = csv("out", { delimiter: ";", quote: "'", header: false })
  expect(shapeOf(bare)).toBe('delimiter ";", quote "\'", without header: n int32')
  expect(shapeOf(parquet("out"))).toBe("n int32")
  expect(shapeOf(arrow("out"), "few")).toBe("n int32, twice float64")
})

test("E13 until what was begun is published, a run has the shapes of before", () => {
  const before = describeRun(copying.with({ inputs: { rows: jsonl("in.jsonl") }, outputs: { rows: csv("out") } }))
  const now = describeRun(few.with({ inputs: { rows: jsonl("in.jsonl") }, outputs: { rows: csv("out") } }))
  const changes = changedShapes(before, now)
  expect(changes).toEqual([{ name: "rows", before: before.outputs[0]!.shape, now: now.outputs[0]!.shape }])
  expect(shapedAsBefore(now, changes)).toEqual({ ...now, outputs: before.outputs })
  expect(shapedAsBefore(now, [])).toEqual(now)
  expect(changedShapes(before, before)).toEqual([])
  // A version that logged no shapes.
  const unknown = { ...before, outputs: [{ name: "rows", sink: before.outputs[0]!.sink }] }
  expect(changedShapes(unknown, now)).toEqual([])
})

test("E13 a job goes on where parts are published at other times than before, and not where rows go elsewhere", () => {
  const going = (before: FileOptions, now: FileOptions) => () => {
    checkCompatible(runOf(before), runOf(now), 7, "/state")
  }
  expect(going({}, { rollAfter: "1h", rollBytes: 1 })).not.toThrow()
  expect(going({ partitionBy: "n", successAfter: "1h" }, { partitionBy: "n" })).not.toThrow()
  expect(going({ rollAfter: "1h" }, { rollAfter: "1h", partitionBy: "n" })).toThrow(
    /its output rows went to jsonl\("out"\) and would now go to jsonl\("out", \{ partitionBy: "n" \}\)/,
  )
})
