import { expect, test } from "vitest"
import type { RunRecord } from "../state/commit-record.ts"
import { changedParams, checkCompatible } from "./compatibility.ts"

function signature(size: string): string {
  return `windowAggregate/1 tumbling ${size} by ("zone": string) of ("trips": count())`
}

const RUN: RunRecord = {
  job: "revenue",
  fingerprint: "one",
  params: { limit: "1" },
  operators: [{ id: "hourly", signature: signature("1h") }],
  outputs: [{ name: "hourly", sink: 'jsonl("out")' }],
  version: "0.1.0",
}

const check = (now: Partial<RunRecord>) => () => {
  checkCompatible(RUN, { ...RUN, ...now }, 7, "/state")
}

test("E13 state is taken over where ids and signatures are the same, whatever else has changed", () => {
  expect(check({})).not.toThrow()
  expect(check({ fingerprint: "two", params: { limit: "2" }, version: "0.2.0" })).not.toThrow()
})

test("E13 dead letters in the state directory are known by that, and by the path that earlier versions logged, not by another", () => {
  const [known, other] = ['jsonl("/state/dead-letters")', 'jsonl("/other/dead-letters")']
  const now = { ...RUN, outputs: [{ name: "$deadLetter", sink: "of the state", described: known }] }
  const before = (sink: string, described?: string) => () => {
    const output = described === undefined ? { sink } : { sink, described }
    checkCompatible({ ...RUN, outputs: [{ name: "$deadLetter", ...output }] }, now, 7, "/state")
  }
  expect(before("of the state", other)).not.toThrow()
  expect(before(known)).not.toThrow()
  expect(before(other)).toThrow(/went to jsonl\("\/other\/dead-letters"\) and would now go to of the state/)
})

test.each<[string, Partial<RunRecord>, RegExp]>([
  ["another job", { job: "other" }, /belongs to the job revenue/],
  [
    "a changed window",
    { operators: [{ id: "hourly", signature: signature("2h") }] },
    /its operator hourly has changed: its window was tumbling 1h and is now tumbling 2h\.$/,
  ],
  ["an operator that is gone", { operators: [] }, /no longer has/],
  ["an operator that is new", { operators: [...RUN.operators, { id: "daily", signature: "x" }] }, /daily is new/],
  ["an output that is gone", { outputs: [] }, /staged rows of the output hourly/],
  ["an output that is new", { outputs: [...RUN.outputs, { name: "late", sink: "s" }] }, /late is new/],
  ["an output that goes elsewhere", { outputs: [{ name: "hourly", sink: 'jsonl("x")' }] }, /went to jsonl\("out"\)/],
])("E13 refuses %s in words", (_, now, words) => {
  expect(check(now)).toThrow(
    expect.objectContaining({ code: "state-foreign", message: expect.stringMatching(words) as string }),
  )
})

test("E13 before the first commit there is no state that a changed job could misread", () => {
  const changed = { ...RUN, operators: [], outputs: [{ name: "hourly", sink: 'jsonl("mended")' }] }
  expect(() => checkCompatible(RUN, changed, 0, "/state")).not.toThrow()
  expect(() => checkCompatible(RUN, { ...RUN, job: "other" }, 0, "/state")).toThrow(/belongs to the job revenue/)
})

test("E13 changed parameters are told by name, those that came or went too", () => {
  expect(changedParams(RUN, RUN)).toEqual([])
  expect(changedParams(RUN, { ...RUN, params: { limit: "2", zone: '"JFK"' } })).toEqual([
    { name: "limit", before: "1", now: "2" },
    { name: "zone", before: null, now: '"JFK"' },
  ])
  expect(changedParams(RUN, { ...RUN, params: {} })).toEqual([{ name: "limit", before: "1", now: null }])
})

test("E13 an operator that was renamed is asked to take its old name", () => {
  const renamed = { operators: [{ id: "daily", signature: signature("1h") }] }
  expect(check(renamed)).toThrow(
    expect.objectContaining({
      message: expect.stringContaining("state of the operator hourly, which the job no longer has") as string,
      hint: expect.stringMatching(
        /^If daily is the same operator, give it its old name: \{ id: "hourly" \}\. Run/,
      ) as string,
    }),
  )
  const other = { operators: [{ id: "daily", signature: signature("1d") }] }
  expect(check(other)).toThrow(expect.objectContaining({ hint: expect.stringMatching(/^Run with another/) as string }))
})
