/**
 * Who takes the requests of the scenario `http-webhook` of `chaos.mjs`: `chaos-webhook-receiver.mjs DIRECTORY PORT`. Each request that has come whole is a line of
 * the file `deliveries` before it is answered: `{ path, key, body, isTaken }`, in the order in which they came. When there is a file `end`, all are taken.
 */
import { appendFileSync, existsSync, readFileSync, truncateSync } from "node:fs"
import { createServer } from "node:http"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"

const [directory, port] = process.argv.slice(2)
const path = join(directory, "deliveries")

/** Of so many requests one is taken and answered late, perhaps later than the job waits, and so late at most. */
const [LATE_EACH, LATE_MS_MAX] = [60, 800]
/** Of so many requests one is done wrongly by, and so long a connection stays open that gets no answer. */
const [WRONG_EACH, SILENT_MS] = [12, 2000]

/** What is done with a request: whether it is taken, and its answer, `undefined` where its connection is cut. */
const WRONGS = [
  { isTaken: true, status: undefined },
  { isTaken: false, status: undefined },
  { isTaken: false, status: undefined, afterMs: SILENT_MS },
  { isTaken: false, status: 500 },
  { isTaken: false, status: 503 },
  { isTaken: false, status: 429, headers: { "Retry-After": "0" } },
  { isTaken: false, status: 429, headers: { "Retry-After": "1" } },
]

const oneOf = (count) => Math.random() * count < 1

function reaction() {
  if (existsSync(join(directory, "end"))) return { isTaken: true, status: 200 }
  if (oneOf(WRONG_EACH)) return WRONGS[Math.floor(Math.random() * WRONGS.length)]
  return {
    isTaken: true,
    status: 200 + Math.floor(Math.random() * 3),
    afterMs: oneOf(LATE_EACH) ? Math.random() * LATE_MS_MAX : 0,
  }
}

async function take(request, response) {
  const pieces = []
  try {
    for await (const piece of request) pieces.push(piece)
  } catch {
    // Who sent it has died over it.
    return
  }
  const { isTaken, status, headers = {}, afterMs = 0 } = reaction()
  const key = request.headers["idempotency-key"] ?? "none"
  const body = Buffer.concat(pieces).toString("utf8")
  appendFileSync(path, `${JSON.stringify({ path: request.url, key, body, isTaken })}\n`)
  if (afterMs > 0) await sleep(afterMs)
  if (status === undefined) return void request.socket.destroy()
  response.writeHead(status, headers).end()
}

/** A line in the middle of which this process was killed was never answered. */
function cutTornLine() {
  if (!existsSync(path)) return
  truncateSync(path, readFileSync(path).lastIndexOf("\n") + 1)
}

cutTornLine()
createServer((request, response) => void take(request, response)).listen(Number(port), "127.0.0.1", () => {
  process.stdout.write("listening\n")
})
