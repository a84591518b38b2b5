/** Commands as inputs, with real ones (docs/spec/exec.md). */
import { execFileSync, spawn } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { afterEach, beforeEach, expect, test } from "vitest"
import { job, memory, run, schema, t, type JobEvent, type RowOf } from "../../../index.ts"
import { Arena } from "../../../batch/arena.ts"
import { nodeEnv } from "../../../env/node/node-env.ts"
import type { SourceContext } from "../../../connect/source.ts"
import { CommandLines } from "./command-lines.ts"
import { CommandProcess, HELD_BYTES_MAX } from "./command-process.ts"
import { exec, TextLine, type ExecOptions } from "../../../machine.ts"

const Count = schema({ n: t.int32 })

let directory = ""
beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), "tidemark-exec-"))))
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const pause = (millis: number) => new Promise((done) => setTimeout(done, millis))
const sh = (script: string, options: ExecOptions = {}) => exec("sh", ["-c", script], options)

const numbers = job({ name: "numbers", inputs: { rows: Count }, flow: ({ rows }) => ({ rows }) })
const texts = job({ name: "texts", inputs: { rows: TextLine }, flow: ({ rows }) => ({ rows }) })

async function start(source: ReturnType<typeof exec>) {
  const rows = memory<RowOf<typeof Count>>()
  const events: JobEvent[] = []
  const bound = numbers.with({ inputs: { rows: source }, outputs: { rows } })
  const onEvent = (event: JobEvent) => void events.push(event)
  const handle = await run(bound, { directory: join(directory, "state"), onEvent })
  return { handle, rows: rows.rows, events }
}

test("EX1 JSON lines and CSV are read to the command's end, its last line too", async () => {
  for (const source of [
    sh(`echo '{"n":1}'; echo nonsense; printf '{"n":2}'`),
    sh(`printf 'other,n\\n0,1\\nx,nonsense\\n'; sleep 0.1; printf '0,2'`, { format: "csv" }),
  ]) {
    const { handle, rows } = await start(source)
    const { outcome, status } = await handle.finished
    expect(outcome).toBe("finished")
    expect(rows.map(({ n }) => n)).toEqual([1, 2])
    expect(status.badRecords).toBe(1)
    rmSync(join(directory, "state"), { recursive: true })
  }
})

test("EX1 text is read line by line, with what the command's environment and directory are", async () => {
  const rows = memory<RowOf<typeof TextLine>>()
  const source = sh(`echo "$GREETING \\"you\\""; echo; pwd; printf '\\303'; sleep 0.1; printf '\\244\\n'`, {
    format: "text",
    env: { GREETING: "hey" },
    cwd: directory,
  })
  const bound = texts.with({ inputs: { rows: source }, outputs: { rows } })
  await (
    await run(bound, { directory: join(directory, "state") })
  ).finished
  const [greeting, empty, place, umlaut] = rows.rows.map(({ line }) => line)
  expect([greeting, empty, umlaut]).toEqual([`hey "you"`, "", "ä"])
  expect(resolve(place!)).toContain(directory.split("/").at(-1))
})

test("EX3 an exit code other than 0 stops the job, with what the command has said", async () => {
  const { handle } = await start(sh(`echo '{"n":1}'; echo 'no such host' >&2; exit 3`))
  await expect(handle.finished).rejects.toMatchObject({
    code: "source-unreadable",
    message: expect.stringMatching(/exit code 3.*no such host/) as string,
  })
  rmSync(join(directory, "state"), { recursive: true })
  const missing = await start(exec("no-such-command-here"))
  await expect(missing.handle.finished).rejects.toMatchObject({ message: expect.stringContaining("127") as string })
})

test("EX2 EX3 a command is begun again where that was asked for, and it is told", async () => {
  const { handle, rows, events } = await start(
    sh(`echo "{\\"n\\":$$}"; exit 1`, { restart: "on-failure", restartAfter: "20ms" }),
  )
  while (rows.length < 3) await pause(20)
  await handle.stop()
  expect(new Set(rows.map(({ n }) => n)).size).toBe(rows.length)
  expect(handle.status().inputGaps).toBeGreaterThanOrEqual(2)
  expect(events.find(({ kind }) => kind === "input-gap")).toMatchObject({
    message: expect.stringContaining("exit code 1") as string,
  })
})

test("EX2 a job that goes on begins the command anew, which is a gap; another command is refused", async () => {
  const endless = sh(`echo '{"n":1}'; sleep 60`)
  const first = await start(endless)
  while (first.rows.length < 1) await pause(20)
  await first.handle.stop()
  const second = await start(endless)
  for (let tries = 0; tries < 200 && second.handle.status().rowsIn < 2; tries++) await pause(20)
  await second.handle.stop()
  expect(second.handle.status().inputGaps).toBe(1)
  await expect(start(sh("echo"))).rejects.toMatchObject({ code: "source-changed" })
})

test("EX4 a command that writes more than is read waits", async () => {
  const line = { command: "yes", args: ["x".repeat(1000)], cwd: directory, env: {}, showErrors: false }
  const command = new CommandProcess(line, () => undefined)
  while (command.heldBytes < HELD_BYTES_MAX) await pause(10)
  await pause(200)
  expect(command.heldBytes).toBeLessThan(HELD_BYTES_MAX + 1024 * 1024)
  const held = command.heldBytes
  expect(command.take().reduce((sum, { length }) => sum + length, 0)).toBe(held)
  while (command.heldBytes < HELD_BYTES_MAX) await pause(10)
  await command.stop(nodeEnv().timers)
  expect(command.end).toBeDefined()
})

test("EX1 lines that are too long are bad records, and what follows is read", async () => {
  const { handle, rows } = await start(
    sh(`head -c 3000000 /dev/zero | tr '\\0' x; echo; echo '{"n":7}'`, { maxRecordBytes: 1000 }),
  )
  expect((await handle.finished).status.badRecords).toBe(1)
  expect(rows.map(({ n }) => n)).toEqual([7])
})

test("EX1 EX4 a line of text that is too long is a bad record, of which no more is held; a header that does not end stops the job", async () => {
  const rows = memory<RowOf<typeof TextLine>>()
  const source = sh(`head -c 3000000 /dev/zero | tr '\\0' x; echo; echo after; head -c 2000 /dev/zero | tr '\\0' y`, {
    format: "text",
    maxRecordBytes: 1000,
  })
  const handle = await run(texts.with({ inputs: { rows: source }, outputs: { rows } }), {
    directory: join(directory, "state"),
  })
  expect((await handle.finished).status.badRecords).toBe(2)
  expect(rows.rows).toEqual([{ line: "after" }])
  rmSync(join(directory, "state"), { recursive: true })

  const context = { arena: new Arena({ maxBytes: 1 << 24 }), schema: TextLine } as unknown as SourceContext
  const held = new CommandLines(context, { format: "text", maxRecordBytes: 1000 }, "the command", 0)
  for (let chunk = 0; chunk < 100; chunk++) held.add([new Uint8Array(1000).fill(120)], false)
  expect(held.heldBytes).toBeLessThan(4000)

  const endless = await start(sh(`cat /dev/zero | tr '\\0' x`, { format: "csv" }))
  await expect(endless.handle.finished).rejects.toMatchObject({ code: "source-unreadable" })
})

test("EX3 a command that cannot be begun says why", async () => {
  const none = exec("ls", [], { cwd: "/no/such/place" })
  await expect(start(none)).rejects.toMatchObject({
    code: "source-unreadable",
    message: expect.stringMatching(/"\/no\/such\/place".* is not there/) as string,
  })
  const { handle } = await start(exec("echo", ["a\0b"]))
  await expect(handle.finished).rejects.toMatchObject({ code: "source-unreadable" })
})

test.runIf(process.platform === "linux")(
  "EX5 what has left the command's group and holds its output open keeps no job from stopping",
  async () => {
    for (const then of ["exit 0", "sleep 60"]) {
      const { handle, rows } = await start(sh(`echo '{"n":1}'; setsid sleep 20 & ${then}`))
      while (rows.length < 1) await pause(20)
      await pause(300)
      const before = performance.now()
      await handle.stop()
      expect(performance.now() - before).toBeLessThan(6000)
      rmSync(join(directory, "state"), { recursive: true })
    }
  },
  20_000,
)

const isRunning = (mark: string) => execFileSync("ps", ["-eo", "args"], { encoding: "utf8" }).includes(mark)

test("EX5 the command ends with the job, and all that it has begun, though it does not want to", async () => {
  const mark = `8${Date.now()}`
  const { handle, rows } = await start(sh(`trap '' TERM; sleep ${mark} & echo '{"n":1}'; sleep ${mark}; sleep ${mark}`))
  while (rows.length < 1) await pause(20)
  expect(isRunning(mark)).toBe(true)
  await handle.stop()
  for (let tries = 0; tries < 100 && isRunning(mark); tries++) await pause(50)
  expect(isRunning(mark)).toBe(false)
})

test("EX5 no command is left behind by a job that was killed", async () => {
  const mark = `9${Date.now()}`
  writeFileSync(
    join(directory, "job.ts"),
    `import { job, schema, stdout, t } from "tidemark"
     import { exec } from "tidemark/machine"
     export default job({ name: "killed", inputs: { rows: schema({ n: t.int32 }) }, flow: ({ rows }) => ({ rows }) }).with({
       inputs: { rows: exec("sh", ["-c", "echo '{\\"n\\":1}'; sleep ${mark}"]) },
       outputs: { rows: stdout() },
     })`,
  )
  const child = spawn(process.execPath, [resolve("dist/cli/main.js"), "run", "job.ts"], { cwd: directory })
  for (let tries = 0; tries < 400 && !isRunning(`sleep ${mark}`); tries++) await pause(50)
  expect(isRunning(`sleep ${mark}`)).toBe(true)
  child.kill("SIGKILL")
  for (let tries = 0; tries < 100 && isRunning(`sleep ${mark}`); tries++) await pause(50)
  expect(isRunning(`sleep ${mark}`)).toBe(false)
})

test("options of exec are checked", () => {
  expect(exec("tail", ["-f", "a"]).describe()).toBe('exec("tail", ["-f", "a"])')
  expect(() => exec("")).toThrow("takes a command")
  expect(() => exec("a", [], { restart: "sometimes" as "always" })).toThrow("restart")
  expect(() => exec("a", [], { maxRecordBytes: 0 })).toThrow("maxRecordBytes")
  expect(() => exec("a", [], { env: { A: 1 as unknown as string } })).toThrow("env")
})
