/** Followed files, by the command line: a writer goes on while the process that follows is killed, again and again. */
import { spawn, type ChildProcess } from "node:child_process"
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { afterEach, beforeEach, expect, test } from "vitest"
import { Prng } from "../src/base/prng.ts"

const CLI = resolve("dist/cli/main.js")
const KILLS = 8
const SECONDS = 10

const jobText = (pattern: string) => `
import { job, schema, t } from "tidemark"
import { jsonl } from "tidemark/files"

export default job({
  name: "followed",
  inputs: { lines: schema({ n: t.int32, text: t.string }) },
  flow: ({ lines }) => ({ lines: lines.filter((line) => line.n >= 0).select("n") }),
}).with({
  inputs: { lines: jsonl(${JSON.stringify(pattern)}, { follow: { every: "20ms" } }) },
  outputs: { lines: jsonl("out", { rollAfter: "200ms" }) },
})
`

let directory = ""

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "tidemark-follow-"))
  mkdirSync(join(directory, "in"))
})

afterEach(() => {
  rmSync(directory, { recursive: true, force: true })
})

const pause = (millis: number) => new Promise((done) => setTimeout(done, millis))

/** A process that follows, and its end. */
function start(): { child: ChildProcess; exited: Promise<unknown>; told: () => string } {
  let text = ""
  const child = spawn(process.execPath, [CLI, "run", "job.ts", "--json"], { cwd: directory })
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => (text += chunk))
  }
  return { child, exited: new Promise((done) => child.once("exit", done)), told: () => text }
}

function published(): number[] {
  const out = join(directory, "out")
  if (!existsSync(out)) return []
  const parts = readdirSync(out).filter((name) => name.startsWith("part-"))
  return parts.sort().flatMap((name) =>
    readFileSync(join(out, name), "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => (JSON.parse(line) as { n: number }).n),
  )
}

/** Writes with `act` while processes follow and are killed; gives what readers of the output see in the end. */
async function follow(prng: Prng, writer: Writer, act: () => void): Promise<{ read: number[]; told: string }> {
  // What lies beside a file before anything of it is committed is none of the job's own.
  const first = start()
  while (!first.told().includes('"committed"') && first.child.exitCode === null) await pause(20)
  const end = performance.now() + SECONDS * 1000
  let isWriting = true
  const writing = (async () => {
    for (; performance.now() < end; await pause(prng.below(25))) act()
    isWriting = false
  })()
  for (let kills = 0; kills < KILLS && isWriting; kills++) {
    const { child, exited } = kills === 0 ? first : start()
    await pause(400 + prng.below(1_200))
    child.kill("SIGKILL")
    await exited
  }
  await writing
  writer.endLines()
  const { child, exited, told } = start()
  const until = performance.now() + 30_000
  const rowsIn = () => Number(/.*"rowsIn":(\d+)/s.exec(told())?.[1] ?? 0)
  while (rowsIn() < writer.written && performance.now() < until && child.exitCode === null) await pause(50)
  child.kill("SIGINT")
  await exited
  return { read: published(), told: told() }
}

/** A writer of lines, some of them in two halves. */
class Writer {
  readonly #prng: Prng
  readonly #half = new Map<string, string>()
  written = 0

  constructor(prng: Prng) {
    this.#prng = prng
  }

  append(path: string): void {
    this.endLine(path)
    let text = ""
    for (let count = this.#prng.below(60); count > 0; count--) {
      text += `${JSON.stringify({ n: this.written++, text: "x".repeat(this.#prng.below(80)) })}\n`
    }
    const cut = this.#prng.chance(0.3) && text !== "" ? text.length - 1 - this.#prng.below(20) : text.length
    appendFileSync(path, text.slice(0, Math.max(0, cut)))
    if (cut < text.length) this.#half.set(path, text.slice(Math.max(0, cut)))
  }

  endLines(): void {
    for (const path of this.#half.keys()) this.endLine(path)
  }

  /** The file has another name: what is left of its last line comes there. */
  renamed(path: string, to: string): void {
    const half = this.#half.get(path)
    this.#half.delete(path)
    if (half !== undefined) this.#half.set(to, half)
  }

  endLine(path: string): void {
    appendFileSync(path, this.#half.get(path) ?? "")
    this.#half.delete(path)
  }
}

const numbers = (count: number) => Array.from({ length: count }, (_, n) => n)

function shift(path: string): void {
  for (let generation = 200; generation >= 1; generation--) {
    if (existsSync(`${path}.${generation}`)) renameSync(`${path}.${generation}`, `${path}.${generation + 1}`)
  }
}

test(
  "FO3 FO11 a log that is renamed while the process that follows is killed: each line once, in order",
  { timeout: 120_000 },
  async () => {
    writeFileSync(join(directory, "job.ts"), jobText("in/app.log"))
    const prng = new Prng(20_261_127)
    const writer = new Writer(prng)
    const path = join(directory, "in/app.log")
    writer.append(path)
    const act = () => {
      writer.append(path)
      if (!prng.chance(0.08) || writer.written < 500) return
      // Some writers end their line when the file has its new name, and the next one is there.
      shift(path)
      renameSync(path, `${path}.1`)
      writer.renamed(path, `${path}.1`)
      appendFileSync(path, "")
      writer.endLine(`${path}.1`)
    }
    const { read, told } = await follow(prng, writer, act)
    expect(told).not.toMatch(/"error"|input-gap/)
    expect(read).toEqual(numbers(writer.written))
    expect(writer.written).toBeGreaterThan(2_000)
  },
)

test(
  "FO6 a log that is copied and cut between two processes loses nothing that was copied",
  { timeout: 120_000 },
  async () => {
    writeFileSync(join(directory, "job.ts"), jobText("in/app.log"))
    const prng = new Prng(7)
    const writer = new Writer(prng)
    const path = join(directory, "in/app.log")
    writer.append(path)
    const act = () => {
      writer.append(path)
      if (!prng.chance(0.05)) return
      writer.endLine(path)
      shift(path)
      copyFileSync(path, `${path}.1`)
      truncateSync(path)
    }
    const { read } = await follow(prng, writer, act)
    expect([...read].sort((one, other) => one - other)).toEqual(numbers(writer.written))
  },
)

test("FO8 FO11 a directory into which files come and grow: each line once", { timeout: 120_000 }, async () => {
  writeFileSync(join(directory, "job.ts"), jobText("in/*.jsonl"))
  const prng = new Prng(99)
  const writer = new Writer(prng)
  const files: string[] = []
  const act = () => {
    if (files.length === 0 || prng.chance(0.2)) {
      const name = join(directory, "in", `${prng.uint32().toString(36)}.jsonl`)
      writer.append(`${name}.tmp`)
      writer.endLine(`${name}.tmp`)
      renameSync(`${name}.tmp`, name)
      files.push(name)
    } else writer.append(files[Math.max(0, files.length - 1 - prng.below(4))]!)
  }
  act()
  const { read, told } = await follow(prng, writer, act)
  expect(told).not.toMatch(/"error"|input-gap/)
  expect([...read].sort((one, other) => one - other)).toEqual(numbers(writer.written))
  expect(files.length).toBeGreaterThan(20)
})
