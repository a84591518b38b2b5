/** The options of HTTP servers and of their inputs, checked. */
import { checkDuration, type Duration } from "../../base/duration.ts"
import { TidemarkError } from "../../base/errors.ts"
import { checkOptions } from "../../base/known-options.ts"
import { shownValue } from "../../base/shown-value.ts"
import type { KeyPolicy } from "./key-table.ts"
import type { Rate } from "./rate-limit.ts"
import { variableNameOf } from "./variable-name.ts"

/**
 * Where a token is: the name of a variable of the environment that has it; with `_FILE` behind it, one that names a file that has it.
 *
 * @example
 * ```ts
 * import { httpServer, type HttpToken } from "tidemark/http"
 *
 * const rotated: HttpToken[] = [{ env: "ORDERS_TOKEN" }, { env: "ORDERS_TOKEN_BEFORE" }]
 * const server = httpServer({ port: 8080, token: rotated })
 * ```
 */
export interface HttpToken {
  readonly env: string
}

/**
 * Options of `httpServer`.
 *
 * @example
 * ```ts
 * import { httpServer, type HttpServerOptions } from "tidemark/http"
 *
 * const options: HttpServerOptions = {
 *   host: "0.0.0.0",
 *   port: 8443,
 *   token: { env: "ORDERS_TOKEN" },
 *   tls: { certFile: "tls/cert.pem", keyFile: "tls/key.pem" },
 *   maxRequestsPerSecond: 500,
 * }
 * const server = httpServer(options)
 * ```
 */
export interface HttpServerOptions {
  /** The name or address of an interface; the loopback one, `127.0.0.1`, unless given. */
  readonly host?: string
  /** 0 takes one that is free. */
  readonly port: number
  /**
   * The token that senders give (`Authorization: Bearer …`); several where one takes the place of another. `"none"` lets everybody in. It may be
   * left out where only this machine can send.
   */
  readonly token?: HttpToken | readonly HttpToken[] | "none"
  /** Files, as PEM, relative to the directory in which the job runs. Without it the server speaks plain HTTP. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string }
  /** How many connections there may be: 1,000 unless given. */
  readonly maxConnections?: number
  /** How many bytes of requests are held at a time: 64 MiB unless given. Beyond it, senders are answered 503. */
  readonly maxInFlightBytes?: number
  /** How often each sender may come: by its token, or by its address where there is none. Beyond it, it is answered 429. No limit unless given. */
  readonly maxRequestsPerSecond?: number
  /**
   * The sites whose pages may send by WebSocket, such as `"https://app.example"`; `"*"` for all. None unless given: who is no browser names no site, and
   * is let in by its token.
   */
  readonly origins?: readonly string[] | "*"
  /** How long the head of a request may take: `"10s"` unless given. */
  readonly headersTimeout?: Duration
  /** How long a request may take to come: `"60s"` unless given. */
  readonly requestTimeout?: Duration
}

/**
 * Options of an input of a server.
 *
 * @example
 * ```ts
 * import { httpServer, type HttpInputOptions } from "tidemark/http"
 *
 * const options: HttpInputOptions = { onBadRecord: "dead-letter", idempotencyKeys: { keepFor: "7d", isRequired: true } }
 * const orders = httpServer({ port: 8080 }).input("/orders", options)
 * ```
 */
export interface HttpInputOptions {
  /**
   * What becomes of a request with a record that is not what the input takes. `"refuse"`, which it is unless given: 400, each such record is told, and
   * nothing is stored. `"dead-letter"`: all of it is stored, and what is wrong becomes a dead letter of the job.
   */
  readonly onBadRecord?: "refuse" | "dead-letter"
  /** A body with more bytes, packed or unpacked, is refused: 8 MiB unless given, 32 MiB at most. */
  readonly maxRequestBytes?: number
  /** A request with more records is refused: 100,000 unless given. */
  readonly maxRecords?: number
  /** A record with more bytes is a bad one: 1 MiB unless given. */
  readonly maxRecordBytes?: number
  /** So many bytes may wait for the job to read them: 1 GiB unless given. Beyond it, senders are answered 503. */
  readonly maxBacklogBytes?: number
  /** How the keys of requests (`Idempotency-Key`) are kept. */
  readonly idempotencyKeys?: HttpKeyOptions
}

/**
 * How the keys of requests are kept.
 *
 * @example
 * ```ts
 * import { httpServer, type HttpKeyOptions } from "tidemark/http"
 *
 * const idempotencyKeys: HttpKeyOptions = { keepFor: "3d", maxKeys: 5_000_000, isRequired: true }
 * const orders = httpServer({ port: 8080 }).input("/orders", { idempotencyKeys })
 * ```
 */
export interface HttpKeyOptions {
  /** How long a key is known: `"24h"` unless given. */
  readonly keepFor?: Duration
  /** How many are known at most, the newest: 1,000,000 unless given. Each takes about 200 bytes of memory. */
  readonly maxKeys?: number
  /** Whether requests without one are refused: `false` unless given. */
  readonly isRequired?: boolean
}

/** Options of a server as it uses them. */
export interface ServerSettings {
  readonly host: string
  readonly port: number
  /** `undefined` where everybody is let in. */
  readonly tokenVariables: readonly string[] | undefined
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined
  readonly maxConnections: number
  readonly maxInFlightBytes: number
  readonly rate: Rate | undefined
  readonly origins: readonly string[] | "*"
  readonly headersTimeoutMs: number
  readonly requestTimeoutMs: number
}

/** Options of an input as it uses them. */
export interface InputSettings {
  readonly isRefusing: boolean
  readonly maxRequestBytes: number
  readonly maxRecords: number
  readonly maxRecordBytes: number
  readonly maxBacklogBytes: number
  readonly keys: KeyPolicy
  readonly isKeyRequired: boolean
}

const MIB = 2 ** 20
const REQUEST_BYTES_MAX = 32 * MIB
const KEYS_MAX = 10_000_000
const SERVER_OPTIONS = [
  "host",
  "port",
  "token",
  "tls",
  "maxConnections",
  "maxInFlightBytes",
  "maxRequestsPerSecond",
  "origins",
  "headersTimeout",
  "requestTimeout",
]
const INPUT_OPTIONS = [
  "onBadRecord",
  "maxRequestBytes",
  "maxRecords",
  "maxRecordBytes",
  "maxBacklogBytes",
  "idempotencyKeys",
]
const LOOPBACK = /^(?:localhost|127\.\d+\.\d+\.\d+|::1)$/

/** The options of a server, each of them known and in its range. */
export function serverSettings(options: unknown): ServerSettings {
  const where = "httpServer(...)"
  const given = checkOptions(where, options, SERVER_OPTIONS)
  const { host = "127.0.0.1", token, tls, headersTimeout = "10s", requestTimeout = "60s" } = given
  if (typeof host !== "string" || host === "")
    throw refused(where, "host", host, 'Give a name or address, such as "0.0.0.0".')
  const port = wholeOf(where, "port", given["port"], 0, 65_535)
  const perSecond = given["maxRequestsPerSecond"]
  const isRate = typeof perSecond === "number" && perSecond > 0 && perSecond < Infinity
  if (perSecond !== undefined && !isRate)
    throw refused(where, "maxRequestsPerSecond", perSecond, "Give a number above 0.")
  const requestTimeoutMs = millisOf(where, "requestTimeout", requestTimeout)
  return {
    host,
    port,
    tokenVariables: tokenVariablesOf(where, token, host),
    tls: tlsOf(where, tls),
    maxConnections: wholeOf(where, "maxConnections", given["maxConnections"] ?? 1000, 1, 1_000_000),
    maxInFlightBytes: wholeOf(where, "maxInFlightBytes", given["maxInFlightBytes"] ?? 64 * MIB, 1024, 2 ** 40),
    rate: isRate ? { perSecond, burst: Math.max(1, Math.ceil(perSecond)) } : undefined,
    origins: originsOf(where, given["origins"] ?? []),
    // A head is a part of its request.
    headersTimeoutMs: Math.min(millisOf(where, "headersTimeout", headersTimeout), requestTimeoutMs),
    requestTimeoutMs,
  }
}

/** The options of an input, each of them known and in its range. */
export function inputSettings(where: string, options: unknown, { maxInFlightBytes }: ServerSettings): InputSettings {
  const given = checkOptions(where, options, INPUT_OPTIONS)
  const { onBadRecord = "refuse", idempotencyKeys = {} } = given
  if (onBadRecord !== "refuse" && onBadRecord !== "dead-letter") {
    throw refused(where, "onBadRecord", onBadRecord, 'Give "refuse" or "dead-letter".')
  }
  const most = Math.min(REQUEST_BYTES_MAX, Math.floor(maxInFlightBytes / 2))
  const keyed = `${where}: idempotencyKeys`
  const keys = checkOptions(keyed, idempotencyKeys, ["keepFor", "maxKeys", "isRequired"])
  const { keepFor = "24h", isRequired = false } = keys
  if (typeof isRequired !== "boolean") throw refused(keyed, "isRequired", isRequired, "Give true or false.")
  return {
    isRefusing: onBadRecord === "refuse",
    maxRequestBytes: wholeOf(where, "maxRequestBytes", given["maxRequestBytes"] ?? Math.min(8 * MIB, most), 1, most),
    maxRecords: wholeOf(where, "maxRecords", given["maxRecords"] ?? 100_000, 1, 10_000_000),
    maxRecordBytes: wholeOf(where, "maxRecordBytes", given["maxRecordBytes"] ?? MIB, 1, REQUEST_BYTES_MAX),
    maxBacklogBytes: wholeOf(where, "maxBacklogBytes", given["maxBacklogBytes"] ?? 2 ** 30, 1, 2 ** 50),
    keys: {
      micros: checkDuration(`${keyed}: keepFor`, keepFor),
      count: wholeOf(keyed, "maxKeys", keys["maxKeys"] ?? 1_000_000, 1, KEYS_MAX),
    },
    isKeyRequired: isRequired,
  }
}

function tokenVariablesOf(where: string, token: unknown, host: string): string[] | undefined {
  if (token === "none") return undefined
  if (token === undefined) {
    if (LOOPBACK.test(host)) return undefined
    throw new TidemarkError("invalid-options", `${where} listens at ${host}, and lets everybody in.`, {
      hint: 'Give token: { env: "ORDERS_TOKEN" }, or token: "none" where something in front of it says who may send.',
    })
  }
  const tokens: unknown[] = Array.isArray(token) ? token : [token]
  if (tokens.length === 0) throw refused(where, "token", token, 'Give { env: "ORDERS_TOKEN" }.')
  return tokens.map((each) => variableNameOf(`${where}: token`, each))
}

function originsOf(where: string, origins: unknown): readonly string[] | "*" {
  if (origins === "*") return origins
  const isOrigin = (each: unknown) => typeof each === "string" && /^https?:\/\/[^/?#\s]+$/i.test(each)
  if (Array.isArray(origins) && origins.every(isOrigin)) return origins.map((each: string) => each.toLowerCase())
  throw refused(where, "origins", origins, 'Give sites, such as ["https://app.example"], or "*".')
}

function tlsOf(where: string, tls: unknown): ServerSettings["tls"] {
  if (tls === undefined) return undefined
  const { certFile, keyFile } = checkOptions(`${where}: tls`, tls, ["certFile", "keyFile"])
  if (typeof certFile !== "string" || typeof keyFile !== "string") {
    throw refused(where, "tls", tls, "Give { certFile, keyFile }: paths of PEM files.")
  }
  return { certFile, keyFile }
}

function millisOf(where: string, option: string, value: unknown): number {
  const millis = Math.ceil(checkDuration(`${where}: ${option}`, value) / 1000)
  if (millis < 1 || millis > 2 ** 31 - 1) throw refused(where, option, value, "Give a duration from 1 ms to 24 days.")
  return millis
}

function wholeOf(where: string, option: string, value: unknown, least: number, most: number): number {
  if (Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most) return value as number
  throw refused(where, option, value, `Give a whole number, ${least} to ${most}.`)
}

function refused(where: string, option: string, value: unknown, hint: string): TidemarkError {
  return new TidemarkError("invalid-options", `${where}: ${option} is ${shownValue(value)}.`, { hint })
}
