/** Logs on a real disk, whose processes are killed, and the commands that look at them. */
import { execFileSync, fork, spawnSync, type ChildProcess } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { pathToFileURL } from "node:url"
import { afterEach, beforeEach, expect, test, vi } from "vitest"
import { openLog, openLogReader, parseLsn, type LogReader } from "../src/log.ts"

vi.setConfig({ testTimeout: 120_000 })
const CLI = resolve("dist/cli/main.js")

/** Appends numbers by eight callers at once, and tells of each when it is durable. */
const WRITER = `
import { openLog } from ${JSON.stringify(pathToFileURL(resolve("dist/log.js")).href)}
const [, , directory, first] = process.argv
const log = await openLog(directory, { segmentBytes: 65536 })
let next = Number(first)
await Promise.all(Array.from({ length: 8 }, async () => {
  for (;;) {
    const number = next++
    const lsn = await log.append(String(number).padEnd(1 + (number * 37) % 900, " "))
    process.send([number, String(lsn)])
  }
}))
`

let directory = ""
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "tidemark-log-"))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const textOf = (payload: Uint8Array) => new TextDecoder().decode(payload)
const cli = (...args: string[]) => spawnSync(process.execPath, [CLI, "log", ...args], { encoding: "utf8" })

async function recordsOf(log: LogReader): Promise<Map<number, string>> {
  const records = new Map<number, string>()
  for await (const entry of log.read()) {
    if (entry.kind !== "record") continue
    const number = Number(textOf(entry.payload))
    expect(records.has(number), `${number} is there once`).toBe(false)
    records.set(number, String(entry.lsn))
  }
  return records
}

test("L1 L3 what was told to be durable is there once and under its LSN, however often its process is killed", async () => {
  const path = join(directory, "numbers")
  const program = join(directory, "writer.mjs")
  writeFileSync(program, WRITER)
  const told = new Map<number, string>()
  let seen = new Map<number, string>()
  const kills = 12 * Number(process.env["TIDEMARK_FUZZ_SCALE"] ?? 1)
  for (let life = 0; life < kills; life++) {
    const before = told.size
    const child: ChildProcess = fork(program, [path, String(life * 1_000_000)])
    child.on("message", ([number, lsn]: [number, string]) => told.set(number, lsn))
    const ended = new Promise((done) => child.on("close", done))
    while (told.size < before + 200) await pause(2)
    await pause(Math.random() * 60)
    child.kill("SIGKILL")
    await ended
    // By who does not hold it, and by the next writer.
    const reader = await openLogReader(path)
    const records = await recordsOf(reader)
    for (const [number, lsn] of [...told, ...seen]) expect(records.get(number)).toBe(lsn)
    seen = records
  }
  expect(told.size).toBeGreaterThan(kills * 200)
  const log = await openLog(path)
  expect(await recordsOf(log)).toEqual(seen)
  await log.close()
  expect(cli("verify", path)).toMatchObject({ status: 0, stdout: expect.stringContaining("no damage") as string })
})

test("FL1 another process follows, while this one appends and when it has closed the log", async () => {
  const path = join(directory, "followed")
  const log = await openLog(path)
  await log.append("one")
  const reader = await openLogReader(path)
  const control = new AbortController()
  const seen: string[] = []
  const reading = (async () => {
    for await (const entry of reader.read({ follow: true, signal: control.signal }))
      seen.push(entry.kind === "record" ? textOf(entry.payload) : entry.reason)
  })()
  await log.append("two")
  await vi.waitFor(() => expect(seen).toEqual(["one", "two"]), 10_000)
  await log.close()
  const again = await openLog(path)
  await again.append("three")
  await vi.waitFor(() => expect(seen).toEqual(["one", "two", "bridge", "three"]), 10_000)
  await again.seal()
  await reading
  await again.close()
})

test("L5 a log that another process has open is refused, also by trim", async () => {
  const path = join(directory, "held")
  const log = await openLog(path)
  await log.append("one")
  await expect(openLog(path)).rejects.toMatchObject({ code: "log-locked" })
  const trim = cli("trim", path, "--before", "1:100")
  expect(trim.status).toBe(1)
  expect(trim.stderr).toContain("log-locked")
  await log.close()
})

test("cat prints records from a place, from a time, as JSON; verify and trim do what they say", async () => {
  const path = join(directory, "orders")
  const log = await openLog(path)
  const first = await log.append("one")
  await pause(5)
  const moment = new Date()
  await log.appendBatch(["two\nlines", Uint8Array.of(0xff, 0xfe)])
  await log.close()
  expect(cli("cat", path).stdout.split("\n")[0]).toBe("one")
  expect(cli("cat", path, "--since", moment.toISOString(), "--count", "1").stdout).toBe("two\\u000alines\n")
  const lines = cli("cat", path, "--json").stdout.trim().split("\n")
  const objects = lines.map((line) => JSON.parse(line) as Record<string, string>)
  expect(objects.map(({ text, base64 }) => text ?? base64)).toEqual(["one", "two\nlines", "//4="])
  expect(parseLsn(objects[0]!["lsn"]!)).toBe(first)
  expect(cli("cat", path, "--from", objects[1]!["lsn"]!, "--until", objects[2]!["lsn"]!).stdout).toBe(
    "two\\u000alines\n",
  )
  expect(cli("verify", path).stdout).toMatch(/^3 records, 14 bytes, from 1:\d+ of .* to 1:\d+ of .*\nno damage\n$/)
  expect(cli("trim", path, "--older-than", moment.toISOString())).toMatchObject({
    status: 0,
    stdout: `trimmed before ${objects[1]!["lsn"]}\n`,
  })
  const rest = cli("cat", path)
  expect(rest.stdout.split("\n")[0]).toBe("two\\u000alines")
  expect(cli("cat", path, "--from", "1:0").stderr).toContain("trimmed from 1:0")
})

test("damage is told with file and byte, and read around", async () => {
  const path = join(directory, "damaged")
  const log = await openLog(path, { segmentBytes: 65_536 })
  await log.appendBatch(Array.from({ length: 200 }, (_, index) => `${index}`.padEnd(1000, " ")))
  await log.close()
  const name = readdirSync(path).find((each) => each.endsWith(".wal"))!
  const bytes = readFileSync(join(path, name))
  bytes[30_000]! ^= 1
  writeFileSync(join(path, name), bytes)
  const verify = cli("verify", path)
  expect(verify).toMatchObject({
    status: 1,
    stdout: expect.stringMatching(/199 records.*\ndamaged from 1:\d+ to 1:\d+\n1 damaged stretch/s) as string,
  })
  const cat = cli("cat", path)
  expect(cat.status).toBe(1)
  expect(cat.stderr).toMatch(/log-corrupt.*\.wal is damaged at byte \d+/s)
  expect(cli("cat", path, "--around-damage").stdout.split("\n").length).toBe(200)
})

test("wrong command lines are refused", () => {
  expect(cli("cat", join(directory, "none"))).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("log-missing") as string,
  })
  expect(readdirSync(directory)).toEqual([])
  for (const args of [
    ["cat", directory, "--from", "x"],
    ["trim", directory],
    ["cat", directory, "--count", "-1"],
  ]) {
    expect(cli(...args).status).toBe(2)
  }
  expect(execFileSync(process.execPath, [CLI, "log", "--help"], { encoding: "utf8" })).toContain("tidemark log verify")
})
