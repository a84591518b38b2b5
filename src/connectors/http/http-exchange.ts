/**
 * One request by HTTP and its answer.
 *
 * What can be told by the head is told before the body is asked for: who it is, where to, what it is. Whoever is refused while it still sends is read a
 * little further, so that it gets to see the answer, and then cut off.
 *
 * Invariant:
 * - HX1 Each request is answered once, with JSON, or its connection is closed; none makes the process fail.
 */
import type { IncomingMessage, ServerResponse } from "node:http"
import type { Env } from "../../env/env.ts"
import type { BodyFormat } from "./body-records.ts"
import type { InputDoor, Receipt } from "./input-door.ts"
import type { RateLimit } from "./rate-limit.ts"
import { bodyOf, Refusal } from "./refusal.ts"
import { tooLarge, RequestBody, type BytesInFlight } from "./request-body.ts"
import type { Tokens } from "./tokens.ts"

/** Whoever is refused may send so much more, for so long. */
const LINGER_BYTES = 1 << 20
const LINGER_MICROS = 2_000_000

const FORMATS: Readonly<Record<string, BodyFormat>> = {
  "application/json": "json",
  "application/x-ndjson": "json-lines",
  "application/ndjson": "json-lines",
  "application/jsonl": "json-lines",
  "application/x-jsonlines": "json-lines",
}

/** What a server has for its requests. */
export interface ExchangeParts {
  readonly env: Pick<Env, "clock" | "timers">
  readonly tokens: Tokens | undefined
  readonly rates: RateLimit | undefined
  readonly inFlight: BytesInFlight
  doorOf(path: string): InputDoor | undefined
}

/** What the head of a request says. */
interface Head {
  readonly door: InputDoor
  readonly format: BodyFormat
  readonly isGzip: boolean
  readonly key: string | undefined
}

/** Answers a request. */
export function exchange(request: IncomingMessage, response: ServerResponse, parts: ExchangeParts): void {
  request.on("error", () => undefined)
  response.on("error", () => undefined)
  answer(request, response, parts).catch(() => response.destroy())
}

async function answer(request: IncomingMessage, response: ServerResponse, parts: ExchangeParts): Promise<void> {
  try {
    const receipt = await receive(request, response, parts)
    const { records, isRepeated } = receipt
    const headers = isRepeated ? { "idempotency-replayed": "true" } : {}
    send(response, 200, bodyOf({ records }), headers)
  } catch (error) {
    await refuse(request, response, error, parts.env)
  }
}

async function receive(request: IncomingMessage, response: ServerResponse, parts: ExchangeParts): Promise<Receipt> {
  const { door, format, isGzip, key } = readHead(request, parts)
  if (request.headers.expect !== undefined) response.writeContinue()
  const body = new RequestBody(parts.inFlight, door.maxRequestBytes)
  try {
    return await door.take({ body: await body.read(request, isGzip), format, key })
  } finally {
    body.release()
  }
}

/** All that can be said without the body. */
function readHead(request: IncomingMessage, parts: ExchangeParts): Head {
  const { headers, method, url = "/", socket } = request
  const token = parts.tokens?.find(headers.authorization) ?? 0
  if (token < 0) throw unauthorized(headers.authorization !== undefined)
  const sender = parts.tokens === undefined ? (socket.remoteAddress ?? "") : String(token)
  const wait = parts.rates?.waitSeconds(sender, parts.env.clock.monotonicMicros())
  if (wait !== undefined) {
    throw new Refusal("rate-limited", "You send more requests than you may.", "Wait, or send more records in each.", {
      retryAfterSeconds: wait,
    })
  }
  const path = url.replace(/\?.*$/s, "")
  const door = parts.doorOf(path)
  if (door === undefined) throw new Refusal("not-found", "No input of a running job is there.", "Look at the path.")
  if (method !== "POST") {
    throw new Refusal("method-not-allowed", "Records are sent with POST.", `POST them to ${door.path}.`, {
      headers: { allow: "POST" },
    })
  }
  door.expectOpen()
  const format = formatOf(headers["content-type"])
  const encoding = (headers["content-encoding"] ?? "identity").trim().toLowerCase()
  if (encoding !== "gzip" && encoding !== "identity") {
    throw new Refusal(
      "unknown-content-encoding",
      "The body is packed in a way that is not known here.",
      "Send it as gzip, or plain.",
      {
        headers: { "accept-encoding": "gzip" },
      },
    )
  }
  if (Number(headers["content-length"] ?? 0) > door.maxRequestBytes) throw tooLarge(door.maxRequestBytes)
  const given = headers["idempotency-key"]
  return { door, format, isGzip: encoding === "gzip", key: door.keyOf(Array.isArray(given) ? given.join() : given) }
}

function formatOf(contentType: string | undefined): BodyFormat {
  const type = (contentType ?? "").replace(/;.*$/s, "").trim().toLowerCase()
  const format = Object.hasOwn(FORMATS, type) ? FORMATS[type] : undefined
  if (format !== undefined) return format
  throw new Refusal(
    "unknown-content-type",
    `Records are not sent as ${type === "" ? "a body without a Content-Type" : "that Content-Type"}.`,
    "Send application/json (an object, or an array of them) or application/x-ndjson (JSON lines).",
    { headers: { accept: "application/json, application/x-ndjson" } },
  )
}

function unauthorized(isGiven: boolean): Refusal {
  const challenge = isGiven ? 'Bearer error="invalid_token"' : "Bearer"
  return new Refusal(
    "unauthorized",
    isGiven ? "The token is none of those that count." : "The request has no token.",
    "Send a header Authorization: Bearer <token>.",
    { headers: { "www-authenticate": challenge } },
  )
}

async function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  error: unknown,
  env: Pick<Env, "timers">,
): Promise<void> {
  // The sender has gone, or the server has answered a request that took too long.
  if (response.destroyed || response.headersSent) return
  const refusal =
    error instanceof Refusal
      ? error
      : new Refusal(
          "internal-error",
          "The request could not be handled.",
          "It may be stored or not: repeat it with its key.",
        )
  const { status, headers } = refusal
  const body = refusal.body()
  if (request.complete) return send(response, status, body, headers)
  writeHead(response, status, body, { ...headers, connection: "close" })
  response.write(body)
  // Whoever waits to be told to go on sends nothing.
  if (request.headers.expect === undefined) await linger(request, env)
  response.end()
}

function send(
  response: ServerResponse,
  status: number,
  body: Uint8Array,
  headers: Readonly<Record<string, string>>,
): void {
  writeHead(response, status, body, headers)
  response.end(body)
}

function writeHead(
  response: ServerResponse,
  status: number,
  body: Uint8Array,
  headers: Readonly<Record<string, string>>,
): void {
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": String(body.length),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    ...headers,
  })
}

/** Reads on for a little and throws it away. */
async function linger(request: IncomingMessage, { timers }: Pick<Env, "timers">): Promise<void> {
  const isOver = new AbortController()
  let bytes = 0
  const over = (): void => isOver.abort()
  request.on("data", (chunk: Uint8Array) => {
    bytes += chunk.length
    if (bytes > LINGER_BYTES) over()
  })
  request.on("end", over).on("close", over)
  request.resume()
  await timers.sleep(LINGER_MICROS, isOver.signal)
}
