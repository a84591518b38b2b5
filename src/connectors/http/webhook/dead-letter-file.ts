/**
 * Rows whose requests the receiver has rejected, as JSON lines in `dead-letters.jsonl` of the output's directory: when, under which key, why, and
 * the row.
 *
 * Invariants:
 * - DF1 When `append` has returned, the lines survive a crash.
 * - DF2 A line is whole: what a crash has left of one is cut off by `begin`, and before another line follows. Of an append that was not synced any part may be
 *   there, and any part not: lines of its request may stand behind a torn one, and are kept. A request that is rejected again behind a crash is there twice,
 *   with one key. Where a sync has failed, what it was of may look whole until the machine crashes, though lines behind it were synced since: so what was appended
 *   last is written again, and synced, before anything follows; a hole in front of a whole line is filled with blanks, where it is, as that line is not to be moved.
 * - DF3 Lines that are appended at the same time, as several requests are under way, stand one behind the other.
 */
import { assert } from "../../../base/assert.ts"
import { ByteWriter } from "../../../base/bytes.ts"
import { SinkTurns } from "../../../connect/sink-turns.ts"
import type { Disk, DiskFile } from "../../../env/env.ts"

const LF = 10
const BLANK = 32
const TAIL_BYTES = 64 * 1024
const encoder = new TextEncoder()
const decoder = new TextDecoder("utf-8", { fatal: true })

/** A row that was rejected. */
export interface RejectedRow {
  /** When, as ISO 8601. */
  readonly at: string
  readonly key: string
  readonly reason: string
  /** As JSON text. */
  readonly row: string
}

/** What is whole at the end of a file. */
interface WholeLines {
  /** All before is whole. */
  readonly length: number
  /** Whole lines from there on. */
  readonly kept: Uint8Array
  /** The last append, as it is there, and where: whole lines. */
  readonly last: { readonly position: number; readonly bytes: Uint8Array }
  /** Where there are holes in front of whole lines. */
  readonly holes: readonly { readonly position: number; readonly bytes: number }[]
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

  /** Mends the end of a file that is there. */
  begin(): Promise<void> {
    return this.#turns.take(async () => {
      if ((await this.#disk.stat(this.path)) !== undefined) await this.#openAgain()
    })
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
    if (made === undefined) return this.#openAgain()
    this.#file = made
    await this.#disk.syncDirectory(this.#directory, "sink.webhook.dead-letters.sync-directory")
    return made
  }

  /** Opens the file that is there, and mends its end. */
  async #openAgain(): Promise<DiskFile> {
    const file = await this.#disk.open(this.path, "update", "sink.webhook.dead-letters.open")
    assert(file !== undefined, "a file that is there can be opened")
    this.#file = file
    await this.#disk.syncDirectory(this.#directory, "sink.webhook.dead-letters.sync-directory")
    const size = await file.size()
    const { length, kept, last, holes } = await this.#lastAppend(file, size)
    this.#length = length
    // Its sync may have failed, which nobody can see.
    if (last.bytes.length > 0) await file.write(last.bytes, last.position, "sink.webhook.dead-letters.write")
    for (const { position, bytes } of holes) {
      await file.write(new Uint8Array(bytes).fill(BLANK), position, "sink.webhook.dead-letters.write")
    }
    if (last.bytes.length > 0) await file.sync("sink.webhook.dead-letters.sync")
    if (length === size) return file
    await file.truncate(length, "sink.webhook.dead-letters.truncate")
    await file.write(kept, length, "sink.webhook.dead-letters.write")
    await file.sync("sink.webhook.dead-letters.sync")
    this.#length += kept.length
    return file
  }

  /** Up to where the file is whole, and the whole lines of the last append behind that. */
  async #lastAppend(file: DiskFile, size: number): Promise<WholeLines> {
    for (let bytes = TAIL_BYTES; ; bytes *= 4) {
      const start = Math.max(0, size - bytes)
      const tail = new Uint8Array(size - start)
      await file.read(tail, start, "sink.webhook.dead-letters.read")
      const found = wholeLines(tail, start)
      if (found !== undefined) return found
    }
  }
}

/** What is whole of the end of a file that begins at `start`; `undefined` where more must be read to know. */
function wholeLines(tail: Uint8Array, start: number): WholeLines | undefined {
  let key: string | undefined
  let length = start + tail.length
  let kept: Uint8Array[] = []
  /** The last one first. */
  const behind: Uint8Array[] = []
  const holes: { position: number; bytes: number }[] = []
  // JSON has no such byte.
  const firstHole = tail.indexOf(0)
  let first = tail.length
  for (let end = tail.length; end > 0;) {
    const from = tail.lastIndexOf(LF, end - 2) + 1
    // It may have begun before what was read.
    if (from === 0 && start > 0) return undefined
    const hole = tail.subarray(from, end).lastIndexOf(0) + 1
    const line = tail.subarray(from + hole, end)
    const own = keyOf(line)
    if (own === undefined) {
      length = start + from
      kept = behind.toReversed()
    } else {
      const areHolesBefore = firstHole >= 0 && firstHole < end
      if (key !== undefined && own !== key && !areHolesBefore) break
      key = own
      first = from
      if (hole > 0) holes.push({ position: start + from, bytes: hole })
      behind.push(line)
    }
    end = from
  }
  const last = { position: start + first, bytes: tail.slice(first, Math.max(first, length - start)) }
  return { length, kept: joined(kept), last, holes: holes.filter(({ position }) => position < length) }
}

/** The key of a whole line. */
function keyOf(line: Uint8Array): string | undefined {
  if (line.at(-1) !== LF) return undefined
  try {
    const { key } = JSON.parse(decoder.decode(line)) as Partial<RejectedRow>
    return typeof key === "string" ? key : undefined
  } catch {
    return undefined
  }
}

function joined(lines: readonly Uint8Array[]): Uint8Array {
  const out = new ByteWriter(256)
  for (const line of lines) out.raw(line)
  return out.view()
}
