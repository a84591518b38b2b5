/**
 * The door `tidemark/http`: records that are sent by HTTP as inputs, durable before they are acknowledged; and outputs that are sent by HTTP.
 */
export { httpServer } from "./connectors/http/http-server.ts"
export type { HttpServer } from "./connectors/http/http-server.ts"
export type { HttpInputOptions, HttpKeyOptions, HttpServerOptions, HttpToken } from "./connectors/http/http-options.ts"
export type { ListeningAddress } from "./connectors/http/listener.ts"
export { webhook } from "./connectors/http/webhook/webhook.ts"
export type { WebhookOptions } from "./connectors/http/webhook/webhook-options.ts"
