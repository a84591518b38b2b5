/**
 * The requests of `fuzz-http.mjs`: right ones in every form that is taken, and wrong ones, each with the answers that it may get.
 *
 * A request is `{ name, bytes, ids, expect }`: `ids` are those of the records that it has, `expect` the answers, such as `200` and `400 not-json`. With
 * `isLast` nothing comes behind it on its connection; with `isHead` its answer has no body; `key` and `body` let a right one be sent again.
 */
import { gzipSync } from "node:zlib"
import { BEARER, bytesOf, CRLF, HOST, JSON_TYPE, LINES_TYPE, RIGHT_HEAD } from "./fuzz-http-bytes.mjs"
import { lastRequest, wrongHead } from "./fuzz-http-heads.mjs"
import { LIMITS } from "./fuzz-http-limits.mjs"

const BOMB = gzipSync(Buffer.alloc(8 * 2 ** 20, 0x20))
const DEEP = 40
const TOO_DEEP = 70

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
