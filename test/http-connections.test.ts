/** Requests as bytes on connections: several at a time, senseless ones, and slow ones. */
import { gzipSync } from "node:zlib"
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { HttpBench, raw, send, until } from "./http-bench.fixture.ts"

vi.setConfig({ testTimeout: 180_000 })

let bench: HttpBench
beforeEach(() => {
  bench = new HttpBench()
})
afterEach(async () => {
  await bench.close()
  vi.unstubAllEnvs()
})

/** The statuses, and the codes of what is refused, of answers one behind the other. */
function statusesOf(text: string): (number | string)[] {
  const found = text.matchAll(/^HTTP\/1\.1 (\d+)|"code":"([\w-]+)"/gm)
  return [...found].map(([, status, code]) => (status === undefined ? code! : Number(status)))
}

const CLOSE = "connection: close\r\n"

const requestOf = (body: string | Uint8Array, headers = "", line = "POST /numbers HTTP/1.1\r\nhost: x") =>
  Buffer.concat([
    Buffer.from(`${line}\r\ncontent-type: application/json\r\n${headers}content-length: ${body.length}\r\n\r\n`),
    Buffer.from(body as string),
  ])

describe("pipelined requests", () => {
  test("H1 of one connection are stored in the order in which they were sent", async () => {
    const { url, handle } = await bench.start()
    const packed = (from: number) => {
      const records = Array.from({ length: 4000 }, (_, index) => ({ n: from + index }))
      return requestOf(gzipSync(JSON.stringify(records)), "content-encoding: gzip\r\n")
    }
    const wrong = requestOf("no gzip", "content-encoding: gzip\r\n")
    const texts = await Promise.all(
      Array.from({ length: 6 }, (_, connection) => {
        const first = connection * 10_000
        const behind = [4000, 4001].map((n) => requestOf(`{"n":${first + n}}`))
        const bytes = [packed(first), wrong, ...behind, packed(first + 4002), requestOf(`{"n":${first + 8002}}`, CLOSE)]
        return raw(url, Buffer.concat(bytes))
      }),
    )
    for (const text of texts) expect(statusesOf(text)).toEqual([200, 400, "bad-request", 200, 200, 200, 200])
    await until(() => handle.status().rowsIn === 6 * 8003)
    await handle.stop()
    const numbers = bench.rowsOf("numbers").map(({ n }) => n as number)
    for (let connection = 0; connection < 6; connection++) {
      const own = numbers.filter((n) => Math.floor(n / 10_000) === connection)
      expect(own).toEqual(Array.from({ length: 8003 }, (_, index) => connection * 10_000 + index))
    }
  })

  test("H7 with senseless bytes, or CONNECT, behind them are answered first", async () => {
    const { url, handle } = await bench.start()
    const packed = requestOf(gzipSync('{"n":1}'), "content-encoding: gzip\r\n")
    for (const [behind, status, code] of [
      ["no request\r\n\r\n", 400, "bad-request"],
      ["CONNECT x:80 HTTP/1.1\r\nhost: x:80\r\n\r\n", 405, "method-not-allowed"],
    ] as const) {
      const text = await raw(url, Buffer.concat([packed, packed, Buffer.from(behind)]))
      expect(statusesOf(text)).toEqual([200, 200, status, code])
    }
    await until(() => handle.status().rowsIn === 4)
  })

  test("H1 that wait to be told to go on are told so between answers, and never within one", async () => {
    const { url } = await bench.start()
    const [before, behind] = [1, 2].map((n) => requestOf(`{"n":${n}}`))
    const waiting = requestOf('{"n":3}', "expect: 100-continue\r\n")
    const text = await raw(url, Buffer.concat([before!, waiting, waiting, behind!, requestOf('{"n":4}', CLOSE)]))
    expect(statusesOf(text).filter((status) => status !== 100)).toEqual([200, 200, 200, 200, 200])
    expect(text.match(/\r\n\r\n\{"records":1\}\n/g)).toHaveLength(5)
  })

  test("H7 that are refused by their heads leave their connection to those behind them", async () => {
    const { url } = await bench.start()
    const nowhere = requestOf('{"n":1}', "", "POST /nowhere HTTP/1.1\r\nhost: x")
    const text = await raw(url, Buffer.concat([nowhere, requestOf('{"n":1}'), nowhere, requestOf('{"n":2}', CLOSE)]))
    expect(statusesOf(text)).toEqual([404, "not-found", 200, 404, "not-found", 200])
  })
})

describe("hostile senders", () => {
  test.each<[what: string, bytes: Buffer | string, status: number, code: string]>([
    ["an expectation", requestOf('{"n":1}', "expect: magic\r\n"), 417, "expectation-failed"],
    ["no Host", requestOf('{"n":1}', "", "POST /numbers HTTP/1.1"), 400, "bad-request"],
    ["two Hosts", requestOf('{"n":1}', "host: y\r\n"), 400, "bad-request"],
    ["CONNECT", "CONNECT x:80 HTTP/1.1\r\nhost: x:80\r\n@", 405, "method-not-allowed"],
    [
      "an address without a server",
      requestOf('{"n":1}', "", "POST http:///numbers HTTP/1.1\r\nhost: x"),
      404,
      "not-found",
    ],
    ["the whole address of no input", requestOf('{"n":1}', "", "POST http://x HTTP/1.1\r\nhost: x"), 404, "not-found"],
  ])("H6 H7 H10 who send %s are answered with JSON, and 401 without a token", async (_what, bytes, status, code) => {
    vi.stubEnv("TIDEMARK_TEST_TOKEN", "secret")
    const { url } = await bench.start({ token: { env: "TIDEMARK_TEST_TOKEN" } })
    const sent = bytes
      .toString("latin1")
      .replace("@", `${CLOSE}\r\n`)
      .replace("content-length", `${CLOSE}content-length`)
    expect(statusesOf(await raw(url, sent))).toEqual([401, "unauthorized"])
    const authorized = sent.replace(CLOSE, `${CLOSE}authorization: Bearer secret\r\n`)
    const text = await raw(url, authorized)
    expect(statusesOf(text)).toEqual([status, code])
    expect(text).toMatch(/connection: close/i)
  })

  test("H4 who send the whole address find the path", async () => {
    const { url } = await bench.start()
    for (const address of ["http://x", "HTTPS://user@x:80"]) {
      const text = await raw(url, requestOf('{"n":1}', CLOSE, `POST ${address}/numbers?a HTTP/1.1\r\nhost: x`))
      expect(statusesOf(text)).toEqual([200])
    }
  })

  test("H10 who are slow are cut off", async () => {
    const { url } = await bench.start({ headersTimeout: "200ms", requestTimeout: "500ms" })
    const head = "POST /numbers HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
    const [inHead, inBody] = await Promise.all([raw(url, head), raw(url, `${head}content-length: 10\r\n\r\n{`)])
    expect(inHead).toMatch(/^HTTP\/1\.1 408 .*"request-timeout"/s)
    expect(inBody).toMatch(/^HTTP\/1\.1 408 /)
    expect((await send(url, { body: '{"n":1}' })).status).toBe(200)
  })

  test("H7 H10 who send anything at all find the job alive, with bounded memory, and nothing of it stored", async () => {
    const { url, handle } = await bench.start({}, { maxRequestBytes: 65_536 })
    const head = "POST /numbers HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
    const pieces = [
      head,
      "GET / HTTP/1.1\r\n",
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
      "\r\n\r\n",
      "content-length: 5\r\n",
      "content-length: 99999999999999999999\r\n",
      "transfer-encoding: chunked\r\n",
      "transfer-encoding: gzip, chunked\r\n",
      "upgrade: websocket\r\nconnection: upgrade\r\n",
      "expect: 200-maybe\r\n",
      "5\r\nhello\r\n0\r\n\r\n",
      "ffffffffffffffff\r\n",
      "\0\u00ff\u00fe",
      `x: ${"y".repeat(17_000)}\r\n`,
      '{"__proto__":{"n":1},"constructor":1}',
      `{"n":${"9".repeat(400)}}`,
      "[".repeat(5000),
      '{"n":"\\ud800"}',
      "CONNECT x:1 HTTP/1.1\r\nhost: x\r\n\r\n",
    ]
    let seed = 1
    const below = (most: number) => (seed = (seed * 48_271) % 2_147_483_647) % most
    const rounds = 1500 * Number(process.env["TIDEMARK_FUZZ_SCALE"] ?? 1)
    const before = process.memoryUsage().rss
    for (let round = 0; round < rounds; round += 20) {
      await Promise.all(
        Array.from({ length: 20 }, () => {
          const text = Array.from({ length: 1 + below(5) }, () => pieces[below(pieces.length)]).join("")
          return raw(url, Buffer.from(text, "latin1"), true)
        }),
      )
    }
    expect(await send(url, { body: '{"n":1}' })).toMatchObject({ status: 200 })
    expect(process.memoryUsage().rss - before).toBeLessThan(300 * 2 ** 20)
    await until(() => handle.status().rowsIn >= 1)
    await handle.stop()
    expect(bench.rowsOf("numbers")).toEqual([{ n: 1 }])
  })
})
