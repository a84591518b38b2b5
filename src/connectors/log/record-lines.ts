/**
 * Records of a log as lines of JSON, for the decoder of those: one line a record, whatever is in it, so that ordinals count records.
 *
 * In the offsets of the partition a record takes the bytes of its line: those of its payload, and a line feed.
 */
import { assert } from "../../base/assert.ts"
import type { Arena } from "../../batch/arena.ts"
import type { Position } from "../../batch/position.ts"
import type { Schema } from "../../batch/schema.ts"
import { schemaData } from "../../batch/schema-data.ts"
import type { ReadLimits } from "../../connect/source.ts"
import type { Decoded, RecordDecoder } from "../../formats/decoder.ts"
import { decoderOf } from "../../formats/threads/decoder-spec.ts"

const LINE_FEED = 0x0a
const SPACE = 0x20
/** Stands for what no JSON has, so that the decoder says so of the record. */
const NO_JSON = 0x01

const utf8 = new TextDecoder()

/** What the decoder is made for. */
export interface RecordLinesParts {
  readonly arena: Arena
  readonly schema: Schema
  readonly maxRecordBytes: number
  /** Becomes `origin.partition`. */
  readonly partition: number
}

/** See the head of this file. */
export class RecordLines {
  readonly #decoder: RecordDecoder
  readonly #partition: number
  #bytes: Uint8Array = new Uint8Array(0)

  constructor({ arena, schema, maxRecordBytes, partition }: RecordLinesParts) {
    this.#decoder = decoderOf({ format: "jsonl", schema: schemaData(schema), maxRecordBytes }, arena, schema)
    this.#partition = partition
  }

  /** Whether all records are decoded. */
  get isEmpty(): boolean {
    return this.#bytes.length === 0
  }

  /** Takes the records that come next, when all before are decoded. */
  add(payloads: readonly Uint8Array[]): void {
    assert(this.isEmpty, "lines are decoded before others come")
    const bytes = new Uint8Array(payloads.reduce((sum, payload) => sum + lineLength(payload), 0))
    let at = 0
    for (const payload of payloads) {
      bytes.set(payload, at)
      const line = bytes.subarray(at, (at += lineLength(payload)))
      line[line.length - 1] = LINE_FEED
      makeOneRecord(line.subarray(0, -1))
    }
    this.#bytes = bytes
  }

  /** The next records, which begin at a position. */
  decode(position: Position, { rows, untilOffset }: ReadLimits): Decoded {
    assert(!this.isEmpty, "there are records to decode")
    const decoded = this.#decoder.decode({
      bytes: this.#bytes,
      from: 0,
      to: this.#bytes.length,
      position,
      atEnd: true,
      maxRows: rows,
      untilOffset,
      partition: this.#partition,
    })
    assert(decoded.oversized === undefined && !decoded.needsMore, "the lines are whole")
    this.#bytes = this.#bytes.subarray(decoded.next.offset - position.offset)
    return { ...decoded, bad: decoded.bad.map((each) => ({ ...each, reason: inWordsOfRecords(each.reason) })) }
  }
}

/** Lines are how records come to the decoder; who sent them knows of none. */
function inWordsOfRecords(reason: string): string {
  return reason.replace(/^the line /, "the record ")
}

/** An empty record takes a byte, too: the decoder would pass over a line without any. */
function lineLength({ length }: Uint8Array): number {
  return Math.max(1, length) + 1
}

/** Sees to it that the line is one, and no blank one. Between its tokens JSON may have line feeds, within texts it has none. */
function makeOneRecord(line: Uint8Array): void {
  if (isBlank(line)) line[0] = NO_JSON
  if (!line.includes(LINE_FEED)) return
  const instead = isJson(line) ? SPACE : NO_JSON
  for (let at = line.indexOf(LINE_FEED); at >= 0; at = line.indexOf(LINE_FEED, at + 1)) line[at] = instead
}

/** Zeros are those of a record without bytes. */
function isBlank(line: Uint8Array): boolean {
  return line.every((byte) => byte <= SPACE)
}

function isJson(line: Uint8Array): boolean {
  try {
    JSON.parse(utf8.decode(line))
    return true
  } catch {
    return false
  }
}
