import { expect, test } from "vitest"
import { schema } from "../batch/schema.ts"
import { t } from "../batch/types.ts"
import { jsonl, type FileOptions } from "../connectors/files/file-connector.ts"
import { stdout } from "../connectors/stdout/stdout.ts"
import { job } from "../stream/job.ts"
import { checkCompatible } from "./compatibility.ts"
import { describeRun } from "./run-description.ts"

const copying = job({ name: "copying", inputs: { rows: schema({ n: t.int32 }) }, flow: ({ rows }) => ({ rows }) })

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
