/**
 * What a partitioned file sink puts into the commit record of an epoch, and into a checkpoint. Numbers as in `base/bytes.ts`.
 *
 * An epoch's staging is empty where the sink has nothing to say. Otherwise:
 *
 * | bytes | what |
 * |---|---|
 * | 1 | 80: what follows is of a partitioned sink |
 * | 1 | format version, 1 |
 * | 4 | token of the in-progress files |
 * | varint | the number of the next part, whatever directory it is in |
 * | varint | how many directories follow that have rows of this epoch, or a part that is complete with it |
 * | … | each: its path, a text; the end of its period, a float64; its part's record, as `staged-part.ts` has it, behind its length |
 * | varint | how many directories follow that get their marker |
 * | … | their paths |
 *
 * A checkpoint is the same, with a cursor in place of each part's record, and all directories in place of those with markers that have none yet, each
 * with its end.
 */
import { ByteReader, ByteWriter } from "../../base/bytes.ts"
import { TidemarkError } from "../../base/errors.ts"
import { decodeCursor, decodeStagedPart, PARTITIONED, type SinkCursor, type StagedPart } from "./staged-part.ts"
import type { PartitionPath } from "./partition-path.ts"

const FORMAT_VERSION = 1

/** What an epoch did to a part in a directory. */
export interface StagedPartition extends PartitionPath {
  /** As `staged-part.ts` has it. */
  readonly bytes: Uint8Array
  readonly staged: StagedPart
}

/** What an epoch did. */
export interface PartitionedEpoch {
  readonly token: number
  readonly nextPart: number
  readonly parts: readonly StagedPartition[]
  /** The directories that get their markers. */
  readonly marked: readonly string[]
}

/** How far a sink has come. */
export interface PartitionedCursor {
  readonly token: number
  readonly nextPart: number
  readonly open: readonly { readonly path: string; readonly cursor: SinkCursor }[]
  /** Directories with rows that have no marker yet. */
  readonly unmarked: readonly PartitionPath[]
}

/** The bytes of an epoch's staging. */
export function encodePartitionedEpoch(
  epoch: Omit<PartitionedEpoch, "parts"> & {
    readonly parts: readonly Omit<StagedPartition, "staged">[]
  },
): Uint8Array {
  const out = begin(epoch)
  out.varint(epoch.parts.length)
  for (const { path, endMicros, bytes } of epoch.parts) {
    out.text(path)
    out.float64(endMicros)
    out.bytes(bytes)
  }
  out.varint(epoch.marked.length)
  for (const path of epoch.marked) out.text(path)
  return out.finish()
}

/** Reads an epoch's staging; `undefined` where there is nothing to apply. */
export function decodePartitionedEpoch(bytes: Uint8Array): PartitionedEpoch | undefined {
  if (bytes.length === 0) return undefined
  return reading(bytes, (reader, token, nextPart) => {
    const parts: StagedPartition[] = []
    for (let count = reader.varint(); count > 0; count--) {
      const [path, endMicros] = [reader.text(), reader.float64()]
      const own = reader.bytes()
      const staged = decodeStagedPart(own)
      if (staged === undefined) throw new RangeError(`nothing is staged in ${path}`)
      parts.push({ path, endMicros, bytes: own, staged })
    }
    const marked: string[] = []
    for (let count = reader.varint(); count > 0; count--) marked.push(reader.text())
    return { token, nextPart, parts, marked }
  })
}

/** The bytes of a checkpoint. */
export function encodePartitionedCursor(
  cursor: Omit<PartitionedCursor, "open"> & {
    /** The cursors as `staged-part.ts` has them. */
    readonly open: readonly { readonly path: string; readonly bytes: Uint8Array }[]
  },
): Uint8Array {
  const out = begin(cursor)
  out.varint(cursor.open.length)
  for (const { path, bytes } of cursor.open) {
    out.text(path)
    out.bytes(bytes)
  }
  out.varint(cursor.unmarked.length)
  for (const { path, endMicros } of cursor.unmarked) {
    out.text(path)
    out.float64(endMicros)
  }
  return out.finish()
}

/** Reads a checkpoint. */
export function decodePartitionedCursor(bytes: Uint8Array): PartitionedCursor {
  return reading(bytes, (reader, token, nextPart) => {
    const open: { path: string; cursor: SinkCursor }[] = []
    for (let count = reader.varint(); count > 0; count--) {
      const path = reader.text()
      open.push({ path, cursor: decodeCursor(reader.bytes()) })
    }
    const unmarked: PartitionPath[] = []
    for (let count = reader.varint(); count > 0; count--)
      unmarked.push({ path: reader.text(), endMicros: reader.float64() })
    return { token, nextPart, open, unmarked }
  })
}

function begin({ token, nextPart }: { readonly token: number; readonly nextPart: number }): ByteWriter {
  const out = new ByteWriter()
  out.uint8(PARTITIONED)
  out.uint8(FORMAT_VERSION)
  out.uint32(token)
  out.varint(nextPart)
  return out
}

function reading<T>(bytes: Uint8Array, read: (reader: ByteReader, token: number, nextPart: number) => T): T {
  const reader = new ByteReader(bytes)
  try {
    if (reader.uint8() !== PARTITIONED) throw notPartitioned()
    const version = reader.uint8()
    if (version !== FORMAT_VERSION) {
      const message = `A partitioned sink's record has the format ${version}, not ${FORMAT_VERSION}.`
      throw new TidemarkError("state-newer-format", message, {
        hint: "Run the job with the version of Tidemark that wrote its state, or a later one.",
      })
    }
    const value = read(reader, reader.uint32(), reader.varint())
    if (reader.remaining === 0) return value
    throw new RangeError(`${reader.remaining} bytes too many`)
  } catch (error) {
    if (error instanceof TidemarkError) throw error
    throw new TidemarkError("state-corrupt", "A partitioned sink's record in the log cannot be read.", { cause: error })
  }
}

function notPartitioned(): TidemarkError {
  return new TidemarkError("sink-failed", "The output was not partitioned when the job ran last, and is now.", {
    hint: "Give the partitioned output another name and directory. Where what is published is of an earlier state of this same job, --reset starts it anew and sets that aside.",
  })
}
