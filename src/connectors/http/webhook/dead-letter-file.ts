/**
 * Rows whose requests the receiver has rejected, as JSON lines in `dead-letters.jsonl` of the output's directory: when, under which key, why, and
 * the row.
 *
 * Invariants:
 * - DF1 When `append` has returned, the lines survive a crash.
 * - DF2 A line is whole: what a crash has left of one is cut off before another follows. A request that is rejected again behind a crash is there twice, with
 *   one key.
 * - DF3 Lines that are appended at the same time, as several requests are under way, stand one behind the other.
 */
import { assert } from "../../../base/assert.ts"
import { SinkTurns } from "../../../connect/sink-turns.ts"
import type { Disk, DiskFile } from "../../../env/env.ts"

const LF = 10
const TAIL_BYTES = 64 * 1024
const encoder = new TextEncoder()

/** A row that was rejected. */
export interface RejectedRow {
  /** When, as ISO 8601. */
  readonly at: string
  readonly key: string
  readonly reason: string
  /** As JSON text. */
  readonly row: string
}

/** See the head of this file. */
export class DeadLetterFile {
  readonly #disk: Disk
  readonly #directory: string
  readonly #turns = new SinkTurns()
  #file: DiskFile | undefined
  #length = 0

  constructor(disk: Disk, directory: string) {
    this.#disk = disk
    this.#directory = directory
  }

  get path(): string {
    return `${this.#directory}/dead-letters.jsonl`
  }

  /** DF1. The directory is there. */
  append(rows: readonly RejectedRow[]): Promise<void> {
    return this.#turns.take(() => this.#append(rows))
  }

  async close(): Promise<void> {
    await this.#turns.settled()
    await this.#file?.close()
    this.#file = undefined
  }

  async #append(rows: readonly RejectedRow[]): Promise<void> {
    const file = (this.#file ??= await this.#open())
    const lines = rows.map(({ at, key, reason, row }) => {
      const head = JSON.stringify({ at, key, reason })
      return `${head.slice(0, -1)},"row":${row}}\n`
    })
    const bytes = encoder.encode(lines.join(""))
    await file.write(bytes, this.#length, "sink.webhook.dead-letters.write")
    this.#length += bytes.length
    await file.sync("sink.webhook.dead-letters.sync")
  }

  async #open(): Promise<DiskFile> {
    const made = await this.#disk.open(this.path, "create", "sink.webhook.dead-letters.create")
    if (made !== undefined) {
      this.#file = made
      await this.#disk.syncDirectory(this.#directory, "sink.webhook.dead-letters.sync-directory")
      return made
    }
    const file = await this.#disk.open(this.path, "update", "sink.webhook.dead-letters.open")
    assert(file !== undefined, "a file that is there can be opened")
    this.#file = file
    await this.#disk.syncDirectory(this.#directory, "sink.webhook.dead-letters.sync-directory")
    this.#length = await this.#wholeLines(file)
    await file.truncate(this.#length, "sink.webhook.dead-letters.truncate")
    return file
  }

  /** How long the file is up to the end of its last whole line. */
  async #wholeLines(file: DiskFile): Promise<number> {
    for (let end = await file.size(); end > 0;) {
      const start = Math.max(0, end - TAIL_BYTES)
      const tail = new Uint8Array(end - start)
      await file.read(tail, start, "sink.webhook.dead-letters.read")
      const last = tail.lastIndexOf(LF)
      if (last >= 0) return start + last + 1
      end = start
    }
    return 0
  }
}
