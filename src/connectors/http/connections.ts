/**
 * What is under way on connections. A sender may write requests one behind the other without waiting for answers (pipelining): their bodies come in
 * that order, but one that has to be unpacked is ready later than a small one behind it.
 *
 * Invariants (H1 of docs/spec/http.md):
 * - HC1 The records of a request are handed over when those of all before it on its connection were, or are not going to be.
 * - HC2 What `answered` waits for are the answers of whole requests; it ends, or the connection does.
 */
import type { ServerResponse } from "node:http"

/** A request's turn among those of its connection. */
export interface Turn {
  /** Resolves when it has come. */
  readonly come: Promise<void>
  /** Lets those behind it go on; more than once is as good as once. */
  readonly end: () => void
}

/** See the head of this file. A connection is known by its socket. */
export class Connections {
  /** When the turn of the newest request is over. */
  readonly #over = new WeakMap<object, Promise<void>>()
  readonly #unanswered = new WeakMap<object, Set<ServerResponse>>()

  /** Takes a turn behind all that were taken on a connection. It is to be ended, whatever happens. */
  takeTurn(socket: object): Turn {
    const come = this.#over.get(socket) ?? Promise.resolve()
    let end = (): void => undefined
    const ended = new Promise<void>((resolve) => (end = resolve))
    // One that ends early does not let anybody pass who is still before it.
    this.#over.set(
      socket,
      come.then(() => ended),
    )
    return { come, end }
  }

  /** Takes note of a response that is to come. */
  expectAnswer(socket: object, response: ServerResponse): void {
    const unanswered = this.#unanswered.get(socket) ?? new Set()
    this.#unanswered.set(socket, unanswered.add(response))
    response.once("close", () => unanswered.delete(response))
  }

  /** Resolves when each request that has come whole is answered. */
  async answered(socket: object): Promise<void> {
    const whole = [...(this.#unanswered.get(socket) ?? [])].filter(({ req }) => req.complete)
    await Promise.all(whole.map((response) => new Promise((closed) => response.once("close", closed))))
  }

  /** Whether an answer has begun that is not over; it ends its connection where its request has not come whole. */
  isAnswering(socket: object): boolean {
    return [...(this.#unanswered.get(socket) ?? [])].some(({ headersSent }) => headersSent)
  }
}
