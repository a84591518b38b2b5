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
import { TidemarkError } from "../../base/errors.ts"

const VERSION = 1

/** An epoch without rows. */
export const NOTHING_STAGED = new Uint8Array(0)

/** How far an output has come: which epoch is the last. */
export interface EpochMark {
  readonly sequence: number
  /** 16 hexadecimal digits. */
  readonly id: string
}

/** Before the first epoch. */
export const NO_EPOCH: EpochMark = { sequence: 0, id: "0".repeat(16) }

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
  writer.varint(epoch.sequence)
  writer.int64(BigInt.asIntN(64, BigInt(`0x${epoch.id}`)))
  writer.int64(BigInt.asIntN(64, BigInt(`0x${epoch.previousId}`)))
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
  checkVersion(reader.uint8())
  const token = reader.text()
  const sequence = reader.varint()
  const [id, previousId] = [idOf(reader.int64()), idOf(reader.int64())]
  const [rows, byteLength] = [reader.varint(), reader.varint()]
  const inline = reader.uint8() === 1 ? reader.raw(byteLength).slice() : undefined
  return { token, sequence, id, previousId, rows, byteLength, inline }
}

export function encodeCheckpoint({ token, applied, pending }: SinkCheckpoint): Uint8Array {
  const writer = new ByteWriter()
  writer.uint8(VERSION)
  writer.text(token)
  writer.varint(applied.sequence)
  writer.int64(BigInt.asIntN(64, BigInt(`0x${applied.id}`)))
  writer.varint(pending.length)
  for (const epoch of pending) writer.bytes(encodeEpoch(epoch))
  return writer.finish()
}

export function decodeCheckpoint(bytes: Uint8Array): SinkCheckpoint {
  const reader = new ByteReader(bytes)
  checkVersion(reader.uint8())
  const token = reader.text()
  const applied = { sequence: reader.varint(), id: idOf(reader.int64()) }
  const count = reader.varint()
  const pending = Array.from({ length: count }, () => decodeEpoch(reader.bytes())!)
  return { token, applied, pending }
}

function idOf(value: bigint): string {
  return BigInt.asUintN(64, value).toString(16).padStart(16, "0")
}

function checkVersion(version: number): void {
  if (version === VERSION) return
  throw new TidemarkError(
    "state-newer-format",
    `An output's state has the format ${version}, and ${VERSION} is known.`,
    {
      hint: "A newer version of Tidemark has written it: go on with that one.",
    },
  )
}
