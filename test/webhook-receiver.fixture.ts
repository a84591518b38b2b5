/** A server that takes requests of webhooks as a receiver does: each key counts once, and what it answers is the test's to say. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import { createServer as createTlsServer, type Server as TlsServer } from "node:https"
import type { AddressInfo } from "node:net"

/** A request that has come. */
export interface Received {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage["headers"]
  readonly key: string
  readonly body: string
  /** How often its key has come before. */
  readonly repeats: number
}

/** How a receiver says who it is: certificates and their key, as PEM. */
export interface Certificate {
  readonly cert: string
  readonly key: string
}

/** What the receiver does with a request. */
export type Reaction =
  | {
      readonly status: number
      readonly headers?: Readonly<Record<string, string>>
      readonly text?: string
      readonly afterMs?: number
    }
  /** The connection is closed, before or after the request has counted. */
  | "cut"
  | "cut-when-taken"
  /** No answer. */
  | "silence"
  /** 101, and what comes then is no HTTP. */
  | "switch"

/** See the head of this file. */
export class WebhookReceiver {
  /** All requests, in the order in which they came. */
  readonly received: Received[] = []
  /** The bodies that count, by key, in the order in which they were taken. */
  readonly taken = new Map<string, string>()
  /** What was done wrong by the sender. */
  readonly findings: string[] = []
  react: (request: Received) => Reaction = () => ({ status: 200 })
  /** The most requests that were under way at a time. */
  mostUnderWay = 0
  #underWay = 0
  #server: Server | TlsServer | undefined
  #port = 0
  #isTls = false

  get url(): string {
    return `http${this.#isTls ? "s" : ""}://127.0.0.1:${this.#port}/hook`
  }

  /** Listens; again at the same port. */
  async start(certificate?: Certificate): Promise<this> {
    const take = (request: IncomingMessage, response: ServerResponse): void => void this.#take(request, response)
    this.#isTls = certificate !== undefined
    const server = certificate === undefined ? createServer(take) : createTlsServer(certificate, take)
    this.#server = server
    await new Promise<void>((resolve) => server.listen(this.#port, "127.0.0.1", resolve))
    this.#port = (server.address() as AddressInfo).port
    return this
  }

  /** Is gone, with all its connections. */
  async stop(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    if (server === undefined) return
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }

  /** The rows that count, in the order in which they were taken. */
  rows<T>(): T[] {
    return [...this.taken.values()].flatMap((body) => {
      if (body.startsWith("[")) return JSON.parse(body) as T[]
      return body
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as T)
    })
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#underWay++
    this.mostUnderWay = Math.max(this.mostUnderWay, this.#underWay)
    let isOver = false
    const end = (): void => {
      if (!isOver) this.#underWay--
      isOver = true
    }
    response.on("close", end)
    const pieces: Uint8Array[] = []
    try {
      for await (const piece of request as AsyncIterable<Uint8Array>) pieces.push(piece)
    } catch {
      return
    }
    const body = Buffer.concat(pieces).toString("utf8")
    const { method = "", url = "", headers } = request
    const key = String(headers["idempotency-key"])
    const repeats = this.received.filter((each) => each.key === key).length
    const received: Received = { method, path: url, headers, key, body, repeats }
    const before = this.received.find((each) => each.key === key)
    if (before !== undefined && before.body !== body) this.findings.push(`the key ${key} came with another body`)
    this.received.push(received)
    const reaction = this.react(received)
    const counts = reaction === "cut-when-taken" || (typeof reaction === "object" && reaction.status < 300)
    if (counts && !this.taken.has(key)) this.taken.set(key, body)
    if (reaction === "silence") return
    if (reaction === "switch") {
      const head = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n"
      return void request.socket.write(head)
    }
    if (typeof reaction === "string") return void request.socket.destroy()
    const { status, headers: own = {}, text = "", afterMs } = reaction
    if (afterMs !== undefined) await new Promise((resolve) => setTimeout(resolve, afterMs))
    response.writeHead(status, own)
    response.end(text)
  }
}
