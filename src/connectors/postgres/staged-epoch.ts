/**
 * What the commit record says of an epoch's rows for a table, and what a checkpoint holds.
 *
 * A staged epoch, numbers as in `base/bytes.ts`:
 *
 * | bytes | what |
 * |---|---|
 * | 1 | version, 1 |
 * | text | token of the job's state |
 * | varint | sequence number, from 1 |
 * | 8 | id: random, so that two copies of a state do not take each other's epoch for their own |
 * | 8 | id of the epoch before, zeros before the first |
 * | varint | rows |
 * | varint | bytes of rows |
 * | 1 | 1 where they follow, 0 where they are in the file `<sequence>.rows` |
 * | … | the rows |
 *
 * A checkpoint: version, token, sequence number and id of the last epoch that is in the table, and the staged epochs behind it.
 */
import { ByteReader, ByteWriter } from "../../base/bytes.ts"
import {
  checkStagedVersion,
  readEpochId,
  readMark,
  writeEpochId,
  writeMark,
  type EpochMark,
} from "../../connect/epoch-mark.ts"

const VERSION = 1

/** An epoch that is committed, or about to be. */
export interface StagedEpoch extends EpochMark {
  readonly token: string
  readonly previousId: string
  readonly rows: number
  readonly byteLength: number
  /** `undefined` where they are in a file. */
  readonly inline: Uint8Array | undefined
}

/** What a checkpoint holds. */
export interface SinkCheckpoint {
  readonly token: string
  readonly applied: EpochMark
  /** Committed, and not in the table yet, as the job was stopped before that. */
  readonly pending: readonly StagedEpoch[]
}

export function encodeEpoch(epoch: StagedEpoch): Uint8Array {
  const writer = new ByteWriter(64 + (epoch.inline?.length ?? 0))
  writer.uint8(VERSION)
  writer.text(epoch.token)
  writeMark(writer, epoch)
  writeEpochId(writer, epoch.previousId)
  writer.varint(epoch.rows)
  writer.varint(epoch.byteLength)
  writer.uint8(epoch.inline === undefined ? 0 : 1)
  if (epoch.inline !== undefined) writer.raw(epoch.inline)
  return writer.finish()
}

/** `undefined` where nothing was staged. */
export function decodeEpoch(bytes: Uint8Array): StagedEpoch | undefined {
  if (bytes.length === 0) return undefined
  const reader = new ByteReader(bytes)
  checkStagedVersion(reader.uint8(), VERSION)
  const token = reader.text()
  const mark = readMark(reader)
  const previousId = readEpochId(reader)
  const [rows, byteLength] = [reader.varint(), reader.varint()]
  const inline = reader.uint8() === 1 ? reader.raw(byteLength).slice() : undefined
  return { token, ...mark, previousId, rows, byteLength, inline }
}

export function encodeCheckpoint({ token, applied, pending }: SinkCheckpoint): Uint8Array {
  const writer = new ByteWriter()
  writer.uint8(VERSION)
  writer.text(token)
  writeMark(writer, applied)
  writer.varint(pending.length)
  for (const epoch of pending) writer.bytes(encodeEpoch(epoch))
  return writer.finish()
}

export function decodeCheckpoint(bytes: Uint8Array): SinkCheckpoint {
  const reader = new ByteReader(bytes)
  checkStagedVersion(reader.uint8(), VERSION)
  const token = reader.text()
  const applied = readMark(reader)
  const count = reader.varint()
  const pending = Array.from({ length: count }, () => decodeEpoch(reader.bytes())!)
  return { token, applied, pending }
}
