/**
 * The WebSockets of a server: opened by requests that ask for one, looked after, and closed with their input. `ws` does the protocol; it is loaded
 * when the first one is asked for.
 */
import type { IncomingMessage } from "node:http"
import type { Duplex } from "node:stream"
import type { WebSocketServer } from "ws"
import type { Env } from "../../env/env.ts"
import type { InputDoor } from "./input-door.ts"
import { MessageSocket, type MessageSocketParts } from "./message-socket.ts"
import { Refusal } from "./refusal.ts"

/** The only protocol within WebSockets that is known here: who names it is told so. */
const PROTOCOL = "tidemark"
/** So often it is looked whether senders are there, and may be read on. */
const LOOK_MICROS = 100_000
/** How long senders have for their own farewell when their input is closed. */
const GRACE_MICROS = 2_000_000

/** What all of them have of their server. */
export type MessageSocketsParts = Pick<MessageSocketParts, "rates" | "inFlight" | "env" | "messageMicros">

/** A request for one that may have it. */
export interface SocketRequest {
  readonly request: IncomingMessage
  readonly stream: Duplex
  /** What came behind the request's head. */
  readonly head: Buffer
  readonly door: InputDoor
  readonly sender: string
}

/** See the head of this file. */
export class MessageSockets {
  readonly #parts: MessageSocketsParts
  readonly #open = new Set<MessageSocket>()
  readonly #servers = new WeakMap<InputDoor, WebSocketServer>()
  #isLooking = false

  constructor(parts: MessageSocketsParts) {
    this.#parts = parts
  }

  /**
   * Opens one.
   *
   * @throws Refusal where the request for it is wrong.
   */
  async open({ request, stream, head, door, sender }: SocketRequest): Promise<void> {
    const server = this.#servers.get(door) ?? (await newServer(door))
    this.#servers.set(door, server)
    // Who comes while its input is closed is refused: nobody would close it any more.
    door.expectOpen()
    let refusal: Refusal | undefined
    server.once("wsClientError", ({ message }: Error) => (refusal = notOpened(message)))
    server.handleUpgrade(request, stream, head, (socket) => {
      const opened = new MessageSocket({ ...this.#parts, socket, stream, door, sender })
      this.#open.add(opened)
      void opened.closed.then(() => this.#open.delete(opened))
      void this.#look()
    })
    server.removeAllListeners("wsClientError")
    if (refusal !== undefined) throw refusal
  }

  /** Closes those of an input, which takes nothing any more; who does not answer that is cut off. */
  async close(door: InputDoor, { timers }: Pick<Env, "timers">): Promise<void> {
    const closing = [...this.#open].filter((socket) => socket.door === door)
    const areClosed = new AbortController()
    const ended = Promise.all(closing.map((socket) => socket.end())).then(() => areClosed.abort())
    if (closing.length > 0) await timers.sleep(GRACE_MICROS, areClosed.signal)
    closing.forEach((socket) => socket.terminate())
    await ended
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return
    this.#isLooking = true
    while (this.#open.size > 0) {
      await this.#parts.env.timers.sleep(LOOK_MICROS)
      this.#open.forEach((socket) => socket.look())
    }
    this.#isLooking = false
  }
}

async function newServer(door: InputDoor): Promise<WebSocketServer> {
  const { WebSocketServer } = await import("ws")
  return new WebSocketServer({
    noServer: true,
    clientTracking: false,
    // What is unpacked might be much more than what comes.
    perMessageDeflate: false,
    maxPayload: door.maxRequestBytes,
    handleProtocols: (protocols) => protocols.has(PROTOCOL) && PROTOCOL,
  })
}

function notOpened(why: string): Refusal {
  return new Refusal("bad-request", `That is no request for a WebSocket: ${why}.`, "Use a client of WebSockets.", {
    headers: { "sec-websocket-version": "13" },
  })
}
