/**
 * Outputs that are sent by TLS, to a real server on this machine. The certificates of `test/tls` are signed by `authority.pem`, whose key nobody has
 * any more; that of the receivers is of no use to anybody else. They hold until 2120, but for `expired.pem`.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { afterEach, beforeEach, expect, test, vi } from "vitest"
import { run } from "../src/embedded/run.ts"
import { webhook, type WebhookOptions } from "../src/http.ts"
import { job, memory, schema, t } from "../src/index.ts"
import type { JobHandle } from "../src/runtime/run-job.ts"
import { WebhookReceiver, type Certificate } from "./webhook-receiver.fixture.ts"

vi.setConfig({ testTimeout: 60_000 })

const fileOf = (name: string) => resolve("test/tls", `${name}.pem`)
const textOf = (name: string) => readFileSync(fileOf(name), "utf8")
const certificateOf = (name: string): Certificate => ({ cert: textOf(name), key: textOf("receiver-key") })
const ROWS = Array.from({ length: 50 }, (_, n) => ({ n }))

let directory = ""
let receiver: WebhookReceiver
let handle: JobHandle | undefined
beforeEach(() => {
  receiver = new WebhookReceiver()
  directory = mkdtempSync(join(tmpdir(), "tidemark-webhook-tls-"))
})
afterEach(async () => {
  await handle?.stop().catch(() => undefined)
  handle = undefined
  await receiver.stop()
  rmSync(directory, { recursive: true, force: true })
  expect(receiver.findings).toEqual([])
})

async function begin(tls?: WebhookOptions["tls"]): Promise<JobHandle> {
  const numbers = job({
    name: "numbers",
    inputs: { numbers: schema({ n: t.int32 }) },
    flow: ({ numbers }) => ({ numbers }),
  })
  const retry = { initial: "1ms", max: "20ms" } as const
  const bound = numbers.with({
    inputs: { numbers: memory(ROWS) },
    outputs: { numbers: webhook({ url: receiver.url, retry, ...(tls && { tls }) }) },
  })
  handle = await run(bound, { directory: join(directory, "state") })
  return handle
}

const reasonOf = (of: JobHandle) => of.status().waitingOutputs.map(({ reason }) => reason)

test("WH5 WH11 by TLS rows are sent to a receiver whose certificate is trusted", async () => {
  await receiver.start(certificateOf("receiver"))
  expect(receiver.url).toMatch(/^https:/)
  const { finished } = await begin({ caFile: fileOf("authority") })
  await finished
  expect(receiver.rows()).toEqual(ROWS)
})

test("WH5 WH11 to a receiver whose certificate nobody trusts nothing is sent, until it has another", async () => {
  await receiver.start(certificateOf("receiver"))
  const waiting = await begin()
  await vi.waitUntil(() => reasonOf(waiting).length > 0)
  expect(reasonOf(waiting)[0]).toMatch(/unable to verify|unable to get local issuer/)
  expect(receiver.received).toEqual([])
  await waiting.stop()
  const { finished } = await begin({ caFile: fileOf("authority") })
  await finished
  expect(receiver.rows()).toEqual(ROWS)
})

test.each([
  ["expired", /certificate has expired/],
  ["other-host", /does not match certificate's altnames/],
])(
  "WH5 WH11 a certificate that is %s counts as no answer, until the receiver has a right one",
  async (name, reason) => {
    await receiver.start(certificateOf(name))
    const { finished } = await begin({ caFile: fileOf("authority") })
    await vi.waitUntil(() => reasonOf(handle!).length > 0)
    expect(reasonOf(handle!)[0]).toMatch(reason)
    expect(receiver.received).toEqual([])
    await receiver.stop()
    await receiver.start(certificateOf("receiver"))
    await finished
    expect(receiver.rows()).toEqual(ROWS)
  },
)

test("WH11 with a file that has no certificates a job does not begin", async () => {
  await receiver.start(certificateOf("receiver"))
  writeFileSync(join(directory, "none.pem"), "certificate")
  const broken = textOf("authority").replace("M", "!")
  writeFileSync(join(directory, "broken.pem"), broken)
  const fileNamed = (name: string) => join(directory, name)
  const problems = [
    ["missing.pem", "cannot be read (ENOENT)"],
    ["none.pem", "has no certificate"],
    ["broken.pem", "has what is no certificate"],
  ] as const
  for (const [name, problem] of problems) {
    const message = `webhook(...): the file ${fileNamed(name)} of tls.caFile ${problem}.`
    await expect(begin({ caFile: fileNamed(name) })).rejects.toMatchObject({ code: "invalid-options", message })
  }
  expect(() => webhook({ url: receiver.url, tls: {} as never })).toThrow("webhook(...): tls is an object.")
})
