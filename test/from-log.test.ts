/** A log as an input on a real disk: a process appends, another runs the job over it, and both are killed again and again. */
import { fork, type ChildProcess } from "node:child_process"
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { pathToFileURL } from "node:url"
import { afterEach, beforeEach, expect, test, vi } from "vitest"
import { run } from "../src/embedded/run.ts"
import { jsonl } from "../src/files.ts"
import { job, schema, t } from "../src/index.ts"
import { fromLog, openLog } from "../src/log.ts"

vi.setConfig({ testTimeout: 180_000 })
const fromDist = (door: string) => JSON.stringify(pathToFileURL(resolve(`dist/${door}.js`)).href)

/** Appends numbers, and tells of each when it is durable; asked to end, it seals the log. */
const WRITER = `
import { openLog } from ${fromDist("log")}
const [, , directory, first] = process.argv
const log = await openLog(directory, { segmentBytes: 65536 })
let next = Number(first)
let mayEnd = false
process.on("message", () => (mayEnd = true))
await Promise.all(Array.from({ length: 4 }, async () => {
  while (!mayEnd) {
    const n = next++
    await log.append(JSON.stringify({ n, text: "x".repeat((n * 37) % 300) }))
    process.send(n)
  }
}))
await log.seal()
await log.close()
process.disconnect()
`

/** Copies the log into files, and counts records by key on the way. */
const RUNNER = `
import { job, run, schema, t, valueState } from ${fromDist("index")}
import { jsonl } from ${fromDist("files")}
import { fromLog } from ${fromDist("log")}
const [, , directory] = process.argv
const copy = job({
  name: "copy",
  inputs: { numbers: schema({ n: t.int53, text: t.string }) },
  flow: ({ numbers }) => ({
    numbers,
    counted: numbers.derive({ digit: t.float64 }, (row) => ({ digit: row.n % 10 })).keyBy("digit").process(
      {
        emits: { n: t.int53, place: t.int53 },
        state: { seen: valueState(t.int53.default(0)) },
        onRecord(row, { state, emit }) {
          emit({ n: row.n, place: state.seen.get() })
          state.seen.set(state.seen.get() + 1)
        },
      },
      { id: "counted" },
    ),
  }),
})
const bound = copy.with({
  inputs: { numbers: fromLog(directory + "/numbers.log") },
  outputs: { numbers: jsonl(directory + "/out/numbers", { rollBytes: 20000 }), counted: jsonl(directory + "/out/counted") },
  epoch: { min: "5ms", max: "100ms" },
})
const { finished } = await run(bound, { directory: directory + "/state" })
await finished
`

let directory = ""
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "tidemark-from-log-"))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

function rowsOf(output: string): Record<string, number>[] {
  const parts = readdirSync(join(directory, "out", output)).filter((name) => !name.startsWith("."))
  const lines = parts.sort().flatMap((name) => readFileSync(join(directory, "out", output, name), "utf8").split("\n"))
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Record<string, number>)
}

const children: ChildProcess[] = []
afterEach(() => children.splice(0).forEach((child) => child.kill("SIGKILL")))

/** Starts a program; its end can be asked for at any time. */
function start(program: string, ...args: string[]) {
  const child = fork(program, args)
  children.push(child)
  return { child, ended: new Promise<number | null>((done) => child.on("close", done)) }
}

test("L15 what was told to be durable is in the outputs once, in order, however often who appends and who reads are killed", async () => {
  const [writer, runner] = [join(directory, "writer.mjs"), join(directory, "runner.mjs")]
  writeFileSync(writer, WRITER)
  writeFileSync(runner, RUNNER)
  const told: number[] = []
  const kills = 10 * Number(process.env["TIDEMARK_FUZZ_SCALE"] ?? 1)
  const begin = (life: number) => {
    const started = start(writer, join(directory, "numbers.log"), String(life * 100_000))
    started.child.on("message", (n: number) => told.push(n))
    return started
  }
  let appending = begin(0)
  while (told.length === 0) await pause(5)
  let reading = start(runner, directory)
  for (let kill = 1; kill <= kills; kill++) {
    await pause(100 + Math.random() * 900)
    if (kill % 3 === 0) {
      appending.child.kill("SIGKILL")
      await appending.ended
      appending = begin(kill)
    } else {
      reading.child.kill("SIGKILL")
      expect(await reading.ended, "it ran until it was killed").toBe(null)
      reading = start(runner, directory)
    }
  }
  appending.child.send("end")
  expect(await reading.ended).toBe(0)
  const log = await openLog(join(directory, "numbers.log"))
  const appended: number[] = []
  for await (const entry of log.read()) {
    if (entry.kind === "record") appended.push((JSON.parse(new TextDecoder().decode(entry.payload)) as { n: number }).n)
  }
  await log.close()
  const numbers = rowsOf("numbers").map(({ n }) => n)
  expect(numbers.length).toBe(appended.length)
  expect(numbers.every((n, index) => n === appended[index])).toBe(true)
  const there = new Set(numbers)
  expect(told.filter((n) => !there.has(n))).toEqual([])
  const seen = new Map<number, number>()
  const wrong = rowsOf("counted").filter(({ n, place }) => {
    const count = seen.get(n! % 10) ?? 0
    seen.set(n! % 10, count + 1)
    return place !== count
  })
  expect(wrong).toEqual([])
  expect([...seen.values()].reduce((sum, count) => sum + count, 0)).toBe(appended.length)
})

const copy = job({ name: "copy", inputs: { orders: schema({ n: t.int53 }) }, flow: ({ orders }) => ({ orders }) })

test("L18 an open log is an input of the same process; the job ends when it is sealed", async () => {
  const log = await openLog(join(directory, "orders.log"))
  const outputs = { orders: jsonl(join(directory, "out/orders")) }
  const running = await run(copy.with({ inputs: { orders: fromLog(log) }, outputs }), {
    directory: join(directory, "state"),
  })
  for (let n = 0; n < 500; n++) void log.append(JSON.stringify({ n }))
  await log.append("no JSON")
  await log.seal()
  const { outcome, status } = await running.finished
  expect(outcome).toBe("finished")
  expect(status).toMatchObject({ rowsIn: 501, badRecords: 1 })
  expect(rowsOf("orders").map(({ n }) => n)).toEqual(Array.from({ length: 500 }, (_, n) => n))
  await log.close()
})

test("L17 a job goes on with the log by its directory, by another name of that, and by the open log again", async () => {
  const names = ["orders.log", "moved.log", "moved.log"]
  const options = { directory: join(directory, "state"), baseDirectory: directory }
  const outputs = { orders: jsonl("out/orders") }
  let path = join(directory, "orders.log")
  for (const [n, name] of names.entries()) {
    const before = path
    path = join(directory, name)
    if (existsSync(before)) renameSync(before, path)
    const log = await openLog(path)
    await log.append(JSON.stringify({ n }))
    const input = n === 1 ? fromLog(name, { follow: false }) : fromLog(log, { follow: false })
    expect((await (await run(copy.with({ inputs: { orders: input }, outputs }), options)).finished).outcome).toBe(
      "finished",
    )
    await log.close()
    expect(rowsOf("orders").map((row) => row["n"])).toEqual(Array.from({ length: n + 1 }, (_, each) => each))
  }
})

test("L18 what is not to be followed ends where the log ends, and a later run goes on there", async () => {
  const path = join(directory, "orders.log")
  const inputs = { orders: fromLog("orders.log", { follow: false }) }
  const bound = copy.with({ inputs, outputs: { orders: jsonl("out/orders") } })
  const options = { directory: join(directory, "state"), baseDirectory: directory }
  await expect(run(bound, options)).rejects.toMatchObject({ code: "log-missing" })
  for (let n = 0; n < 3; n++) {
    const log = await openLog(path)
    await log.append(JSON.stringify({ n }))
    await log.close()
    expect((await (await run(bound, options)).finished).outcome).toBe("finished")
    expect(rowsOf("orders").map((row) => row["n"])).toEqual(Array.from({ length: n + 1 }, (_, each) => each))
  }
  expect((await (await run(bound, options)).finished).isNothingNew).toBe(true)
})

test.each<[given: unknown[], message: string]>([
  [[""], 'fromLog(...) takes a directory or an open log, not "".'],
  [[7], "fromLog(...) takes a directory or an open log, not 7."],
  [["x", { fallow: true }], 'fromLog(...) has no option "fallow".'],
  [["x", { follow: 1 }], "fromLog(...): follow is 1."],
  [["x", { from: "middle" }], 'fromLog(...): from is "middle".'],
  [["x", { from: new Date(NaN) }], "fromLog(...): from is an object."],
  [["x", { from: -1n }], "fromLog(...): from is -1n."],
  [["x", { maxRecordBytes: 0 }], "fromLog(...): maxRecordBytes is 0."],
])("fromLog of %# is refused", (given, message) => {
  expect(() => fromLog(...(given as [string]))).toThrow(expect.objectContaining({ code: "invalid-options", message }))
})
