/**
 * What records are sent to: a job by HTTP and by WebSocket, NATS JetStream, and Redis Streams. Each is a process that runs until it is closed, and syncs what
 * it acknowledges to the same disk. Each sender has a connection; `send(batch)` resolves when all records of a batch are acknowledged.
 *
 * All are spoken to by bytes that are made beforehand where that is possible, over sockets of `node:net`, so that no client's own cost is measured.
 */
import { fork, spawn, spawnSync } from "node:child_process"
import { randomUUID } from "node:crypto"
import { once } from "node:events"
import { mkdirSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { Connection, line } from "./connection.mjs"

const JOB = fileURLToPath(new URL("./job.mjs", import.meta.url))
const START_MS = 10_000
const HEAD_END = "\r\n\r\n"

/** Those that are installed, started in a directory; the names of the others. */
export async function startTargets(directory) {
  const job = await startJob(join(directory, "job"))
  const nats = await startNats(join(directory, "nats"))
  const redis = await startRedis(join(directory, "redis"))
  const rivals = [
    { name: "NATS JetStream", ...nats },
    { name: "Redis Streams", ...redis },
  ]
  const absent = rivals.filter(({ connect }) => connect === undefined).map(({ name }) => name)
  const targets = [job.http, job.webSocket, ...rivals.filter(({ connect }) => connect !== undefined)]
  return { targets, absent }
}

async function startJob(directory) {
  const child = fork(JOB, [directory], { stdio: ["ignore", "inherit", "inherit", "ipc"] })
  const [port] = await once(child, "message")
  const close = async () => {
    child.send("stop")
    await once(child, "exit")
  }
  const version = `Node ${process.versions.node}`
  return {
    http: { name: "HTTP", version, connect: () => httpSender(port), close },
    webSocket: { name: "WebSocket", version, connect: () => webSocketSender(port), close: () => Promise.resolve() },
  }
}

async function httpSender(port) {
  const connection = await Connection.to(port)
  return {
    prepare: (records) => {
      const body = records.length === 1 ? records[0] : `${records.join("\n")}\n`
      const type = records.length === 1 ? "application/json" : "application/x-ndjson"
      const head = `POST /events HTTP/1.1\r\nhost: localhost\r\ncontent-type: ${type}\r\ncontent-length: ${body.length}`
      return Buffer.from(`${head}${HEAD_END}${body}`)
    },
    send: async (bytes) => {
      connection.write(bytes)
      const status = await connection.take(httpAnswer)
      if (status !== "200") throw new Error(`the job has answered ${status}`)
    },
    close: () => connection.close(),
  }
}

function httpAnswer(bytes) {
  const end = bytes.indexOf(HEAD_END)
  if (end < 0) return undefined
  const head = bytes.toString("latin1", 0, end)
  const length = end + HEAD_END.length + Number(/content-length: (\d+)/i.exec(head)[1])
  return bytes.length < length ? undefined : { value: head.slice(9, 12), length }
}

async function webSocketSender(port) {
  const connection = await Connection.to(port)
  const asked =
    "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA=="
  connection.write(`GET /events HTTP/1.1\r\nhost: localhost\r\n${asked}${HEAD_END}`)
  await connection.take((bytes) => {
    const end = bytes.indexOf(HEAD_END)
    return end < 0 ? undefined : { value: undefined, length: end + HEAD_END.length }
  })
  return {
    prepare: (records) => frameOf(Buffer.from(records.join("\n"))),
    send: async (bytes) => {
      connection.write(bytes)
      const text = await connection.take(webSocketAnswer)
      if (!text.includes('"records"')) throw new Error(`the job has answered ${text}`)
    },
    close: () => connection.close(),
  }
}

/** A text of a client, whose mask is nothing. */
function frameOf(payload) {
  const head = Buffer.from([0x81, 0x80 | 126, 0, 0, 0, 0, 0, 0])
  head.writeUInt16BE(payload.length, 2)
  return Buffer.concat([head, payload])
}

function webSocketAnswer(bytes) {
  if (bytes.length < 2) return undefined
  const length = 2 + bytes[1]
  return bytes.length < length ? undefined : { value: bytes.toString("utf8", 2, length), length }
}

async function startNats(directory) {
  const program = process.env.TIDEMARK_BENCH_NATS ?? "nats-server"
  const version = versionOf(program)
  if (version === undefined) return undefined
  mkdirSync(directory, { recursive: true })
  const port = await freePort()
  const settings = join(directory, "settings")
  writeFileSync(
    settings,
    `listen: "127.0.0.1:${port}"\njetstream { store_dir: ${JSON.stringify(join(directory, "store"))}, sync_interval: always }\n`,
  )
  const close = await started(program, ["-c", settings], port)
  const maker = await natsConnection(port)
  await maker.ask(
    "$JS.API.STREAM.CREATE.EVENTS",
    JSON.stringify({ name: "EVENTS", subjects: ["events"], storage: "file" }),
  )
  maker.close()
  return { version, connect: () => natsSender(port), close }
}

/** A connection that asks, and takes the answers in any order. */
async function natsConnection(port) {
  const connection = await Connection.to(port)
  await connection.take(line)
  // Each connection has answers of its own: a server tells all who listen.
  const inbox = `answers.${randomUUID()}`
  connection.write(`CONNECT {"verbose":false,"pedantic":false,"lang":"bench","version":"1"}\r\nSUB ${inbox} 1\r\n`)
  const messageOf = (subject, payload) => `PUB ${subject} ${inbox} ${payload.length}\r\n${payload}\r\n`
  const answer = async () => {
    for (;;) {
      const text = await connection.take(line)
      if (text === "PING") connection.write("PONG\r\n")
      if (!text.startsWith("MSG ")) continue
      const payload = await connection.take(line)
      if (payload.includes('"error"')) throw new Error(`NATS has answered ${payload}`)
      return payload
    }
  }
  return {
    messageOf,
    write: (bytes) => connection.write(bytes),
    answer,
    ask: async (subject, payload) => {
      connection.write(messageOf(subject, payload))
      return await answer()
    },
    close: () => connection.close(),
  }
}

async function natsSender(port) {
  const connection = await natsConnection(port)
  return {
    prepare: (records) => ({
      bytes: Buffer.from(records.map((record) => connection.messageOf("events", record)).join("")),
      count: records.length,
    }),
    send: async ({ bytes, count }) => {
      connection.write(bytes)
      for (let acknowledged = 0; acknowledged < count; acknowledged++) await connection.answer()
    },
    close: () => connection.close(),
  }
}

async function startRedis(directory) {
  const program = process.env.TIDEMARK_BENCH_REDIS ?? "redis-server"
  const version = versionOf(program)
  if (version === undefined) return undefined
  mkdirSync(directory, { recursive: true })
  const port = await freePort()
  const options = { port, bind: "127.0.0.1", dir: directory, save: "", appendonly: "yes", appendfsync: "always" }
  const close = await started(
    program,
    Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]),
    port,
  )
  return { version, connect: () => redisSender(port), close }
}

async function redisSender(port) {
  const connection = await Connection.to(port)
  const command = (record) => {
    const words = ["XADD", "events", "*", "r", record]
    return `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`
  }
  return {
    prepare: (records) => ({ bytes: Buffer.from(records.map(command).join("")), count: records.length }),
    send: async ({ bytes, count }) => {
      connection.write(bytes)
      for (let acknowledged = 0; acknowledged < count; acknowledged++) {
        const text = await connection.take(line)
        if (!text.startsWith("$")) throw new Error(`Redis has answered ${text}`)
        await connection.take(line)
      }
    },
    close: () => connection.close(),
  }
}

/** The version that a program tells, where it is there. */
function versionOf(program) {
  const { status, stdout } = spawnSync(program, ["--version"], { encoding: "utf8" })
  return status === 0 ? /v=?(\d+\.\d+\.\d+)/.exec(stdout)?.[1] : undefined
}

/** Starts a program that listens at a port; gives what ends it. */
async function started(program, args, port) {
  const child = spawn(program, args, { stdio: "ignore" })
  const ended = once(child, "exit")
  for (const until = performance.now() + START_MS; ;) {
    try {
      const connection = await Connection.to(port)
      connection.close()
      break
    } catch (error) {
      if (performance.now() > until || child.exitCode !== null) throw error
      await sleep(50)
    }
  }
  return async () => {
    child.kill("SIGTERM")
    await ended
  }
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address())
  server.close()
  return port
}
