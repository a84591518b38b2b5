/**
 * Answers to what is no request that can be answered as one: what is not HTTP/1.1, too large a head, one that takes too long, and CONNECT, behind which
 * a connection has no requests any more, as behind a WebSocket that is refused. They are written to the connection itself, which ends with them.
 *
 * Invariant:
 * - BQ1 They come behind the answers of the requests before, and never into one of them.
 */
import type { IncomingMessage } from "node:http"
import type { Duplex } from "node:stream"
import type { Env } from "../../env/env.ts"
import type { Connections } from "./connections.ts"
import { linger } from "./linger.ts"
import { Refusal, refusalOf } from "./refusal.ts"
import { expectAdmitted, notPost, type HeadParts } from "./request-head.ts"

/** More bytes of headers are refused. */
export const HEADER_BYTES_MAX = 16 * 1024

/** What these answers are made of. */
export interface BrokenRequestParts extends HeadParts {
  readonly env: Pick<Env, "clock" | "timers">
  readonly connections: Connections
}

/** Answers what is no request, and cuts it off. */
export function answerBroken(error: NodeJS.ErrnoException, socket: Duplex, parts: BrokenRequestParts): void {
  if (error.code === "ECONNRESET") socket.destroy()
  else endWith(socket, brokenRefusal(error.code), parts)
}

/** Answers a request for a tunnel, and cuts it off. */
export function answerConnect(request: IncomingMessage, socket: Duplex, parts: BrokenRequestParts): void {
  socket.on("error", () => undefined)
  try {
    expectAdmitted(request, parts)
    endWith(socket, notPost("POST them to the path of an input."), parts)
  } catch (error) {
    endWith(socket, refusalOf(error), parts)
  }
}

/** Answers with a refusal behind the answers of the requests before, and cuts the connection off. */
export function endWith(socket: Duplex, refusal: Refusal, { connections, env }: BrokenRequestParts): void {
  void connections.answered(socket).then(() => {
    if (socket.writableEnded || connections.isAnswering(socket)) return
    if (!socket.writable) return void socket.destroy()
    const body = refusal.body()
    const headers = {
      "content-type": "application/json",
      ...refusal.headers,
      connection: "close",
      "content-length": String(body.length),
    }
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    socket.write(`HTTP/1.1 ${refusal.status} ${refusal.code}\r\n${lines.join("")}\r\n`)
    socket.end(body)
    void linger(socket, env).then(() => socket.destroy())
  })
}

function brokenRefusal(code: string | undefined): Refusal {
  switch (code) {
    case "HPE_HEADER_OVERFLOW":
      return new Refusal(
        "header-too-large",
        "The head of the request is too large.",
        `Send at most ${HEADER_BYTES_MAX} bytes of headers.`,
      )
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return new Refusal(
        "request-timeout",
        "The request took too long to come.",
        "Send it faster, or in several requests.",
      )
    default:
      return new Refusal("bad-request", "That is no request of HTTP/1.1.", "Use a client of HTTP.")
  }
}
