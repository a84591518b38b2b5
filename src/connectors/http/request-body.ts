/**
 * The body of a request, read within bounds: of what comes, of what it is unpacked, and of what all requests of the server hold at a time.
 *
 * Invariants:
 * - RB1 No more than `maxBytes` of a body are held packed, nor more than that unpacked.
 * - RB2 All bodies together hold no more than the server's bytes in flight, and a chunk each. What is held is given back, whatever happens.
 */
import type { IncomingMessage } from "node:http"
import { createGunzip } from "node:zlib"
import { Refusal } from "./refusal.ts"

/** How many bytes requests hold together. */
export class BytesInFlight {
  readonly #most: number
  #bytes = 0

  constructor(most: number) {
    this.#most = most
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Takes so many more, where there is room. */
  take(bytes: number): boolean {
    if (this.#bytes + bytes > this.#most) return false
    this.#bytes += bytes
    return true
  }

  giveBack(bytes: number): void {
    this.#bytes -= bytes
  }
}

/** A body that is held until it is released. */
export class RequestBody {
  readonly #inFlight: BytesInFlight
  readonly #maxBytes: number
  #held = 0

  constructor(inFlight: BytesInFlight, maxBytes: number) {
    this.#inFlight = inFlight
    this.#maxBytes = maxBytes
  }

  /**
   * Reads a body to its end.
   *
   * @throws Refusal
   */
  async read(request: IncomingMessage, isGzip: boolean): Promise<Uint8Array> {
    // Who is refused is still to be answered.
    const packed = await this.#gather(request.iterator({ destroyOnReturn: false }))
    return isGzip ? await this.#unpack(packed) : packed
  }

  release(): void {
    this.#inFlight.giveBack(this.#held)
    this.#held = 0
  }

  async #gather(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
    const taken: Uint8Array[] = []
    let length = 0
    for await (const chunk of chunks) {
      length += chunk.length
      if (length > this.#maxBytes) throw tooLarge(this.#maxBytes)
      if (!this.#inFlight.take(chunk.length)) throw overloaded()
      this.#held += chunk.length
      taken.push(chunk)
    }
    return taken.length === 1 ? taken[0]! : joined(taken, length)
  }

  async #unpack(packed: Uint8Array): Promise<Uint8Array> {
    const gunzip = createGunzip()
    gunzip.end(packed)
    try {
      return await this.#gather(gunzip as AsyncIterable<Uint8Array>)
    } catch (error) {
      if (error instanceof Refusal) throw error
      throw new Refusal("bad-request", "The body is said to be gzip, and is not.", "Pack all of it, or send it plain.")
    } finally {
      gunzip.destroy()
    }
  }
}

function joined(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  let at = 0
  for (const piece of pieces) {
    bytes.set(piece, at)
    at += piece.length
  }
  return bytes
}

/** A body with more bytes than it may have, packed or unpacked. */
export function tooLarge(maxBytes: number): Refusal {
  return new Refusal(
    "request-too-large",
    `The body has more than ${maxBytes} bytes.`,
    "Send its records in several requests.",
    {
      members: { maxBytes },
    },
  )
}

/** There is no room for what comes. */
export function overloaded(): Refusal {
  return new Refusal(
    "overloaded",
    "The server holds as many bytes of requests as it may.",
    "Send it again a little later.",
    {
      retryAfterSeconds: 1,
    },
  )
}
