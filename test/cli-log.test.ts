/** `tidemark run --log` and `--log-level` on real files: what standard error has then. */
import { spawn, spawnSync } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { afterEach, beforeEach, expect, test } from "vitest"

const CLI = resolve("dist/cli/main.js")

const JOB = `
import { count, job, schema, t, tumbling } from "tidemark"
import { csv, jsonl } from "tidemark/files"

export default job({
  name: "sales",
  params: schema({ least: t.float64.default(0) }),
  inputs: { sales: schema({ at: t.timestamp(), amount: t.float64 }) },
  flow: ({ sales }) => ({
    perMinute: sales
      .filter((sale, p) => sale.amount >= p.least)
      .eventTime("at", { outOfOrder: "5s" })
      .keyBy()
      .window(tumbling("1m"))
      .aggregate({ sales: count() }, { id: "per-minute" }),
  }),
}).with({ inputs: { sales: csv("in/*.csv"/* options */) }, outputs: { perMinute: jsonl("out") } })
`

let directory = ""

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "tidemark-log-"))
  mkdirSync(join(directory, "in"))
  writeFileSync(join(directory, "job.ts"), JOB)
  const rows = Array.from({ length: 300 }, (_, second) => `${new Date(second * 1000).toISOString()},1`)
  const bad = Array.from({ length: 8 }, () => "1970-01-01T00:04:59Z,much")
  const late = ["1970-01-01T00:00:01Z,1", "1970-01-01T00:00:02Z,1"]
  writeFileSync(join(directory, "in/a.csv"), ["at,amount", ...rows, ...bad, ...late, ""].join("\n"))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const ENV = { ...process.env, NO_COLOR: "1" }

function run(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, "run", "job.ts", ...args], {
    cwd: directory,
    encoding: "utf8",
    env: ENV,
  })
  return { status, stdout, stderr }
}

/** Every line is an object with time, level and event, and nothing else is there. */
function linesOf(stderr: string): Record<string, unknown>[] {
  expect(stderr.endsWith("\n")).toBe(true)
  return stderr
    .slice(0, -1)
    .split("\n")
    .map((text) => {
      const line = JSON.parse(text) as Record<string, unknown>
      expect(Object.keys(line).slice(0, 3)).toEqual(["time", "level", "event"])
      expect(new Date(line["time"] as string).toISOString()).toBe(line["time"])
      return line
    })
}

test("--log json tells a run from its start to its end, a JSON object a line", () => {
  const first = run("--log", "json")
  expect({ status: first.status, stdout: first.stdout }).toEqual({ status: 0, stdout: "" })
  const lines = linesOf(first.stderr)
  const events = lines.map(({ event }) => event)
  expect(events[0]).toBe("started")
  expect(lines[0]).toMatchObject({ level: "info", job: "sales", directory: ".tidemark/sales" })
  expect(lines[1]).toMatchObject({ event: "recovered", epoch: 0, isReset: false })
  expect(events.filter((event) => event === "bad-record")).toHaveLength(5)
  expect(lines).toContainEqual(expect.objectContaining({ level: "warn", event: "bad-records", count: 3 }))
  expect(lines).toContainEqual(expect.objectContaining({ level: "warn", event: "late-rows", count: 2, total: 2 }))
  const last = lines.at(-1)!
  expect(last).toMatchObject({
    event: "finished",
    job: "sales",
    rowsIn: 310,
    rowsOut: { perMinute: 5 },
    badRecords: 8,
    lateRows: 2,
    outputs: { perMinute: 'jsonl("out")' },
    deadLetters: ".tidemark/sales/dead-letters",
  })
  const epochs = lines
    .filter(({ event }) => event === "committed")
    .reduce((sum, line) => sum + Number(line["epochs"]), 0)
  expect(epochs).toBe(last["epoch"])

  const again = linesOf(run("--log", "json", "--param", "least=2").stderr)
  expect(again).toContainEqual(expect.objectContaining({ event: "recovered", epoch: last["epoch"] }))
  expect(again).toContainEqual(
    expect.objectContaining({ event: "params-changed", changes: [{ name: "least", before: "0", now: "2" }] }),
  )
  expect(again.at(-1)).toMatchObject({ event: "finished", isNothingNew: true })
})

test("failures have their code, before the job is known and behind it, and what ends the process is told, too", () => {
  const failure = (...args: string[]) => {
    const { status, stderr } = run("--log", "json", ...args)
    return { status, line: linesOf(stderr).at(-1) }
  }
  expect(failure("--param", "lest=1")).toMatchObject({
    status: 2,
    line: {
      level: "error",
      event: "failed",
      code: "invalid-params",
      hint: expect.stringContaining('"least"') as string,
    },
  })
  writeFileSync(join(directory, "job.ts"), "await new Promise(() => {})\nexport default 1")
  expect(failure()).toMatchObject({ status: 2, line: { event: "failed", code: "job-file-invalid" } })
  writeFileSync(join(directory, "job.ts"), `${JOB}\nsetInterval(() => undefined, 1000)`)
  expect(failure()).toMatchObject({ status: 0, line: { level: "warn", event: "process-ended" } })
})

test("a signal is told, and how the job stopped", async () => {
  writeFileSync(join(directory, "job.ts"), JOB.replace("/* options */", ", { follow: true }"))
  const child = spawn(process.execPath, [CLI, "run", "job.ts", "--log", "json"], { cwd: directory, env: ENV })
  let stderr = ""
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    stderr += chunk
    if (!child.killed && stderr.includes('"event":"committed"')) child.kill("SIGTERM")
  })
  expect(await new Promise((resolveExit) => child.once("close", resolveExit))).toBe(143)
  const lines = linesOf(stderr)
  expect(lines).toContainEqual(expect.objectContaining({ event: "stopping", signal: "SIGTERM" }))
  expect(lines.at(-1)).toMatchObject({ level: "info", event: "stopped" })
})

test("--log-level says how much is told, in both forms, and --json has its own stream", () => {
  const text = run("--log-level", "warn").stderr
  expect(text).toMatch(/^bad record: in\/a\.csv/)
  expect(text).not.toMatch(/finished|going on/)
  expect(run("--reset", "--log-level", "error")).toEqual({ status: 0, stdout: "", stderr: "" })
  const both = run("--reset", "--json", "--log", "json")
  expect(both.stdout.trim().split("\n").at(-1)).toMatch(/^{"type":"result"/)
  expect(linesOf(both.stderr).at(-1)).toMatchObject({ event: "finished" })
})

test.skipIf(!existsSync("/dev/full"))("what is lost of standard output is told as JSON", () => {
  const line = `"${process.execPath}" "${CLI}" run job.ts --json --log json > /dev/full 2> log; echo "rc $?"`
  expect(spawnSync("bash", ["-c", line], { cwd: directory, encoding: "utf8" }).stdout).toBe("rc 1\n")
  const lines = linesOf(readFileSync(join(directory, "log"), "utf8"))
  expect(lines).toContainEqual(expect.objectContaining({ level: "warn", event: "output-lost", job: "sales" }))
  expect(lines.at(-1)).toMatchObject({ event: "finished" })
})
