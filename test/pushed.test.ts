/** A program that pushes into its own job on a real disk, and is killed again and again. */
import { fork, type ChildProcess } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { pathToFileURL } from "node:url"
import { afterEach, beforeEach, expect, test, vi } from "vitest"

vi.setConfig({ testTimeout: 180_000 })
const fromDist = (door: string) => JSON.stringify(pathToFileURL(resolve(`dist/${door}.js`)).href)

/** Pushes numbers from four sides, and tells of each when it is durable; asked to end, it ends the input. */
const PROGRAM = `
import { job, pushed, run, schema, t } from ${fromDist("index")}
import { jsonl } from ${fromDist("files")}
const [, , directory, first] = process.argv
const Number_ = schema({ n: t.int53, half: t.float64, text: t.string.nullable() })
const copy = job({
  name: "copy",
  inputs: { numbers: Number_ },
  flow: ({ numbers }) => ({ even: numbers.filter((row) => row.n % 2 === 0) }),
})
const inlet = pushed(Number_)
const bound = copy.with({
  inputs: { numbers: inlet },
  outputs: { even: jsonl(directory + "/out/even", { rollBytes: 20000 }) },
  epoch: { min: "5ms", max: "100ms" },
})
const { finished } = await run(bound, { directory: directory + "/state" })
let next = Number(first)
let mayEnd = false
process.on("message", () => (mayEnd = true))
await Promise.all(Array.from({ length: 4 }, async () => {
  while (!mayEnd) {
    const numbers = Array.from({ length: 1 + (next % 50) }, () => next++)
    const textOf = (n) => (n % 3 === 0 ? null : "x".repeat((n * 37) % 300))
    const rows = () => numbers.map((n) => ({ n, half: n / 2, text: textOf(n) }))
    const columns = () => ({ n: Float64Array.from(numbers), half: Float64Array.from(numbers, (n) => n / 2), text: numbers.map(textOf) })
    await inlet.push(numbers.length % 2 === 0 ? rows() : columns())
    process.send(numbers)
  }
}))
inlet.end()
await finished
process.disconnect()
`

let directory = ""
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "tidemark-pushed-"))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const children: ChildProcess[] = []
afterEach(() => children.splice(0).forEach((child) => child.kill("SIGKILL")))

test("PU1 what was told to be durable is in the output once, however often the process is killed", async () => {
  const program = join(directory, "program.mjs")
  writeFileSync(program, PROGRAM)
  const told: number[] = []
  const start = (life: number) => {
    const child = fork(program, [directory, String(life * 1_000_000)])
    children.push(child)
    child.on("message", (numbers: number[]) => void told.push(...numbers))
    return { child, ended: new Promise<number | null>((done) => child.on("close", done)) }
  }
  const kills = 6 * Number(process.env["TIDEMARK_FUZZ_SCALE"] ?? 1)
  let running = start(0)
  for (let kill = 1; kill <= kills; kill++) {
    const before = told.length
    while (told.length === before) await pause(5)
    await pause(Math.random() * 600)
    running.child.kill("SIGKILL")
    expect(await running.ended, "it ran until it was killed").toBe(null)
    running = start(kill)
  }
  await pause(300)
  running.child.send("end")
  expect(await running.ended).toBe(0)
  const out = join(directory, "out", "even")
  const parts = readdirSync(out).filter((name) => !name.startsWith("."))
  const lines = parts.sort().flatMap((name) => readFileSync(join(out, name), "utf8").split("\n"))
  const rows = lines.filter((line) => line !== "").map((line) => JSON.parse(line) as { n: number; half: number })
  const counted = new Map<number, number>()
  for (const { n, half } of rows) {
    expect(half).toBe(n / 2)
    counted.set(n, (counted.get(n) ?? 0) + 1)
  }
  expect([...counted.values()].every((times) => times === 1)).toBe(true)
  const even = told.filter((n) => n % 2 === 0)
  expect(even.length).toBeGreaterThan(100)
  expect(even.filter((n) => !counted.has(n))).toEqual([])
})
