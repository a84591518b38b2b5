/**
 * Requests for another protocol on their connection. One for a WebSocket at the path of an input gets it. What else is asked for is not known here, and
 * such a request is answered as if it had not asked, as HTTP has it (RFC 9110, 7.8): some clients ask for HTTP/2 with each request.
 *
 * Invariant (rule of docs/spec/http.md):
 * - H11 Who has no token gets no WebSocket, and no page of another site does that was not named; that is told by an answer of HTTP.
 */
import type { IncomingMessage } from "node:http"
import type { Duplex } from "node:stream"
import { endWith, type BrokenRequestParts } from "./broken-request.ts"
import type { MessageSockets } from "./message-sockets.ts"
import { Refusal, refusalOf } from "./refusal.ts"
import { expectHost, expectRate, inputAt, senderOf } from "./request-head.ts"

/** What a server has for such requests. */
export interface UpgradeParts extends BrokenRequestParts {
  readonly sockets: MessageSockets
  /** From where pages may send; all of them where it is `"*"`. */
  readonly origins: readonly string[] | "*"
  /** Reads a connection as a new one. */
  readonly readAnew: (stream: Duplex) => void
}

/** A request, and the connection that nobody reads any more. */
export interface Upgrade {
  readonly request: IncomingMessage
  readonly stream: Duplex
  /** What came behind the head. */
  readonly head: Buffer
}

/** Answers a request for another protocol. */
export async function upgrade(asked: Upgrade, parts: UpgradeParts): Promise<void> {
  const { request, stream, head } = asked
  stream.on("error", () => undefined)
  if (request.method !== "GET" || request.headers.upgrade?.toLowerCase() !== "websocket") {
    await parts.connections.answered(stream)
    if (head.length > 0) stream.unshift(head)
    stream.unshift(headWithoutUpgrade(request), "latin1")
    return parts.readAnew(stream)
  }
  try {
    const sender = senderOf(request, parts, tokenOf(request))
    expectRate(sender, parts)
    expectHost(request)
    const door = inputAt(request, parts)
    expectOrigin(request, parts)
    await parts.connections.answered(stream)
    await parts.sockets.open({ ...asked, door, sender })
  } catch (error) {
    endWith(stream, refusalOf(error), parts)
  }
}

/** The token that stands among the protocols, as pages cannot set headers. */
function tokenOf({ headers }: IncomingMessage): string | undefined {
  const names = headers["sec-websocket-protocol"]?.split(",").map((name) => name.trim())
  const token = names?.find((name) => name.startsWith("bearer."))?.slice("bearer.".length)
  if (token === undefined) return undefined
  const isBase64url = /^(?:[\w-]{4})*(?:[\w-]{2,3})?$/.test(token)
  return `Bearer ${isBase64url ? atob(token.replaceAll("-", "+").replaceAll("_", "/")) : ""}`
}

/** Browsers let pages of any site open WebSockets to anywhere, and tell where the page is from. Others tell nothing. */
function expectOrigin({ headers: { origin } }: IncomingMessage, { origins }: UpgradeParts): void {
  if (origin === undefined || origins === "*" || origins.includes(origin.toLowerCase())) return
  throw new Refusal(
    "forbidden-origin",
    "Pages from there may not send to this server.",
    'Name the site in the options of the server: origins: ["https://app.example"].',
  )
}

function headWithoutUpgrade({ method, url, httpVersion, rawHeaders }: IncomingMessage): string {
  const lines = [`${method} ${url} HTTP/${httpVersion}`]
  for (let at = 0; at < rawHeaders.length; at += 2) {
    if (rawHeaders[at]!.toLowerCase() !== "upgrade") lines.push(`${rawHeaders[at]}: ${rawHeaders[at + 1]}`)
  }
  return `${lines.join("\r\n")}\r\n\r\n`
}
