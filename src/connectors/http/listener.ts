/**
 * The HTTP server of one or several inputs: it listens while one of them is open.
 *
 * Invariants:
 * - HL1 It listens from when the first door is opened until the last is closed; then what is being answered is answered, for a time.
 * - HL2 A path that is an input's is one also before its door is opened and when it is closed: whoever sends there may come again.
 * - HL3 Nothing that comes in makes it fail: heads that are too large, slow or no HTTP are answered and cut off.
 */
import { readFileSync } from "node:fs"
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http"
import { createServer as createTlsServer } from "node:https"
import type { AddressInfo } from "node:net"
import { resolve } from "node:path"
import type { Duplex } from "node:stream"
import { TidemarkError } from "../../base/errors.ts"
import type { Env } from "../../env/env.ts"
import { answerBroken, answerConnect, HEADER_BYTES_MAX } from "./broken-request.ts"
import { Connections } from "./connections.ts"
import { exchange } from "./http-exchange.ts"
import type { ServerSettings } from "./http-options.ts"
import type { InputDoor } from "./input-door.ts"
import { MessageSockets } from "./message-sockets.ts"
import { RateLimit } from "./rate-limit.ts"
import { BytesInFlight } from "./request-body.ts"
import { Tokens } from "./tokens.ts"
import { upgrade } from "./upgrade.ts"

/** How long requests are still answered when the last door is closed. */
const GRACE_MICROS = 5_000_000
/** So often it looks which connections have come to rest. */
const LOOK_MICROS = 20_000
const KEEP_ALIVE_MS = 30_000

/**
 * Where a server listens.
 *
 * @example
 * ```ts
 * import { httpServer, type ListeningAddress } from "tidemark/http"
 *
 * const textOf = ({ host, port, url }: ListeningAddress) => `${url} (port ${port} of ${host})`
 * const server = httpServer({ port: 0 })
 * const shown = () => (server.address === undefined ? "not listening" : textOf(server.address))
 * ```
 */
export interface ListeningAddress {
  readonly host: string
  readonly port: number
  /** `http://127.0.0.1:8080`. */
  readonly url: string
}

/** See the head of this file. */
export class Listener {
  readonly #settings: ServerSettings
  readonly #doors = new Map<string, InputDoor>()
  /** All that are an input's, whether its door is open or not. */
  readonly #paths = new Set<string>()
  #server: Server | undefined
  #sockets: MessageSockets | undefined
  #address: ListeningAddress | undefined
  /** Opening and closing go one after the other. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(settings: ServerSettings) {
    this.#settings = settings
  }

  /** Where it listens, while it does. */
  get address(): ListeningAddress | undefined {
    return this.#address
  }

  /** A path is an input's, whose door is opened when its job begins. */
  announce(path: string): void {
    this.#paths.add(path)
  }

  /**
   * Opens a door, and listens where that is the first.
   *
   * @throws TidemarkError `address-unavailable`, `invalid-options`, `invalid-params`.
   */
  async open(door: InputDoor, env: Env, baseDirectory: string): Promise<void> {
    await this.#inTurn(async () => {
      if (this.#doors.has(door.path)) {
        throw new TidemarkError("invalid-options", `The path ${door.path} of the HTTP server is an input already.`, {
          hint: "Give each input a path of its own.",
        })
      }
      this.#server ??= await this.#listen(env, baseDirectory)
      this.#doors.set(door.path, door)
    })
  }

  /** Closes a door, and with the last one the server. */
  async close(door: InputDoor, { timers }: Pick<Env, "timers">): Promise<void> {
    await this.#inTurn(async () => {
      if (this.#doors.get(door.path) !== door) return
      this.#doors.delete(door.path)
      await this.#sockets?.close(door, { timers })
      const server = this.#server
      if (this.#doors.size > 0 || server === undefined) return
      this.#server = undefined
      this.#address = undefined
      await closeServer(server, timers)
    })
  }

  #inTurn(task: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(task)
    this.#turn = done.catch(() => undefined)
    return done
  }

  async #listen(env: Env, baseDirectory: string): Promise<Server> {
    const { tokenVariables, rate, maxInFlightBytes, maxConnections, requestTimeoutMs, origins, tls } = this.#settings
    const rates = rate && new RateLimit(rate)
    const inFlight = new BytesInFlight(maxInFlightBytes)
    const sockets = new MessageSockets({ env, rates, inFlight, messageMicros: requestTimeoutMs * 1000 })
    const parts = {
      env,
      tokens: tokenVariables === undefined ? undefined : Tokens.read(tokenVariables),
      rates,
      inFlight,
      sockets,
      origins,
      readAnew: (stream: Duplex) => void server.emit(tls === undefined ? "connection" : "secureConnection", stream),
      connections: new Connections(),
      doorOf: (path: string) => this.#doors.get(path),
      isInput: (path: string) => this.#paths.has(path),
    }
    const onRequest = (request: IncomingMessage, response: ServerResponse) => exchange(request, response, parts)
    const server = this.#create(onRequest, baseDirectory)
    server.maxConnections = maxConnections
    // Whoever waits to be told to go on is judged by its head first.
    server.on("checkContinue", onRequest)
    server.on("checkExpectation", onRequest)
    server.on("connect", (request: IncomingMessage, socket: Duplex) => answerConnect(request, socket, parts))
    server.on("upgrade", (request: IncomingMessage, stream: Duplex, head: Buffer) => {
      void upgrade({ request, stream, head }, parts)
    })
    server.on("clientError", (error: NodeJS.ErrnoException, socket: Duplex) => answerBroken(error, socket, parts))
    await listening(server, this.#settings)
    this.#sockets = sockets
    this.#address = addressOf(server, this.#settings)
    return server
  }

  #create(onRequest: RequestListener, baseDirectory: string): Server {
    const { tls, headersTimeoutMs, requestTimeoutMs } = this.#settings
    const limits = {
      maxHeaderSize: HEADER_BYTES_MAX,
      headersTimeout: headersTimeoutMs,
      requestTimeout: requestTimeoutMs,
      connectionsCheckingInterval: Math.min(5000, headersTimeoutMs),
      keepAliveTimeout: KEEP_ALIVE_MS,
      noDelay: true,
      // Node's own answer would be empty, and told to who has no token.
      requireHostHeader: false,
    }
    if (tls === undefined) return createServer(limits, onRequest)
    const read = (path: string): Buffer => readPem(resolve(baseDirectory, path))
    const certificate = { cert: read(tls.certFile), key: read(tls.keyFile) }
    try {
      return createTlsServer({ ...limits, ...certificate, handshakeTimeout: headersTimeoutMs }, onRequest)
    } catch (cause) {
      const files = `${tls.certFile} and ${tls.keyFile}`
      throw new TidemarkError("invalid-options", `The HTTP server cannot use ${files} for TLS.`, {
        hint: "Give the certificate (with its chain) and its key, both as PEM.",
        cause,
      })
    }
  }
}

/** Takes no connection any more; those on which something is answered go when that is done, or when it has taken too long. */
async function closeServer(server: Server, timers: Env["timers"]): Promise<void> {
  const isClosed = new AbortController()
  server.close(() => isClosed.abort())
  for (let waited = 0; waited < GRACE_MICROS && !isClosed.signal.aborted; waited += LOOK_MICROS) {
    server.closeIdleConnections()
    await timers.sleep(LOOK_MICROS, isClosed.signal)
  }
  server.closeAllConnections()
}

function readPem(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (cause) {
    const { code = "unknown" } = cause as NodeJS.ErrnoException
    throw new TidemarkError("invalid-options", `The file ${path} of the HTTP server cannot be read (${code}).`, {
      hint: "tls takes the paths of a certificate and of its key.",
      cause,
    })
  }
}

function listening(server: Server, { host, port }: ServerSettings): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const isTaken = cause.code === "EADDRINUSE"
      const why = isTaken ? "another process listens there" : cause.message
      reject(
        new TidemarkError("address-unavailable", `The HTTP server cannot listen at ${host}:${port}: ${why}.`, {
          hint: isTaken
            ? "Wait for it, or give another port; 0 takes one that is free."
            : "Give a name or address of this machine, and a port that this process may use.",
          cause,
        }),
      )
    })
    server.listen(port, host, () => resolve())
  })
}

function addressOf(server: Server, { tls }: ServerSettings): ListeningAddress {
  const { address: host, family, port } = server.address() as AddressInfo
  const shown = family === "IPv6" ? `[${host}]` : host
  return { host, port, url: `${tls === undefined ? "http" : "https"}://${shown}:${port}` }
}
