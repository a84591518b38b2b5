/**
 * Which epoch is which, for sinks that keep staged epochs behind a commit: their numbers, and ids by which two copies of a state do not take each
 * other's epoch for their own.
 *
 * A mark, numbers as in `base/bytes.ts`: varint sequence number, from 1; 8 bytes id.
 */
import type { ByteReader, ByteWriter } from "../base/bytes.ts"
import { TidemarkError } from "../base/errors.ts"

/** An epoch of which there is nothing to say. */
export const NOTHING_STAGED = new Uint8Array(0)

/** Which epoch. */
export interface EpochMark {
  readonly sequence: number
  /** 16 hexadecimal digits. */
  readonly id: string
}

/** Before the first epoch. */
export const NO_EPOCH: EpochMark = { sequence: 0, id: "0".repeat(16) }

/** Appends a mark. */
export function writeMark(writer: ByteWriter, { sequence, id }: EpochMark): void {
  writer.varint(sequence)
  writeEpochId(writer, id)
}

/** Reads what `writeMark` wrote. */
export function readMark(reader: ByteReader): EpochMark {
  return { sequence: reader.varint(), id: readEpochId(reader) }
}

/** Appends an id alone. */
export function writeEpochId(writer: ByteWriter, id: string): void {
  writer.int64(BigInt.asIntN(64, BigInt(`0x${id}`)))
}

/** Reads what `writeEpochId` wrote. */
export function readEpochId(reader: ByteReader): string {
  return BigInt.asUintN(64, reader.int64()).toString(16).padStart(16, "0")
}

/**
 * Looks at the version of what a sink has staged.
 *
 * @throws TidemarkError `state-newer-format` where it is not the one that is known.
 */
export function checkStagedVersion(version: number, known: number): void {
  if (version === known) return
  throw new TidemarkError("state-newer-format", `An output's state has the format ${version}, and ${known} is known.`, {
    hint: "A newer version of Tidemark has written it: go on with that one.",
  })
}
