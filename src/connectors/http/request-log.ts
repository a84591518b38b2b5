/**
 * What was pushed into an input and is not read yet, durable: a log of requests, and the keys by which repeated ones are known.
 *
 * It knows `env` and the log, and nothing of HTTP: requests come as values, and it says of each what became of it. The log is let go as far
 * as the job has committed; before, the keys of what goes are written to a file of their own (`key-file.ts`), where there are new ones.
 *
 * Invariants (rules of docs/spec/http.md):
 * - H1 A request is said to be stored when its record is durable, and not before. All of its records are, or none.
 * - H2 A request with the key of another one that was stored, or is being stored, is not stored, over restarts and crashes: as long as keys
 *   are kept.
 * - H3 What the job has not committed is never let go. What is waiting beyond `backlogBytes` is refused.
 */
import type { Env } from "../../env/env.ts"
import type { LogPlace } from "../../log/log-reader.ts"
import { Log } from "../../log/records/log.ts"
import { GENERATION_BYTES_MAX, lsnOf, placeOf } from "../../log/records/lsn.ts"
import { RecordLog } from "../../log/records/record-log.ts"
import { Backlog } from "./backlog.ts"
import { readKeys, writeKeys } from "./key-file.ts"
import { digestText, KeyTable, type KeyPolicy, type StoredRequest } from "./key-table.ts"
import { decodeHead, encodeRequest, type PushedRequest } from "./request-record.ts"

/** What is let go at a time is counted by so many stretches. */
const STRETCHES = 64

/** How requests are kept. */
export interface RequestLogSettings {
  /** So many bytes may wait to be read by the job. */
  readonly backlogBytes: number
  readonly keys: KeyPolicy
  /** The log is let go when so many bytes more were read. */
  readonly trimBytes: number
  readonly segmentBytes: number
}

/** What became of a request. */
export type Acceptance =
  /** It is durable; or it was, as it had come before. */
  | { readonly kind: "stored" | "repeated"; readonly records: number }
  /** Something else was sent with its key. */
  | { readonly kind: "key-taken" }
  | { readonly kind: "backlog-full" }
  | { readonly kind: "closing" }

/** A request that is being stored. */
interface PendingRequest extends Pick<StoredRequest, "sent" | "records"> {
  readonly stored: Promise<void>
}

type RequestLogEnv = Pick<Env, "clock" | "disk" | "lockDirectory">

/** See the head of this file. */
export class RequestLog {
  /** For who reads it. */
  readonly log: Log
  readonly #env: RequestLogEnv
  readonly #directory: string
  readonly #settings: RequestLogSettings
  readonly #keys: KeyTable
  readonly #backlog: Backlog
  readonly #pending = new Map<string, PendingRequest>()
  readonly #appending = new Set<Promise<void>>()
  #appendingBytes = 0
  /** How many bytes the file of keys has, and whether there are keys that it lacks. */
  #keyFileBytes = 0
  #hasNewKeys = false
  /** How many bytes were read since the log was let go last. */
  #readBytes = 0
  #trimming: Promise<void> | undefined
  #failure: { readonly error: unknown } | undefined
  #isClosing = false

  private constructor(env: RequestLogEnv, directory: string, log: Log, settings: RequestLogSettings) {
    this.#env = env
    this.#directory = directory
    this.log = log
    this.#settings = settings
    this.#keys = new KeyTable(settings.keys)
    this.#backlog = new Backlog(settings.trimBytes / STRETCHES)
  }

  /**
   * Opens the requests of a directory, and makes it where there is none.
   *
   * @throws TidemarkError as `openLog` does.
   */
  static async open(env: RequestLogEnv, directory: string, settings: RequestLogSettings): Promise<RequestLog> {
    const retention = { bytes: Infinity, ageMicros: Infinity, isConsumed: false }
    const { segmentBytes } = settings
    const logSettings = { segmentBytes, retention, generationBytes: GENERATION_BYTES_MAX / 2 }
    const log = new Log(await RecordLog.open(env, `${directory}/requests`, logSettings), env.disk)
    const requests = new RequestLog(env, directory, log, settings)
    try {
      await requests.#recover()
    } catch (error) {
      await log.close()
      throw error
    }
    return requests
  }

  /** How many bytes wait to be read by the job, those among them that are about to be durable. */
  get backlogBytes(): number {
    return this.#backlog.bytes + this.#appendingBytes
  }

  /** Whether more would be refused for now. */
  get isFull(): boolean {
    return this.backlogBytes >= this.#settings.backlogBytes
  }

  /**
   * Stores a request, unless it was stored before; resolves when that is durable.
   *
   * @throws TidemarkError `disk-full`, `disk-failed`, `log-fenced`: it may be durable or not, and nothing more is stored.
   */
  async accept(request: PushedRequest): Promise<Acceptance> {
    if (this.#isClosing) return { kind: "closing" }
    const { key, records } = request
    const digest = key && digestText(key.digest)
    const sent = key && digestText(key.sent)
    if (digest !== undefined) {
      const pending = this.#pending.get(digest)
      const known = pending ?? this.#keys.find(digest, this.#env.clock.wallMicros())
      if (known !== undefined && known.sent !== sent) return { kind: "key-taken" }
      // Between this look and `#withKey` nothing is waited for, or two of one key would pass.
      if (pending !== undefined) await pending.stored
      if (known !== undefined) return { kind: "repeated", records: known.records }
    }
    if (this.isFull) return { kind: "backlog-full" }
    const stored = this.#store(encodeRequest(request))
    if (digest === undefined || sent === undefined) await stored
    else await this.#withKey(digest, { sent, records: records.length, stored })
    return { kind: "stored", records: records.length }
  }

  /**
   * The job would go on at a place, and never asks for anything before it.
   *
   * @throws TidemarkError where letting go has failed before.
   */
  committed(next: LogPlace): void {
    if (this.#failure !== undefined) throw this.#failure.error
    this.#readBytes += this.#backlog.letGo(next)
    // A file of many keys is written seldom: it is never more than half of what is written.
    const isDue = this.#readBytes >= Math.max(this.#settings.trimBytes, 2 * this.#keyFileBytes)
    if (!isDue || this.#trimming !== undefined || this.#isClosing) return
    this.#readBytes = 0
    this.#trimming = this.#trim(next)
      .catch((error: unknown) => void (this.#failure = { error }))
      .finally(() => (this.#trimming = undefined))
  }

  /** Takes no more; resolves when all that was taken is durable. */
  async close(): Promise<void> {
    this.#isClosing = true
    await Promise.allSettled(this.#appending)
    await this.#trimming
    await this.log.close()
  }

  async #recover(): Promise<void> {
    const nowMicros = this.#env.clock.wallMicros()
    this.#keyFileBytes = await readKeys(this.#env.disk, this.#directory, this.#keys, nowMicros)
    for await (const entries of this.log.readBatches()) {
      for (const entry of entries) {
        if (entry.kind === "gap") continue
        const { lsn, payload, timeMicros } = entry
        this.#backlog.add(placeOf(lsn), payload.length)
        const { key, count } = decodeHead(payload)
        if (key === undefined) continue
        const request = { sent: digestText(key.sent), records: count, storedMicros: timeMicros }
        this.#addKey(digestText(key.digest), request)
      }
    }
  }

  async #withKey(digest: string, pending: PendingRequest): Promise<void> {
    this.#pending.set(digest, pending)
    try {
      await pending.stored
      const { sent, records } = pending
      this.#addKey(digest, { sent, records, storedMicros: this.#env.clock.wallMicros() })
    } finally {
      this.#pending.delete(digest)
    }
  }

  #addKey(digest: string, request: StoredRequest): void {
    this.#keys.add(digest, request, this.#env.clock.wallMicros())
    this.#hasNewKeys = true
  }

  #store(payload: Uint8Array): Promise<void> {
    const stored = this.#append(payload).finally(() => this.#appending.delete(stored))
    this.#appending.add(stored)
    return stored
  }

  async #append(payload: Uint8Array): Promise<void> {
    this.#appendingBytes += payload.length
    try {
      this.#backlog.add(placeOf(await this.log.append(payload)), payload.length)
    } finally {
      this.#appendingBytes -= payload.length
    }
  }

  async #trim(before: LogPlace): Promise<void> {
    // What lies before that place is durable; where its sender is only about to be told, its key is not known yet. It waits for that in front of us.
    await Promise.allSettled([...this.#pending.values()].map(({ stored }) => stored))
    if (this.#hasNewKeys) {
      this.#hasNewKeys = false
      this.#keys.forget(this.#env.clock.wallMicros())
      this.#keyFileBytes = await writeKeys(this.#env.disk, this.#directory, this.#keys)
    }
    await this.log.trim(lsnOf(before))
  }
}
