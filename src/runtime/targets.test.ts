import { expect, test } from "vitest"
import { directoryKey, isWithin } from "../connect/target-key.ts"
import type { SinkBinding } from "../connect/sink.ts"
import type { Source } from "../connect/source.ts"
import { Targets } from "./targets.ts"

const BASE = "/work"
const STATE = "/work/.tidemark/sales"

function sink(path: string): SinkBinding {
  const openSink = () => Promise.reject(new Error("not opened in tests"))
  const describe = () => `jsonl("${path}")`
  return { describe, guarantee: "exactly-once", openSink, targetKey: (base) => directoryKey(`${base}/${path}`) }
}

function targets(outputs: Readonly<Record<string, string>>, deadLetter?: string, state = STATE): Targets {
  const sinks = Object.fromEntries(Object.entries(outputs).map(([name, path]) => [name, sink(path)]))
  return new Targets(
    { outputs: sinks, deadLetter: deadLetter === undefined ? undefined : sink(deadLetter) },
    BASE,
    state,
  )
}

test("TG1 TG2 places beside each other are accepted, and dead letters in the state directory", () => {
  expect(() => targets({ hourly: "out/hourly", late: "out/late" }, "out/bad").check()).not.toThrow()
  expect(() => targets({ hourly: "out", late: "outer" }, ".tidemark/sales/dead-letters").check()).not.toThrow()
})

test("TG1 sinks that name no place are of no concern", () => {
  const { targetKey: _, ...placeless } = sink("out")
  const outputs = { one: placeless, other: placeless }
  expect(() => new Targets({ outputs, deadLetter: placeless }, BASE, STATE).check()).not.toThrow()
})

test.each<[rule: string, make: () => Targets, message: string]>([
  [
    "TG1 one place for two",
    () => targets({ hourly: "out", late: "out" }),
    'The output hourly and the output late would both go to jsonl("out").',
  ],
  [
    "TG1 an output within another",
    () => targets({ hourly: "out", late: "out/late" }),
    'The output late would go to jsonl("out/late"), within jsonl("out"), where the output hourly would go.',
  ],
  [
    "TG1 an output within another that comes later",
    () => targets({ late: "out/a/late", hourly: "out" }),
    'The output late would go to jsonl("out/a/late"), within jsonl("out"), where the output hourly would go.',
  ],
  [
    "TG1 dead letters within an output",
    () => targets({ hourly: "out" }, "out/bad"),
    'The dead letters would go to jsonl("out/bad"), within jsonl("out"), where the output hourly would go.',
  ],
  [
    "TG2 an output in the state directory",
    () => targets({ hourly: ".tidemark/sales/log" }),
    `The output hourly would go to jsonl(".tidemark/sales/log"), within the job's state directory ${STATE}.`,
  ],
  [
    "TG2 an output that is the state directory",
    () => targets({ hourly: ".tidemark/sales" }),
    `The output hourly would go to jsonl(".tidemark/sales"), within the job's state directory ${STATE}.`,
  ],
  [
    "TG2 the state directory in an output",
    () => targets({ hourly: "out" }, undefined, "/work/out/state"),
    'The job\'s state directory /work/out/state lies within jsonl("out"), where the output hourly would go.',
  ],
  [
    "TG2 an output where dead letters lie",
    () => targets({ hourly: ".tidemark/sales/dead-letters" }, "out/bad"),
    `The output hourly would go to jsonl(".tidemark/sales/dead-letters"), within the job's state directory ${STATE}.`,
  ],
])("%s is refused", (_, make, message) => {
  expect(() => make().check()).toThrow(
    expect.objectContaining({
      code: "invalid-options",
      message,
      hint: expect.stringContaining("beside the others") as string,
    }),
  )
})

/** A source that has found one file. */
function sourceOf(path: string): Source {
  const notOpened = () => Promise.reject(new Error("not opened in tests"))
  const partitionWithin = (key: string) => (isWithin(directoryKey(path), key) ? path : undefined)
  return { partitions: notOpened, open: notOpened, partitionWithin, close: () => Promise.resolve() }
}

test("TG3 U4 an input within what the job writes is refused", () => {
  const places = targets({ hourly: "out" })
  const check = (path: string) => () => places.checkInput("sales", sourceOf(path))
  expect(check("/work/in/a.csv")).not.toThrow()
  expect(check("/work/out/in/a.csv")).toThrow(
    expect.objectContaining({
      code: "invalid-options",
      message: 'The input sales matches /work/out/in/a.csv, within jsonl("out"), where the output hourly goes.',
    }),
  )
  expect(check(`${STATE}/log/x`)).toThrow(
    expect.objectContaining({
      message: `The input sales matches ${STATE}/log/x, within the job's state directory ${STATE}.`,
    }),
  )
})
