/** A job that copies what is sent by HTTP into files, in this process, and those who send to it. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { type Agent, request as httpRequest, type IncomingHttpHeaders } from "node:http"
import { connect } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { run } from "../src/embedded/run.ts"
import { jsonl } from "../src/files.ts"
import { httpServer, type HttpInputOptions, type HttpServer, type HttpServerOptions } from "../src/http.ts"
import { job, schema, t } from "../src/index.ts"
import type { JobHandle } from "../src/runtime/run-job.ts"

export const copy = job({
  name: "copy",
  inputs: { numbers: schema({ n: t.int32 }) },
  flow: ({ numbers }) => ({ numbers }),
})

/** A directory of its own, and the jobs that run in it. */
export class HttpBench {
  readonly directory = mkdtempSync(join(tmpdir(), "tidemark-http-"))
  readonly handles: JobHandle[] = []

  /** Begins a job that listens at `/numbers`. */
  async start(
    options: Partial<HttpServerOptions> = {},
    input: HttpInputOptions = {},
  ): Promise<HttpServer & { url: string; handle: JobHandle }> {
    const server = httpServer({ port: 0, ...options })
    const bound = copy.with({
      inputs: { numbers: server.input("/numbers", input) },
      outputs: { numbers: jsonl(join(this.directory, "out/numbers")) },
      deadLetter: jsonl(join(this.directory, "out/bad")),
      epoch: { min: "5ms", max: "20ms" },
    })
    const handle = await run(bound, { directory: join(this.directory, "state") })
    this.handles.push(handle)
    return Object.assign(server, { url: server.address!.url, handle })
  }

  /** What an output has. */
  rowsOf(output: string): Record<string, unknown>[] {
    const target = join(this.directory, "out", output)
    const parts = readdirSync(target).filter((name) => !name.startsWith("."))
    const lines = parts.sort().flatMap((name) => readFileSync(join(target, name), "utf8").split("\n"))
    return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Record<string, unknown>)
  }

  async close(): Promise<void> {
    for (const handle of this.handles) await handle.stop().catch(() => undefined)
    rmSync(this.directory, { recursive: true, force: true })
  }
}

export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await pause(10)
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: { readonly records?: number; readonly error?: Record<string, unknown> }
}

export interface Sent {
  readonly method?: string
  readonly path?: string
  readonly headers?: Record<string, string>
  readonly body?: string | Uint8Array
  readonly agent?: Agent
}

/** Sends a request; rejects where there is no answer. */
export function send(
  url: string,
  { method = "POST", path = "/numbers", headers = {}, body = "", agent }: Sent,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(
      new URL(path, url),
      { method, headers: { "content-type": "application/json", ...headers }, ...(agent && { agent }), timeout: 20_000 },
      (response) => {
        const chunks: Buffer[] = []
        response.on("data", (chunk: Buffer) => chunks.push(chunk))
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString()
          resolve({
            status: response.statusCode!,
            headers: response.headers,
            body: (text === "" ? {} : JSON.parse(text)) as Answer["body"],
          })
        })
        response.on("error", reject)
      },
    )
    sent.on("error", reject)
    sent.on("timeout", () => sent.destroy(new Error("no answer in time")))
    sent.end(body)
  })
}

/** Sends bytes as they are, and perhaps that no more come; gives all that is answered until the connection is closed. */
export function raw(url: string, bytes: string | Uint8Array, isEnded = false): Promise<string> {
  return new Promise((resolve) => {
    const { port, hostname } = new URL(url)
    const socket = connect(Number(port), hostname)
    let text = ""
    socket.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")))
    socket.on("error", () => undefined)
    socket.on("close", () => resolve(text))
    if (isEnded) socket.end(bytes)
    else socket.write(bytes)
  })
}
