/**
 * What the head of a request says, and all that can be refused by it: who sends, where to, and what. The order is that of docs/spec/http.md: who has
 * no token is told nothing else.
 */
import type { IncomingMessage } from "node:http"
import type { Env } from "../../env/env.ts"
import type { BodyFormat } from "./body-records.ts"
import type { InputDoor } from "./input-door.ts"
import type { RateLimit } from "./rate-limit.ts"
import { Refusal } from "./refusal.ts"
import { tooLarge } from "./request-body.ts"
import type { Tokens } from "./tokens.ts"

const FORMATS: Readonly<Record<string, BodyFormat>> = {
  "application/json": "json",
  "application/x-ndjson": "json-lines",
  "application/ndjson": "json-lines",
  "application/jsonl": "json-lines",
  "application/x-jsonlines": "json-lines",
}

/** What requests are held against. */
export interface HeadParts {
  readonly env: Pick<Env, "clock">
  readonly tokens: Tokens | undefined
  readonly rates: RateLimit | undefined
  /** The input at a path, while its job runs. */
  doorOf(path: string): InputDoor | undefined
  /** Whether a path is that of an input, whether its job runs or not. */
  isInput(path: string): boolean
}

/** What the head of a request says. */
interface HttpHead {
  readonly door: InputDoor
  readonly format: BodyFormat
  readonly isGzip: boolean
  readonly key: string | undefined
}

/**
 * All that can be said without the body.
 *
 * @throws Refusal
 */
export function readHead(request: IncomingMessage, parts: HeadParts): HttpHead {
  expectAdmitted(request, parts)
  expectHost(request)
  const { expect } = request.headers
  if (expect !== undefined && !waitsToGoOn(request) && request.httpVersion === "1.1") {
    throw new Refusal("expectation-failed", "What the request expects is not known here.", "Expect 100-continue alone.")
  }
  const door = doorOf(request, parts)
  door.expectOpen()
  const { headers } = request
  const format = formatOf(headers["content-type"])
  const isGzip = isPacked(headers["content-encoding"])
  if (Number(headers["content-length"] ?? 0) > door.maxRequestBytes) throw tooLarge(door.maxRequestBytes)
  const given = headers["idempotency-key"]
  return { door, format, isGzip, key: door.keyOf(Array.isArray(given) ? given.join() : given) }
}

/**
 * Whoever sends may do so, now.
 *
 * @throws Refusal
 */
export function expectAdmitted(request: IncomingMessage, parts: HeadParts): void {
  expectRate(senderOf(request, parts), parts)
}

/**
 * Who sends: for whom a token stands, or the address where there are no tokens.
 *
 * @param text what stands for the header `Authorization`, where that is not given.
 * @throws Refusal
 */
export function senderOf({ headers, socket }: IncomingMessage, { tokens }: HeadParts, text?: string): string {
  if (tokens === undefined) return socket.remoteAddress ?? ""
  const authorization = headers.authorization ?? text
  const token = tokens.find(authorization)
  if (token < 0) throw unauthorized(authorization !== undefined)
  return String(token)
}

/**
 * A sender does not come too often.
 *
 * @throws Refusal
 */
export function expectRate(sender: string, { env, rates }: Pick<HeadParts, "env" | "rates">): void {
  const wait = rates?.waitSeconds(sender, env.clock.monotonicMicros())
  if (wait === undefined) return
  throw new Refusal("rate-limited", "You send more requests than you may.", "Wait, or send more records in each.", {
    retryAfterSeconds: wait,
  })
}

/** Whether a sender keeps its body back until it is told to go on. HTTP/1.0 knows no such thing. */
export function waitsToGoOn({ headers, httpVersion }: IncomingMessage): boolean {
  return httpVersion === "1.1" && headers.expect?.trim().toLowerCase() === "100-continue"
}

/** The refusal of all that is not POST. */
export function notPost(hint: string): Refusal {
  return new Refusal("method-not-allowed", "Records are sent with POST.", hint, { headers: { allow: "POST" } })
}

/**
 * One `Host`, as HTTP/1.1 has it.
 *
 * @throws Refusal
 */
export function expectHost({ headersDistinct, httpVersion }: IncomingMessage): void {
  const count = headersDistinct["host"]?.length ?? 0
  if (count === 1 || (count === 0 && httpVersion !== "1.1")) return
  throw new Refusal(
    "bad-request",
    count === 0 ? "The request has no header Host." : "The request has more than one header Host.",
    "Send one, as HTTP/1.1 has it.",
  )
}

function doorOf(request: IncomingMessage, parts: HeadParts): InputDoor {
  const door = inputAt(request, parts)
  if (request.method !== "POST") throw notPost(`POST them to ${door.path}.`)
  return door
}

/**
 * The input at the path, which stands alone or behind the address of a server (RFC 9112, 3.2.2).
 *
 * @throws Refusal
 */
export function inputAt({ url = "/" }: IncomingMessage, parts: HeadParts): InputDoor {
  const path = url.replace(/^https?:\/\/[^/?#]+/i, "").replace(/[?#].*$/s, "")
  const door = parts.doorOf(path)
  if (door !== undefined) return door
  if (!parts.isInput(path)) throw new Refusal("not-found", "No input is there.", "Look at the path.")
  throw new Refusal("not-running", "The job of this input does not run.", "Send it again when it runs.", {
    retryAfterSeconds: 5,
  })
}

function isPacked(contentEncoding = "identity"): boolean {
  const encoding = contentEncoding.trim().toLowerCase()
  if (encoding === "gzip" || encoding === "identity") return encoding === "gzip"
  throw new Refusal(
    "unknown-content-encoding",
    "The body is packed in a way that is not known here.",
    "Send it as gzip, or plain.",
    { headers: { "accept-encoding": "gzip" } },
  )
}

function formatOf(contentType = ""): BodyFormat {
  const [type = "", ...params] = contentType.split(";").map((part) => part.trim().toLowerCase())
  const format = Object.hasOwn(FORMATS, type) ? FORMATS[type] : undefined
  const charset = params.find((param) => param.startsWith("charset="))?.slice("charset=".length)
  if (format !== undefined && (charset === undefined || /^"?utf-?8"?$/.test(charset))) return format
  let what = "as that Content-Type"
  if (type === "") what = "as a body without a Content-Type"
  else if (format !== undefined) what = "in that charset"
  throw new Refusal(
    "unknown-content-type",
    `Records are not sent ${what}.`,
    "Send application/json (an object, or an array of them) or application/x-ndjson (JSON lines), in UTF-8.",
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
