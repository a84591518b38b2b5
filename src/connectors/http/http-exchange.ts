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
import type { Connections } from "./connections.ts"
import type { Receipt } from "./input-door.ts"
import { linger } from "./linger.ts"
import { bodyOf, refusalOf } from "./refusal.ts"
import { RequestBody, type BytesInFlight } from "./request-body.ts"
import { readHead, waitsToGoOn, type HeadParts } from "./request-head.ts"

/** What a server has for its requests. */
export interface ExchangeParts extends HeadParts {
  readonly env: Pick<Env, "clock" | "timers">
  readonly inFlight: BytesInFlight
  readonly connections: Connections
}

/** Answers a request. */
export function exchange(request: IncomingMessage, response: ServerResponse, parts: ExchangeParts): void {
  request.on("error", () => undefined)
  response.on("error", () => undefined)
  parts.connections.expectAnswer(request.socket, response)
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
  const turn = parts.connections.takeTurn(request.socket)
  const body = new RequestBody(parts.inFlight, door.maxRequestBytes)
  try {
    if (waitsToGoOn(request)) await tellToGoOn(request, response)
    const bytes = await body.read(request, isGzip)
    await turn.come
    // What is taken is handed to the log when `take` returns; until it is durable, nobody behind it waits.
    const taken = door.take({ body: bytes, format, key })
    turn.end()
    return await taken
  } finally {
    turn.end()
    body.release()
  }
}

/**
 * Tells a sender that its body may come, when what it has sent before is answered. Node would write that into the middle of the answer where it does not
 * come first on its connection, and close the connection where it is left out.
 */
async function tellToGoOn(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (response.socket === null) {
    await new Promise<void>((resolve) => {
      response.once("socket", () => resolve())
      request.once("close", () => resolve())
    })
  }
  if (response.socket !== null) response.writeContinue()
}

async function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  error: unknown,
  env: Pick<Env, "timers">,
): Promise<void> {
  if (!request.complete && !waitsToGoOn(request)) {
    // A body that came with its head is let go by, so that the connection can be used on.
    request.resume()
    await env.timers.sleep(0)
  }
  // The sender has gone, or the server has answered a request that took too long.
  if (response.destroyed || response.headersSent) return
  const refusal = refusalOf(error)
  const { status, headers } = refusal
  const body = refusal.body()
  if (request.complete) return send(response, status, body, headers)
  writeHead(response, status, body, { ...headers, connection: "close" })
  response.write(body)
  // Whoever waits to be told to go on sends nothing.
  if (!waitsToGoOn(request)) await linger(request, env)
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
