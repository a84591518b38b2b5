/**
 * The requests of `fuzz-http.mjs`: right ones in every form that is taken, and wrong ones, each with the answers that it may get.
 *
 * A request is `{ name, bytes, ids, expect }`: `ids` are those of the records that it has, `expect` the answers, such as `200` and `400 not-json`. With
 * `isLast` nothing comes behind it on its connection; with `isHead` its answer has no body; `key` and `body` let a right one be sent again.
 */
import { gzipSync } from "node:zlib"
import { LIMITS, TOKEN } from "./fuzz-http-limits.mjs"

const CRLF = "\r\n"
const BOMB = gzipSync(Buffer.alloc(8 * 2 ** 20, 0x20))
const FLOOD = Array.from({ length: 3000 }, (_, index) => `x-${index % 7}: yyyy${CRLF}`).join("")
const MANY_SMALL = Array.from({ length: 1200 }, () => `a:b${CRLF}`).join("")
const DEEP = 40
const TOO_DEEP = 70

/** The bytes of a request: its line, headers as they are to stand, and a body whose length is told unless it comes in chunks. */
export function bytesOf(headers, body, { line = "POST /events HTTP/1.1", isTold = true } = {}) {
  const told = isTold ? [...headers, `content-length: ${body.length}`] : headers
  return Buffer.concat([Buffer.from(`${[line, ...told].join(CRLF)}${CRLF}${CRLF}`, "latin1"), body])
}

const HOST = "host: x"
const JSON_TYPE = "content-type: application/json"
const LINES_TYPE = "content-type: application/x-ndjson"
const BEARER = `authorization: Bearer ${TOKEN}`
export const RIGHT_HEAD = [HOST, BEARER, JSON_TYPE]

/** Draws one. `parts` has the generator, the tally for new ids, and the keyed requests that were acknowledged on the connection. */
export function drawRequest(parts) {
  const { prng } = parts
  const draw = prng.below(100)
  if (draw < 55) return rightRequest(parts)
  if (draw < 60 && parts.acknowledged.length > 0) return againRequest(parts)
  if (draw < 78) return wrongBody(parts)
  if (draw < 94) return wrongHead(parts)
  return lastRequest(parts)
}

/** One record: its own members, and others that do not count. */
function recordText(prng, id) {
  const forms = [
    () => `{"id":${id}}`,
    () => `{"tag":"a","id":${id}}`,
    () => `{"id":-1,"id":${id}}`,
    () => `{"\\u0069d":${id},"tag":null}`,
    () => `{"id":${id},"__proto__":{"id":-2},"constructor":1,"toString":[]}`,
    () => `{ "id" : ${id} , "tag" : "\\ud83d\\ude00\\u0000\\"" }`,
    () => `{"deep":${"[".repeat(DEEP)}${"]".repeat(DEEP)},"id":${id}}`,
    () => `{"id":${id},"tag":"${"é".repeat(prng.below(400))}"}`,
    () => `{"id":${id}e0,"huge":1e999,"":""}`,
  ]
  return prng.pick(forms)()
}

function rightRequest({ prng, tally }) {
  const count = prng.chance(0.05) ? 0 : 1 + prng.below(prng.chance(0.05) ? LIMITS.maxRecords : 4)
  const first = tally.take(count)
  const ids = Array.from({ length: count }, (_, index) => first + index)
  // No request is larger than the server takes.
  const records = ids.map((id) => (count > 8 ? `{"id":${id}}` : recordText(prng, id)))
  const isLines = count === 0 ? false : prng.chance(0.4)
  const text = isLines ? linesText(prng, records) : arrayText(prng, records)
  const key = prng.chance(0.4) ? `${prng.uint32()}-${first}-${prng.uint32()}` : undefined
  const body = Buffer.from(text)
  return { name: "right", ids, key, body, isLines, expect: ["200"], bytes: packed(prng, body, isLines, key) }
}

function linesText(prng, records) {
  const end = prng.pick(["\n", "\r\n", "\n\n \n"])
  return records.join(end) + (prng.chance(0.5) ? end : "")
}

function arrayText(prng, records) {
  if (records.length === 1 && prng.chance(0.7)) return prng.chance(0.2) ? `\n ${records[0]}\r\n\t` : records[0]
  return `[${records.join(prng.pick([",", ", ", "\n,\n"]))}]`
}

/** Sends a body in one of the ways in which it may come. */
function packed(prng, body, isLines, key) {
  const headers = [HOST, BEARER, isLines ? LINES_TYPE : JSON_TYPE]
  if (key !== undefined) headers.push(`idempotency-key: "${key}"`)
  if (prng.chance(0.05)) headers.push("expect: 100-continue")
  if (prng.chance(0.05)) headers.push(...["x-a: b", "cookie: c=d", "accept: */*", "te: trailers"])
  const line = prng.chance(0.9)
    ? undefined
    : prng.pick(["POST /events?a=/scrap HTTP/1.1", "POST http://other/events HTTP/1.1", "POST /events?%00# HTTP/1.1"])
  const isGzip = prng.chance(0.1)
  if (isGzip) headers.push("content-encoding: gzip")
  const sent = isGzip ? gzipSync(body) : body
  if (prng.chance(0.8)) return bytesOf(headers, sent, { line })
  const head = [...headers, `${prng.pick(["Transfer-Encoding", "transfer-encoding"])}: chunked`]
  return bytesOf(head, chunked(prng, sent), { line, isTold: false })
}

function chunked(prng, body) {
  const pieces = []
  for (let at = 0; at < body.length;) {
    const length = Math.min(body.length - at, 1 + prng.below(200))
    const size = prng.chance(0.5) ? length.toString(16) : `000${length.toString(16).toUpperCase()}`
    pieces.push(Buffer.from(`${size}${prng.chance(0.1) ? ";a=b" : ""}${CRLF}`), body.subarray(at, at + length))
    pieces.push(Buffer.from(CRLF))
    at += length
  }
  const trailer = prng.chance(0.1) ? `x-trailer: y${CRLF}` : ""
  return Buffer.concat([...pieces, Buffer.from(`0${CRLF}${trailer}${CRLF}`)])
}

/** A request that was acknowledged: as it was, which is 200 and not stored again; or other records with its key. */
function againRequest({ prng, tally, acknowledged }) {
  const { key, body, isLines, ids } = prng.pick(acknowledged)
  if (prng.chance(0.7)) {
    return { name: "again", ids, isAgain: true, expect: ["200"], bytes: packed(prng, body, isLines, key) }
  }
  const id = tally.take(1)
  const bytes = packed(prng, Buffer.from(`{"id":${id}}`), false, key)
  return { name: "key of another", ids: [id], expect: ["422 key-taken"], bytes }
}

const NO_JSON = ["400 not-json"]
const BAD = ["400 bad-records"]

function wrongBody({ prng, tally }) {
  const id = tally.take(1)
  const right = `{"id":${id}}`
  const deep = (depth) => `{"a":${"[".repeat(depth)}${"]".repeat(depth)},"id":${id}}`
  const bodies = [
    ["a text for a number", `[${right},{"id":"x"}]`, BAD],
    ["no id", `[${right},{}]`, BAD],
    ["an id in the prototype", `{"__proto__":{"id":${id}}}`, BAD],
    ["no object", `[${right},7]`, BAD],
    ["null", "null", BAD],
    ["an id beyond int53", `{"id":9007199254740993,"tag":"${id}"}`, BAD],
    ["an id beyond doubles", `{"id":1e400,"tag":"${id}"}`, BAD],
    ["a broken id", `{"id":${id}.5}`, BAD],
    ["a lone surrogate", `{"id":${id},"tag":"\\ud800"}`, ["200", ...BAD, ...NO_JSON]],
    ["invalid UTF-8", Buffer.from(`{"id":${id},"tag":"\xff\xfe"}`, "latin1"), [...BAD, ...NO_JSON]],
    ["overlong UTF-8", Buffer.from(`{"id":${id},"tag":"\xc0\xaf"}`, "latin1"), [...BAD, ...NO_JSON]],
    ["nested too deep", deep(TOO_DEEP), NO_JSON],
    ["nested very deep", "[".repeat(8000), NO_JSON],
    ["objects nested very deep", '{"a":'.repeat(3000), NO_JSON],
    ["a comma at the end", `[${right},]`, NO_JSON],
    ["cut", right.slice(0, -1), NO_JSON],
    ["something behind", `${right}x`, NO_JSON],
    ["two values", `${right}\n${right}`, NO_JSON],
    ["NaN", `{"id":NaN}`, NO_JSON],
    ["a number with a zero before", `{"id":0${id}}`, NO_JSON],
    ["a line feed in a text", `{"id":${id},"tag":"\n"}`, NO_JSON],
    ["NUL", `${right}\0`, NO_JSON],
    ["nothing", "", NO_JSON],
    ["too large a record", `{"id":${id},"tag":"${"x".repeat(LIMITS.maxRecordBytes)}"}`, BAD],
    ["too many records", `[${Array(LIMITS.maxRecords + 1).fill(right)}]`, ["413 too-many-records"]],
    ["wrong lines", `${right}\nnonsense\n`, BAD, LINES_TYPE],
    ["a line of two", `${right}${right}\n`, BAD, LINES_TYPE],
    ["too many lines", `${right}\n`.repeat(LIMITS.maxRecords + 1), ["413 too-many-records"], LINES_TYPE],
  ]
  if (prng.chance(0.25)) return wrongGzip({ prng, id, right })
  const [name, body, expect, type = JSON_TYPE] = prng.pick(bodies)
  const bytes = bytesOf([HOST, BEARER, type], Buffer.from(body))
  return { name: `body: ${name}`, ids: [id], expect, bytes }
}

function wrongGzip({ prng, id, right }) {
  const whole = gzipSync(right)
  const cut = whole.subarray(0, prng.below(whole.length))
  const turned = Buffer.from(whole)
  turned[10 + prng.below(whole.length - 10)] ^= 1 << prng.below(8)
  const [name, body, expect] = prng.pick([
    ["a bomb", BOMB, ["413 request-too-large"]],
    ["a bomb behind a record", Buffer.concat([whole, BOMB]), ["413 request-too-large"]],
    ["no gzip", Buffer.from(right), ["400 bad-request"]],
    // Nothing at all unpacks to nothing.
    ["cut gzip", cut, ["400 bad-request", ...NO_JSON]],
    ["gzip with a bit turned", turned, ["200", "400 bad-request", ...NO_JSON, ...BAD]],
    ["gzip in gzip", gzipSync(whole), NO_JSON],
  ])
  const bytes = bytesOf([...RIGHT_HEAD, "content-encoding: gzip"], body)
  return { name: `gzip: ${name}`, ids: [id], expect, bytes }
}

const UNAUTHORIZED = ["401 unauthorized"]
const NOWHERE = ["404 not-found"]
const NOT_POST = ["405 method-not-allowed"]
const UNKNOWN_TYPE = ["415 unknown-content-type"]
const UNKNOWN_ENCODING = ["415 unknown-content-encoding"]
const BAD_REQUEST = ["400 bad-request"]

function wrongHead({ prng, tally }) {
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
function lastRequest({ prng, tally }) {
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
