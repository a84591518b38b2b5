/** `tidemark status` on the directories of real jobs, whose processes run, have stopped or were killed. */
import { spawn, spawnSync } from "node:child_process"
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { afterEach, beforeEach, describe, expect, test } from "vitest"

const CLI = resolve("dist/cli/main.js")

/** A service: it reads files to their end and then waits for what comes, so that partitions stay open. */
const JOB = `
import { count, job, schema, t, tumbling } from "tidemark"
import { csv, jsonl } from "tidemark/files"

const files = csv("orders/*.csv")
const reach = process.env["REACH"] === undefined ? {} : JSON.parse(process.env["REACH"])
const waiting = {
  describe: () => files.describe(),
  openSource: async (context) => {
    const source = await files.openSource(context)
    const open = source.open.bind(source)
    source.open = async (partition, index, position, identity) => {
      const reader = await open(partition, index, position, identity)
      let left = partition.id.includes("part-3") ? 2 : 4
      return {
        read: async (limits) => {
          left--
          return await reader.read({ ...limits, rows: 1 })
        },
        whenReadable: (signal) =>
          left > 0 ? undefined : new Promise((resolve) => signal.addEventListener("abort", () => resolve())),
        close: () => reader.close(),
      }
    }
    return source
  },
}

export default job({
  name: "orders",
  inputs: { orders: schema({ at: t.timestamp(), shop: t.string }) },
  flow: ({ orders }) => ({
    hourly: orders.eventTime("at", { outOfOrder: "0s", ...reach }).keyBy("shop").window(tumbling("1h")).aggregate({ orders: count() }, { id: "hourly" }),
  }),

}).with({ inputs: { orders: process.env["WAIT"] === "1" ? waiting : files }, outputs: { hourly: jsonl("out") }, epoch: { min: "5ms", max: "50ms" } })
`

let directory = ""

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "tidemark-status-"))
  mkdirSync(join(directory, "orders"))
  writeFileSync(join(directory, "job.ts"), JOB)
  writeOrders("part-1.csv", ["10:00", "10:20", "10:42", "10:43"])
  writeOrders("part-3.csv", ["09:50", "10:00", "10:50"])
})

afterEach(() => {
  rmSync(directory, { recursive: true, force: true })
})

function writeOrders(name: string, times: readonly string[]): void {
  writeFileSync(join(directory, "orders", name), "at,shop\n")
  for (const time of times) appendFileSync(join(directory, "orders", name), `2026-01-01T${time}:00Z,s\n`)
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

/** Starts the job and ends its process by a signal when its log says what is awaited. */
async function whileRunning(signal: NodeJS.Signals, look: () => void, reach: object = {}): Promise<void> {
  const env = { ...process.env, WAIT: "1", REACH: JSON.stringify(reach) }
  const child = spawn(process.execPath, [CLI, "run", "job.ts"], { cwd: directory, env, stdio: "ignore" })
  const exited = new Promise((resolveExit) => child.once("exit", resolveExit))
  const until = performance.now() + 30_000
  for (;;) {
    const { stdout } = tidemark("status", "--json")
    if (stdout !== "" && (JSON.parse(stdout) as { rowsIn: number }).rowsIn >= 4) break
    if (performance.now() > until) throw new Error("the job has not come far enough")
  }
  look()
  child.kill(signal)
  await exited
}

describe("tidemark status", () => {
  test.each(["SIGINT", "SIGKILL"] as const)(
    "tells of a running job which partition holds its windows back, and of what %s has left",
    async (signal) => {
      await whileRunning(signal, () => {
        const before = readdirSync(join(directory, ".tidemark/orders/log"))
        const { stdout, status } = tidemark("status")
        expect(stdout).toMatch(/^orders {2}running, epoch \d+ committed /)
        expect(stdout).toMatch(/orders\/part-\d\.csv holds it at 2026-01-01T\d\d:\d\d:\d\dZ.*since epoch \d/)
        expect(stdout).toContain("hourly: ")
        expect(status).toBe(0)
        expect(readdirSync(join(directory, ".tidemark/orders/log"))).toEqual(before)
      })
      const { stdout } = tidemark("status", ".tidemark/orders")
      expect(stdout).toMatch(/^orders {2}not running, epoch \d+ committed /)
      expect(stdout).toContain("The job does not run.")
      expect(tidemark("run", "job.ts").status).toBe(0)
      expect(tidemark("status").stdout).toMatch(/^orders {2}finished/)
    },
  )

  test.each([
    // All of part-1 is read within the bound, and of part-3 two of three; then nothing comes of either.
    [
      { idleAfter: "300ms", maxDrift: "1d" },
      /part-3\.csv is idle: nothing of it since 20\d\d-.*Z, .*\n/,
      "all open partitions are idle",
    ],
    [
      { maxDrift: "10m" },
      /part-1\.csv is \d+m ahead of the slowest: it is read when that has caught up/,
      "part-3.csv holds it",
    ],
  ])(
    "T13 T14 says which partitions are idle since when, and which wait for others (%j)",
    async (reach, line, holds) => {
      const seen = () => {
        const until = performance.now() + 30_000
        for (;;) {
          const { stdout } = tidemark("status")
          if (line.test(stdout) && stdout.includes(holds)) return
          if (performance.now() > until) throw new Error(`status says ${stdout}`)
        }
      }
      await whileRunning("SIGKILL", seen, reach)
      expect(tidemark("status").stdout).toMatch(line)
    },
  )

  test("says what windows wait for where all input is read", () => {
    tidemark("run", "job.ts", "--no-drain")
    const { stdout } = tidemark("status")
    expect(stdout).toMatch(/^orders {2}not running/)
    expect(stdout).toMatch(/in +7 rows +orders, 2 partitions, 0 open/)
    expect(stdout).toContain("no partition is open: all that was there is read")
    expect(stdout).toContain(
      "hourly: 1 window is open; the next fires when the watermark has come to 2026-01-01T11:00:00Z",
    )
    expect(stdout).toContain("They fire when later files come, or in a run without --no-drain.")
    const json = JSON.parse(tidemark("status", "--json").stdout) as Record<string, unknown>
    expect(json).toMatchObject({ state: "stopped", job: "orders", rowsIn: 7, openWindows: 1, hasFinished: false })
  })

  test("shows all jobs of the working directory, and says where there is none", () => {
    const none = tidemark("status")
    expect(none.stderr).toContain(
      "error state-missing: There is no state of a job in .tidemark/ of the working directory.",
    )
    expect(none.status).toBe(2)
    expect(tidemark("status", "orders").stderr).toContain("There is no state of a job in orders.")
    tidemark("run", "job.ts")
    writeFileSync(
      join(directory, "other.ts"),
      JOB.replace('name: "orders"', 'name: "other"').replace('jsonl("out")', 'jsonl("out2")'),
    )
    tidemark("run", "other.ts")
    const heads = tidemark("status")
      .stdout.split("\n")
      .filter((line) => line.includes(", epoch "))
    expect(heads.map((line) => line.split(" ")[0])).toEqual(["orders", "other"])
  })

  test("passes over files among the jobs, and says of a file that it is no job's state", () => {
    mkdirSync(join(directory, ".tidemark"))
    writeFileSync(join(directory, ".tidemark/notes.txt"), "not a job")
    const none = tidemark("status")
    expect(none.stderr).toContain("error state-missing")
    expect(none.status).toBe(2)
    const file = tidemark("status", "job.ts")
    expect(file.stderr).toContain("error state-missing: There is no state of a job in job.ts.")
    expect(file.status).toBe(2)
    tidemark("run", "job.ts")
    const found = tidemark("status")
    expect(found.stdout).toMatch(/^orders {2}finished/)
    expect(found.status).toBe(0)
  })

  test.each([
    [["run", "job.ts/x"], "error job-file-invalid: There is no file job.ts/x."],
    [["status", "job.ts/x"], "error state-missing: There is no state of a job in job.ts/x."],
    [["dead-letters", "list", "job.ts/x"], "error state-missing: There is no directory job.ts/x."],
  ])("says that nothing lies below a file (%j)", (args, message) => {
    const { stderr, status } = tidemark(...args)
    expect(stderr).toContain(message)
    expect(status).toBe(2)
  })

  test("tells what the system refuses as an operating error, with 1", () => {
    symlinkSync("loop", join(directory, "loop"))
    const { stderr, status } = tidemark("status", "loop")
    expect(stderr).toContain("error disk-failed")
    expect(status).toBe(1)
  })

  test("tells a damaged log as such, with 1", () => {
    tidemark("run", "job.ts")
    const log = join(directory, ".tidemark/orders/log")
    for (const name of readdirSync(log)) writeFileSync(join(log, name), "this is no log")
    const { stderr, status } = tidemark("status")
    expect(stderr).toContain("error state-corrupt")
    expect(status).toBe(1)
  })
})
