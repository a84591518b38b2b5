/** The built command line: a job whose keys take more memory than it may have is killed again and again, and its results are right. */
import { spawn } from "node:child_process"
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { afterEach, beforeEach, expect, test } from "vitest"

const CLI = resolve("dist/cli/main.js")
const KEYS = 20_000
const ROWS = 120_000

let directory = ""
beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), "tidemark-spill-"))))
afterEach(() => rmSync(directory, { recursive: true, force: true }))

/** Each key's last row tells what the key has; the bytes of all keys are some times as many as a mebibyte. */
const PROGRAM = `
import { generate, job, listState, schema, t, valueState } from "tidemark"
import { jsonl } from "tidemark/files"

export default job({
  name: "larger",
  inputs: { rows: schema({ id: t.int32, key: t.string }) },
  flow: ({ rows }) => ({
    out: rows.keyBy("key").process({
      emits: { key: t.string, sum: t.int53, ids: t.string },
      state: { sum: valueState(t.int53.default(0)), note: valueState(t.string), ids: listState(t.int32) },
      onRecord(row, { state, emit }) {
        state.sum.set(state.sum.get() + row.id)
        state.note.set("what is known of " + row.key + " besides. ".repeat(8))
        state.ids.add(row.id)
        if (row.id >= ${ROWS - KEYS}) emit({ key: row.key, sum: state.sum.get(), ids: state.ids.values().join(" ") })
      },
    }, { id: "keyed" }),
  }),
}).with({
  inputs: {
    rows: generate({ rows: ${ROWS}, rowsPerSecond: 60_000, row: (id) => ({ id, key: "key " + ((id * 7919) % ${KEYS}) }) }),
  },
  outputs: { out: jsonl("out") },
})
`

/** Runs the job, and kills it after so long, where it is given; gives the exit code, and what it has told. */
async function run(killAfterMillis?: number): Promise<{ code: number | null; events: string }> {
  const args = [CLI, "run", "larger.ts", "--dir", "state", "--state-memory", "1M", "--json"]
  const child = spawn(process.execPath, args, { cwd: directory, stdio: ["ignore", "pipe", "inherit"] })
  let events = ""
  child.stdout.on("data", (chunk: Buffer) => (events += chunk.toString()))
  const exit = new Promise<number | null>((done) => child.once("close", done))
  const timer = killAfterMillis === undefined ? undefined : setTimeout(() => child.kill("SIGKILL"), killAfterMillis)
  const code = await exit
  clearTimeout(timer)
  return { code, events }
}

test("P19 P20 a job whose keys memory has no room for is killed again and again, and its results are right", async () => {
  writeFileSync(join(directory, "larger.ts"), PROGRAM)
  for (const millis of [900, 1300, 1100, 1700]) await run(millis)
  let ended = await run()
  while (ended.code !== 0) ended = await run()
  const rows = readdirSync(join(directory, "out"))
    .filter((name) => name.startsWith("part-"))
    .flatMap((name) =>
      readFileSync(join(directory, "out", name), "utf8")
        .trimEnd()
        .split("\n"),
    )
    .map((line) => JSON.parse(line) as { key: string; sum: number; ids: string })
  const expected = new Map<string, number[]>()
  for (let id = 0; id < ROWS; id++) {
    const key = `key ${(id * 7919) % KEYS}`
    expected.set(key, [...(expected.get(key) ?? []), id])
  }
  expect(rows).toHaveLength(KEYS)
  for (const { key, sum, ids } of rows) {
    const own = expected.get(key)!
    expect({ key, sum, ids }).toEqual({ key, sum: own.reduce((one, other) => one + other), ids: own.join(" ") })
  }
  expect(existsSync(join(directory, "state/spill"))).toBe(false)
  const spilled = [...ended.events.matchAll(/"spilledBytes":(\d+)/g)].map(([, bytes]) => Number(bytes))
  expect(Math.max(...spilled)).toBeGreaterThan(1 << 20)
}, 120_000)
