/**
 * A sender of `fuzz-http.mjs`: one connection after the other, on each of them volleys of requests, of which the next is written when the last is answered.
 *
 * One sender of eight sends requests with bytes changed at random to `/scrap`, half of them without a token: what becomes of one is not known
 * before, but each is answered or its connection closed, none without a token is let in, and what is said to be stored is there.
 */
import { connect } from "node:net"
import { Answers } from "./fuzz-http-answers.mjs"
import { bytesOf, RIGHT_HEAD } from "./fuzz-http-bytes.mjs"
import { drawRequest } from "./fuzz-http-requests.mjs"

const VOLLEY_MAX = 12
/** A volley that is not over then has hung. */
const ANSWER_MS = 20_000
/** So many keyed requests are remembered, to be sent again. */
const REMEMBERED = 16
/** Refusals that any request may get that is right so far. */
const BUSY = new Set(["503 overloaded", "503 backlog-full"])
const SCRAP_EVERY = 8
/** Behind a volley to `/scrap`: refused, and its connection closed. */
const LAST_OF_SCRAP = bytesOf(["host: x", "connection: close"], Buffer.alloc(0), { line: "POST /scrap HTTP/1.1" })
/** After it the connection is ended from this side. */
const SCRAP_MS = 300

/** A sender, which draws all from its own generator. */
export class Sender {
  #name
  #port
  #prng
  #tally
  #isScrap
  #socket
  #answers
  #isClosed = true
  #wake = () => undefined
  #acknowledged = []

  constructor({ index, seed, port, prng, tally }) {
    this.#name = `seed ${seed}, sender ${index}`
    this.#port = port
    this.#prng = prng
    this.#tally = tally
    this.#isScrap = index % SCRAP_EVERY === SCRAP_EVERY - 1
  }

  /** Sends while there is something to be sent. */
  async run(isOver) {
    while (!isOver()) {
      if (this.#isClosed) this.#connect()
      await (this.#isScrap ? this.#scrap() : this.#volley())
    }
    this.#socket?.destroy()
  }

  #connect() {
    const socket = connect({ port: this.#port, host: "127.0.0.1", noDelay: true, allowHalfOpen: true })
    const answers = new Answers()
    this.#socket = socket
    this.#answers = answers
    this.#isClosed = false
    const close = () => {
      socket.destroy()
      if (socket === this.#socket) this.#isClosed = true
      this.#wake()
    }
    socket.on("data", (bytes) => {
      answers.add(bytes)
      this.#wake()
    })
    socket.on("error", close).on("end", close).on("close", close)
  }

  async #volley() {
    const requests = []
    const count = 1 + this.#prng.below(VOLLEY_MAX)
    while (requests.length < count && !requests.at(-1)?.isLast) {
      requests.push(drawRequest({ prng: this.#prng, tally: this.#tally, acknowledged: this.#acknowledged }))
    }
    this.#tally.requests += requests.length
    for (const { ids } of requests) this.#tally.sent(ids)
    const last = requests.at(-1)
    await this.#write(Buffer.concat(requests.map(({ bytes }) => bytes)))
    if (last.isEnded) this.#socket.end()
    if (last.isCut) return await this.#cut(requests)
    for (const request of requests) {
      const answer = await this.#answer(request)
      // Node answers nothing any more that was under way where no more can come: such a sender knows nothing.
      if (answer === undefined && last.isEnded && this.#answers.wrong === undefined) return this.#close()
      if (answer === undefined) return this.#unanswered(request)
      this.#judge(request, answer)
      if (answer.isOver) return this.#close()
    }
    if (last.isLast) this.#close()
  }

  /** Cut in the middle, at some time: nothing is known of what was on its way. */
  async #cut(requests) {
    if (this.#prng.chance(0.5)) await new Promise((resolve) => setTimeout(resolve, this.#prng.below(5)))
    if (this.#prng.chance(0.5)) this.#socket.resetAndDestroy()
    this.#close()
    for (const { ids } of requests) if (ids.length > 0) this.#tally.count("cut")
  }

  /** Writes bytes in one piece or several. */
  async #write(bytes) {
    if (this.#prng.chance(0.8)) return void this.#socket.write(bytes)
    const pieces = 2 + this.#prng.below(3)
    for (let piece = 0, at = 0; piece < pieces; piece++) {
      const end = piece === pieces - 1 ? bytes.length : at + this.#prng.below(bytes.length - at + 1)
      this.#socket.write(bytes.subarray(at, end))
      at = end
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  /** The next answer, or nothing where the connection ends before. */
  async #answer({ isHead }) {
    const until = performance.now() + ANSWER_MS
    for (;;) {
      const answer = this.#answers.take(isHead)
      if (answer !== undefined || this.#isClosed || this.#answers.wrong !== undefined) return answer
      if (performance.now() >= until) {
        this.#find("nothing came for too long")
        return undefined
      }
      await this.#woken()
    }
  }

  #woken() {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ANSWER_MS)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  #judge(request, { kind, records, isReplayed }) {
    const { name, ids, expect, key, isAgain = false } = request
    this.#tally.count(kind)
    if (!expect.includes(kind) && !BUSY.has(kind)) {
      this.#find(`${name} was answered ${kind}, and not ${expect.join(" or ")}: ${shown(request.bytes)}`)
    }
    if (kind !== "200") {
      if (!isAgain) this.#tally.refused(ids)
      return
    }
    if (records !== ids.length) this.#find(`${name} has ${ids.length} records, and ${records} were acknowledged`)
    if (isReplayed !== isAgain && ids.length > 0)
      this.#find(`${name} was ${isReplayed ? "" : "not "}said to be a repetition`)
    this.#tally.acknowledged(ids)
    if (key === undefined || ids.length === 0) return
    this.#acknowledged.push(request)
    if (this.#acknowledged.length > REMEMBERED) this.#acknowledged.shift()
  }

  /** The connection ended before an answer, which only what is expected to be answered nothing may see. */
  #unanswered({ name, bytes }) {
    const why = this.#answers.wrong ?? "its connection was closed without an answer"
    this.#find(`${name}: ${why}: ${shown(bytes)}`)
    this.#close()
  }

  /** A volley to `/scrap`: all answers until the connection is closed. */
  async #scrap() {
    const hasToken = this.#prng.chance(0.5)
    const count = 1 + this.#prng.below(3)
    const requests = Array.from({ length: count }, () => this.#scrapRequest(hasToken))
    this.#tally.requests += count
    const bytes = Buffer.concat(requests)
    await this.#write(Buffer.concat([bytes, LAST_OF_SCRAP]))
    // What is behind a head with too great a length is taken for its body: more would be waited for.
    const ending = setTimeout(() => {
      this.#tally.scrapUnknown += 2 * count
      this.#socket.end()
    }, SCRAP_MS)
    const until = performance.now() + ANSWER_MS
    while (!this.#isClosed && performance.now() < until) await this.#woken()
    clearTimeout(ending)
    if (!this.#isClosed) this.#find(`a changed request keeps its connection: ${shown(bytes)}`)
    for (let answer = this.#answers.take(); answer !== undefined; answer = this.#answers.take()) {
      this.#tally.count(`scrap: ${answer.kind}`)
      if (answer.status !== 200) continue
      this.#tally.scrapRecords += answer.records
      if (!hasToken) this.#find(`let in without a token: ${shown(bytes)}`)
    }
    const { wrong, hasRest } = this.#answers
    if (wrong !== undefined || hasRest) {
      this.#find(`${wrong ?? "half an answer"} to ${shown(bytes)}`)
    }
    this.#close()
  }

  #scrapRequest(hasToken) {
    const prng = this.#prng
    const head = RIGHT_HEAD.filter((header) => hasToken || !header.startsWith("authorization"))
    const body = Buffer.from(prng.pick(['{"id":1,"tag":"a"}', '[{"id":2},{"id":3}]', '{"id":4}\n{"id":5}\n']))
    const isTold = prng.chance(0.7)
    const sent = isTold ? body : Buffer.from(`${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`)
    const headers = isTold ? head : [...head, "transfer-encoding: chunked"]
    return changed(prng, bytesOf(headers, sent, { line: "POST /scrap HTTP/1.1", isTold }))
  }

  #close() {
    this.#socket.destroy()
    this.#isClosed = true
  }

  #find(text) {
    this.#tally.find(`${this.#name}: ${text}`)
  }
}

/** Bytes with some of them changed, taken away, put in or repeated. */
function changed(prng, bytes) {
  let text = bytes
  for (let changes = prng.below(4); changes > 0; changes--) {
    const at = prng.below(text.length)
    const length = prng.below(prng.chance(0.7) ? 4 : text.length - at)
    const [before, behind] = [text.subarray(0, at), text.subarray(at)]
    const drawn = Buffer.from(Array.from({ length: 1 + prng.below(3) }, () => prng.below(256)))
    const put = prng.pick([
      drawn,
      behind.subarray(0, length),
      Buffer.from(prng.pick(["\r\n", "\r\n\r\n", "0", ":", " ", "{"])),
    ])
    text = Buffer.concat([before, put, behind.subarray(prng.chance(0.5) ? put.length : length)])
    if (text.length === 0) return bytes
  }
  return text
}

function shown(bytes) {
  const text = JSON.stringify(bytes.toString("latin1"))
  return text.length > 400 ? `${text.slice(0, 400)}… (${bytes.length} bytes)` : text
}
