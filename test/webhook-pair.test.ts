/** Two jobs, the one sends by HTTP what the other takes, both in processes that are killed: each row is in the files of the second once, in the order of its key. */
import { fork, type ChildProcess } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer, type AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { pathToFileURL } from "node:url"
import { afterEach, beforeEach, expect, test, vi } from "vitest"
import { Prng } from "../src/base/prng.ts"

vi.setConfig({ testTimeout: 240_000 })
const ROWS = Math.round(5_000 * Number(process.env["TIDEMARK_FUZZ_SCALE"] ?? 1))
const KEYS = 17
const fromDist = (door: string) => JSON.stringify(pathToFileURL(resolve(`dist/${door}.js`)).href)

const PROGRAM = `
import { generate, job, run, schema, t } from ${fromDist("index")}
import { jsonl } from ${fromDist("files")}
import { httpServer, webhook } from ${fromDist("http")}
const [, , role, directory, port] = process.argv
const flow = ({ rows }) => ({ rows })
const inputs = { rows: schema({ id: t.int53, key: t.string }) }
const epoch = { min: "2ms", max: "20ms" }
const jobs = {
  sends: () => job({ name: "sends", inputs, flow }).with({
    inputs: { rows: generate({ rows: ${ROWS}, rowsPerSecond: 1000, row: (id) => ({ id, key: "k" + (id * 7) % ${KEYS} }) }) },
    outputs: {
      rows: webhook({
        url: "http://127.0.0.1:" + port + "/rows",
        token: { env: "PAIR_TOKEN" },
        order: { by: "key" },
        concurrency: 8,
        batch: { rows: 10 },
        retry: { initial: "5ms", max: "100ms" },
      }),
    },
    epoch,
  }),
  takes: () => job({ name: "takes", inputs, flow }).with({
    inputs: { rows: httpServer({ port: Number(port), token: { env: "PAIR_TOKEN" } }).input("/rows", { idempotencyKeys: { isRequired: true } }) },
    outputs: { rows: jsonl(directory + "/out", { rollBytes: 20000 }) },
    epoch,
  }),
}
const handle = await run(jobs[role](), { directory: directory + "/" + role, onEvent: ({ kind }) => process.connected && process.send(kind) })
process.on("message", () => void handle.stop())
const { outcome } = await handle.finished
process.send(outcome, () => process.disconnect())
`

let directory = ""
const children: ChildProcess[] = []
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "tidemark-webhook-pair-"))
  writeFileSync(join(directory, "pair.mjs"), PROGRAM)
})
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL")
  rmSync(directory, { recursive: true, force: true })
})

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done))
  const { port } = server.address() as AddressInfo
  await new Promise((done) => server.close(done))
  return port
}

/** A process of one of the two jobs. */
function begin(role: "sends" | "takes", port: number) {
  const args = [role, directory, String(port)]
  const child = fork(join(directory, "pair.mjs"), args, { env: { ...process.env, PAIR_TOKEN: "of-the-pair" } })
  children.push(child)
  const told: string[] = []
  child.on("message", (kind: string) => told.push(kind))
  const ended = new Promise<number | null>((done) => child.on("close", done))
  const when = (kind: string, times: number): Promise<void> =>
    new Promise((done) => {
      const look = (): void => {
        if (told.filter((each) => each === kind).length >= times) done()
      }
      look()
      child.on("message", look)
      void ended.then(() => done())
    })
  return { child, told, ended, when }
}

test("WH1 WH2 WH3 WH4 H2 exactly once through two jobs, however often both are killed", async () => {
  const prng = new Prng(5)
  const port = await freePort()
  let takes = begin("takes", port)
  let sends = begin("sends", port)
  let [killedSenders, killedTakers] = [0, 0]
  for (let turn = 0; ; turn++) {
    await sends.when("committed", 1 + prng.below(25))
    await pause(prng.below(40))
    if (turn % 2 === 0 || sends.child.exitCode === 0) {
      sends.child.kill("SIGKILL")
      const code = await sends.ended
      if (code === 0) break
      expect(code, "it ran until it was killed").toBe(null)
      killedSenders++
      sends = begin("sends", port)
    } else {
      takes.child.kill("SIGKILL")
      expect(await takes.ended, "it ran until it was killed").toBe(null)
      killedTakers++
      await pause(prng.below(300))
      takes = begin("takes", port)
    }
  }
  expect(sends.told.at(-1)).toBe("finished")
  takes.child.send("stop")
  expect(await takes.ended).toBe(0)
  const lines = readdirSync(join(directory, "out"))
    .filter((name) => name.startsWith("part-"))
    .sort()
    .flatMap((name) =>
      readFileSync(join(directory, "out", name), "utf8")
        .trimEnd()
        .split("\n"),
    )
  const rows = lines.map((line) => JSON.parse(line) as { id: number; key: string })
  for (let key = 0; key < KEYS; key++) {
    const ids = rows.filter((row) => row.key === `k${key}`).map(({ id }) => id)
    expect(ids).toEqual(Array.from({ length: ROWS }, (_, id) => id).filter((id) => (id * 7) % KEYS === key))
  }
  expect(killedSenders).toBeGreaterThanOrEqual(3)
  expect(killedTakers).toBeGreaterThanOrEqual(2)
})
