/**
 * A job's health, status and metrics by HTTP, for probes, dashboards and people. It only reads: nothing of a job is changed here.
 *
 * | path | answers |
 * |---|---|
 * | `/healthz` | 200 unless the job has failed, else 503 |
 * | `/readyz` | 200 while the job runs, which it does once it has recovered; else 503 |
 * | `/status` | what `handle.status()` says, as JSON |
 * | `/metrics` | the same for Prometheus |
 *
 * Invariant:
 * - HS1 A request changes nothing, and what it asks never makes the job fail.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { TidemarkError } from "../base/errors.ts"
import type { JobStatus } from "../runtime/status.ts"
import type { CommitTimes } from "./commit-times.ts"
import { METRICS_MEDIA_TYPE, metricsText } from "./metrics-text.ts"

/**
 * Where a job is served.
 *
 * @example
 * ```ts
 * import { run, type ExecutableJob, type ServerAddress } from "tidemark"
 *
 * const everywhere: ServerAddress = { host: "0.0.0.0", port: 9464 }
 * const runServed = (job: ExecutableJob) => run(job, { metrics: everywhere })
 * ```
 */
export interface ServerAddress {
  /** The name or address of an interface; the loopback one unless given. */
  readonly host?: string
  /** 0 takes one that is free. */
  readonly port: number
}

/** What is told of. */
export interface ServedJob {
  /** `undefined` until the job has recovered. */
  status(): JobStatus | undefined
  readonly commits: CommitTimes
}

/** A server that listens. */
export interface StatusServer {
  readonly url: string
  close(): Promise<void>
}

interface Answer {
  readonly code: number
  readonly type: string
  readonly body: string
}

const TEXT = "text/plain; charset=utf-8"

const STARTING: Answer = { code: 503, type: TEXT, body: "starting\n" }

/**
 * Serves a job until it is closed.
 *
 * @throws TidemarkError `invalid-options` where it cannot listen there.
 */
export async function serveStatus(job: ServedJob, { host = "127.0.0.1", port }: ServerAddress): Promise<StatusServer> {
  const server = createServer((request, response) => respond(request, response, job))
  // Whoever asks is in no hurry to hold a process that is done.
  server.keepAliveTimeout = 1000
  server.unref()
  await listen(server, host, port)
  const address = server.address() as AddressInfo
  return {
    url: `http://${address.family === "IPv6" ? `[${address.address}]` : address.address}:${address.port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** What the system says where the host is at fault, and not the port. */
const HOST_CODES: ReadonlySet<string> = new Set(["ENOTFOUND", "EAI_AGAIN", "EADDRNOTAVAIL"])

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const why = cause.code === "EADDRINUSE" ? "another process listens there" : cause.message
      reject(
        new TidemarkError("address-unavailable", `The job cannot be served at ${host}:${port}: ${why}.`, {
          hint: HOST_CODES.has(cause.code ?? "")
            ? "Give a name or address of this machine: 127.0.0.1 for itself alone, 0.0.0.0 for others, too."
            : "Give another port; 0 takes one that is free.",
          cause,
        }),
      )
    })
    server.listen(port, host, resolve)
  })
}

function respond(request: IncomingMessage, response: ServerResponse, job: ServedJob): void {
  const { code, type, body } = answer(request, job)
  response.writeHead(code, { "content-type": type, "cache-control": "no-store" })
  response.end(request.method === "HEAD" ? undefined : body)
}

function answer({ method, url = "/" }: IncomingMessage, job: ServedJob): Answer {
  if (method !== "GET" && method !== "HEAD") return { code: 405, type: TEXT, body: "only GET\n" }
  const status = job.status()
  const state = status?.state ?? "starting"
  switch (url.replace(/\?.*$/, "")) {
    case "/healthz":
      return { code: state === "failed" ? 503 : 200, type: TEXT, body: `${state}\n` }
    case "/readyz":
      return { code: state === "running" ? 200 : 503, type: TEXT, body: `${state}\n` }
    case "/status":
      if (status === undefined) return STARTING
      return { code: 200, type: "application/json", body: `${JSON.stringify(status)}\n` }
    case "/metrics":
      if (status === undefined) return STARTING
      return { code: 200, type: METRICS_MEDIA_TYPE, body: metricsText(status, job.commits) }
    default:
      return { code: 404, type: TEXT, body: "/healthz\n/readyz\n/status\n/metrics\n" }
  }
}
