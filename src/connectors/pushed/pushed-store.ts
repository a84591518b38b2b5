/** The blocks of an input, durable: a log in the job's directory, read from where the job is, and let go as far as it has committed. */
import { TidemarkError } from "../../base/errors.ts"
import type { Env } from "../../env/env.ts"
import type { LogPlace } from "../../log/log-reader.ts"
import { Log } from "../../log/records/log.ts"
import { formatLsn, GENERATION_BYTES_MAX, lsnOf, placeOf, type Lsn } from "../../log/records/lsn.ts"
import { RecordLog } from "../../log/records/record-log.ts"
import { checksumOf } from "./block-record.ts"
import type { BlockPlace } from "./pushed-block.ts"
import type { LastBlock } from "./pushed-position.ts"

/** A block that was kept. */
export interface KeptBlock {
  readonly place: BlockPlace
  readonly payload: Uint8Array
  /** How many of its records the job has read. */
  readonly taken: number
}

/** How blocks are kept. */
export interface PushedStoreSettings {
  readonly segmentBytes: number
  /** The log is let go when so many bytes more were read. */
  readonly trimBytes: number
}

/** See the head of this file. */
export class PushedStore {
  readonly #log: Log
  readonly #input: string
  readonly #settings: PushedStoreSettings
  /** Where the log ended when it was opened: what lies behind it is in memory, too. */
  readonly #end: Lsn
  /** What lies before this place was let go last. */
  #trimmed: LogPlace = { generation: 0, offset: 0 }
  #trimming: Promise<void> | undefined
  #failure: { readonly error: unknown } | undefined

  private constructor(log: Log, end: Lsn, input: string, settings: PushedStoreSettings) {
    this.#log = log
    this.#end = end
    this.#input = input
    this.#settings = settings
  }

  /** @throws TidemarkError as `openLog` does. */
  static async open(
    env: Pick<Env, "clock" | "disk" | "lockDirectory">,
    directory: string,
    input: string,
    settings: PushedStoreSettings,
  ): Promise<PushedStore> {
    const retention = { bytes: Infinity, ageMicros: Infinity, isConsumed: false }
    const { segmentBytes } = settings
    const logSettings = { segmentBytes, retention, generationBytes: GENERATION_BYTES_MAX / 2 }
    const log = new Log(await RecordLog.open(env, directory, logSettings), env.disk)
    return new PushedStore(log, await log.end(), input, settings)
  }

  /** What tells the log at this opening from itself at another. */
  get identity(): string {
    return formatLsn(this.#end)
  }

  /** Appends blocks, in this order; resolves with their places when all are durable. */
  async append(payloads: readonly Uint8Array[]): Promise<readonly BlockPlace[]> {
    const lsns = await this.#log.appendBatch(payloads)
    return payloads.map((payload, index) => ({ ...placeOf(lsns[index]!), checksum: checksumOf(payload) }))
  }

  /** @throws TidemarkError `source-changed` where the last block that was read is not there. */
  async check(last: LastBlock): Promise<void> {
    for await (const { place } of this.#read(last)) {
      const { generation, offset, checksum } = last.place
      if (place.generation === generation && place.offset === offset && place.checksum === checksum) return
      break
    }
    throw this.#changed(last)
  }

  /** The blocks that were kept before the log was opened and that the job has not read, or not all of. */
  async *kept(last: LastBlock | undefined): AsyncGenerator<KeptBlock, void, undefined> {
    let isFirst = last !== undefined
    for await (const block of this.#read(last)) {
      if (!isFirst) yield { ...block, taken: 0 }
      else if (last?.taken !== undefined) yield { ...block, taken: last.taken }
      isFirst = false
    }
  }

  /**
   * The job has committed that it has read a block, or some of it, and never asks for anything before it.
   *
   * @throws TidemarkError where letting go has failed before.
   */
  committed({ place }: LastBlock): void {
    if (this.#failure !== undefined) throw this.#failure.error
    const before = this.#trimmed
    const isDue = before.generation !== place.generation || place.offset - before.offset >= this.#settings.trimBytes
    if (!isDue || this.#trimming !== undefined) return
    this.#trimmed = place
    this.#trimming = this.#log
      .trim(lsnOf(place))
      .catch((error: unknown) => void (this.#failure = { error }))
      .finally(() => (this.#trimming = undefined))
  }

  /** Waits until what was appended is durable. */
  async close(): Promise<void> {
    await this.#trimming
    await this.#log.close()
  }

  /** The blocks from the last one that was read on, as the log was when it was opened. */
  async *#read(last: LastBlock | undefined): AsyncGenerator<Pick<KeptBlock, "place" | "payload">, void, undefined> {
    const from = last === undefined ? "start" : lsnOf(last.place)
    for await (const entries of this.#log.readBatches({ from, until: this.#end })) {
      for (const entry of entries) {
        if (entry.kind === "gap") continue
        const { lsn, payload } = entry
        yield { place: { ...placeOf(lsn), checksum: checksumOf(payload) }, payload }
      }
    }
  }

  #changed({ place }: LastBlock): TidemarkError {
    const message = `What was pushed into the input ${this.#input} is not kept any more: at ${formatLsn(lsnOf(place))} of its log there is not the block that was read last.`
    return new TidemarkError("source-changed", message, {
      hint: "Copy inputs/ of the job's directory whose savepoint this is, or start anew with --reset.",
    })
  }
}
