/** Requests of `fuzz-http.mjs` as bytes, and the headers of right ones. */
import { TOKEN } from "./fuzz-http-limits.mjs"

export const CRLF = "\r\n"

/** The bytes of a request: its line, headers as they are to stand, and a body whose length is told unless it comes in chunks. */
export function bytesOf(headers, body, { line = "POST /events HTTP/1.1", isTold = true } = {}) {
  const told = isTold ? [...headers, `content-length: ${body.length}`] : headers
  return Buffer.concat([Buffer.from(`${[line, ...told].join(CRLF)}${CRLF}${CRLF}`, "latin1"), body])
}

export const HOST = "host: x"
export const JSON_TYPE = "content-type: application/json"
export const LINES_TYPE = "content-type: application/x-ndjson"
export const BEARER = `authorization: Bearer ${TOKEN}`
export const RIGHT_HEAD = [HOST, BEARER, JSON_TYPE]
