/**
 * Records of the log: how one lies on disk, and how a reader tells a torn tail from corruption.
 *
 * A segment starts with a header of 48 bytes:
 *
 * | at | bytes | what |
 * |---|---|---|
 * | 0 | 8 | magic: seven characters and a line feed, by the kind of log |
 * | 8 | 4 | version of that kind's format |
 * | 12 | 4 | generation |
 * | 16 | 8 | the offset, within the generation, of the first record |
 * | 24 | 4 | the generation before this one, 0 for none |
 * | 28 | 8 | where the generation before this one ends: its records from there on are void |
 * | 36 | 8 | of a log of records the time of the last one before the segment, in µs since 1970; else 0 |
 * | 44 | 4 | CRC-32C of bytes 0 to 43 |
 *
 * Records follow without gaps:
 *
 * | at | bytes | what |
 * |---|---|---|
 * | 0 | 4 | length of the payload, n |
 * | 4 | 4 | CRC-32C of bytes 8 to 17 + n, seeded with the CRC-32C of the record's position (generation, offset, n) |
 * | 8 | 1 | type, not 0 |
 * | 9 | 8 | the offset up to which the generation was synced when the record was written |
 * | 17 | n | payload |
 *
 * All numbers are little-endian. The reader takes records from the front. Where one does not check, the rest is a torn
 * tail, which a crash may leave, unless a valid record further on says that the log was synced beyond this point: then
 * something that was durable has changed, which is corruption.
 *
 * Invariants:
 * - G1 A record checks only at the generation and offset it was written for: stale bytes never read as records.
 * - G2 A damaged record that was synced before a later record was written is reported as corruption, never as a tail.
 */
import { ByteReader, ByteWriter } from "../base/bytes.ts"
import { crc32c, crc32cOfWords } from "../base/crc32c.ts"

/** Bytes of a segment's header. */
export const SEGMENT_HEADER_BYTES = 48

/** Bytes of a record before its payload. */
export const RECORD_HEADER_BYTES = 17

/** Where in a record its checksum stands, what that covers begins, and how far the generation was synced stands. */
export const CHECKSUM_AT = 4
export const CHECKED_FROM = 8
export const SYNCED_AT = 9

/** The longest payload of a record. */
export const MAX_PAYLOAD_BYTES = 1 << 30

/** How segments of a kind of log begin. */
export interface SegmentFormat {
  /** Eight characters of ASCII. */
  readonly magic: string
  /** The version that this code writes; it reads this one and older ones. */
  readonly version: number
}

/** What a segment's header says. */
export interface SegmentHeader {
  readonly generation: number
  readonly startOffset: number
  readonly previousGeneration: number
  readonly previousEnd: number
  readonly lastMicros: number
}

/** A record as read from a segment. */
export interface ReadRecord {
  readonly type: number
  readonly payload: Uint8Array
  readonly syncedThrough: number
  /** Bytes of the whole record. */
  readonly bytes: number
}

/** What the first bytes of a file are. */
export type HeaderReading =
  | { readonly kind: "header"; readonly header: SegmentHeader }
  | { readonly kind: "invalid" }
  | { readonly kind: "newer"; readonly version: number }

/** The bytes of a segment's header. */
export function encodeSegmentHeader(format: SegmentFormat, header: SegmentHeader): Uint8Array<ArrayBuffer> {
  const out = new ByteWriter(SEGMENT_HEADER_BYTES)
  for (const character of format.magic) out.uint8(character.charCodeAt(0))
  out.uint32(format.version)
  out.uint32(header.generation)
  out.int64(BigInt(header.startOffset))
  out.uint32(header.previousGeneration)
  out.int64(BigInt(header.previousEnd))
  out.int64(BigInt(header.lastMicros))
  out.uint32(crc32c(out.view()))
  return out.finish()
}

/** Reads a segment's header from the first bytes of a file. */
export function decodeSegmentHeader({ magic, version: known }: SegmentFormat, bytes: Uint8Array): HeaderReading {
  if (bytes.length < SEGMENT_HEADER_BYTES) return { kind: "invalid" }
  for (let at = 0; at < magic.length; at++) if (bytes[at] !== magic.charCodeAt(at)) return { kind: "invalid" }
  const reader = new ByteReader(bytes.subarray(magic.length, SEGMENT_HEADER_BYTES))
  const version = reader.uint32()
  if (version > known) return { kind: "newer", version }
  const generation = reader.uint32()
  const startOffset = Number(reader.int64())
  const previousGeneration = reader.uint32()
  const previousEnd = Number(reader.int64())
  const lastMicros = Number(reader.int64())
  if (reader.uint32() !== crc32c(bytes, 0, 0, SEGMENT_HEADER_BYTES - 4)) return { kind: "invalid" }
  return { kind: "header", header: { generation, startOffset, previousGeneration, previousEnd, lastMicros } }
}

/** Appends a record to `out`, as it must lie at `offset` of `generation`. Its payload is made of the pieces, one behind the other. */
export function encodeRecord(
  out: ByteWriter,
  place: { generation: number; offset: number; syncedThrough: number },
  type: number,
  ...pieces: readonly Uint8Array[]
): void {
  const start = out.length
  let length = 0
  for (const piece of pieces) length += piece.length
  out.uint32(length)
  out.uint32(0)
  out.uint8(type)
  out.halves(place.syncedThrough % 2 ** 32, Math.floor(place.syncedThrough / 2 ** 32))
  for (const piece of pieces) out.raw(piece)
  const seed = positionSeed(place.generation, place.offset, length)
  out.setUint32(start + CHECKSUM_AT, crc32c(out.buffer, seed, start + CHECKED_FROM, out.length))
}

/** How long the record is, with its header, that bytes begin with, as it says itself: it may be that they are none, or go on behind them. */
export function recordBytesAt(bytes: Uint8Array): number {
  if (bytes.length < RECORD_HEADER_BYTES) return 0
  return RECORD_HEADER_BYTES + new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)
}

/** The record at `bytes[at]`, or `undefined` where no valid record lies there. The payload is a view. */
export function decodeRecord(
  bytes: Uint8Array,
  at: number,
  generation: number,
  offset: number,
): ReadRecord | undefined {
  if (at + RECORD_HEADER_BYTES > bytes.length) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, RECORD_HEADER_BYTES)
  const length = view.getUint32(0, true)
  const end = at + RECORD_HEADER_BYTES + length
  const type = view.getUint8(8)
  if (type === 0 || length > MAX_PAYLOAD_BYTES || end > bytes.length) return undefined
  const seed = positionSeed(generation, offset, length)
  if (view.getUint32(4, true) !== crc32c(bytes, seed, at + 8, end)) return undefined
  return {
    type,
    payload: bytes.subarray(at + RECORD_HEADER_BYTES, end),
    syncedThrough: Number(view.getBigInt64(9, true)),
    bytes: RECORD_HEADER_BYTES + length,
  }
}

/** What the checksum of a record begins with, for its place and the length of its payload. */
export function positionSeed(generation: number, offset: number, length: number): number {
  return crc32cOfWords(generation, offset % 2 ** 32, Math.floor(offset / 2 ** 32), length)
}
