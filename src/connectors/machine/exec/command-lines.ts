/**
 * What one run of a command writes, as records. Where the command has ended, its last line counts without a line end, too.
 */
import type { Position } from "../../../batch/position.ts"
import { schemaData } from "../../../batch/schema-data.ts"
import type { ReadLimits, SourceContext } from "../../../connect/source.ts"
import { csvLayout } from "../../../formats/csv-layout.ts"
import type { Decoded, OversizedRecord, RecordDecoder } from "../../../formats/decoder.ts"
import { decoderOf } from "../../../formats/threads/decoder-spec.ts"

/** How lines are read. */
export interface LineFormat {
  readonly format: "jsonl" | "csv" | "text"
  readonly maxRecordBytes: number
}

const LINE_FEED = 0x0a
const encoder = new TextEncoder()
const decoder = new TextDecoder("utf-8", { ignoreBOM: true })

/** See the head of this file. */
export class CommandLines {
  readonly #context: SourceContext
  readonly #format: LineFormat
  readonly #label: string
  readonly #index: number
  #decoder: RecordDecoder | undefined
  #bytes: Uint8Array = new Uint8Array(0)
  /** What was written behind them. */
  readonly #behind: Uint8Array[] = []
  #behindBytes = 0
  #oversized: OversizedRecord | undefined
  /** Of text, the beginning of a line: at most `maxRecordBytes`. */
  #begun: Uint8Array = new Uint8Array(0)
  /** Of text, whether a line that is too long goes on: its beginning was given already, and its rest is left out. */
  #isTooLong = false
  /** Whether more must come before there can be another record. */
  #needsMore = true

  constructor(context: SourceContext, format: LineFormat, label: string, index: number) {
    this.#context = context
    this.#format = format
    this.#label = label
    this.#index = index
  }

  /** How many bytes are held. */
  get heldBytes(): number {
    return this.#bytes.length + this.#behindBytes + this.#begun.length
  }

  /** Whether there may be a record. */
  get mayHaveRecord(): boolean {
    return !this.#needsMore
  }

  /** Takes what was written. */
  add(chunks: readonly Uint8Array[], hasEnded: boolean): void {
    const more = this.#format.format === "text" ? this.#asJson(chunks, hasEnded) : chunks
    const hasLine = more.some((chunk) => chunk.includes(LINE_FEED))
    this.#behind.push(...more)
    for (const { length } of more) this.#behindBytes += length
    if (hasLine || hasEnded || this.heldBytes > this.#format.maxRecordBytes) this.#needsMore = false
  }

  /** The next records from a position on; `undefined` where there are none as yet. */
  decode(from: Position, limits: ReadLimits, hasEnded: boolean): Decoded | undefined {
    if (this.#needsMore) return undefined
    this.#bytes = joined([this.#bytes, ...this.#behind.splice(0)])
    this.#behindBytes = 0
    let position = from
    if (this.#decoder === undefined) {
      const ahead = this.#begin(hasEnded)
      if (ahead === undefined) return undefined
      position = { offset: from.offset + ahead.offset, ordinal: from.ordinal + ahead.ordinal }
    }
    const decoded = this.#decoder!.decode({
      bytes: this.#bytes,
      from: 0,
      to: this.#bytes.length,
      position,
      atEnd: hasEnded,
      maxRows: limits.rows,
      untilOffset: limits.untilOffset,
      partition: this.#index,
      oversized: this.#oversized,
    })
    const resumed = this.#oversized?.resumeOffset ?? position.offset
    this.#oversized = decoded.oversized
    this.#bytes = this.#bytes.subarray((decoded.oversized?.resumeOffset ?? decoded.next.offset) - resumed)
    const isWaiting = decoded.needsMore || decoded.oversized !== undefined
    this.#needsMore = this.#bytes.length === 0 || (isWaiting && !hasEnded)
    return decoded
  }

  /** Makes the decoder, once the header is whole; gives what stands before the first record. */
  #begin(hasEnded: boolean): Position | undefined {
    const { arena, schema } = this.#context
    const { format, maxRecordBytes } = this.#format
    const data = schemaData(schema)
    if (format !== "csv") {
      this.#decoder = decoderOf({ format: "jsonl", schema: data, maxRecordBytes }, arena, schema)
      return { offset: 0, ordinal: 0 }
    }
    if (!this.#bytes.includes(LINE_FEED) && !hasEnded && this.#bytes.length <= maxRecordBytes) {
      this.#needsMore = true
      return undefined
    }
    const head = { bytes: this.#bytes, isWhole: hasEnded, label: this.#label }
    const { start, ...layout } = csvLayout(schema, head)
    this.#decoder = decoderOf({ format: "csv", schema: data, layout, maxRecordBytes }, arena, schema)
    this.#bytes = this.#bytes.subarray(start.offset)
    return start
  }

  /** Lines of text as JSON lines with one field. */
  #asJson(chunks: readonly Uint8Array[], hasEnded: boolean): readonly Uint8Array[] {
    const bytes = this.#withoutRest(joined([this.#begun, ...chunks]))
    const whole = bytes.lastIndexOf(LINE_FEED) + 1
    this.#isTooLong ||= bytes.length - whole > this.#format.maxRecordBytes
    const end = hasEnded || this.#isTooLong ? bytes.length : whole
    this.#begun = bytes.subarray(end)
    if (end === 0) return []
    const lines = decoder.decode(bytes.subarray(0, end)).split(/\r?\n/)
    if (lines.at(-1) === "") lines.pop()
    return [encoder.encode(lines.map((line) => `${JSON.stringify({ line })}\n`).join(""))]
  }

  /** What was written, without the rest of a line that is too long. */
  #withoutRest(bytes: Uint8Array): Uint8Array {
    if (!this.#isTooLong) return bytes
    const end = bytes.indexOf(LINE_FEED)
    this.#isTooLong = end < 0
    return bytes.subarray(end < 0 ? bytes.length : end + 1)
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}
