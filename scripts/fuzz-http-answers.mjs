/** The answers on a connection, read as strictly as the server is to write them: HTTP/1.1 with a length and a body of JSON. */

const HEAD_END = "\r\n\r\n"

/** Reads answers of bytes as they come. What is none is told by `wrong`. */
export class Answers {
  #bytes = Buffer.alloc(0)
  /** Why what came is no answer. */
  wrong

  /** Takes bytes. */
  add(chunk) {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk])
  }

  /** Whether something is there that is no whole answer. */
  get hasRest() {
    return this.#bytes.length > 0
  }

  /** The next whole answer, where it is there; to HEAD it has no body. */
  take(isHead) {
    for (;;) {
      const end = this.#bytes.indexOf(HEAD_END)
      if (end < 0) return undefined
      const [line, ...headers] = this.#bytes.toString("latin1", 0, end).split("\r\n")
      const status = Number(/^HTTP\/1\.1 (\d\d\d) /.exec(line)?.[1])
      const start = end + HEAD_END.length
      if (status === 100) {
        this.#bytes = this.#bytes.subarray(start)
        continue
      }
      const named = new Map(headers.map((header) => [header.slice(0, header.indexOf(":")).toLowerCase(), header]))
      const length = Number(/^[^:]*: (\d+)$/.exec(named.get("content-length"))?.[1])
      if (Number.isNaN(status) || Number.isNaN(length)) return this.#giveUp(line)
      const stop = start + (isHead ? 0 : length)
      if (this.#bytes.length < stop) return undefined
      const text = this.#bytes.toString("utf8", start, stop)
      this.#bytes = this.#bytes.subarray(stop)
      return this.#answer({ status, named, text, isHead })
    }
  }

  #answer({ status, named, text, isHead }) {
    const isOver = /close/i.test(named.get("connection") ?? "")
    if (isHead) return { status, isOver, kind: "405 method-not-allowed" }
    try {
      const { records, error } = JSON.parse(text)
      const kind = error === undefined ? String(status) : `${status} ${error.code}`
      const hasWait = named.has("retry-after")
      if (hasWait !== (status === 429 || status === 503)) return this.#giveUp(`${kind} and its Retry-After`)
      return { status, isOver, records, kind, isReplayed: named.has("idempotency-replayed") }
    } catch {
      return this.#giveUp(text)
    }
  }

  #giveUp(what) {
    this.wrong = `no answer: ${JSON.stringify(what.slice(0, 100))}`
    return undefined
  }
}
