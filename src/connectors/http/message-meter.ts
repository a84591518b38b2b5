/**
 * How much of a message of a WebSocket has come that is not whole: told from the heads of frames (RFC 6455, 5.2) beside the library that puts messages
 * together, which keeps to itself what it holds.
 *
 * | bytes | what |
 * |---|---|
 * | 1 | the last frame of its message (bit 7); what it is (bits 0 to 3): from 8 on it belongs to no message |
 * | 1 | whether a mask follows (bit 7); the length of the payload (bits 0 to 6): 126 and 127 stand for 2 and 8 bytes that follow |
 * | 0, 2 or 8 | the length, in the order of networks |
 * | 0 or 4 | the mask |
 * | rest | the payload |
 *
 * Invariant:
 * - MM1 Whatever the chunks, the bytes are those of the payloads of the message that has begun and not ended.
 */

const LAST_BIT = 0x80
const MASK_BIT = 0x80
const KIND_BITS = 0x0f
const LENGTH_BITS = 0x7f
const CONTROL_FROM = 8

/** See the head of this file. */
export class MessageMeter {
  /** Payload of the message that is coming. */
  bytes = 0
  /** Whether one is coming, of which perhaps nothing but a head is there. */
  isWithin = false
  /** How many messages have ended. */
  ended = 0
  #isControl = false
  #isLast = false
  /** The head's bytes as far as they came, and how many it has, once that is known. */
  readonly #head = new Uint8Array(14)
  #headBytes = 0
  /** Payload of the frame that is still to come. */
  #rest = 0

  /** Takes bytes as they came. */
  add(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length;) {
      if (this.#rest === 0) {
        this.#head[this.#headBytes++] = chunk[at++]!
        this.#readHead()
      } else {
        const taken = Math.min(this.#rest, chunk.length - at)
        at += taken
        this.#rest -= taken
        if (!this.#isControl) this.bytes += taken
        if (this.#rest === 0) this.#endFrame()
      }
    }
  }

  #readHead(): void {
    const [first, second] = [this.#head[0]!, this.#head[1]!]
    this.#isControl = (first & KIND_BITS) >= CONTROL_FROM
    if (!this.#isControl) this.isWithin = true
    if (this.#headBytes < 2) return
    const short = second & LENGTH_BITS
    const lengthBytes = short === 127 ? 8 : short === 126 ? 2 : 0
    if (this.#headBytes < 2 + lengthBytes + ((second & MASK_BIT) === 0 ? 0 : 4)) return
    this.#isLast = (first & LAST_BIT) !== 0
    this.#rest = lengthBytes === 0 ? short : 0
    for (let index = 2; index < 2 + lengthBytes; index++) this.#rest = this.#rest * 256 + this.#head[index]!
    this.#headBytes = 0
    if (this.#rest === 0) this.#endFrame()
  }

  #endFrame(): void {
    if (this.#isControl || !this.#isLast) return
    this.isWithin = false
    this.bytes = 0
    this.ended++
  }
}
