/**
 * Requests by Node's own client, over connections that are kept. No redirect is followed: where rows and their token go is what the program has said.
 */
import { Agent, request as httpRequest, type IncomingMessage } from "node:http"
import { Agent as TlsAgent, request as tlsRequest } from "node:https"
import { rootCertificates } from "node:tls"
import { ByteWriter } from "../../../base/bytes.ts"
import { ExchangeError, type Exchange, type WebhookAnswer, type WebhookRequest } from "./exchange.ts"

/** So much is read of a body, so that its connection can be used again; so much of that is given, which is more than is shown. */
const [BODY_BYTES_MAX, GIVEN_BYTES_MAX] = [64 * 1024, 8 * 1024] as const
const decoder = new TextDecoder()

/** See the head of this file. */
export class NodeExchange implements Exchange {
  readonly #plain: Agent
  readonly #tls: TlsAgent

  /** @param trusted certificates, as PEM, that are trusted beside those that Node trusts. */
  constructor(connections: number, trusted?: string) {
    const options = { keepAlive: true, maxSockets: connections, maxFreeSockets: connections }
    this.#plain = new Agent(options)
    this.#tls = new TlsAgent(trusted === undefined ? options : { ...options, ca: [...rootCertificates, trusted] })
  }

  send({ url, method, headers, body }: WebhookRequest, signal: AbortSignal): Promise<WebhookAnswer> {
    const isTls = url.startsWith("https:")
    const options = { method, headers: { ...headers, "content-length": body.length }, signal }
    return new Promise((resolve, reject) => {
      const fail = (error: Error): void => reject(new ExchangeError(messageOf(error)))
      let hasAnswer = false
      const take = (response: IncomingMessage): void => {
        hasAnswer = true
        void readAnswer(response).then(resolve, fail)
      }
      const request = isTls
        ? tlsRequest(url, { ...options, agent: this.#tls }, take)
        : httpRequest(url, { ...options, agent: this.#plain }, take)
      request.on("error", fail)
      // 101: what comes then is no HTTP, and Node's client neither gives an answer nor fails.
      request.on("upgrade", (response, socket) => {
        socket.destroy()
        resolve(answerOf(response, ""))
      })
      request.on("close", () => {
        if (!hasAnswer) fail(new Error("the connection was closed"))
      })
      request.end(body)
    })
  }

  close(): void {
    this.#plain.destroy()
    this.#tls.destroy()
  }
}

/** The answer, with the beginning of its body. What the status says holds however the body ends. */
async function readAnswer(response: IncomingMessage): Promise<WebhookAnswer> {
  const given = new ByteWriter(GIVEN_BYTES_MAX)
  let read = 0
  try {
    for await (const piece of response as AsyncIterable<Uint8Array>) {
      if (read < GIVEN_BYTES_MAX) given.raw(piece.subarray(0, GIVEN_BYTES_MAX - read))
      read += piece.length
      // Leaving the loop closes the connection.
      if (read > BODY_BYTES_MAX) break
    }
  } catch {
    // The status has come: that is the answer.
  }
  return answerOf(response, decoder.decode(given.view()))
}

function answerOf({ statusCode = 0, statusMessage = "", headers }: IncomingMessage, text: string): WebhookAnswer {
  return { status: statusCode, statusText: statusMessage, retryAfter: headers["retry-after"], text }
}

/** Names that have several addresses fail with an error of errors, which has no message. */
function messageOf(error: Error): string {
  if (error instanceof AggregateError)
    return error.errors.map((each: unknown) => String((each as Error).message)).join(", ")
  return error.message
}
