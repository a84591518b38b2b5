/** Records that are sent by WebSocket: real connections, every refusal, and a process that is killed. */
import { fork, type ChildProcess } from "node:child_process"
import { writeFileSync } from "node:fs"
import type { Socket } from "node:net"
import { join, resolve } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { pathToFileURL } from "node:url"
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { WebSocket } from "ws"
import type { JobHandle } from "../src/runtime/run-job.ts"
import { HttpBench, raw, send, until } from "./http-bench.fixture.ts"

vi.setConfig({ testTimeout: 180_000 })

interface Told {
  readonly message: number
  readonly key?: string
  readonly records?: number
  readonly replayed?: boolean
  readonly retryAfterSeconds?: number
  readonly error?: { readonly code: string; readonly [member: string]: unknown }
}

let bench: HttpBench
const senders: Sender[] = []
const children: ChildProcess[] = []
beforeEach(() => {
  bench = new HttpBench()
})
afterEach(async () => {
  children.splice(0).forEach((child) => child.kill("SIGKILL"))
  senders.splice(0).forEach(({ socket }) => socket.terminate())
  await bench.close()
  vi.unstubAllEnvs()
})

/** A WebSocket, and all that it was told. */
class Sender {
  readonly socket: WebSocket
  readonly told: Told[] = []
  readonly opened: Promise<void>
  /** Resolves with the code. */
  readonly closed: Promise<number>

  constructor(url: string, options: { headers?: Record<string, string>; protocols?: string[] } = {}) {
    const address = `${url.replace("http", "ws")}/numbers`
    this.socket = new WebSocket(address, options.protocols ?? [], { headers: options.headers ?? {} })
    this.socket.on("message", (data: Buffer) => this.told.push(JSON.parse(data.toString()) as Told))
    this.opened = new Promise((opened, failed) => this.socket.on("open", opened).on("error", failed))
    this.closed = new Promise((closed) => this.socket.on("close", closed))
    this.opened.catch(() => undefined)
    senders.push(this)
  }

  async hear(count: number): Promise<readonly Told[]> {
    await until(() => this.told.length >= count)
    return this.told
  }
}

async function open(url: string, options?: ConstructorParameters<typeof Sender>[1]): Promise<Sender> {
  const sender = new Sender(url, options)
  await sender.opened
  return sender
}

/** The connection below, for what the library would not do. */
const below = ({ socket }: Sender): Socket => (socket as unknown as { _socket: Socket })._socket

const frame = (first: number, announced: number, payload: Buffer) => {
  const head = Buffer.alloc(14)
  head[0] = first
  head[1] = 0x80 | 127
  head.writeBigUInt64BE(BigInt(announced), 2)
  return Buffer.concat([head, payload])
}

const byNumber = (told: readonly Told[]) => [...told].sort((one, other) => one.message - other.message)

/** Waits until a job has read all that it was sent. */
async function quiet(handle: JobHandle): Promise<void> {
  for (let before = -1; before !== handle.status().rowsIn;) {
    before = handle.status().rowsIn
    await pause(500)
  }
}

/** A ping without a payload. */
const PING = Buffer.from([0x89, 0x80, 0, 0, 0, 0])

describe("messages", () => {
  test("H12 are answered when they are stored, with their number and their key", async () => {
    const { url, handle } = await bench.start()
    const sender = await open(url)
    const texts = ['{"n":1}', '"a"\n[{"n":2},{"n":3}]', '"b"\n{"n":4}\n{"n":5}\n', "[]", '"a"\n[{"n":2},{"n":3}]']
    for (const text of texts) sender.socket.send(text)
    sender.socket.send(Buffer.from('{"n":6}'))
    const told = await sender.hear(6)
    expect(byNumber(told)).toEqual([
      { message: 1, records: 1 },
      { message: 2, key: "a", records: 2 },
      { message: 3, key: "b", records: 2 },
      { message: 4, records: 0 },
      { message: 5, key: "a", records: 2, replayed: true },
      { message: 6, records: 1 },
    ])
    const headers = { "idempotency-key": '"b"', "content-type": "application/x-ndjson" }
    const again = await send(url, { headers, body: '{"n":4}\n{"n":5}' })
    expect(again).toMatchObject({ status: 200, headers: { "idempotency-replayed": "true" } })
    await until(() => handle.status().rowsIn === 6)
    await handle.stop()
    expect(bench.rowsOf("numbers").map(({ n }) => n)).toEqual([1, 2, 3, 4, 5, 6])
  })

  test("H12 of a sender that closes behind them are answered before the connection is closed", async () => {
    const { url, handle } = await bench.start()
    const sender = await open(url)
    const count = 50
    for (let n = 0; n < count; n++) sender.socket.send(`{"n":${n}}`)
    sender.socket.close(1000, "all is sent")
    expect(await sender.closed).toBe(1000)
    expect(byNumber(sender.told)).toEqual(Array.from({ length: count }, (_, n) => ({ message: n + 1, records: 1 })))
    await until(() => handle.status().rowsIn === count)
    await handle.stop()
  })

  test("H5 H7 that are wrong are refused, and the connection goes on", async () => {
    const { url, handle } = await bench.start({}, { maxRecords: 2 })
    const sender = await open(url)
    const wrong = ['{"n":"x"}', "nonsense", '"a" {"n":1}', '"é"\n{"n":1}', '[{"n":1},{"n":2},{"n":3}]', ""]
    for (const text of wrong) sender.socket.send(text)
    // Those that do not come to be stored may be answered before what is.
    const told = byNumber(await sender.hear(wrong.length))
    expect(told.map(({ message, error }) => [message, error!.code])).toEqual([
      [1, "bad-records"],
      [2, "not-json"],
      [3, "bad-key"],
      [4, "bad-key"],
      [5, "too-many-records"],
      [6, "not-json"],
    ])
    expect(told[0]).toMatchObject({ error: { badRecords: 1, records: [{ index: 0, field: "n" }] } })
    sender.socket.send('"a"\n{"n":1}')
    await sender.hear(7)
    sender.socket.send('"a"\n{"n":2}')
    expect((await sender.hear(8))[7]).toMatchObject({ key: "a", error: { code: "key-taken" } })
    await until(() => handle.status().rowsIn === 1)
    await handle.stop()
    expect(bench.rowsOf("numbers")).toEqual([{ n: 1 }])
  })

  test("H1 H12 of one sender keep their order", async () => {
    const { url, handle } = await bench.start()
    const sender = await open(url)
    for (let n = 0; n < 5000; n++) sender.socket.send(`{"n":${n}}`)
    await sender.hear(5000)
    await until(() => handle.status().rowsIn === 5000)
    await handle.stop()
    expect(bench.rowsOf("numbers").map(({ n }) => n)).toEqual(Array.from({ length: 5000 }, (_, n) => n))
  })

  test("H2 without a key are refused where one is required", async () => {
    const { url } = await bench.start({}, { idempotencyKeys: { isRequired: true } })
    const sender = await open(url)
    sender.socket.send('{"n":1}')
    sender.socket.send('"a"\n{"n":1}')
    const [refused, stored] = await sender.hear(2)
    expect([refused!.error!.code, stored!.records]).toEqual(["bad-key", 1])
  })
})

const KEY = "sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
const asking = (headers: string, line = "GET /numbers HTTP/1.1") =>
  `${line}\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\n${headers}\r\n`
const BEARER = "authorization: Bearer a secret/of+mine\r\n".replaceAll(" secret", "-secret")

describe("who asks for a WebSocket", () => {
  test.each<[what: string, bytes: string, status: number, code: string]>([
    ["without a token", asking(KEY), 401, "unauthorized"],
    ["with a wrong token", asking(`${KEY}authorization: Bearer x\r\n`), 401, "unauthorized"],
    [
      "with a wrong token among its protocols",
      asking(`${KEY}sec-websocket-protocol: bearer.eA\r\n`),
      401,
      "unauthorized",
    ],
    ["where no input is", asking(KEY + BEARER, "GET /nowhere HTTP/1.1"), 404, "not-found"],
    ["for a page that is not named", asking(`${KEY}${BEARER}origin: https://b.example\r\n`), 403, "forbidden-origin"],
    ["for a page of no site", asking(`${KEY}${BEARER}origin: null\r\n`), 403, "forbidden-origin"],
    ["in another version", asking(KEY.replace("13", "7") + BEARER), 400, "bad-request"],
    ["without a key of the protocol", asking(`sec-websocket-version: 13\r\n${BEARER}`), 400, "bad-request"],
  ])("H11 %s is refused by an answer of HTTP", async (_what, bytes, status, code) => {
    vi.stubEnv("TIDEMARK_TEST_TOKEN", "a-secret/of+mine")
    const { url } = await bench.start({ token: { env: "TIDEMARK_TEST_TOKEN" }, origins: ["https://A.example"] })
    const text = await raw(url, bytes)
    expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} .*"code":"${code}"`, "s"))
  })

  test("H11 with a token, in a header or among its protocols, gets one, and pages that are named", async () => {
    vi.stubEnv("TIDEMARK_TEST_TOKEN", "a-secret/of+mine")
    const { url } = await bench.start({ token: { env: "TIDEMARK_TEST_TOKEN" }, origins: ["https://A.example"] })
    const headers = { authorization: "Bearer a-secret/of+mine", origin: "https://a.example" }
    const protocols = ["tidemark", `bearer.${Buffer.from("a-secret/of+mine").toString("base64url")}`]
    for (const options of [{ headers }, { protocols }]) {
      const sender = await open(url, options)
      expect(sender.socket.protocol).toBe("protocols" in options ? "tidemark" : "")
      sender.socket.send('{"n":1}')
      expect(await sender.hear(1)).toEqual([{ message: 1, records: 1 }])
    }
  })

  test("H11 any page may send where that is said", async () => {
    const { url } = await bench.start({ origins: "*" })
    const sender = await open(url, { headers: { origin: "null" } })
    sender.socket.send('{"n":1}')
    expect(await sender.hear(1)).toEqual([{ message: 1, records: 1 }])
  })

  test("H11 behind requests gets it when they are answered; other protocols are not spoken", async () => {
    const { url, handle } = await bench.start()
    const body = '{"n":1}'
    const post = (headers: string) =>
      `POST /numbers HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n${headers}\r\n${body}`
    const toHttp2 =
      "connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n"
    const behind = [post(""), post(toHttp2), post(toHttp2), post("connection: close\r\n")]
    expect((await raw(url, behind.join(""))).match(/^HTTP\/1.1 \d+/gm)).toEqual(Array(4).fill("HTTP/1.1 200"))
    const get = `GET /numbers HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n`
    expect(await raw(url, get, true)).toMatch(/^HTTP\/1.1 405 /)
    const text = await raw(url, Buffer.concat([Buffer.from(post("") + asking(KEY)), frame(0x88, 0, Buffer.alloc(0))]))
    expect(text).toMatch(/^HTTP\/1.1 200 .*^HTTP\/1.1 101 /ms)
    await until(() => handle.status().rowsIn === 5)
  })
})

describe("bounds", () => {
  test("H13 a message that is too large closes its connection, packed ones are not spoken", async () => {
    const { url, handle } = await bench.start({}, { maxRequestBytes: 1000 })
    const sender = await open(url)
    expect(sender.socket.extensions).toBe("")
    sender.socket.send(`{"n":1,"x":"${"y".repeat(1000)}"}`)
    expect(await sender.closed).toBe(1009)
    // What still comes of it does not count against the others.
    const next = await open(url)
    next.socket.send('{"n":2}')
    await next.hear(1)
    await until(() => handle.status().rowsIn === 1)
    await handle.stop()
    expect(bench.rowsOf("numbers")).toEqual([{ n: 2 }])
  })

  test("H13 messages that are not whole are held against all that is in flight", async () => {
    const { url } = await bench.start({ maxInFlightBytes: 100_000 })
    const holders = await Promise.all(Array.from({ length: 2 }, () => open(url)))
    for (const holder of holders) below(holder).write(frame(0x81, 49_000, Buffer.alloc(48_000)))
    await until(() => holders.every((holder) => below(holder).bytesWritten > 48_000))
    await pause(50)
    const sender = await open(url)
    sender.socket.send(`{"n":1,"x":"${"y".repeat(5000)}"}`)
    const isTold = sender.hear(1).then(([told]) => told!.error!.code)
    expect(await Promise.race([sender.closed, isTold])).toBe("overloaded")
    below(sender).write(frame(0x81, 6000, Buffer.alloc(5000)))
    expect(await sender.closed).toBe(1013)
    holders.forEach(({ socket }) => socket.terminate())
    await until(() => senders.filter(({ socket }) => socket.readyState === socket.CLOSED).length >= 2)
    await pause(50)
    const later = await open(url)
    later.socket.send(`{"n":1,"x":"${"y".repeat(5000)}"}`)
    expect(await later.hear(1)).toEqual([{ message: 1, records: 1 }])
  })

  test("H13 a message that takes too long closes its connection, pings or not", async () => {
    const { url } = await bench.start({ requestTimeout: "500ms" })
    const [slow, quiet] = [await open(url), await open(url)]
    below(slow).write(frame(0x01, 2, Buffer.from("{}")))
    const pinging = setInterval(() => below(slow).write(PING), 50)
    expect(await slow.closed).toBe(1008)
    clearInterval(pinging)
    quiet.socket.send('{"n":1}')
    expect(await quiet.hear(1)).toHaveLength(1)
  })

  test("H8 H13 senders beyond their rate, or beyond what may wait, are told to come again", async () => {
    const { url } = await bench.start({ maxRequestsPerSecond: 3 })
    const sender = await open(url)
    for (let n = 0; n < 20; n++) sender.socket.send(`{"n":${n}}`)
    const told = await sender.hear(20)
    const refused = told.filter(({ error }) => error !== undefined)
    expect(refused.length).toBeGreaterThan(10)
    for (const each of refused) expect(each).toMatchObject({ retryAfterSeconds: 1, error: { code: "rate-limited" } })
    expect(told.filter(({ records }) => records === 1).length).toBeGreaterThan(1)
  })

  test("H13 who does not read its answers is not read, and loses nothing", async () => {
    const { url } = await bench.start()
    const sender = await open(url)
    below(sender).pause()
    const count = 50_000
    for (let n = 0; n < count; n++) sender.socket.send("nonsense".repeat(50))
    await pause(2000)
    const waiting = sender.socket.bufferedAmount
    expect(waiting, "what was sent is not taken").toBeGreaterThan(0)
    await pause(500)
    expect(sender.socket.bufferedAmount).toBe(waiting)
    below(sender).resume()
    const told = await sender.hear(count)
    expect(told.every(({ message, error }, index) => message === index + 1 && error!.code === "not-json")).toBe(true)
  })

  test("H10 H13 whatever is sent behind the first answer, the job lives", async () => {
    const { url, handle } = await bench.start({}, { maxRequestBytes: 10_000 })
    let seed = 1
    const draw = (most: number) => (seed = (seed * 48_271) % 2_147_483_647) % most
    const rounds = 300 * Number(process.env["TIDEMARK_FUZZ_SCALE"] ?? 1)
    const texts = ['{"n":1}', '"a"\n{"n":1}', "[[[[", '"', "\n", '{"__proto__":{"n":1}}', "\u{1f600}"]
    for (let round = 0; round < rounds; round += 10) {
      await Promise.all(
        Array.from({ length: 10 }, () => {
          const pieces = Array.from({ length: 1 + draw(5) }, () => {
            const payload = Buffer.from(texts[draw(texts.length)]!)
            const announced = draw(3) > 0 ? payload.length : draw(2 ** 20)
            return draw(5) > 0 ? frame(draw(256), announced, payload) : Buffer.from([draw(256), draw(256), draw(256)])
          })
          return raw(url, Buffer.concat([Buffer.from(asking(KEY)), ...pieces]), true)
        }),
      )
    }
    const sender = await open(url)
    sender.socket.send('{"n":7}')
    expect(await sender.hear(1)).toEqual([{ message: 1, records: 1 }])
    await quiet(handle)
    await handle.stop()
    expect(bench.rowsOf("numbers").at(-1)).toEqual({ n: 7 })
  })
})

test("H14 when the job stops, what was taken is answered, and the connection closed with 1001", async () => {
  const { url, handle } = await bench.start()
  const all = await Promise.all(Array.from({ length: 5 }, () => open(url)))
  let n = 0
  const sending = setInterval(() => all.forEach(({ socket }) => socket.send(`{"n":${n++}}`)), 1)
  await until(() => all.every(({ told }) => told.length > 20))
  await handle.stop()
  clearInterval(sending)
  expect(await Promise.all(all.map(({ closed }) => closed))).toEqual(Array(5).fill(1001))
  const told = all.flatMap((sender) => sender.told)
  const stored = told.filter(({ records }) => records === 1).length
  // What was stored and not read is read by the next life.
  const next = await bench.start()
  await quiet(next.handle)
  await next.handle.stop()
  expect(bench.rowsOf("numbers")).toHaveLength(stored)
  for (const { error } of told) expect([undefined, "stopping"]).toContain(error?.code)
})

const fromDist = (door: string) => JSON.stringify(pathToFileURL(resolve(`dist/${door}.js`)).href)
const RUNNER = `
import { job, run, schema, t } from ${fromDist("index")}
import { jsonl } from ${fromDist("files")}
import { httpServer } from ${fromDist("http")}
const [, , directory] = process.argv
const server = httpServer({ port: 0 })
const copy = job({ name: "copy", inputs: { numbers: schema({ n: t.int53 }) }, flow: ({ numbers }) => ({ numbers }) })
const bound = copy.with({
  inputs: { numbers: server.input("/numbers") },
  outputs: { numbers: jsonl(directory + "/out/numbers", { rollBytes: 20000 }) },
  epoch: { min: "5ms", max: "50ms" },
})
const handle = await run(bound, { directory: directory + "/state" })
process.send(server.address.url)
process.on("message", () => void handle.stop())
await handle.finished
process.disconnect()
`

test("H1 H2 H12 what was acknowledged is in the output once, however often the process is killed", async () => {
  const program = join(bench.directory, "runner.mjs")
  writeFileSync(program, RUNNER)
  let listening: Promise<string> = Promise.resolve("")
  const begin = () => {
    const child = fork(program, [bench.directory])
    children.push(child)
    listening = new Promise((listens) => child.once("message", (url: string) => listens(url)))
    return { child, ended: new Promise<number | null>((done) => child.on("close", done)) }
  }
  let running = begin()
  const acknowledged = new Set<number>()
  let isOver = false
  let next = 0
  /** Sends what it has not been told of, again where the connection was lost. */
  const deliver = async () => {
    const waiting = new Set<number>()
    while (!isOver || waiting.size > 0) {
      const sender = new Sender(await listening)
      const isLost = sender.closed.then(() => true)
      const isOpen = await Promise.race([sender.opened.then(() => true).catch(() => false), isLost.then(() => false)])
      if (!isOpen) {
        await pause(20)
        continue
      }
      sender.socket.on("message", (data: Buffer) => {
        const { key, records } = JSON.parse(data.toString()) as Told
        if (records !== 1) return
        waiting.delete(Number(key))
        acknowledged.add(Number(key))
      })
      for (const n of waiting) sender.socket.send(`"${n}"\n{"n":${n}}`)
      while (sender.socket.readyState === sender.socket.OPEN && (!isOver || waiting.size > 0)) {
        if (!isOver && waiting.size < 20) {
          const n = next++
          waiting.add(n)
          sender.socket.send(`"${n}"\n{"n":${n}}`)
        }
        await pause(1)
      }
    }
  }
  const delivering = Array.from({ length: 8 }, deliver)
  const kills = 6 * Number(process.env["TIDEMARK_FUZZ_SCALE"] ?? 1)
  for (let kill = 1; kill <= kills; kill++) {
    await listening
    await pause(100 + Math.random() * 500)
    running.child.kill("SIGKILL")
    expect(await running.ended, "it ran until it was killed").toBe(null)
    running = begin()
  }
  await listening
  await pause(300)
  isOver = true
  await Promise.all(delivering)
  await pause(1000)
  running.child.send("stop")
  expect(await running.ended).toBe(0)
  const numbers = bench.rowsOf("numbers").map(({ n }) => n as number)
  expect(new Set(numbers).size, "none is there twice").toBe(numbers.length)
  expect([...acknowledged].filter((n) => !numbers.includes(n))).toEqual([])
  expect(acknowledged.size).toBeGreaterThan(kills * 20)
})
