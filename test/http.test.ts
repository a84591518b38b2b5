/** Records that are sent by HTTP: real processes that are killed, and every refusal. */
import { fork, spawnSync, type ChildProcess } from "node:child_process"
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { request as httpRequest } from "node:http"
import { request as tlsRequest } from "node:https"
import { join, resolve } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { pathToFileURL } from "node:url"
import { gzipSync } from "node:zlib"
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { run } from "../src/embedded/run.ts"
import { nodeDisk } from "../src/env/node/node-disk.ts"
import { jsonl } from "../src/files.ts"
import { httpServer, type HttpServerOptions } from "../src/http.ts"
import { writeSavepoint } from "../src/state/savepoint.ts"
import { copy, HttpBench, raw, send, until, type Answer, type Sent } from "./http-bench.fixture.ts"

vi.setConfig({ testTimeout: 180_000 })
const fromDist = (door: string) => JSON.stringify(pathToFileURL(resolve(`dist/${door}.js`)).href)

/** A job that copies what is sent into files; it tells where it listens. */
const RUNNER = `
import { job, run, schema, t } from ${fromDist("index")}
import { jsonl } from ${fromDist("files")}
import { httpServer } from ${fromDist("http")}
const [, , directory] = process.argv
const server = httpServer({ port: 0 })
const copy = job({
  name: "copy",
  inputs: { numbers: schema({ n: t.int53, place: t.int53 }) },
  flow: ({ numbers }) => ({ numbers }),
})
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

let bench: HttpBench
let directory = ""
const children: ChildProcess[] = []
beforeEach(() => {
  bench = new HttpBench()
  directory = bench.directory
})
afterEach(async () => {
  children.splice(0).forEach((child) => child.kill("SIGKILL"))
  await bench.close()
  vi.unstubAllEnvs()
})

test("H1 H2 what was answered 200 is in the output once, however often the process is killed", async () => {
  const program = join(directory, "runner.mjs")
  writeFileSync(program, RUNNER)
  let url = ""
  let listening: Promise<void> = Promise.resolve()
  const begin = () => {
    const child = fork(program, [directory])
    children.push(child)
    listening = new Promise((listens) => {
      child.once("message", (told: string) => {
        url = told
        listens()
      })
    })
    return { child, ended: new Promise<number | null>((done) => child.on("close", done)) }
  }
  let running = begin()
  const acknowledged = new Map<number, number>()
  const tries = new Map<number, number>()
  let isOver = false
  let next = 0
  const sender = async () => {
    while (!isOver) {
      const n = next++
      const count = 1 + (n % 5)
      const hasKey = n % 3 !== 0
      const records = Array.from({ length: count }, (_, place) => ({ n, place }))
      while (!acknowledged.has(n)) {
        await listening
        const headers: Record<string, string> = hasKey ? { "idempotency-key": `"request ${n}"` } : {}
        try {
          tries.set(n, (tries.get(n) ?? 0) + 1)
          const answer = await send(url, { headers, body: JSON.stringify(records) })
          if (answer.status === 503) await pause(20)
          else {
            expect(answer).toMatchObject({ status: 200, body: { records: count } })
            acknowledged.set(n, count)
            if (hasKey && n % 7 === 0) {
              const again = await send(url, { headers, body: JSON.stringify(records) })
              expect(again).toMatchObject({
                status: 200,
                body: { records: count },
                headers: { "idempotency-replayed": "true" },
              })
            }
          }
        } catch (error) {
          if ((error as { code?: string }).code === undefined) throw error
          await pause(10)
        }
      }
    }
  }
  const sending = Array.from({ length: 6 }, sender)
  const kills = 8 * Number(process.env["TIDEMARK_FUZZ_SCALE"] ?? 1)
  for (let kill = 1; kill <= kills; kill++) {
    await listening
    await pause(100 + Math.random() * 600)
    running.child.kill("SIGKILL")
    expect(await running.ended, "it ran until it was killed").toBe(null)
    running = begin()
  }
  await listening
  await pause(300)
  isOver = true
  await Promise.all(sending)
  await pause(500)
  running.child.send("stop")
  expect(await running.ended).toBe(0)
  const times = new Map<string, number>()
  for (const { n, place } of bench.rowsOf("numbers"))
    times.set(`${n as number}/${place as number}`, (times.get(`${n as number}/${place as number}`) ?? 0) + 1)
  const lost: string[] = []
  const twice: string[] = []
  for (const [n, count] of acknowledged) {
    for (let place = 0; place < count; place++) {
      const found = times.get(`${n}/${place}`) ?? 0
      if (found < 1) lost.push(`${n}/${place}`)
      if (found > (n % 3 === 0 ? tries.get(n)! : 1)) twice.push(`${n}/${place}`)
    }
  }
  expect({ lost, twice }).toEqual({ lost: [], twice: [] })
  expect(acknowledged.size).toBeGreaterThan(kills * 5)
})

describe("requests", () => {
  test("H4 of an object, an array, JSON lines, packed and in chunks are stored", async () => {
    const { url, handle } = await bench.start()
    const lines = { "content-type": "application/x-ndjson; charset=utf-8" }
    const bodies: Sent[] = [
      { headers: { "content-type": 'application/json; Charset="UTF-8"' }, body: '{"n":0}' },
      { body: '\n {\n"n"\n:\n1}\r\n' },
      { body: '[{"n":2},\n{"n":3,"__proto__":{"n":"x"}}]' },
      { headers: lines, body: '{"n":4}\n\n{"n":5}\r\n{"n":6}' },
      { headers: { "content-encoding": "gzip" }, body: gzipSync('[{"n":7},{"n":8}]') },
      { headers: { ...lines, "transfer-encoding": "chunked" }, body: '{"n":9}' },
      { body: '{"n":-1,"n":10}' },
      { headers: { expect: "100-continue" }, body: '{"n":11}' },
    ]
    let records = 0
    for (const sent of bodies) {
      const answer = await send(url, sent)
      expect(answer.status, JSON.stringify([sent, answer.body])).toBe(200)
      records += answer.body.records!
    }
    expect(await send(url, { body: "[]" })).toMatchObject({ status: 200, body: { records: 0 } })
    expect(records).toBe(12)
    await until(() => handle.status().rowsIn === 12)
    await handle.stop()
    expect(bench.rowsOf("numbers").map(({ n }) => n)).toEqual(Array.from({ length: 12 }, (_, n) => n))
  })

  test("H5 with a wrong record are refused as a whole, and it is told which and why", async () => {
    const { url, handle } = await bench.start()
    const answer = await send(url, { body: '[{"n":1},{"n":"x"},{"n":2},7,{"n":1e99}]' })
    expect(answer).toMatchObject({
      status: 400,
      body: {
        error: {
          code: "bad-records",
          badRecords: 3,
          message: "3 of 5 records are not what the input takes.",
          records: [
            { index: 1, field: "n", reason: expect.stringContaining('"n"') as string },
            { index: 3, reason: "the record is not a JSON object" },
            { index: 4, field: "n" },
          ],
        },
      },
    })
    const beyond = await send(url, { body: '{"n":9007199254740993}' })
    expect(beyond.body.error).toMatchObject({
      message: "1 of 1 record is not what the input takes.",
      records: [{ reason: expect.stringContaining('"n" is 9007199254740993, ') as string }],
    })
    const all = await send(url, { body: JSON.stringify(Array.from({ length: 300 }, () => ({}))) })
    expect(all.body.error).toMatchObject({ badRecords: 300 })
    expect(all.body.error!["records"]).toHaveLength(100)
    await handle.stop()
    expect(handle.status()).toMatchObject({ rowsIn: 0, badRecords: 0 })
  })

  test("H5 with wrong records become dead letters where that is said", async () => {
    const { url, handle } = await bench.start({}, { onBadRecord: "dead-letter" })
    const headers = { "content-type": "application/x-ndjson" }
    const answer = await send(url, { headers, body: '{"n":1}\nnonsense\n\ufeff{"n":2}\n{"n":"x"}\n{"n":3}' })
    expect(answer).toMatchObject({ status: 200, body: { records: 5 } })
    expect((await send(url, { body: "{" })).body.error).toMatchObject({ code: "not-json" })
    await until(() => handle.status().rowsIn === 5)
    await handle.stop()
    expect(bench.rowsOf("numbers").map(({ n }) => n)).toEqual([1, 3])
    expect(bench.rowsOf("bad")).toHaveLength(3)
  })

  test("H2 with one key are stored once, also by a later run; with something else they are refused", async () => {
    const key = (text: string) => ({ "idempotency-key": text })
    for (let life = 0; life < 2; life++) {
      const { url, handle } = await bench.start()
      const answers = await Promise.all(
        Array.from({ length: 5 }, () => send(url, { headers: key('"a key"'), body: '[{"n":1},{"n":2}]' })),
      )
      expect(answers.map(({ status, body }) => [status, body.records])).toEqual(Array(5).fill([200, 2]))
      expect(answers.filter(({ headers }) => headers["idempotency-replayed"] === "true")).toHaveLength(
        life === 0 ? 4 : 5,
      )
      expect(await send(url, { headers: key('"a key"'), body: '[{"n":1}]' })).toMatchObject({
        status: 422,
        body: { error: { code: "key-taken" } },
      })
      expect(await send(url, { headers: key("plain"), body: '{"n":3}' })).toMatchObject({ status: 200 })
      for (const wrong of ['"', '""', "a b", `"${"x".repeat(256)}"`, '"\\x"']) {
        expect((await send(url, { headers: key(wrong), body: '{"n":4}' })).body.error).toMatchObject({
          code: "bad-key",
        })
      }
      await until(() => handle.status().rowsIn === 3)
      await handle.stop()
    }
    expect(bench.rowsOf("numbers").map(({ n }) => n)).toEqual([1, 2, 3])
  })

  test("H6 are let in by their token, the one before as well, and by no other", async () => {
    vi.stubEnv("TIDEMARK_TEST_TOKEN", "secret-1")
    vi.stubEnv("TIDEMARK_TEST_TOKEN_BEFORE", "secret-0")
    const { url } = await bench.start({
      token: [{ env: "TIDEMARK_TEST_TOKEN" }, { env: "TIDEMARK_TEST_TOKEN_BEFORE" }],
    })
    const statusOf = async (authorization?: string) =>
      (await send(url, { headers: authorization === undefined ? {} : { authorization }, body: '{"n":1}' })).status
    expect(await statusOf("Bearer secret-1")).toBe(200)
    expect(await statusOf("bearer secret-0")).toBe(200)
    for (const wrong of [undefined, "", "Bearer", "Bearer secret", "Bearer secret-10", "Basic secret-1"]) {
      expect(await statusOf(wrong), wrong).toBe(401)
    }
    const answer = await send(url, { path: "/nowhere", body: "{}" })
    expect(answer).toMatchObject({
      status: 401,
      headers: { "www-authenticate": "Bearer" },
      body: { error: { code: "unauthorized" } },
    })
  })

  test("H7 that are none are refused, each in its way", async () => {
    const { url } = await bench.start(
      { maxInFlightBytes: 4096 },
      { maxRequestBytes: 1000, maxRecords: 3, maxRecordBytes: 100 },
    )
    const cases: [Sent, status: number, code: string, headers?: Record<string, string>][] = [
      [{ path: "/nowhere" }, 404, "not-found"],
      [{ method: "GET" }, 405, "method-not-allowed", { allow: "POST" }],
      [{ method: "DELETE" }, 405, "method-not-allowed", { allow: "POST" }],
      [{ headers: { "content-type": "text/plain" }, body: "{}" }, 415, "unknown-content-type"],
      [{ headers: { "content-type": "constructor" }, body: "{}" }, 415, "unknown-content-type"],
      [{ headers: { "content-type": "application/json; charset=utf-16" }, body: "{}" }, 415, "unknown-content-type"],
      [{ headers: { expect: "magic" }, body: '{"n":1}' }, 417, "expectation-failed"],
      [
        { headers: { "content-encoding": "br" }, body: "{}" },
        415,
        "unknown-content-encoding",
        { "accept-encoding": "gzip" },
      ],
      [{ headers: { "content-encoding": "gzip" }, body: '{"n":1}' }, 400, "bad-request"],
      [{ headers: { "content-encoding": "gzip" }, body: gzipSync('{"n":1}').subarray(0, 15) }, 400, "bad-request"],
      [{ headers: { "content-encoding": "gzip" }, body: gzipSync(" ".repeat(500_000)) }, 413, "request-too-large"],
      [{ body: " ".repeat(1001) }, 413, "request-too-large"],
      [{ headers: { "transfer-encoding": "chunked" }, body: " ".repeat(1001) }, 413, "request-too-large"],
      [{ headers: { "transfer-encoding": "chunked" }, body: " ".repeat(900_000) }, 413, "request-too-large"],
      [{ body: '[{"n":1},{"n":1},{"n":1},{"n":1}]' }, 413, "too-many-records"],
      [{ body: "" }, 400, "not-json"],
      [{ body: " \n" }, 400, "not-json"],
      [{ body: "[" }, 400, "not-json"],
      [{ body: '[{"n":1},]' }, 400, "not-json"],
      [{ body: '[{"n":1}] x' }, 400, "not-json"],
      [{ body: '{"n":1}{"n":2}' }, 400, "not-json"],
      [{ body: '{"n":1,"text":"a\nb"}' }, 400, "not-json"],
      [{ body: `${"[".repeat(400)}${"]".repeat(400)}` }, 400, "not-json"],
      [{ body: Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d) }, 400, "not-json"],
      [{ body: `{"n":1,"text":"${"x".repeat(200)}"}` }, 400, "bad-records"],
      [{ body: '"text"' }, 400, "bad-records"],
      [{ headers: { "x-large": "x".repeat(20_000) } }, 431, "header-too-large"],
    ]
    for (const [sent, status, code, headers = {}] of cases) {
      const answer = await send(url, sent)
      expect([sent, answer.status, answer.body.error?.["code"]]).toEqual([sent, status, code])
      expect(answer.headers).toMatchObject(headers)
      expect(answer.body.error).toMatchObject({
        message: expect.any(String) as string,
        hint: expect.any(String) as string,
      })
    }
    expect((await send(url, { body: '{"n":1}' })).status).toBe(200)
  })

  test("H8 beyond a rate, the backlog, and bytes in flight are told to come again", async () => {
    const limited = await bench.start({ maxRequestsPerSecond: 0.01 })
    expect((await send(limited.url, { body: '{"n":1}' })).status).toBe(200)
    const answer = await send(limited.url, { body: '{"n":1}' })
    expect(answer).toMatchObject({ status: 429, body: { error: { code: "rate-limited" } } })
    expect(Number(answer.headers["retry-after"])).toBeGreaterThan(50)
    await limited.handle.stop()

    const tight = await bench.start({ maxInFlightBytes: 20_000 }, { maxRequestBytes: 10_000 })
    const body = JSON.stringify(Array.from({ length: 500 }, () => ({ n: 1 })))
    // Two hold what there is, and do not go on.
    const holders = [1, 2].map(() => {
      const holder = httpRequest(new URL("/numbers", tight.url), {
        method: "POST",
        headers: { "content-type": "application/json", "content-length": "10000" },
      })
      holder.on("error", () => undefined)
      holder.write(" ".repeat(9_900))
      return holder
    })
    let refused: Answer
    do refused = await send(tight.url, { body })
    while (refused.status === 200)
    expect(refused).toMatchObject({
      status: 503,
      headers: { "retry-after": "1" },
      body: { error: { code: "overloaded" } },
    })
    holders.forEach((holder) => holder.destroy())
    do refused = await send(tight.url, { body })
    while (refused.status !== 200)
    await tight.handle.stop()
  })

  test("H9 to an input whose job does not run are told to come again, and to a path that is no input's are not", async () => {
    const server = httpServer({ port: 0 })
    const bind = (name: string) => {
      const bound = copy.with({
        inputs: { numbers: server.input(`/${name}`) },
        outputs: { numbers: jsonl(join(directory, "out", name)) },
      })
      return async () => {
        const handle = await run(bound, { directory: join(directory, name) })
        bench.handles.push(handle)
        return handle
      }
    }
    const [beginFirst, beginSecond] = [bind("first"), bind("second")]
    const first = await beginFirst()
    const answerOf = async (path: string) => {
      const { status, headers, body } = await send(server.address!.url, { path, body: '{"n":1}' })
      return [status, body.error?.["code"], headers["retry-after"]]
    }
    const told = [503, "not-running", "5"]
    expect(await answerOf("/second")).toEqual(told)
    await beginSecond()
    expect(await answerOf("/second")).toEqual([200, undefined, undefined])
    await first.stop()
    expect(await answerOf("/first")).toEqual(told)
    expect(await answerOf("/third")).toEqual([404, "not-found", undefined])
  })

  test("H9 that come while a job stops are never told that there is no input", async () => {
    const { url, handle } = await bench.start()
    // The server waits for who does not close its side.
    const socket = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13"
    const key = "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ=="
    const closed = raw(url, `GET /numbers HTTP/1.1\r\nhost: x\r\n${socket}\r\n${key}\r\n\r\n`)
    const statuses = new Set<number>()
    let stopped: Promise<unknown> | undefined
    for (;;) {
      const answer = await send(url, { body: '{"n":1}' }).catch(() => undefined)
      if (answer === undefined) break
      statuses.add(answer.status)
      stopped ??= handle.stop()
    }
    await Promise.all([stopped, closed])
    expect([...statuses]).toEqual([200, 503])
  })

  test("H9 at an address that is taken, without a token, or for everybody, do not begin", async () => {
    const { url } = await bench.start()
    const { port } = new URL(url)
    const begin = (options: HttpServerOptions) =>
      run(
        copy.with({
          inputs: { numbers: httpServer(options).input("/numbers") },
          outputs: { numbers: jsonl(join(directory, "out/other")) },
        }),
        {
          directory: join(directory, "other"),
        },
      )
    await expect(begin({ port: Number(port) })).rejects.toMatchObject({ code: "address-unavailable" })
    await expect(begin({ port: 0, token: { env: "TIDEMARK_TEST_UNSET" } })).rejects.toMatchObject({
      code: "invalid-params",
      message: "The HTTP server has no token: TIDEMARK_TEST_UNSET is not set.",
    })
    mkdirSync(join(directory, "tls"))
    await expect(
      begin({ port: 0, tls: { certFile: join(directory, "tls/none"), keyFile: "x" } }),
    ).rejects.toMatchObject({
      code: "invalid-options",
    })
  })
})

test.each<[make: () => unknown, message: string]>([
  [() => httpServer({ port: 70_000 }), "httpServer(...): port is 70000."],
  [() => httpServer({ port: 0, host: "0.0.0.0" }), "httpServer(...) listens at 0.0.0.0, and lets everybody in."],
  [() => httpServer({ port: 0, token: [] }), "httpServer(...): token is an array."],
  [() => httpServer({ port: 0, token: { env: "" } }), 'httpServer(...): token.env is "".'],
  [
    () => httpServer({ port: 0, token: "a-secret" as never }),
    "httpServer(...): token is not given as the variable that has it.",
  ],
  [() => httpServer({ port: 0, tls: {} as never }), "httpServer(...): tls is an object."],
  [() => httpServer({ port: 0, maxRequestsPerSecond: 0 }), "httpServer(...): maxRequestsPerSecond is 0."],
  [() => httpServer({ port: 0 }).input("orders"), 'The path of an HTTP input is "orders".'],
  [() => httpServer({ port: 0 }).input("/a?b"), 'The path of an HTTP input is "/a?b".'],
  [() => httpServer({ port: 0 }).input("/a", { onBadRecord: "drop" as never }), 'input("/a"): onBadRecord is "drop".'],
  [() => httpServer({ port: 0 }).input("/a", { maxRecords: 0 }), 'input("/a"): maxRecords is 0.'],
  [
    () => httpServer({ port: 0 }).input("/a", { idempotencyKeys: { keep: 1 } as never }),
    'input("/a"): idempotencyKeys has no option "keep".',
  ],
])("options of %# are refused", (make, message) => {
  expect(make).toThrow(expect.objectContaining({ code: "invalid-options", message }))
})

const hasOpenssl = spawnSync("openssl", ["version"]).status === 0

test.skipIf(!hasOpenssl)("H9 by TLS are taken with the certificate that is given", async () => {
  const [certFile, keyFile] = [join(directory, "cert.pem"), join(directory, "key.pem")]
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=localhost"]
  const made = spawnSync("openssl", ["req", "-x509", ...kind, "-keyout", keyFile, "-out", certFile, "-days", "2"])
  expect(made.status).toBe(0)
  const { url, handle } = await bench.start({ tls: { certFile, keyFile } })
  expect(url).toMatch(/^https:/)
  const status = await new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json" }
    const options = {
      method: "POST",
      headers,
      ca: readFileSync(certFile),
      servername: "localhost",
    }
    const sent = tlsRequest(new URL("/numbers", url), options, (response) => resolve(response.resume().statusCode))
    sent.on("error", reject)
    sent.end('{"n":1}')
  })
  expect(status).toBe(200)
  await until(() => handle.status().rowsIn === 1)
})

test("H3 from a savepoint a job goes on where inputs/ is copied, and is refused where it is not", async () => {
  const first = await bench.start()
  expect((await send(first.url, { body: '[{"n":1},{"n":2}]' })).status).toBe(200)
  await until(() => first.handle.status().rowsIn === 2)
  await first.handle.stop()
  await writeSavepoint(nodeDisk, join(directory, "state"), join(directory, "savepoint"), "1234")
  const second = await bench.start()
  expect((await send(second.url, { body: '{"n":3}' })).status).toBe(200)
  await until(() => second.handle.status().rowsIn === 3)
  await second.handle.stop()
  const bound = (output: string) =>
    copy.with({
      inputs: { numbers: httpServer({ port: 0 }).input("/numbers") },
      outputs: { numbers: jsonl(join(directory, "out", output)) },
    })
  const options = {
    directory: join(directory, "copied"),
    fromSavepoint: join(directory, "savepoint"),
  }
  await expect(
    run(bound("without"), {
      ...options,
      directory: join(directory, "bare"),
    }).then(({ finished }) => finished),
  ).rejects.toMatchObject({
    code: "source-changed",
    message: expect.stringContaining(join(directory, "bare/inputs/numbers")) as string,
    hint: expect.stringMatching(/^Copy inputs\/ of the job's directory whose savepoint this is/) as string,
  })
  cpSync(join(directory, "state/inputs"), join(directory, "copied/inputs"), {
    recursive: true,
  })
  const handle = await run(bound("with"), options)
  bench.handles.push(handle)
  await until(() => handle.status().rowsIn === 3)
  await handle.stop()
  expect(bench.rowsOf("with").map(({ n }) => n)).toEqual([3])
})
