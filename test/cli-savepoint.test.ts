/** `tidemark savepoint` and `run --from-savepoint` with real processes, which are killed. */
import { spawn, spawnSync } from "node:child_process"
import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { afterEach, beforeEach, expect, test } from "vitest"

const CLI = resolve("dist/cli/main.js")

const JOB = `
import { job, schema, t, valueState } from "tidemark"
import { jsonl } from "tidemark/files"

export default job({
  name: "running-sums",
  inputs: { amounts: schema({ n: t.int53, account: t.string }) },
  flow: ({ amounts }) => ({
    sums: amounts.keyBy("account").process({
      state: { sum: valueState(t.int53) },
      emits: { n: t.int53, account: t.string, sum: t.int53 },
      onRecord: (row, { state, emit }) => {
        const sum = (state.sum.get() ?? 0) + row.n
        state.sum.set(sum)
        emit({ n: row.n, account: row.account, sum })
      },
    }, { id: "sums" }),
  }),
}).with({
  inputs: { amounts: jsonl("amounts.log", { follow: { every: "10ms" } }) },
  outputs: { sums: jsonl(process.env["OUT"] ?? "out", { rollAfter: "50ms" }) },
  epoch: { min: "2ms", max: "10ms" },
})
`

let directory = ""
let next = 0
const pids = new Set<number>()

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "tidemark-savepoint-"))
  next = 0
  writeFileSync(join(directory, "job.ts"), JOB)
  writeFileSync(join(directory, "amounts.log"), "")
})

afterEach(() => {
  for (const pid of pids) process.kill(pid, "SIGKILL")
  pids.clear()
  rmSync(directory, { recursive: true, force: true })
})

const accountOf = (n: number): string => `a${n % 7}`

function append(count: number): void {
  const lines = Array.from({ length: count }, () => JSON.stringify({ n: ++next, account: accountOf(next) }))
  appendFileSync(join(directory, "amounts.log"), `${lines.join("\n")}\n`)
}

function tidemark(...args: string[]) {
  const env = { ...process.env, NO_COLOR: "1" }
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], {
    cwd: directory,
    encoding: "utf8",
    env,
  })
  return { status, stdout, stderr }
}

/** Runs the job until `isEnough`, and ends it by a signal. */
async function running(args: readonly string[], out: string, isEnough: () => boolean, signal: NodeJS.Signals) {
  const env = { ...process.env, OUT: out }
  const child = spawn(process.execPath, [CLI, "run", "job.ts", ...args], { cwd: directory, env, stdio: "ignore" })
  const exited = new Promise((resolveExit) => child.once("exit", resolveExit))
  pids.add(child.pid!)
  const until = performance.now() + 60_000
  while (!isEnough()) {
    expect(child.exitCode, "the job runs").toBeNull()
    if (performance.now() > until) throw new Error("the job has not come far enough")
    await new Promise((wake) => setTimeout(wake, 20))
  }
  child.kill(signal)
  await exited
  pids.delete(child.pid!)
}

interface Sum {
  readonly n: number
  readonly account: string
  readonly sum: number
}

/** The published rows of an output. */
function published(out: string): Sum[] {
  const path = join(directory, out)
  if (!existsSync(path)) return []
  const parts = readdirSync(path).filter((name) => name.startsWith("part-"))
  return parts
    .sort()
    .flatMap((name) => readFileSync(join(path, name), "utf8").split("\n"))
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Sum)
}

/** The sum of an account behind the record n. */
function sumAt(n: number): number {
  let sum = 0
  for (let each = n; each > 0; each -= 7) sum += each
  return sum
}

test(
  "a copy goes on behind the savepoint of a job that runs, each record once, over kills of both",
  { timeout: 120_000 },
  async () => {
    append(500)
    let kept: { epoch: number; id: string } | undefined
    await running(
      [],
      "out",
      () => {
        append(20)
        if (published("out").length < 700) return false
        const made = tidemark("savepoint", ".tidemark/running-sums", "kept", "--json")
        expect(made).toMatchObject({ status: 0, stderr: "" })
        kept = JSON.parse(made.stdout) as typeof kept
        append(100)
        return true
      },
      "SIGKILL",
    )
    expect(kept!.epoch).toBeGreaterThan(1)
    const beginning = ["--from-savepoint", "kept", "--dir", "copy"]
    for (const least of [50, 120, 300]) {
      append(100)
      await running(beginning, "out-of-copy", () => published("out-of-copy").length >= least, "SIGKILL")
    }
    append(10)
    await running(beginning, "out-of-copy", () => published("out-of-copy").at(-1)?.n === next, "SIGINT")
    const rows = published("out-of-copy")
    const first = rows[0]!.n
    expect(first).toBeGreaterThan(1)
    expect(rows).toEqual(
      Array.from({ length: next - first + 1 }, (_, index) => {
        const n = first + index
        return { n, account: accountOf(n), sum: sumAt(n) }
      }),
    )
    // The job itself goes on with its own, of which nothing is missing.
    await running([], "out", () => published("out").at(-1)?.n === next, "SIGINT")
    expect(published("out").map(({ n, sum }) => ({ n, sum }))).toEqual(
      Array.from({ length: next }, (_, index) => ({ n: index + 1, sum: sumAt(index + 1) })),
    )
  },
)

test("what is wrong is said, with an exit code that tells whose fault it is", () => {
  expect(tidemark("savepoint", ".tidemark/running-sums", "kept")).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/^error state-missing: There is no state of a job in .*running-sums/) as string,
  })
  append(3)
  const job = readFileSync(join(directory, "job.ts"), "utf8")
  writeFileSync(join(directory, "job.ts"), job.replace(', { follow: { every: "10ms" } }', ""))
  expect(tidemark("run", "job.ts")).toMatchObject({ status: 0 })
  expect(tidemark("savepoint", ".tidemark/running-sums", "kept")).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^running-sums: epoch 1, committed 20.*, is kept in kept \(\d+ KiB\)\n$/) as string,
  })
  expect(tidemark("savepoint", ".tidemark/running-sums", "kept")).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/There is something at .*kept already/) as string,
  })
  expect(tidemark("run", "job.ts", "--from-savepoint", "kept")).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/state-foreign.*did not begin from the savepoint/s) as string,
  })
  expect(tidemark("run", "job.ts", "--from-savepoint", "elsewhere", "--dir", "new")).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/state-missing: There is no savepoint at .*elsewhere/) as string,
  })
  const back = tidemark("run", "job.ts", "--from-savepoint", "kept", "--reset")
  expect(back.status).toBe(0)
  expect(back.stderr).toContain("beginning from the savepoint, which shows epoch 1; what was published is moved aside")
  expect(published("out")).toEqual([])
  expect(published("out.superseded-1").map(({ n }) => n)).toEqual([1, 2, 3])
  expect(tidemark("status", "kept").stdout).toMatch(/^running-sums {2}/)
})
