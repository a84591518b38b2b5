/** Outputs that are sent by HTTP, to a real server on this machine that answers wrongly, slowly, or not at all. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { Prng } from "../src/base/prng.ts"
import { run } from "../src/embedded/run.ts"
import { explain, formatExplain } from "../src/observe/explain.ts"
import { webhook, type WebhookOptions } from "../src/http.ts"
import { job, memory, schema, t } from "../src/index.ts"
import type { JobHandle } from "../src/runtime/run-job.ts"
import type { JobEvent } from "../src/trace/events.ts"
import { WebhookReceiver, type Reaction } from "./webhook-receiver.fixture.ts"

vi.setConfig({ testTimeout: 60_000 })

const numbers = job({
  name: "numbers",
  inputs: { numbers: schema({ n: t.int32, key: t.string }) },
  flow: ({ numbers }) => ({ numbers }),
})
const rowsOf = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => ({ n: from + index, key: `k${(from + index) % 5}` }))
const quick = { initial: "1ms", max: "20ms" } as const

let receiver: WebhookReceiver
let directory = ""
const handles: JobHandle[] = []
beforeEach(async () => {
  receiver = await new WebhookReceiver().start()
  directory = mkdtempSync(join(tmpdir(), "tidemark-webhook-"))
})
afterEach(async () => {
  for (const handle of handles.splice(0)) await handle.stop().catch(() => undefined)
  await receiver.stop()
  rmSync(directory, { recursive: true, force: true })
  vi.unstubAllEnvs()
  expect(receiver.findings).toEqual([])
})

async function begin(
  rows: readonly { n: number; key: string }[],
  options: Partial<WebhookOptions> = {},
  reset = false,
) {
  const events: JobEvent[] = []
  const bound = numbers.with({
    inputs: { numbers: memory(rows) },
    outputs: { numbers: webhook({ url: receiver.url, retry: quick, ...options }) },
    epoch: { min: "1ms", max: "5ms" },
  })
  const handle = await run(bound, {
    directory: join(directory, "state"),
    onEvent: (event) => void events.push(event),
    ...(reset && { reset }),
  })
  handles.push(handle)
  return { handle, events }
}

const sent = () => receiver.rows<{ n: number; key: string }>().map(({ n }) => n)
const upTo = (count: number) => Array.from({ length: count }, (_, n) => n)

test("WH1 WH4 each row is a request, in the order of the output, with a key of its own", async () => {
  const { handle } = await begin(rowsOf(50))
  expect((await handle.finished).outcome).toBe("finished")
  expect(sent()).toEqual(upTo(50))
  expect(receiver.received).toHaveLength(50)
  const [first] = receiver.received
  expect(first).toMatchObject({ method: "POST", path: "/hook", body: '{"n":0,"key":"k0"}' })
  expect(first!.headers["content-type"]).toBe("application/json")
  expect(first!.key).toMatch(/^"[0-9a-f]{16}-1-[0-9a-f]{16}-0"$/)
  expect(receiver.mostUnderWay).toBe(1)
})

test("WH1 WH2 rows are sent once each where nothing fails, whatever the epochs, and a second run sends nothing", async () => {
  receiver.react = () => ({ status: 200, afterMs: 1 })
  const { handle } = await begin(rowsOf(500), { order: "none", concurrency: 6 })
  await handle.finished
  expect(sent().sort((a, b) => a - b)).toEqual(upTo(500))
  expect(receiver.received).toHaveLength(500)
  expect(receiver.mostUnderWay).toBeGreaterThan(1)
  expect(receiver.mostUnderWay).toBeLessThanOrEqual(6)
  const again = await begin(rowsOf(500), { order: "none", concurrency: 6 })
  expect((await again.handle.finished).isNothingNew).toBe(true)
  expect(receiver.received).toHaveLength(500)
})

/** Goes wrong in every way that is to be tried again; each request is taken in the end. */
function unreliable(prng: Prng): () => Reaction {
  return () => {
    if (prng.chance(0.6)) return { status: 200, afterMs: prng.below(4) }
    return prng.pick<Reaction>([
      { status: 500 },
      { status: 503, text: "too much" },
      { status: 408 },
      { status: 429, afterMs: 2 },
      "cut",
      "cut-when-taken",
      "silence",
    ])
  }
}

test("WH3 WH4 WH5 a receiver that fails in every way gets all rows of each key in order, repeats with the same key and bytes", async () => {
  const underWay = new Map<string, string>()
  const overlaps: string[] = []
  const react = unreliable(new Prng(3))
  receiver.react = (request) => {
    const { key: lane } = JSON.parse(request.body) as { key: string }
    const before = underWay.get(lane)
    // The one before was accepted, or this is it.
    if (before !== undefined && before !== request.key && !receiver.taken.has(before)) overlaps.push(request.key)
    underWay.set(lane, request.key)
    return react()
  }
  const { handle } = await begin(rowsOf(300), { order: { by: "key" }, concurrency: 4, timeout: "50ms" })
  await handle.finished
  const rows = receiver.rows<{ n: number; key: string }>()
  expect(rows).toHaveLength(300)
  for (const key of ["k0", "k1", "k2", "k3", "k4"]) {
    const of = rows.filter((row) => row.key === key).map(({ n }) => n)
    expect(of).toEqual(upTo(300).filter((n) => `k${n % 5}` === key))
  }
  expect(overlaps).toEqual([])
  expect(receiver.received.some(({ repeats }) => repeats > 0)).toBe(true)
})

describe.each(["json", "json-lines"] as const)("WH6 batches as %s", (format) => {
  test("have no more rows and bytes than they may, and keep the order of each key", async () => {
    receiver.react = unreliable(new Prng(4))
    const batch = { rows: 7, bytes: 120, format }
    const { handle } = await begin(rowsOf(400), { order: { by: ["key"] }, concurrency: 3, timeout: "50ms", batch })
    await handle.finished
    const rows = receiver.rows<{ n: number; key: string }>()
    for (const key of ["k0", "k1", "k2", "k3", "k4"]) {
      const of = rows.filter((row) => row.key === key).map(({ n }) => n)
      expect(of).toEqual(upTo(400).filter((n) => `k${n % 5}` === key))
    }
    const type = format === "json" ? "application/json" : "application/x-ndjson"
    expect(new Set(receiver.received.map(({ headers }) => headers["content-type"]))).toEqual(new Set([type]))
    const counts = receiver.received.map(({ body }) => body.split('"n":').length - 1)
    expect(Math.max(...counts)).toBeLessThanOrEqual(7)
    expect(Math.max(...counts)).toBeGreaterThan(1)
    expect(Math.max(...receiver.received.map(({ body }) => body.length))).toBeLessThanOrEqual(120)
  })
})

test("WH7 a rejected request stops the job with the answer and the row, and is sent again by the next run with its key", async () => {
  receiver.react = ({ body }) => (body.includes('"n":7,') ? { status: 422, text: "no sevens" } : { status: 200 })
  const { handle } = await begin(rowsOf(20))
  await expect(handle.finished).rejects.toMatchObject({
    code: "sink-refused",
    message: expect.stringMatching(/numbers rejects .* 422 Unprocessable Entity: no sevens.*"n":7/) as string,
  })
  expect(sent()).toEqual(upTo(7))
  receiver.react = () => ({ status: 200 })
  const again = await begin(rowsOf(20))
  await again.handle.finished
  expect(sent()).toEqual(upTo(20))
  const sevens = receiver.received.filter(({ body }) => body.includes('"n":7,'))
  expect(new Set(sevens.map(({ key }) => key)).size).toBe(1)
})

test("WH7 with dead letters a rejected request is set aside, row by row, and all others are sent", async () => {
  receiver.react = ({ body }) => (body.includes('"n":17,') ? { status: 400, text: "bad\nrow" } : { status: 200 })
  const { handle, events } = await begin(rowsOf(60), { onRejected: "dead-letter", batch: { rows: 5 } })
  await handle.finished
  const path = join(directory, "state/outputs/numbers/dead-letters.jsonl")
  const letters = readFileSync(path, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line))
  const [rejected] = receiver.received.filter(({ body }) => body.includes('"n":17,'))
  expect(letters.map(({ row }) => row)).toEqual(JSON.parse(rejected!.body))
  expect(letters[0]).toMatchObject({ reason: "the answer was 400 Bad Request: bad row" })
  expect(`"${letters[0].key}"`).toBe(rejected!.key)
  const aside = new Set(letters.map(({ row }) => row.n))
  expect(sent()).toEqual(upTo(60).filter((n) => !aside.has(n)))
  const refused = events.filter(({ kind }) => kind === "rows-refused")
  expect(refused).toEqual([
    { kind: "rows-refused", output: "numbers", rows: aside.size, reason: "the answer was 400 Bad Request: bad row" },
  ])
})

test.each([401, 403, 404, 405, 302])(
  "WH7 an answer that would be the same for every row, %i, stops the job",
  async (status) => {
    receiver.react = () => ({ status, headers: { location: "http://127.0.0.1:1/" } })
    const { handle } = await begin(rowsOf(3), { onRejected: "dead-letter" })
    await expect(handle.finished).rejects.toMatchObject({ code: "sink-unreachable" })
    expect(receiver.received).toHaveLength(1)
  },
)

test("WH5 retry.for: what was tried for so long is rejected, as other rejected requests are", async () => {
  receiver.react = ({ body }) => (body.includes('"n":3,') ? { status: 500, text: "always" } : { status: 200 })
  const retry = { ...quick, for: "30ms" } as const
  const { handle } = await begin(rowsOf(10), { onRejected: "dead-letter", order: { by: "key" }, retry })
  expect((await handle.finished).outcome).toBe("finished")
  expect(sent().sort((a, b) => a - b)).toEqual(upTo(10).filter((n) => n !== 3))
  const letters = readFileSync(join(directory, "state/outputs/numbers/dead-letters.jsonl"), "utf8")
  expect(letters).toMatch(
    /^\{"at":"[^"]+","key":"[^"]+","reason":"it was tried for too long, \d+ times; at last the answer was 500 [^"]+","row":\{"n":3,[^\n]+\n$/,
  )
})

test("WH8 a job whose last request was tried for too long is finished, and waits for nothing", async () => {
  receiver.react = () => ({ status: 500 })
  const retry = { ...quick, for: "100ms" } as const
  const { handle, events } = await begin(rowsOf(1), { onRejected: "dead-letter", retry })
  expect((await handle.finished).outcome).toBe("finished")
  const told = events.map(({ kind }) => kind).filter((kind) => kind.startsWith("output-"))
  expect(told).toEqual(["output-waiting", "output-resumed"])
})

test("WH7 an answer that is no HTTP any more stops the job, and it is not said to wait", async () => {
  receiver.react = () => "switch"
  const { handle, events } = await begin(rowsOf(1))
  await expect(handle.finished).rejects.toMatchObject({ code: "sink-unreachable" })
  expect(events.filter(({ kind }) => kind.startsWith("output-"))).toEqual([])
})

test("WH8 a receiver that is gone is waited for, told once, and shown; and once when it is back", async () => {
  await receiver.stop()
  const { handle, events } = await begin(rowsOf(40), { maxUnsent: { rows: 10 } })
  await vi.waitFor(() => expect(handle.status().waitingOutputs).toHaveLength(1), { timeout: 20_000 })
  expect(handle.status().waitingOutputs[0]).toMatchObject({ output: "numbers" })
  expect(handle.status().waitingOutputs[0]!.reason).toMatch(/ECONNREFUSED|socket hang up|ECONNRESET/)
  await receiver.start()
  await handle.finished
  expect(sent()).toEqual(upTo(40))
  const told = events.map(({ kind }) => kind).filter((kind) => kind.startsWith("output-"))
  expect(told).toEqual(["output-waiting", "output-resumed"])
})

test("WH8 WH9 a job that is stopped while its receiver is away keeps what is unsent, and the next run sends it", async () => {
  receiver.react = () => ({ status: receiver.taken.size < 15 ? 200 : 503 })
  const { handle, events } = await begin(rowsOf(40))
  await vi.waitFor(() => expect(handle.status().waitingOutputs).toHaveLength(1), { timeout: 20_000 })
  await handle.stop()
  expect((await handle.finished).outcome).toBe("stopped")
  expect(events.findLast(({ kind }) => kind === "warning")).toMatchObject({
    about: "numbers",
    message:
      "25 rows are committed and not accepted by the receiver of the output numbers: the answer was 503 Service Unavailable.",
  })
  expect(sent()).toEqual(upTo(15))
  receiver.react = () => ({ status: 200 })
  const again = await begin(rowsOf(40))
  expect((await again.handle.finished).outcome).toBe("finished")
  expect(sent()).toEqual(upTo(40))
  const accepted = [...receiver.taken.keys()].slice(0, 15)
  expect(receiver.received.filter(({ key, repeats }) => accepted.includes(key) && repeats > 0)).toEqual([])
})

test("WH2 WH9 of an epoch that is accepted in part only the rest is sent by the next run", async () => {
  const isOdd = (body: string) => (JSON.parse(body) as { n: number }).n % 2 === 1
  receiver.react = ({ body }) => ({ status: isOdd(body) ? 200 : 503 })
  const { handle } = await begin(rowsOf(30), { order: "none", breaker: { failures: 1 } })
  // What fails does not keep back the others, though one request at a time is sent.
  await vi.waitFor(() => expect(receiver.taken.size).toBe(15), { timeout: 20_000 })
  await handle.stop()
  const before = receiver.received.length
  receiver.react = () => ({ status: 200 })
  await (
    await begin(rowsOf(30), { order: "none" })
  ).handle.finished
  expect(receiver.received.slice(before)).toHaveLength(15)
  expect(sent().sort((a, b) => a - b)).toEqual(upTo(30))
})

test("WH10 explain says what is promised", () => {
  const bound = numbers.with({ inputs: { numbers: memory([]) }, outputs: { numbers: webhook({ url: receiver.url }) } })
  const lines = formatExplain(explain(bound, { compile: { mode: "off", proof: undefined } }))
  expect(lines).toContain(`webhook({ url: "${receiver.url}" }), at least once, with Idempotency-Key`)
})

test("WH2 a large epoch lies in a file until it is accepted", async () => {
  const text = "x".repeat(2_000)
  const rows = Array.from({ length: 600 }, (_, n) => ({ n, key: text }))
  const { handle } = await begin(rows, { order: "none" })
  await handle.finished
  expect(sent().sort((a, b) => a - b)).toEqual(upTo(600))
})

test("WH10 secrets are read by name, and said nowhere", async () => {
  vi.stubEnv("HOOK_URL", `${receiver.url}?secret=in-the-url`)
  vi.stubEnv("HOOK_TOKEN", "the-token")
  vi.stubEnv("HOOK_TENANT", "the-tenant")
  const secrets = {
    url: { env: "HOOK_URL" },
    token: { env: "HOOK_TOKEN" },
    headers: { "x-tenant": { env: "HOOK_TENANT" }, "x-plain": "plain" },
  }
  const binding = webhook(secrets)
  expect(binding.describe()).toBe('webhook({ url: { env: "HOOK_URL" } })')
  const { handle } = await begin(rowsOf(1), secrets)
  await handle.finished
  expect(receiver.received[0]).toMatchObject({
    path: "/hook?secret=in-the-url",
    headers: { authorization: "Bearer the-token", "x-tenant": "the-tenant", "x-plain": "plain" },
  })
  // Receivers repeat what they were sent.
  receiver.react = ({ path, headers }) => ({
    status: 401,
    text: `${" ".repeat(1000)}${path} ${JSON.stringify(headers)}`,
  })
  const refused = await begin(rowsOf(1), secrets, true)
  const error: unknown = await refused.handle.finished.catch((reason: unknown) => reason)
  expect(error).toMatchObject({ code: "sink-unreachable" })
  expect(`${String(error)}${JSON.stringify(refused.events)}`).not.toMatch(/the-token|in-the-url|the-tenant/)
})

test("WH10 an address that is a secret is not shown where it cannot be reached", async () => {
  vi.stubEnv("HOOK_URL", "http://the-secret-host.invalid/the-path")
  const { handle } = await begin(rowsOf(1), { url: { env: "HOOK_URL" } })
  await vi.waitFor(() => expect(handle.status().waitingOutputs).toHaveLength(1), { timeout: 20_000 })
  expect(handle.status().waitingOutputs[0]!.reason).toMatch(/\[secret\]/)
  expect(JSON.stringify(handle.status())).not.toMatch(/the-secret-host|the-path/)
})

test.each([
  [{ url: { env: "NOT_SET_ANYWHERE" } }, "neither NOT_SET_ANYWHERE nor NOT_SET_ANYWHERE_FILE is set"],
  [{ url: { env: "HOOK_URL" } }, "what HOOK_URL has is neither http nor https"],
  [{ token: { env: "HOOK_URL_2" } }, "HOOK_URL_2 has more than visible ASCII on one line"],
] as const)("WH10 a job does not begin with %j", async (options, problem) => {
  vi.stubEnv("HOOK_URL", "ftp://there")
  vi.stubEnv("HOOK_URL_2", "a\nb")
  await expect(begin(rowsOf(1), options)).rejects.toMatchObject({
    code: "invalid-params",
    message: `The output numbers cannot be sent: ${problem}.`,
  })
})

test("WH4 an order by a column that there is not is refused before anything begins", async () => {
  await expect(begin(rowsOf(1), { order: { by: "kye" } })).rejects.toMatchObject({ code: "invalid-options" })
})
