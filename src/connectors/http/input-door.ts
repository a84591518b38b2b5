/**
 * The way into one input: from the bytes of a body to an answer, whatever they came by.
 *
 * Where a record is not what the input takes, either nothing of its request is stored, and each such record is told (`"refuse"`); or what is there
 * is stored, and the job makes dead letters of it (`"dead-letter"`). A body of JSON that is none has no records: it is refused in both cases.
 */
import { createHash } from "node:crypto"
import { counted, grouped } from "../../base/counted.ts"
import { TidemarkError } from "../../base/errors.ts"
import { bodyRecords, type BodyFormat } from "./body-records.ts"
import type { RecordCheck } from "./record-check.ts"
import { Refusal } from "./refusal.ts"
import type { RequestLog } from "./request-log.ts"
import { DIGEST_BYTES, type RequestKey } from "./request-record.ts"

/** So many wrong records are told one by one. */
const WRONG_RECORDS_MAX = 100
const KEY_CHARACTERS_MAX = 255

/** What a door is made of. */
export interface InputDoorParts {
  readonly path: string
  readonly requests: RequestLog
  /** Absent where wrong records become dead letters. */
  readonly check: RecordCheck | undefined
  readonly maxRequestBytes: number
  readonly maxRecords: number
  readonly isKeyRequired: boolean
}

/** What is sent. */
export interface Delivery {
  readonly body: Uint8Array
  readonly format: BodyFormat
  readonly key: string | undefined
}

/** What was stored, now or before. */
export interface Receipt {
  readonly records: number
  readonly isRepeated: boolean
}

/** See the head of this file. */
export class InputDoor {
  readonly path: string
  readonly maxRequestBytes: number
  readonly #parts: InputDoorParts
  #isClosed = false

  constructor(parts: InputDoorParts) {
    this.#parts = parts
    this.path = parts.path
    this.maxRequestBytes = parts.maxRequestBytes
  }

  /** Refuses everything from here on. */
  close(): void {
    this.#isClosed = true
  }

  /**
   * Refuses what cannot be stored, whatever it is, before its body is read.
   *
   * @throws Refusal
   */
  expectOpen(): void {
    if (this.#isClosed) throw stopping()
    if (this.#parts.requests.isFull) throw backlogFull(this.path)
  }

  /**
   * The key that a sender has given, as it stands in its header: as RFC 9651 writes texts, or plain.
   *
   * @throws Refusal
   */
  keyOf(given: string | undefined): string | undefined {
    if (given === undefined) {
      if (!this.#parts.isKeyRequired) return undefined
      throw new Refusal(
        "bad-key",
        `${this.path} takes no request without a key.`,
        'Send a header Idempotency-Key: "<a text of your own for each request>".',
      )
    }
    const quoted = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/.exec(given)?.[1]
    return expectKey(quoted?.replaceAll(/\\(["\\])/g, "$1") ?? (/^[\x21\x23-\x7e]+$/.test(given) ? given : ""))
  }

  /**
   * The key that stands before the records of a message.
   *
   * @throws Refusal
   */
  keyOfMessage(given: string | undefined): string | undefined {
    if (given !== undefined) return expectKey(given)
    if (!this.#parts.isKeyRequired) return undefined
    throw new Refusal(
      "bad-key",
      `${this.path} takes no message without a key.`,
      "Send a JSON text of your own for each message as the line before its records.",
    )
  }

  /**
   * Stores what is sent; resolves when it is durable.
   *
   * @throws Refusal
   */
  async take({ body, format, key }: Delivery): Promise<Receipt> {
    const { check, requests, maxRecords } = this.#parts
    const records = bodyRecords(body, format, maxRecords)
    if (records === "not-json") {
      throw new Refusal(
        "not-json",
        "The body is not JSON, or nested deeper than 64 levels.",
        "Send one JSON object, an array of them, or JSON lines.",
      )
    }
    if (records === "too-many") {
      throw new Refusal(
        "too-many-records",
        `The request has more than ${counted(maxRecords, "record")}.`,
        "Send them in several requests.",
        { members: { maxRecords } },
      )
    }
    if (check !== undefined) expectRight(check, records)
    if (records.length === 0) return { records: 0, isRepeated: false }
    try {
      const answer = await requests.accept({ key: key === undefined ? undefined : keyDigests(key, records), records })
      switch (answer.kind) {
        case "stored":
        case "repeated":
          return { records: answer.records, isRepeated: answer.kind === "repeated" }
        case "key-taken":
          throw new Refusal(
            "key-taken",
            "Another request was stored with this key.",
            "Give each request a key of its own, and repeat only the same one.",
          )
        case "backlog-full":
          throw backlogFull(this.path)
        case "closing":
          throw stopping()
      }
    } catch (error) {
      if (!(error instanceof TidemarkError)) throw error
      throw new Refusal(
        "storage-failed",
        "The request could not be made durable.",
        "Send it again later; with a key it is stored once.",
        { retryAfterSeconds: 5 },
      )
    }
  }
}

function expectRight(check: RecordCheck, records: readonly Uint8Array[]): void {
  const { count, wrong } = check.check(records, WRONG_RECORDS_MAX)
  if (count === 0) return
  throw new Refusal(
    "bad-records",
    `${grouped(count)} of ${counted(records.length, "record")} ${count === 1 ? "is" : "are"} not what the input takes.`,
    "Nothing of the request was stored. Send it without them, or as the input takes them.",
    { members: { badRecords: count, records: wrong } },
  )
}

function expectKey(key: string): string {
  if (/^[\x20-\x7e]+$/.test(key) && key.length <= KEY_CHARACTERS_MAX) return key
  throw new Refusal(
    "bad-key",
    "The key of the request is no key.",
    `Send printable ASCII, in quotes: 1 to ${KEY_CHARACTERS_MAX} characters.`,
  )
}

function keyDigests(key: string, records: readonly Uint8Array[]): RequestKey {
  const sent = createHash("sha256")
  for (const record of records) sent.update(record).update("\n")
  return { digest: shortened(createHash("sha256").update(key).digest()), sent: shortened(sent.digest()) }
}

function shortened(digest: Buffer): Uint8Array {
  return Uint8Array.prototype.slice.call(digest, 0, DIGEST_BYTES)
}

function backlogFull(path: string): Refusal {
  return new Refusal("backlog-full", `${path} has as much waiting for the job as it may.`, "Send it again later.", {
    retryAfterSeconds: 5,
  })
}

function stopping(): Refusal {
  return new Refusal("stopping", "The job stops.", "Send it again when the job runs.", { retryAfterSeconds: 5 })
}
