/**
 * A WebSocket whose messages go into an input: each is answered by one message, when its records are durable or when they are refused.
 *
 * Who sends faster than that is not read for a while: by the system's own buffers the sender comes to wait. So nothing is lost that was taken from the
 * connection, and what is held is bounded by the same bytes as the bodies of requests (RB2).
 *
 * Invariants (rules of docs/spec/http.md):
 * - H12 Messages are handed to the log in the order in which they came; each is answered once, unless the connection is lost before. A sender that bids
 *   farewell hears the server's own behind its answers.
 * - H13 Bytes of messages that are not whole, and of those that are not answered, are held against the server's bytes in flight, and given back.
 */
import type { Duplex } from "node:stream"
import type { RawData, WebSocket } from "ws"
import type { Env } from "../../env/env.ts"
import type { InputDoor, Receipt } from "./input-door.ts"
import { readMessage } from "./keyed-message.ts"
import { MessageMeter } from "./message-meter.ts"
import type { RateLimit } from "./rate-limit.ts"
import { overloaded, type BytesInFlight } from "./request-body.ts"
import { expectRate } from "./request-head.ts"
import { type Refusal, refusalOf } from "./refusal.ts"

/** So many messages, and bytes of answers, may wait before the connection is not read. */
const UNANSWERED_MAX = 1000
const UNSENT_BYTES_MAX = 1 << 20
/** A sender that was told to come again later is not read for so long. */
const BUSY_MICROS = 500_000
/** Who has not been heard of for so long is asked whether it lives; for twice as long, is taken for gone. */
const QUIET_MICROS = 30_000_000
/** Whoever is cut off has so long to read why. */
const LINGER_MICROS = 2_000_000

/** Why connections are closed (RFC 6455, 7.4). */
const CLOSED = { stopping: 1001, slow: 1008, overloaded: 1013 } as const

/** What a WebSocket is made of. */
export interface MessageSocketParts {
  readonly socket: WebSocket
  /** What it lies on. */
  readonly stream: Duplex
  readonly door: InputDoor
  /** Who sends, for its rate. */
  readonly sender: string
  readonly rates: RateLimit | undefined
  readonly inFlight: BytesInFlight
  readonly env: Pick<Env, "clock" | "timers">
  /** How long a message may take to come. */
  readonly messageMicros: number
}

/** See the head of this file. */
export class MessageSocket {
  readonly door: InputDoor
  /** Resolves when the connection is closed. */
  readonly closed: Promise<void>
  readonly #parts: MessageSocketParts
  readonly #meter = new MessageMeter()
  readonly #unanswered = new Set<Promise<void>>()
  /** The library's way to close. */
  readonly #close: WebSocket["close"]
  #messages = 0
  /** How many bytes of a message that is not whole count as in flight. */
  #partialBytes = 0
  #heardMicros: number
  /** Since when a message is coming, and how many had come before. */
  #coming: { readonly ended: number; readonly sinceMicros: number } | undefined
  /** Until then the sender is not read, as it was told to wait. */
  #busyUntilMicros = 0
  /** Since when what comes is not looked at. */
  #lostMicros: number | undefined
  #isEnding = false

  constructor(parts: MessageSocketParts) {
    const { socket, stream, door } = parts
    this.#parts = parts
    this.door = door
    this.#heardMicros = this.#now()
    this.closed = new Promise((resolve) => socket.once("close", resolve))
    // The library calls it when the sender has closed its side, behind the last message: the server's may stay open a while (RFC 6455, 5.5.1).
    this.#close = socket.close.bind(socket)
    socket.close = (code, reason) => void this.#closeBehindAnswers(code, reason)
    // The library puts messages together of the same bytes, behind us.
    stream.prependListener("data", (chunk: Uint8Array) => this.#hear(chunk))
    socket.on("message", (data: RawData) => this.#receive(data as Buffer))
    // The library closes the connection itself, with the code that tells why, and throws away what still comes.
    socket.on("error", () => this.#lose())
    void this.closed.then(() => this.#lose())
  }

  /** Looks whether the sender is still there, and not too slow. It is called now and then. */
  look(): void {
    const { socket, messageMicros } = this.#parts
    const now = this.#now()
    if (this.#lostMicros !== undefined) {
      if (now - this.#lostMicros > LINGER_MICROS) socket.terminate()
      return
    }
    if (this.#isBusy) this.#heardMicros = now
    else if (socket.isPaused) this.#readOn()
    if (this.#coming !== undefined && now - this.#coming.sinceMicros > messageMicros) {
      this.#cutOff(CLOSED.slow, "a message took too long")
    } else if (now - this.#heardMicros > 2 * QUIET_MICROS) socket.terminate()
    else if (now - this.#heardMicros > QUIET_MICROS) socket.ping()
  }

  /** Takes nothing more; closes when what was taken is answered. */
  async end(): Promise<void> {
    this.#isEnding = true
    await Promise.allSettled(this.#unanswered)
    // The sender's own farewell is to be read.
    this.#parts.socket.resume()
    this.#close(CLOSED.stopping, "the job stops")
    await this.closed
  }

  terminate(): void {
    this.#parts.socket.terminate()
  }

  get #isBusy(): boolean {
    return this.#unanswered.size > UNANSWERED_MAX / 2 || this.#now() < this.#busyUntilMicros
  }

  #now(): number {
    return this.#parts.env.clock.monotonicMicros()
  }

  #hear(chunk: Uint8Array): void {
    if (this.#lostMicros !== undefined) return
    const { socket } = this.#parts
    const meter = this.#meter
    meter.add(chunk)
    this.#heardMicros = this.#now()
    if (!meter.isWithin) this.#coming = undefined
    else if (this.#coming?.ended !== meter.ended) {
      this.#coming = { ended: meter.ended, sinceMicros: this.#heardMicros }
    }
    if (!this.#holdPartial(meter.bytes)) this.#cutOff(CLOSED.overloaded, "the server holds as much as it may")
    // Answers to pings, too, wait to be read.
    if (socket.bufferedAmount > UNSENT_BYTES_MAX) this.#pause()
  }

  /** Holds so many bytes for a message that is not whole, where there is room for them. */
  #holdPartial(bytes: number): boolean {
    const { inFlight } = this.#parts
    const more = bytes - this.#partialBytes
    if (more > 0 && !inFlight.take(more)) return false
    if (more < 0) inFlight.giveBack(-more)
    this.#partialBytes = bytes
    return true
  }

  /** Closes at once: nothing more is read, and the sender is told why, for which it has a while. */
  #cutOff(code: number, reason: string): void {
    const { socket } = this.#parts
    this.#close(code, reason)
    socket.pause()
    this.#lose()
  }

  async #closeBehindAnswers(code?: number, reason?: string | Buffer): Promise<void> {
    await Promise.allSettled(this.#unanswered)
    this.#close(code, reason)
  }

  /** What comes from here on is not looked at. */
  #lose(): void {
    this.#lostMicros ??= this.#now()
    this.#holdPartial(0)
  }

  #pause(): void {
    if (!this.#isEnding) this.#parts.socket.pause()
  }

  #receive(bytes: Buffer): void {
    const answered = this.#answer(bytes, ++this.#messages).finally(() => this.#unanswered.delete(answered))
    this.#unanswered.add(answered)
    if (this.#unanswered.size > UNANSWERED_MAX) this.#pause()
  }

  async #answer(bytes: Buffer, message: number): Promise<void> {
    const { inFlight, door, sender } = this.#parts
    const known: { key?: string } = {}
    const isHeld = inFlight.take(bytes.length)
    try {
      if (!isHeld) throw overloaded()
      expectRate(sender, this.#parts)
      door.expectOpen()
      const { key, body, format } = readMessage(bytes)
      if (key !== undefined) known.key = key
      const receipt = await door.take({ body, format, key: door.keyOfMessage(key) })
      this.#send(acknowledgement(message, known, receipt))
    } catch (error) {
      const refusal = refusalOf(error)
      this.#wait(refusal)
      this.#send({ message, ...known, error: refusal.error, ...retryOf(refusal) })
    } finally {
      if (isHeld) inFlight.giveBack(bytes.length)
    }
  }

  #send(answer: object): void {
    const { socket } = this.#parts
    if (socket.readyState !== socket.OPEN) return
    socket.send(JSON.stringify(answer), () => this.#readOn())
  }

  /** Does not read a sender for a while that was told to come again later. */
  #wait({ retryAfterSeconds }: Refusal): void {
    if (retryAfterSeconds === undefined) return
    this.#busyUntilMicros = this.#now() + BUSY_MICROS
    this.#pause()
  }

  #readOn(): void {
    const { socket } = this.#parts
    if (!socket.isPaused || this.#isBusy || socket.bufferedAmount > UNSENT_BYTES_MAX / 2) return
    this.#coming &&= { ...this.#coming, sinceMicros: this.#now() }
    socket.resume()
  }
}

function acknowledgement(message: number, known: { key?: string }, { records, isRepeated }: Receipt): object {
  return { message, ...known, records, ...(isRepeated && { replayed: true }) }
}

function retryOf({ retryAfterSeconds }: Refusal): object {
  return retryAfterSeconds === undefined ? {} : { retryAfterSeconds }
}
