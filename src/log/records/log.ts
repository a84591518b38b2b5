/** Logs as programs see them: to be read, and to be appended to. */
import { assert } from "../../base/assert.ts"
import { TidemarkError } from "../../base/errors.ts"
import { checkOptions } from "../../base/known-options.ts"
import { shownValue } from "../../base/shown-value.ts"
import type { Disk } from "../../env/env.ts"
import { findTime } from "./find-time.ts"
import { readEntries } from "./log-cursor.ts"
import type { LogEntry, ReadLogOptions } from "./log-entry.ts"
import { lsnOf, placeOf, type Lsn } from "./lsn.ts"
import { endOfLog, type ReadableLog } from "./readable-log.ts"
import type { RecordLog } from "./record-log.ts"

const READ_OPTIONS = ["from", "until", "follow", "filter", "onDamage", "signal"]
const CONSUMER_NAME_MAX = 255
const encoder = new TextEncoder()

/** A log, and the disk that it is read from. */
export interface LogParts {
  readonly log: ReadableLog
  readonly disk: Disk
}

let partsOf: (reader: LogReader) => LogParts

/** What a reader stands on, for those within who decide themselves when they wait. */
export function readableOf(reader: LogReader): LogParts {
  return partsOf(reader)
}

/**
 * A log that can be read: all of it, from a place or a time on, and while another process appends to it.
 *
 * @example
 * ```ts
 * import { openLogReader } from "tidemark/log"
 *
 * const reader = await openLogReader("orders.log")
 * for await (const entry of reader.read({ from: "end", follow: true })) console.log(entry.kind, entry.lsn)
 * await reader.close()
 * ```
 */
export class LogReader {
  static {
    partsOf = (reader) => ({ log: reader.#log, disk: reader.#disk })
  }

  readonly #log: ReadableLog
  readonly #disk: Disk

  /** @internal */
  constructor(log: ReadableLog, disk: Disk) {
    this.#log = log
    this.#disk = disk
  }

  /**
   * Reads entries, oldest first: records, and gaps where there are none any more. Only what is durable is given (rules L4 and L7).
   *
   * @throws TidemarkError `log-corrupt` where something that was durable does not read back, `invalid-options`.
   */
  async *read(options: ReadLogOptions = {}): AsyncGenerator<LogEntry, void, undefined> {
    for await (const entries of this.readBatches(options)) for (const entry of entries) yield entry
  }

  /** As `read`, but as many entries at a time as were read together: for those who read much. */
  readBatches(options: ReadLogOptions = {}): AsyncGenerator<readonly LogEntry[], void, undefined> {
    checkOptions("Reading a log", options, READ_OPTIONS)
    checkLsn("from", options.from, ["start", "end"])
    checkLsn("until", options.until, [])
    return readEntries(this.#log, this.#disk, options)
  }

  /** The LSN of the first record that was appended at a moment or later; the log's end where there is none. */
  async findTime(moment: Date): Promise<Lsn> {
    const milliseconds = moment.getTime()
    if (Number.isNaN(milliseconds)) {
      throw new TidemarkError("invalid-timestamp", "findTime was given an invalid Date.", { hint: "Give a moment." })
    }
    return lsnOf(await findTime(this.#log, this.#disk, milliseconds * 1000))
  }

  /** The LSN at which the log ends now: behind the newest record that is durable. */
  async end(): Promise<Lsn> {
    return lsnOf(endOfLog(await this.#log.look()))
  }

  /** Up to where the log is trimmed: what lies before is not read any more. */
  async trimmed(): Promise<Lsn> {
    return lsnOf((await this.#log.look()).trimmed)
  }

  /** Whether nothing is appended any more, by nobody. */
  async isSealed(): Promise<boolean> {
    return (await this.#log.look()).isSealed
  }

  /** Ends reading. */
  close(): Promise<void> {
    return Promise.resolve()
  }
}

/**
 * A log that this process appends to.
 *
 * @example
 * ```ts
 * import { openLog } from "tidemark/log"
 *
 * const log = await openLog("orders.log")
 * const [first, second] = await log.appendBatch([JSON.stringify({ order: 1 }), JSON.stringify({ order: 2 })])
 * console.log(first! < second!, await log.end())
 * await log.trim(second!) // nobody reads the first one any more
 * await log.seal() // nothing is appended any more
 * await log.close()
 * ```
 */
export class Log extends LogReader {
  readonly #log: RecordLog
  readonly #consumers = new Map<string, LogConsumer>()

  /** @internal */
  constructor(log: RecordLog, disk: Disk) {
    super(log, disk)
    this.#log = log
  }

  /**
   * Appends a record; resolves with its LSN when it is durable. Those who append at the same time share a sync.
   *
   * @param payload bytes, which must not change until then, or text, which is kept as UTF-8.
   * @throws TidemarkError `log-record-too-long`, `log-sealed`, `log-closed`; `log-fenced` where another process has taken over; `disk-full`
   * or `disk-failed`, behind which nothing more is appended until the log is opened again (rule L2).
   */
  async append(payload: Uint8Array | string): Promise<Lsn> {
    const [place] = await this.#log.append([bytesOf(payload)])
    assert(place !== undefined, "a record has a place")
    return lsnOf(place)
  }

  /** Appends records one behind the other, with no other one between them; resolves with their LSNs when all are durable. */
  async appendBatch(payloads: readonly (Uint8Array | string)[]): Promise<Lsn[]> {
    return (await this.#log.append(payloads.map(bytesOf))).map(lsnOf)
  }

  /** Lets go everything before an LSN: it is not read any more, and its segments are removed when nothing else is in them. */
  async trim(before: Lsn): Promise<void> {
    checkLsn("before", before, [])
    await this.#log.trim(placeOf(before))
  }

  /** Ends the log: nothing is appended to it any more, and readers that follow it come to an end. It cannot be taken back. */
  async seal(): Promise<void> {
    await this.#log.seal()
  }

  /** A reader whose place the log keeps, by its name; it begins at the oldest record. */
  consumer(name: string): LogConsumer {
    if (typeof name !== "string" || name.length === 0 || name.length > CONSUMER_NAME_MAX) {
      throw new TidemarkError("invalid-options", `${shownValue(name)} is no name of a consumer.`, {
        hint: `Give a text of 1 to ${CONSUMER_NAME_MAX} characters.`,
      })
    }
    const consumer = this.#consumers.get(name) ?? new LogConsumer(name, this, this.#log)
    this.#consumers.set(name, consumer)
    return consumer
  }

  /** The names of the consumers that have a place. */
  consumers(): string[] {
    return [...this.#log.consumers.keys()]
  }

  /** Waits until what was appended is durable, and lets other processes open the log. */
  override async close(): Promise<void> {
    await this.#log.close()
  }
}

/**
 * A reader whose place is kept in the log. What it has not committed is read again after a restart.
 *
 * @example
 * ```ts
 * import { openLog } from "tidemark/log"
 *
 * const log = await openLog("orders.log", { retention: { consumed: true } })
 * const billing = log.consumer("billing")
 * for await (const entry of billing.read()) {
 *   if (entry.kind === "record") console.log(entry.payload.length)
 *   await billing.commit(entry.next)
 * }
 * console.log(`${billing.name} is at ${billing.position ?? "the start"}`)
 * for (const name of log.consumers()) if (name !== billing.name) await log.consumer(name).remove()
 * await log.close()
 * ```
 */
export class LogConsumer {
  readonly name: string
  readonly #reader: LogReader
  readonly #log: RecordLog

  /** @internal */
  constructor(name: string, reader: LogReader, log: RecordLog) {
    this.name = name
    this.#reader = reader
    this.#log = log
  }

  /** What it has committed last: where it goes on; `undefined` where it has committed nothing. */
  get position(): Lsn | undefined {
    const place = this.#log.consumers.get(this.name)
    return place === undefined ? undefined : lsnOf(place)
  }

  /** Reads on from its place. */
  read(options: Omit<ReadLogOptions, "from"> = {}): AsyncGenerator<LogEntry, void, undefined> {
    return this.#reader.read({ ...options, from: this.position ?? "start" })
  }

  /** Keeps a place: `next` of the last entry that is done with. Resolves when that is durable. */
  async commit(next: Lsn): Promise<void> {
    checkLsn("next", next, [])
    await this.#log.moveConsumer(this.name, placeOf(next))
  }

  /** Forgets its place, so that the log keeps nothing for it any more. */
  async remove(): Promise<void> {
    await this.#log.moveConsumer(this.name, undefined)
  }
}

function bytesOf(payload: Uint8Array | string): Uint8Array {
  if (typeof payload === "string") return encoder.encode(payload)
  if (payload instanceof Uint8Array) return payload
  throw new TidemarkError("invalid-options", `A record is bytes or text, not ${shownValue(payload)}.`, {
    hint: "Append JSON.stringify(value), or a Uint8Array.",
  })
}

function checkLsn(name: string, value: unknown, words: readonly string[]): void {
  if (value === undefined || (typeof value === "string" && words.includes(value))) return
  if (typeof value === "bigint" && value >= 0n && value < 1n << 63n) return
  throw new TidemarkError("invalid-options", `${name} is ${shownValue(value)}, which is no place in a log.`, {
    hint: `Give an LSN, a bigint as append and entries have it${words.map((word) => `, or "${word}"`).join("")}.`,
  })
}
