/**
 * Who sends to the job of the scenario `http` of `chaos.mjs`: `chaos-http-client.mjs DIRECTORY SEED PORT`. It sends until there is a file `end`, then
 * what closes all windows, and writes what was acknowledged to `acknowledged`. Of the tries of each request some go by HTTP, and some by WebSocket. An answer
 * that the spec does not have ends it with an error.
 */
import { existsSync, renameSync, writeFileSync } from "node:fs"
import { request } from "node:http"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { gzipSync } from "node:zlib"
import { MessageSender } from "./chaos-http-messages.mjs"
import { fromDist } from "./dist.mjs"

const [directory, seed, port] = process.argv.slice(2)
const { Prng } = await fromDist("base/prng")
const prng = new Prng(Number(seed))

/** So many requests are under way: no record is much later than those before it. */
const REQUESTS_MAX = 8
const KEYS = ["north", "south", "east", "west", "hub"]
const FIRST_MILLIS = Date.UTC(2026, 0, 1)
const SECOND_MILLIS = 1000
/** Behind it all windows of what was sent before have ended. */
const LONG_BEHIND_MILLIS = 24 * 3600 * SECOND_MILLIS
const WAIT_MILLIS = 40
/** Shorter than jobs are stopped for. */
const ANSWER_MILLIS_MAX = 1500
const HEADERS = { "Content-Type": "application/x-ndjson" }

/** Senders by WebSocket, each with a connection. */
const SOCKETS = 3

const messages = Array.from({ length: SOCKETS }, () => new MessageSender(`ws://127.0.0.1:${port}/events`))
const acknowledged = []
let ids = 0
let requests = 0

function makeRecord(behindMillis = 0) {
  const id = ids++
  const at = new Date(FIRST_MILLIS + id * SECOND_MILLIS + behindMillis).toISOString()
  return { id, key: prng.pick(KEYS), at, value: prng.below(1000) }
}

/** A request: its body in one of the forms that are taken. */
function makeRequest(records) {
  const name = `"request ${requests++}"`
  const key = { "Idempotency-Key": name }
  const lines = records.map((record) => `${JSON.stringify(record)}\n`).join("")
  const json = JSON.stringify(records.length === 1 ? records[0] : records)
  const message = `${name}\n${prng.chance(0.5) ? lines : json}`
  const form = prng.below(3)
  if (form === 0) return { body: Buffer.from(lines), headers: { ...key, ...HEADERS }, message }
  if (form === 1) {
    return { body: gzipSync(lines), headers: { ...key, ...HEADERS, "Content-Encoding": "gzip" }, message }
  }
  return { body: Buffer.from(json), headers: { ...key, "Content-Type": "application/json" }, message }
}

/** Sends once; gives the status, or `undefined` where no answer came. */
function sendOnce({ body, headers }, isCut) {
  return new Promise((resolve) => {
    const sent = request(
      {
        host: "127.0.0.1",
        port,
        path: "/events",
        method: "POST",
        headers: { ...headers, "Content-Length": body.length },
      },
      (response) => {
        const chunks = []
        response.on("data", (bytes) => chunks.push(bytes))
        response.on("end", () => resolve({ status: response.statusCode, text: Buffer.concat(chunks).toString() }))
        response.on("error", () => resolve(undefined))
        response.on("aborted", () => resolve(undefined))
      },
    )
    sent.setTimeout(ANSWER_MILLIS_MAX, () => sent.destroy())
    sent.on("error", () => resolve(undefined))
    if (!isCut) return void sent.end(body)
    sent.write(body.subarray(0, prng.below(body.length + 1)))
    setTimeout(() => sent.destroy(), prng.below(20))
  })
}

/** Sends until it is acknowledged. */
async function send(sending) {
  for (;;) {
    const isCut = prng.chance(0.1)
    const isMessage = prng.chance(0.4)
    const answer = await (isMessage ? prng.pick(messages).send(sending.message, isCut) : sendOnce(sending, isCut))
    if (answer?.status === 200) return
    if (answer !== undefined && ![429, 500, 503].includes(answer.status))
      throw new Error(`An answer that nobody expects: ${answer.status} ${answer.text}`)
    await sleep(prng.below(WAIT_MILLIS))
  }
}

async function deliver(records) {
  const sending = makeRequest(records)
  await Promise.all(Array.from({ length: prng.chance(0.2) ? 2 : 1 }, () => send(sending)))
  acknowledged.push(...records)
  if (prng.chance(0.1)) await send(sending)
}

const underWay = []
while (!existsSync(join(directory, "end"))) {
  // The oldest one is waited for: no record is more than so many requests late.
  if (underWay.length >= REQUESTS_MAX) await underWay.shift()
  underWay.push(deliver(Array.from({ length: 1 + prng.below(20) }, () => makeRecord())))
  await sleep(prng.below(WAIT_MILLIS))
}
await Promise.all(underWay)
await deliver([makeRecord(LONG_BEHIND_MILLIS)])
const path = join(directory, "acknowledged")
writeFileSync(`${path}.tmp`, acknowledged.map((record) => `${JSON.stringify(record)}\n`).join(""))
renameSync(`${path}.tmp`, path)
