/** `webhook`: an output that is sent by HTTP. The door `tidemark/http` publishes it. */
import type { SinkBinding } from "../../../connect/sink.ts"
import { WebhookBinding } from "./webhook-binding.ts"
import { webhookSettings, type WebhookOptions } from "./webhook-options.ts"

/**
 * Sends an output's rows by HTTP, as JSON, when they are committed: at least once, each request with an `Idempotency-Key` by which the receiver can drop
 * what comes again.
 *
 * A request that is sent again, also after a crash, has the same key and the same bytes. While the receiver does not answer, rows are kept in the job's
 * directory, and where there are too many the job waits.
 *
 * @throws TidemarkError `invalid-options` or `invalid-duration` where an option has no meaning; when the job begins `invalid-params` where a
 * variable is not set.
 *
 * @example
 * ```ts
 * import { job, schema, t } from "tidemark"
 * import { httpServer, webhook } from "tidemark/http"
 *
 * const server = httpServer({ port: 8080, token: { env: "ORDERS_TOKEN" } })
 * const large = job({
 *   name: "large-orders",
 *   inputs: { orders: schema({ order: t.int53, customer: t.string, total: t.float64 }) },
 *   flow: ({ orders }) => ({ large: orders.filter((row) => row.total > 100) }),
 * })
 * export default large.with({
 *   inputs: { orders: server.input("/orders") },
 *   outputs: {
 *     large: webhook({
 *       url: "https://crm.example/large-orders",
 *       token: { env: "CRM_TOKEN" },
 *       order: { by: "customer" },
 *       onRejected: "dead-letter",
 *     }),
 *   },
 * })
 * ```
 */
export function webhook(
  options: WebhookOptions,
): SinkBinding & { readonly accepts: { readonly append: true; readonly update: true } } {
  return new WebhookBinding(webhookSettings(options))
}
