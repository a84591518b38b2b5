/** `flatMap` as programs use it, in the test kit. */
import { expect, test } from "vitest"
import { schema } from "../src/batch/schema.ts"
import { t } from "../src/batch/types.ts"
import { explain, formatExplain } from "../src/observe/explain.ts"
import { count } from "../src/stream/aggregates.ts"
import { job } from "../src/stream/job.ts"
import { tumbling } from "../src/stream/windows.ts"
import { runOnRows } from "../src/testing/run-on-rows.ts"
import type { Timestamp } from "../src/time/timestamp.ts"

const words = job({
  name: "words",
  params: schema({ least: t.int32.default(1) }),
  inputs: { lines: schema({ at: t.timestamp({ format: "us" }), text: t.string }) },
  flow: ({ lines }) => {
    const words = lines.flatMap({ at: t.timestamp(), word: t.string }, (line, params) => {
      if (line.text === "wrong")
        return [{ at: line.at, word: "right" }, { at: line.at } as { at: Timestamp; word: string }]
      if (line.text === "none") return undefined as unknown as []
      if (line.text === "thrown") throw new Error("no words")
      return line.text
        .split(" ")
        .filter((word) => word.length >= params.least)
        .map((word) => ({ at: line.at, word }))
    })
    const counts = words
      .eventTime("at", { outOfOrder: "0s" })
      .keyBy("word")
      .window(tumbling("10s"))
      .aggregate({ n: count() }, { id: "counts" })
    return { words, counts }
  },
})
const line = (at: number, text: string) => ({ at: at as Timestamp, text })

test("a row becomes as many as the lambda gives, in order, and windows count them", async () => {
  const lines = [line(1, "to be or"), line(2, ""), line(3, "not to be"), line(11_000_000, "to")]
  const { words: made, counts, failedRows } = await runOnRows(words, { inputs: { lines } })
  expect(made.map(({ at, word }) => `${at} ${word}`)).toEqual("1 to,1 be,1 or,3 not,3 to,3 be,11000000 to".split(","))
  expect(counts.map(({ windowStart, word, n }) => `${windowStart} ${word} ${n}`)).toEqual(
    "0 to 2,0 be 2,0 or 1,0 not 1,10000000 to 1".split(","),
  )
  expect(failedRows).toEqual([])
})

test("a row that fails gives nothing, and says why", async () => {
  const lines = ["wrong", "none", "thrown", "fine"].map((text, index) => line(index, text))
  const { words: made, failedRows } = await runOnRows(words, { inputs: { lines } })
  expect(made).toEqual([{ at: 3, word: "fine" }])
  expect(failedRows.map(({ operator, row, reason }) => [operator, row["text"], reason])).toEqual([
    ["lines/flatMap", "wrong", 'the lambda gave no value for the column "word"'],
    ["lines/flatMap", "none", "the lambda gave undefined, which is no array of rows"],
    ["lines/flatMap", "thrown", "the lambda threw Error: no words"],
  ])
})

test("many rows of one are several batches", async () => {
  const lines = [line(1, Array.from({ length: 70_000 }, (_, index) => `w${index}`).join(" ")), line(2, "end")]
  const { words: made } = await runOnRows(words, { inputs: { lines } })
  expect(made.length).toBe(70_001)
  expect(made.at(-1)).toEqual({ at: 2, word: "end" })
})

test("explain says that it runs as a closure", () => {
  const text = formatExplain(explain(words, { compile: { mode: "auto", proof: undefined } }))
  expect(text).toContain("flatMap  [lines/flatMap]")
  expect(text).toContain("○ runs as a closure. It gives a list of rows, and lists are not compiled.")
})
