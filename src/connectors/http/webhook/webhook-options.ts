/** The options of a webhook, checked. */
import { checkDuration, type Duration } from "../../../base/duration.ts"
import { TidemarkError } from "../../../base/errors.ts"
import { checkOptions } from "../../../base/known-options.ts"
import { shownValue } from "../../../base/shown-value.ts"
import type { HttpToken } from "../http-options.ts"
import { variableNameOf } from "../variable-name.ts"
import type { DispatchPolicy } from "./dispatcher.ts"
import type { RequestOrder } from "./request-lanes.ts"
import type { RequestShape } from "./request-writer.ts"

/**
 * Options of `webhook`.
 *
 * @example
 * ```ts
 * import { webhook, type WebhookOptions } from "tidemark/http"
 *
 * const options: WebhookOptions = {
 *   url: "https://api.example/orders",
 *   method: "PUT",
 *   token: { env: "ORDERS_TOKEN" },
 *   headers: { "x-tenant": "north", "x-signature": { env: "ORDERS_SIGNATURE" } },
 *   order: { by: "customer" },
 *   concurrency: 16,
 *   batch: { rows: 100, bytes: 262_144 },
 *   timeout: "10s",
 *   retry: { initial: "200ms", max: "30s", for: "6h" },
 *   breaker: { failures: 10 },
 *   onRejected: "dead-letter",
 *   tls: { caFile: "tls/authority.pem" },
 *   maxUnsent: { rows: 50_000, bytes: 67_108_864 },
 * }
 * const orders = webhook(options)
 * ```
 */
export interface WebhookOptions {
  /**
   * Where requests go, `http` or `https`; or the variable of the environment that has it (with `_FILE` behind its name, the path of a file that has it), for
   * addresses that are secrets.
   */
  readonly url: string | HttpToken
  /** `"POST"` unless given. */
  readonly method?: "POST" | "PUT" | "PATCH"
  /** Headers of each request, beside those that say what its body is, and its key. A value that is a secret is given as `{ env }`. */
  readonly headers?: Readonly<Record<string, string | HttpToken>>
  /** The token that is sent as `Authorization: Bearer …`. */
  readonly token?: HttpToken
  /**
   * Which rows are sent one after the other, the next when the one before was accepted: `"output"` is all of them, which it is unless given; `{ by }` those
   * with the same values in these columns; `"none"` none.
   */
  readonly order?: "output" | "none" | { readonly by: string | readonly string[] }
  /** How many requests are under way at most: 8 unless given; with the order of the output it is 1. */
  readonly concurrency?: number
  /**
   * Without it each row is a request, a JSON object. With it, a request has up to so many rows (100 unless given) and bytes (1 MiB unless given), as a JSON
   * array, or as JSON lines. Rows of one request are of one epoch.
   */
  readonly batch?: {
    readonly rows?: number
    readonly bytes?: number
    readonly format?: "json" | "json-lines"
  }
  /** How long an answer may take: `"30s"` unless given. */
  readonly timeout?: Duration
  /**
   * A request that gets no answer, or 408, 425, 429 or one of 500 and beyond, is sent again behind a random time of up to `initial` (`"500ms"` unless given), which
   * doubles with each failure up to `max` (`"1m"` unless given). `for` is how long it is tried before it counts as rejected; without it, until it is accepted.
   */
  readonly retry?: { readonly initial?: Duration; readonly max?: Duration; readonly for?: Duration }
  /** After so many failures in a row (5 unless given) nothing is sent for a while, and then one request at a time until one is accepted. */
  readonly breaker?: { readonly failures?: number }
  /**
   * What becomes of rows whose request is rejected, by an answer such as 400 or 422: `"stop"`, which it is unless given, stops the job; `"dead-letter"` writes
   * them to `dead-letters.jsonl` in `outputs/<output>` of the job's directory.
   */
  readonly onRejected?: "stop" | "dead-letter"
  /**
   * For receivers whose certificate no public authority has signed: the path of a PEM file with those that are trusted too, relative to the job's program.
   */
  readonly tls?: { readonly caFile: string }
  /** How much may wait to be accepted before the job waits: 10,000 rows and 16 MiB unless given. */
  readonly maxUnsent?: { readonly rows?: number; readonly bytes?: number }
}

/** A text, or the variable that has it. */
export type GivenText = string | { readonly env: string }

/** The same, checked and whole. */
export interface WebhookSettings {
  readonly url: GivenText
  readonly method: string
  readonly headers: Readonly<Record<string, GivenText>>
  readonly tokenVariable: string | undefined
  readonly order: RequestOrder
  readonly shape: RequestShape
  readonly policy: DispatchPolicy
  readonly isSettingAside: boolean
  /** A file with certificates that are trusted beside Node's. */
  readonly caFile: string | undefined
  readonly unsentRowsMax: number
  readonly unsentBytesMax: number
}

const OPTIONS = [
  "url",
  "method",
  "headers",
  "token",
  "order",
  "concurrency",
  "batch",
  "timeout",
  "retry",
  "breaker",
  "onRejected",
  "tls",
  "maxUnsent",
]
const MIB = 2 ** 20
/** What requests say by themselves. */
const OWN_HEADERS: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "content-type",
  "expect",
  "idempotency-key",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
])
const WHERE = "webhook(...)"

/** The options, each of them known and in its range. */
export function webhookSettings(options: unknown): WebhookSettings {
  const given = checkOptions(WHERE, options, OPTIONS)
  const { method = "POST", onRejected = "stop" } = given
  if (method !== "POST" && method !== "PUT" && method !== "PATCH") {
    throw refused("method", method, 'Give "POST", "PUT" or "PATCH".')
  }
  if (onRejected !== "stop" && onRejected !== "dead-letter") {
    throw refused("onRejected", onRejected, 'Give "stop" or "dead-letter".')
  }
  const order = orderOf(given["order"] ?? "output")
  const tokenVariable = given["token"] === undefined ? undefined : variableNameOf(`${WHERE}: token`, given["token"])
  const unsent = checkOptions(`${WHERE}: maxUnsent`, given["maxUnsent"] ?? {}, ["rows", "bytes"])
  return {
    url: urlOf(given["url"]),
    method,
    headers: headersOf(given["headers"] ?? {}, tokenVariable !== undefined),
    tokenVariable,
    order,
    shape: shapeOf(given["batch"]),
    policy: policyOf(given, order),
    isSettingAside: onRejected === "dead-letter",
    caFile: caFileOf(given["tls"]),
    unsentRowsMax: wholeOf("maxUnsent.rows", unsent["rows"] ?? 10_000, 0, 10_000_000),
    unsentBytesMax: wholeOf("maxUnsent.bytes", unsent["bytes"] ?? 16 * MIB, 0, 2 ** 32),
  }
}

/** @throws TidemarkError `invalid-options` where it is no address. */
export function checkUrl(text: string, refuse: (problem: string) => TidemarkError): void {
  let url: URL
  try {
    url = new URL(text)
  } catch {
    throw refuse("is no address")
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") throw refuse(`is neither http nor https`)
  if (url.username !== "" || url.password !== "") throw refuse("has a user and a password in it")
}

function urlOf(url: unknown): GivenText {
  const hint =
    'Give an address such as "https://api.example/orders", or { env: "ORDERS_URL" }: the variable that has it.'
  if (typeof url === "object" && url !== null) return { env: variableNameOf(`${WHERE}: url`, url) }
  if (typeof url !== "string") throw refused("url", url, hint)
  // What is wrong with it may be that a secret is in it.
  checkUrl(url, (problem) => new TidemarkError("invalid-options", `${WHERE}: url ${problem}.`, { hint }))
  return url
}

function caFileOf(tls: unknown): string | undefined {
  if (tls === undefined) return undefined
  const { caFile } = checkOptions(`${WHERE}: tls`, tls, ["caFile"])
  if (typeof caFile === "string") return caFile
  throw refused("tls", tls, "Give { caFile }: the path of a PEM file.")
}

function headersOf(headers: unknown, hasToken: boolean): Record<string, GivenText> {
  const isPlain = typeof headers === "object" && headers !== null && !Array.isArray(headers)
  if (!isPlain) throw refused("headers", headers, 'Give an object, as in { "x-tenant": "north" }.')
  const entries = Object.entries(headers as Record<string, unknown>).map(([name, value]): [string, GivenText] => {
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) throw refused("headers", name, "This is no name of a header.")
    const isOwn = OWN_HEADERS.has(name.toLowerCase()) || (hasToken && name.toLowerCase() === "authorization")
    if (isOwn) throw refused("headers", name, "Leave this header out: requests have their own.")
    if (typeof value !== "string")
      return [name, { env: variableNameOf(`${WHERE}: headers[${JSON.stringify(name)}]`, value) }]
    if (isHeaderValue(value)) return [name, value]
    throw new TidemarkError(
      "invalid-options",
      `${WHERE}: the header ${name} has more than visible ASCII on one line.`,
      {
        hint: "Encode it, as the receiver reads it.",
      },
    )
  })
  return Object.fromEntries(entries)
}

/** Whether a text can be sent as the value of a header. */
export function isHeaderValue(text: string): boolean {
  return /^[\t\x20-\x7e]*$/.test(text)
}

function orderOf(order: unknown): RequestOrder {
  if (order === "output" || order === "none") return order
  const hint = 'Give "output", "none", or { by: "customer" }: the columns whose rows are sent one after the other.'
  if (typeof order !== "object" || order === null) throw refused("order", order, hint)
  const { by } = checkOptions(`${WHERE}: order`, order, ["by"])
  const names: unknown[] = Array.isArray(by) ? by : [by]
  if (names.length === 0 || !names.every((name) => typeof name === "string")) throw refused("order.by", by, hint)
  return { by: names }
}

function shapeOf(batch: unknown): RequestShape {
  if (batch === undefined) return { body: "object", rowsMax: 1, bytesMax: Infinity }
  const {
    rows = 100,
    bytes = MIB,
    format = "json",
  } = checkOptions(`${WHERE}: batch`, batch, ["rows", "bytes", "format"])
  if (format !== "json" && format !== "json-lines")
    throw refused("batch.format", format, 'Give "json" or "json-lines".')
  return {
    body: format === "json" ? "array" : "json-lines",
    rowsMax: wholeOf("batch.rows", rows, 1, 1_000_000),
    bytesMax: wholeOf("batch.bytes", bytes, 1, 2 ** 30),
  }
}

function policyOf(given: Record<string, unknown>, order: RequestOrder): DispatchPolicy {
  const { concurrency, timeout = "30s" } = given
  const retry = checkOptions(`${WHERE}: retry`, given["retry"] ?? {}, ["initial", "max", "for"])
  const breaker = checkOptions(`${WHERE}: breaker`, given["breaker"] ?? {}, ["failures"])
  if (order === "output" && concurrency !== undefined && concurrency !== 1) {
    throw refused(
      "concurrency",
      concurrency,
      'In the order of the output requests follow each other: give order: { by: … } or order: "none".',
    )
  }
  return {
    concurrency: wholeOf("concurrency", concurrency ?? (order === "output" ? 1 : 8), 1, 1000),
    timeoutMicros: microsOf("timeout", timeout),
    initialMicros: microsOf("retry.initial", retry["initial"] ?? "500ms"),
    maxMicros: microsOf("retry.max", retry["max"] ?? "1m"),
    forMicros: retry["for"] === undefined ? Infinity : microsOf("retry.for", retry["for"]),
    failures: wholeOf("breaker.failures", breaker["failures"] ?? 5, 1, 1_000_000),
  }
}

function microsOf(option: string, value: unknown): number {
  const micros = checkDuration(`${WHERE}: ${option}`, value)
  if (micros >= 1000 && micros <= 24 * 86_400_000_000) return micros
  throw refused(option, value, "Give a duration from 1 ms to 24 days.")
}

function wholeOf(option: string, value: unknown, least: number, most: number): number {
  if (Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most) return value as number
  throw refused(option, value, `Give a whole number, ${least} to ${most}.`)
}

function refused(option: string, value: unknown, hint: string): TidemarkError {
  return new TidemarkError("invalid-options", `${WHERE}: ${option} is ${shownValue(value)}.`, { hint })
}
