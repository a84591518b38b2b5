/** `tidemark run --serve`: a running job is asked by HTTP. */
import { spawn, spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { afterEach, beforeEach, expect, test } from "vitest"

const CLI = resolve("dist/cli/main.js")

/** Its first record comes at once, and the others never. */
const JOB = `
import { count, job, schema, t, tumbling } from "tidemark"
import { csv, jsonl } from "tidemark/files"

const files = csv("in.csv")
const waiting = {
  describe: () => files.describe(),
  openSource: async (context) => {
    const source = await files.openSource(context)
    const open = source.open.bind(source)
    source.open = async (...args) => {
      const reader = await open(...args)
      let left = 1
      return {
        read: async (limits) => (left--, await reader.read({ ...limits, rows: 1 })),
        whenReadable: (signal) =>
          left > 0 ? undefined : new Promise((resolve) => signal.addEventListener("abort", () => resolve())),
        close: () => reader.close(),
      }
    }
    return source
  },
}

export default job({
  name: "served",
  inputs: { clicks: schema({ at: t.timestamp(), page: t.string }) },
  flow: ({ clicks }) => ({
    perMinute: clicks.eventTime("at", { outOfOrder: "0s" }).keyBy("page").window(tumbling("1m")).aggregate({ clicks: count() }),
  }),
}).with({ inputs: { clicks: waiting }, outputs: { perMinute: jsonl("out") } })
`

let directory = ""

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "tidemark-serve-"))
  writeFileSync(join(directory, "job.ts"), JOB)
  writeFileSync(join(directory, "in.csv"), "at,page\n2026-01-01T10:00:00Z,a\n2026-01-01T10:00:01Z,b\n")
})

afterEach(() => {
  rmSync(directory, { recursive: true, force: true })
})

test("a running job answers probes and gives its status and metrics, and the process ends when the job does", async () => {
  const child = spawn(process.execPath, [CLI, "run", "job.ts", "--serve", "127.0.0.1:0"], { cwd: directory })
  const exited = new Promise((resolveExit) => child.once("exit", resolveExit))
  let text = ""
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (text += chunk))
  const ask = async (path: string) => {
    const response = await fetch(`${/metrics at (\S+)/.exec(text)![1]!}${path}`)
    return { status: response.status, body: await response.text() }
  }
  const until = performance.now() + 30_000
  for (let rowsIn = 0; rowsIn < 1;) {
    await new Promise((done) => setTimeout(done, 50))
    expect(performance.now(), text).toBeLessThan(until)
    if (!text.includes("metrics at ")) continue
    const { status, body } = await ask("/status")
    if (status === 200) ({ rowsIn } = JSON.parse(body) as { rowsIn: number })
  }
  expect(await ask("/readyz")).toEqual({ status: 200, body: "running\n" })
  expect((await ask("/healthz")).status).toBe(200)
  expect((await ask("/metrics")).body).toContain('tidemark_rows_in_total{job="served",input="clicks"} 1\n')
  child.kill("SIGINT")
  expect(await exited).toBe(130)
})

test("an address that is none is refused, and nothing is run", () => {
  const { status, stderr } = spawnSync(process.execPath, [CLI, "run", "job.ts", "--serve", "nowhere"], {
    cwd: directory,
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1" },
  })
  expect(stderr).toContain('error invalid-options: --serve takes [HOST:]PORT, and not "nowhere".')
  expect(status).toBe(2)
})
