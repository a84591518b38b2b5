/**
 * The way of a simulated process to the receiver of webhooks: a request leaves it by a call of its world, at which it may die; then the network has it,
 * and what was sent may arrive when who has sent it is gone.
 *
 * Invariant:
 * - HX1 A process hears of answers while it lives, of one to each request at most, and of none that it does not wait for any more.
 */
import { ExchangeError, type Exchange, type WebhookAnswer } from "../../connectors/http/webhook/exchange.ts"
import type { CallingProcess } from "../sim-call.ts"
import type { HookReceiver } from "./hook-receiver.ts"
import type { SimNetwork } from "./sim-network.ts"

const SITE = { operation: "network", step: "receiver.send", path: "receiver" } as const

/** How a process sends. */
export function exchangeWith(receiver: HookReceiver, network: SimNetwork, process: CallingProcess): Exchange {
  return {
    send: (request, signal) =>
      new Promise<WebhookAnswer>((resolve, reject) => {
        let isOver = false
        const hear = (settle: () => void): void => {
          if (isOver || !process.isAlive) return
          isOver = true
          settle()
        }
        const fail = (message: string): void => hear(() => reject(new ExchangeError(message)))
        const leave = (): void => {
          network.send(() => {
            const answer = receiver.arrive(request)
            network.send(() => {
              if (answer === "cut") fail("the connection was cut")
              else hear(() => resolve(answer))
            })
          })
        }
        if (signal.aborted) return fail("the request was ended")
        signal.addEventListener("abort", () => fail("the request was ended"))
        const effect = { perform: leave, fail: leave, cutOff: leave }
        process.call(SITE, effect).catch(() => fail("the connection was lost"))
      }),
    close: () => undefined,
  }
}
