/** The requests of `fuzz-http.mjs` that are wrong by their heads, and those behind which a connection ends. */
import { BEARER, bytesOf, CRLF, HOST, JSON_TYPE, RIGHT_HEAD } from "./fuzz-http-bytes.mjs"
import { TOKEN } from "./fuzz-http-limits.mjs"

const FLOOD = Array.from({ length: 3000 }, (_, index) => `x-${index % 7}: yyyy${CRLF}`).join("")
const MANY_SMALL = Array.from({ length: 1200 }, () => `a:b${CRLF}`).join("")
const UNAUTHORIZED = ["401 unauthorized"]
const NOWHERE = ["404 not-found"]
const NOT_POST = ["405 method-not-allowed"]
const UNKNOWN_TYPE = ["415 unknown-content-type"]
const UNKNOWN_ENCODING = ["415 unknown-content-encoding"]
const BAD_REQUEST = ["400 bad-request"]

/** A request whose head is wrong. */
export function wrongHead({ prng, tally }) {
  const id = tally.take(1)
  const body = Buffer.from(`{"id":${id}}`)
  const [name, headers, expect, line] = prng.pick(HEADS)
  return { name: `head: ${name}`, ids: [id], expect, bytes: bytesOf(headers, body, { line }) }
}

const to = (path, method = "POST") => `${method} ${path} HTTP/1.1`
const without = (header) => RIGHT_HEAD.filter((other) => other !== header)
const paths = [
  "/",
  "//events",
  "/events/",
  "/Events",
  "/events/..",
  "/events/../events",
  "/%65vents",
  "/events%00",
  "/events%2f",
  "/./events",
  "/scrap/../events",
  "/__proto__",
  "/constructor",
  "/toString",
  "/events;a",
  "/events\\",
  "*",
  "http://x",
  "http://events",
  "http:///events",
  "file:///events",
]
const HEADS = [
  ["no token", without(BEARER), UNAUTHORIZED],
  ["a wrong token", [...without(BEARER), "authorization: Bearer wrong"], UNAUTHORIZED],
  ["half a token", [...without(BEARER), BEARER.slice(0, -1)], UNAUTHORIZED],
  ["more than a token", [...without(BEARER), `${BEARER}x`], UNAUTHORIZED],
  ["two tokens", [...without(BEARER), `${BEARER} ${TOKEN}`], UNAUTHORIZED],
  ["a wrong token before the right one", ["authorization: Bearer wrong", ...RIGHT_HEAD], UNAUTHORIZED],
  ["another scheme", [...without(BEARER), `authorization: Basic ${TOKEN}`], UNAUTHORIZED],
  ["a huge token", [...without(BEARER), `authorization: Bearer ${"x".repeat(9000)}`], UNAUTHORIZED],
  ["no token, nowhere", without(BEARER), UNAUTHORIZED, to("/nowhere")],
  ["no token, and GET", without(BEARER), UNAUTHORIZED, to("/events", "GET")],
  ["no token among many headers", [...without(BEARER), MANY_SMALL.slice(0, -2)], UNAUTHORIZED],
  ...paths.map((path) => [`the path ${path}`, RIGHT_HEAD, [...NOWHERE, ...BAD_REQUEST], to(path)]),
  ...["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"].map((method) => {
    return [method, RIGHT_HEAD, NOT_POST, to("/events", method)]
  }),
  ["no type", without(JSON_TYPE), UNKNOWN_TYPE],
  ["another type", [...without(JSON_TYPE), "content-type: text/plain"], UNKNOWN_TYPE],
  ["a type of the prototype", [...without(JSON_TYPE), "content-type: __proto__"], UNKNOWN_TYPE],
  ["another charset", [...without(JSON_TYPE), `${JSON_TYPE}; charset=latin1`], UNKNOWN_TYPE],
  ["another encoding", [...RIGHT_HEAD, "content-encoding: br"], UNKNOWN_ENCODING],
  ["two encodings", [...RIGHT_HEAD, "content-encoding: gzip, gzip"], UNKNOWN_ENCODING],
  ["an empty key", [...RIGHT_HEAD, 'idempotency-key: ""'], ["400 bad-key"]],
  ["a long key", [...RIGHT_HEAD, `idempotency-key: ${"k".repeat(256)}`], ["400 bad-key"]],
  ["a key that is no ASCII", [...RIGHT_HEAD, "idempotency-key: \u00e9"], ["400 bad-key"]],
  ["two keys", [...RIGHT_HEAD, 'idempotency-key: "a"', 'idempotency-key: "b"'], ["400 bad-key"]],
  ["no host", without(HOST), BAD_REQUEST],
  ["two hosts", [...RIGHT_HEAD, "host: y"], BAD_REQUEST],
  ["an expectation", [...RIGHT_HEAD, "expect: magic"], ["417 expectation-failed"]],
]

/** Requests behind which a connection ends. */
export function lastRequest({ prng, tally }) {
  const id = tally.take(1)
  const body = Buffer.from(`{"id":${id}}`)
  const [name, bytes, expect, more] = prng.pick(LAST)(body, prng)
  return { name: `last: ${name}`, ids: [id], expect, bytes, isLast: true, ...more }
}

const raw = (headers, body, line) => bytesOf(headers, Buffer.from(body, "latin1"), { line, isTold: false })
const CHUNKED = [...RIGHT_HEAD, "transfer-encoding: chunked"]
const TOO_LARGE = ["413 request-too-large"]
const HEADER_TOO_LARGE = ["431 header-too-large"]
const LAST = [
  () => ["a flood of headers", raw([...RIGHT_HEAD, FLOOD], ""), HEADER_TOO_LARGE],
  () => ["a long header", raw([...RIGHT_HEAD, `x: ${"y".repeat(20_000)}`], ""), HEADER_TOO_LARGE],
  () => [
    "a long path",
    raw(RIGHT_HEAD, "", `POST /${"e".repeat(20_000)} HTTP/1.1`),
    [...HEADER_TOO_LARGE, ...BAD_REQUEST],
  ],
  () => ["a body that is said to be giant", raw([...RIGHT_HEAD, "content-length: 99999999999"], "x"), TOO_LARGE],
  () => ["a length beyond all", raw([...RIGHT_HEAD, "content-length: 99999999999999999999"], "x"), BAD_REQUEST],
  (body) => ["a negative length", raw([...RIGHT_HEAD, "content-length: -1"], body), BAD_REQUEST],
  (body) => [
    "two lengths",
    raw([...RIGHT_HEAD, "content-length: 0", `content-length: ${body.length}`], body),
    BAD_REQUEST,
  ],
  (body) => ["a length and chunks", raw([...CHUNKED, "content-length: 5"], body), BAD_REQUEST],
  (body) => [
    "chunks that are not the last coding",
    raw([...RIGHT_HEAD, "transfer-encoding: chunked, gzip"], body),
    BAD_REQUEST,
  ],
  (body) => ["a giant body", bytesOf(RIGHT_HEAD, Buffer.concat([body, Buffer.alloc(200_000, 32)])), TOO_LARGE],
  (body) => ["a giant body in chunks", raw(CHUNKED, giantChunks(body)), TOO_LARGE],
  (body) => ["a chunk of no size", raw(CHUNKED, `x${CRLF}${body}`), BAD_REQUEST],
  (body) => ["a chunk of a negative size", raw(CHUNKED, `-5${CRLF}${body}`), BAD_REQUEST],
  (body) => ["a chunk of a giant size", raw(CHUNKED, `ffffffffffffffffff${CRLF}${body}`), BAD_REQUEST],
  (body) => ["a chunk longer than said", raw(CHUNKED, `2${CRLF}${body}${CRLF}0${CRLF}${CRLF}`), BAD_REQUEST],
  (body) => [
    "a line feed alone behind a chunk",
    raw(CHUNKED, `${body.length.toString(16)}\n${body}\n0\n\n`),
    BAD_REQUEST,
  ],
  (body) => ["a path that is no ASCII", bytesOf(RIGHT_HEAD, body, { line: to("/\u00ff") }), BAD_REQUEST],
  () => ["no HTTP", Buffer.from(`nonsense${CRLF}${CRLF}`), BAD_REQUEST],
  () => ["TLS", Buffer.from([22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3, 13, 10, 13, 10]), BAD_REQUEST],
  () => ["HTTP/2", Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), BAD_REQUEST],
  (body) => ["another version", raw(RIGHT_HEAD, body, "POST /events HTTP/3.7"), BAD_REQUEST],
  (body) => ["a NUL in a header", raw([...RIGHT_HEAD, "x: a\0b"], body), BAD_REQUEST],
  (body) => ["a space before a colon", raw([...RIGHT_HEAD, "content-length : 3"], body), BAD_REQUEST],
  (body) => ["a folded header", raw([...RIGHT_HEAD, "x: a", " content-length: 3"], body), BAD_REQUEST],
  () => ["a tunnel", raw(RIGHT_HEAD, "", "CONNECT x:80 HTTP/1.1"), NOT_POST],
  () => ["a tunnel without a token", raw(without(BEARER), "", "CONNECT x:80 HTTP/1.1"), UNAUTHORIZED],
  (body) => ["HEAD", bytesOf(RIGHT_HEAD, body, { line: to("/events", "HEAD") }), NOT_POST, { isHead: true }],
  (body) => ["an end in the middle", bytesOf(RIGHT_HEAD, body).subarray(0, -3), BAD_REQUEST, { isEnded: true }],
  (body) => ["a connection cut behind it", bytesOf(RIGHT_HEAD, body), ["200"], { isCut: true }],
  (body, prng) => {
    const whole = bytesOf(RIGHT_HEAD, body)
    return ["a connection cut within it", whole.subarray(0, prng.below(whole.length)), [], { isCut: true }]
  },
  (body, prng) => {
    const whole = bytesOf(RIGHT_HEAD, body)
    if (!prng.chance(SLOW_SHARE))
      return ["closed behind it", bytesOf([...RIGHT_HEAD, "connection: close"], body), ["200"]]
    const at = prng.chance(0.5) ? 30 : whole.length - 2
    return ["a request that never ends", whole.subarray(0, at), ["408 request-timeout"]]
  },
]
/** Each takes seconds. */
const SLOW_SHARE = 0.05

function giantChunks(body) {
  return `${body.length.toString(16)}${CRLF}${body}${CRLF}${`1000${CRLF}${" ".repeat(4096)}${CRLF}`.repeat(40)}0${CRLF}${CRLF}`
}
