/**
 * What a log knows of itself besides its records, and the entries in which it lies among them.
 *
 * The type of a record of the file (`record.ts`) says what its payload is; all numbers are little-endian, a place is a generation (4
 * bytes) and an offset (8 bytes):
 *
 * | type | what | payload |
 * |---|---|---|
 * | 1 | a record | the time in µs since 1970 (8 bytes), then what was appended |
 * | 2 | the state, with which each segment begins | time of the last record (8), place up to which is trimmed (12), 1 if sealed (1), number of consumers (varint), of each the name (text) and its place (12) |
 * | 3 | a consumer has come to a place | name (text), place (12) |
 * | 4 | a consumer is gone | name (text) |
 * | 5 | everything before a place is trimmed | place (12) |
 * | 6 | the log is sealed | nothing |
 * | 7 | the index of the segment that ends here | see `segment-index.ts` |
 *
 * Invariant:
 * - LT1 The state at the start of a segment is what the entries before it have made of the one before.
 */
import { ByteReader, ByteWriter } from "../../base/bytes.ts"
import type { LogPlace } from "../log-reader.ts"
import { FIRST_PLACE, isBefore } from "./lsn.ts"

/** The types of entries. */
export const ENTRY = { record: 1, state: 2, consumer: 3, consumerGone: 4, trim: 5, seal: 6, index: 7 } as const

/** Bytes of the time before what was appended. */
export const TIME_BYTES = 8

/** What a log knows of itself. */
export class LogState {
  /** The time of the last record, in µs since 1970. */
  lastMicros = 0
  /** What lies before this place is not read any more. */
  trimmed: LogPlace = FIRST_PLACE
  isSealed = false
  /** How far each consumer has come, by name. */
  readonly consumers = new Map<string, LogPlace>()

  /** Takes in an entry that is no record, in the order of the log. */
  apply(type: number, payload: Uint8Array): void {
    if (type === ENTRY.seal) this.isSealed = true
    else if (type !== ENTRY.index) this.#applyFields(type, new ByteReader(payload))
  }

  /** The entry of the whole state. */
  encode(): Uint8Array {
    const out = new ByteWriter()
    out.int64(BigInt(this.lastMicros))
    writePlace(out, this.trimmed)
    out.uint8(this.isSealed ? 1 : 0)
    out.varint(this.consumers.size)
    for (const [name, place] of this.consumers) {
      out.text(name)
      writePlace(out, place)
    }
    return out.finish()
  }

  #applyFields(type: number, reader: ByteReader): void {
    if (type === ENTRY.state) this.#restore(reader)
    else if (type === ENTRY.consumer) this.consumers.set(reader.text(), readPlace(reader))
    else if (type === ENTRY.consumerGone) this.consumers.delete(reader.text())
    else if (type === ENTRY.trim) {
      const place = readPlace(reader)
      if (isBefore(this.trimmed, place)) this.trimmed = place
    }
  }

  #restore(reader: ByteReader): void {
    this.lastMicros = Number(reader.int64())
    this.trimmed = readPlace(reader)
    this.isSealed = reader.uint8() === 1
    this.consumers.clear()
    for (let left = reader.varint(); left > 0; left--) this.consumers.set(reader.text(), readPlace(reader))
  }
}

/** The bytes of a time in µs since 1970, as they lie before what was appended. */
export function encodeTime(micros: number): Uint8Array {
  const out = new ByteWriter(TIME_BYTES)
  out.int64(BigInt(micros))
  return out.finish()
}

/** The payload of an entry that a consumer has come to a place, or is gone. */
export function encodeConsumer(name: string, place: LogPlace | undefined): Uint8Array {
  const out = new ByteWriter()
  out.text(name)
  if (place !== undefined) writePlace(out, place)
  return out.finish()
}

/** The payload of an entry that everything before a place is trimmed. */
export function encodeTrim(place: LogPlace): Uint8Array {
  const out = new ByteWriter()
  writePlace(out, place)
  return out.finish()
}

function writePlace(out: ByteWriter, { generation, offset }: LogPlace): void {
  out.uint32(generation)
  out.int64(BigInt(offset))
}

function readPlace(reader: ByteReader): LogPlace {
  return { generation: reader.uint32(), offset: Number(reader.int64()) }
}
