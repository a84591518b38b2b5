/** Parts of a live job are published when they are old enough, though nothing comes any more. */
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, expect, test } from "vitest"
import { nodeDisk } from "../src/env/node/node-disk.ts"
import { jsonl } from "../src/files.ts"
import { job, run, schema, t } from "../src/index.ts"
import { readStoredStatus } from "../src/observe/stored-status.ts"

const copying = job({ name: "copying", inputs: { rows: schema({ n: t.int32 }) }, flow: ({ rows }) => ({ rows }) })

let directory = ""
beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), "tidemark-roll-"))))
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const pause = (millis: number) => new Promise((done) => setTimeout(done, millis))

/** Whether a part is there within some seconds. */
async function appears(part: string): Promise<boolean> {
  const path = join(directory, "out", part)
  for (let tries = 0; tries < 200 && !existsSync(path); tries++) await pause(20)
  return existsSync(path)
}

test("K10 a part that is old enough is published though nothing comes any more", async () => {
  const input = join(directory, "in.jsonl")
  const start = (rollAfter: "300ms" | "1h") =>
    run(
      copying.with({
        inputs: { rows: jsonl(input, { follow: { every: "10ms" } }) },
        outputs: { rows: jsonl(join(directory, "out"), { rollAfter }) },
      }),
      { directory: join(directory, "state") },
    )
  appendFileSync(input, '{"n":1}\n')
  const handle = await start("300ms")
  expect(await appears("part-00000.jsonl")).toBe(true)
  expect(readFileSync(join(directory, "out/part-00000.jsonl"), "utf8")).toBe('{"n":1}\n')
  const { epoch } = handle.status()
  await pause(700)
  // What is published asks for no more epochs.
  expect(handle.status().epoch).toBe(epoch)
  appendFileSync(input, '{"n":2}\n')
  expect(await appears("part-00001.jsonl")).toBe(true)
  await handle.stop()
  const slow = await start("1h")
  appendFileSync(input, '{"n":3}\n')
  while (slow.status().rowsIn < 3) await pause(10)
  await pause(300)
  expect(existsSync(join(directory, "out/part-00002.jsonl"))).toBe(false)
  await slow.stop()
  const output = JSON.stringify(join(directory, "out"))
  expect((await readStoredStatus(nodeDisk, join(directory, "state")))?.outputs).toEqual([
    { name: "rows", sink: `jsonl(${output}, { rollAfter: "1h" })`, rows: 3 },
  ])
})
