/** A sender by WebSocket of the scenario `http` of `chaos.mjs`, which connects again when its connection is lost. */
import { WebSocket } from "ws"

/** Shorter than jobs are stopped for. */
const ANSWER_MILLIS_MAX = 1500

/** What is said of messages, as the status that HTTP has for it. */
const STATUSES = {
  "rate-limited": 429,
  "internal-error": 500,
  overloaded: 503,
  "backlog-full": 503,
  "storage-failed": 503,
  stopping: 503,
}

/** See the head of this file. */
export class MessageSender {
  #url
  #socket
  #opened
  #sent = 0
  /** Those who wait for answers, by the number of their message. */
  #waiting = new Map()

  constructor(url) {
    this.#url = url
  }

  /** Sends a message; gives the answer, or `undefined` where none came. Where it is cut, the connection is lost behind it. */
  async send(message, isCut) {
    if (this.#socket === undefined) this.#connect()
    const [socket, waiting] = [this.#socket, this.#waiting]
    if (!(await this.#opened)) return undefined
    return await new Promise((resolve) => {
      const timer = setTimeout(() => socket.terminate(), ANSWER_MILLIS_MAX)
      const answered = (answer) => {
        clearTimeout(timer)
        resolve(answer)
      }
      if (socket.readyState !== socket.OPEN) return answered(undefined)
      waiting.set(++this.#sent, answered)
      socket.send(message)
      if (isCut) setImmediate(() => socket.terminate())
    })
  }

  #connect() {
    const socket = new WebSocket(this.#url)
    const waiting = new Map()
    this.#socket = socket
    this.#waiting = waiting
    this.#sent = 0
    this.#opened = new Promise((resolve) => {
      socket.once("open", () => resolve(true)).once("close", () => resolve(false))
    })
    socket.on("error", () => undefined)
    socket.on("close", () => {
      if (this.#socket === socket) this.#socket = undefined
      waiting.forEach((answered) => answered(undefined))
    })
    socket.on("message", (data) => {
      const text = data.toString()
      const { message, error } = JSON.parse(text)
      waiting.get(message)?.({ status: error === undefined ? 200 : (STATUSES[error.code] ?? 400), text })
      waiting.delete(message)
    })
  }
}
