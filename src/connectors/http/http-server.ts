/** `httpServer`: what is sent by HTTP as inputs of jobs. The door `tidemark/http` publishes it. */
import { TidemarkError } from "../../base/errors.ts"
import { shownValue } from "../../base/shown-value.ts"
import type { SourceBinding } from "../../connect/source.ts"
import { HttpBinding } from "./http-binding.ts"
import {
  inputSettings,
  serverSettings,
  type HttpInputOptions,
  type HttpServerOptions,
  type ServerSettings,
} from "./http-options.ts"
import { Listener, type ListeningAddress } from "./listener.ts"

/**
 * A server whose paths are inputs of jobs. It listens while one of them runs.
 *
 * @example
 * ```ts
 * import { httpServer, type HttpServer } from "tidemark/http"
 *
 * const server: HttpServer = httpServer({ port: 0 })
 * const whereTo = () => (server.address === undefined ? "nowhere yet" : `${server.address.url}/orders`)
 * ```
 */
export class HttpServer {
  readonly #settings: ServerSettings
  readonly #listener: Listener

  /** @internal */
  constructor(settings: ServerSettings) {
    this.#settings = settings
    this.#listener = new Listener(settings)
  }

  /** Where it listens; `undefined` while it does not. */
  get address(): ListeningAddress | undefined {
    return this.#listener.address
  }

  /**
   * What is sent to a path as an input: each record is a JSON object with the columns of the input's schema.
   *
   * Guarantee: durable when acknowledged. Who is answered 200 knows that the records of the request count, exactly once, over restarts
   * and crashes. Who gets no answer may repeat the request: with a header `Idempotency-Key` it is stored once.
   *
   * @param path `"/orders"`: as it stands in the address, without a query.
   * @throws TidemarkError `invalid-options` or `invalid-duration` where an option has no meaning.
   */
  input(path: string, options: HttpInputOptions = {}): SourceBinding {
    if (typeof path !== "string" || !/^\/[\w\-./~]*$/.test(path)) {
      throw new TidemarkError("invalid-options", `The path of an HTTP input is ${shownValue(path)}.`, {
        hint: 'Give one such as "/orders": letters, digits, and - . _ ~ / behind a slash.',
      })
    }
    const { host, port, tls } = this.#settings
    const text = `httpServer({ port: ${port}${host === "127.0.0.1" ? "" : `, host: ${JSON.stringify(host)}`}${tls === undefined ? "" : ", tls"} }).input(${JSON.stringify(path)})`
    const settings = inputSettings(`input(${JSON.stringify(path)})`, options, this.#settings)
    this.#listener.announce(path)
    return new HttpBinding(path, settings, { listener: this.#listener, text })
  }
}

/**
 * A server for records that are sent by HTTP. Nothing listens until a job runs that has one of its inputs.
 *
 * @throws TidemarkError `invalid-options` or `invalid-duration` where an option has no meaning; when the job begins
 * `address-unavailable`, and `invalid-params` where a token is not set.
 *
 * @example
 * ```ts
 * import { job, schema, t } from "tidemark"
 * import { jsonl } from "tidemark/files"
 * import { httpServer } from "tidemark/http"
 *
 * const server = httpServer({ port: 8080, token: { env: "ORDERS_TOKEN" } })
 * const large = job({
 *   name: "large-orders",
 *   inputs: { orders: schema({ order: t.int53, total: t.float64 }) },
 *   flow: ({ orders }) => ({ large: orders.filter((row) => row.total > 100) }),
 * })
 * export default large.with({ inputs: { orders: server.input("/orders") }, outputs: { large: jsonl("out/large") } })
 * ```
 */
export function httpServer(options: HttpServerOptions): HttpServer {
  return new HttpServer(serverSettings(options))
}
