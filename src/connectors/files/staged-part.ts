/**
 * What a file sink puts into the commit record of an epoch, and into a checkpoint.
 *
 * An epoch's staging is empty where the sink has nothing to say. Otherwise, numbers as in `base/bytes.ts`:
 *
 * | bytes | what |
 * |---|---|
 * | 1 | format version, 1 |
 * | 1 | flags: 1 the part is to be published after this epoch, 2 the epoch's bytes follow |
 * | 4 | token of the part's in-progress file |
 * | varint | number of the part |
 * | varint | where the epoch's bytes start in the part |
 * | varint | where they end: the part's committed length |
 * | 8 | when the part's first row was staged, microseconds since 1970 |
 * | end − start | with flag 2: the bytes |
 *
 * A checkpoint is the same without the start, and its flags are 0:
 *
 * | bytes | what |
 * |---|---|
 * | 1 | format version, 1 |
 * | 1 | flags, 0 |
 * | 4 | token |
 * | varint | number of the part that is being written |
 * | varint | its committed length; 0 where it has no file yet |
 * | 8 | when its first row was staged, 0 where it has none |
 */
import { assert } from "../../base/assert.ts"
import { ByteReader, ByteWriter } from "../../base/bytes.ts"
import { TidemarkError } from "../../base/errors.ts"

const FORMAT_VERSION = 1
/** What stands in place of the version in records of partitioned sinks. */
export const PARTITIONED = 80

const FLAG_PUBLISH = 1
const FLAG_INLINE = 2

/** Nothing to apply. */
export const NOTHING_STAGED: Uint8Array = new Uint8Array(0)

/** What an epoch did to a part. */
export interface StagedPart {
  readonly token: number
  readonly part: number
  readonly start: number
  readonly end: number
  readonly openedAtMicros: number
  /** Whether the part is complete with this epoch. */
  readonly publish: boolean
  /** The bytes from `start` to `end`, where they are not in the in-progress file already. */
  readonly inline: Uint8Array | undefined
}

/** How far a sink has come: the part that is being written, and how much of it is committed. */
export interface SinkCursor {
  readonly token: number
  readonly part: number
  readonly length: number
  readonly openedAtMicros: number
}

/** Version, flags, token, three varints and a time. */
const HEADER_BYTES_MAX = 40

/** The bytes of an epoch's staging. */
export function encodeStagedPart(staged: StagedPart): Uint8Array {
  const { inline } = staged
  assert(inline === undefined || inline.length === staged.end - staged.start, "inline bytes are the epoch's bytes")
  const out = new ByteWriter(HEADER_BYTES_MAX + (inline?.length ?? 0))
  out.uint8(FORMAT_VERSION)
  out.uint8((staged.publish ? FLAG_PUBLISH : 0) | (inline === undefined ? 0 : FLAG_INLINE))
  out.uint32(staged.token)
  out.varint(staged.part)
  out.varint(staged.start)
  out.varint(staged.end)
  out.int64(BigInt(staged.openedAtMicros))
  if (inline !== undefined) out.raw(inline)
  return out.view()
}

/** Reads an epoch's staging; `undefined` where there is nothing to apply. Inline bytes are a view. */
export function decodeStagedPart(bytes: Uint8Array): StagedPart | undefined {
  if (bytes.length === 0) return undefined
  return reading(bytes, (reader, flags) => {
    const token = reader.uint32()
    const part = reader.varint()
    const start = reader.varint()
    const end = reader.varint()
    if (end < start) throw new RangeError(`the bytes end at ${end}, before their start ${start}`)
    const openedAtMicros = Number(reader.int64())
    const inline = (flags & FLAG_INLINE) === 0 ? undefined : reader.raw(end - start)
    return { token, part, start, end, openedAtMicros, publish: (flags & FLAG_PUBLISH) !== 0, inline }
  })
}

/** The bytes of a checkpoint. */
export function encodeCursor(cursor: SinkCursor): Uint8Array {
  const out = new ByteWriter(32)
  out.uint8(FORMAT_VERSION)
  out.uint8(0)
  out.uint32(cursor.token)
  out.varint(cursor.part)
  out.varint(cursor.length)
  out.int64(BigInt(cursor.openedAtMicros))
  return out.finish()
}

/** Reads a checkpoint. */
export function decodeCursor(bytes: Uint8Array): SinkCursor {
  return reading(bytes, (reader) => ({
    token: reader.uint32(),
    part: reader.varint(),
    length: reader.varint(),
    openedAtMicros: Number(reader.int64()),
  }))
}

function reading<T>(bytes: Uint8Array, read: (reader: ByteReader, flags: number) => T): T {
  const reader = new ByteReader(bytes)
  try {
    const version = reader.uint8()
    if (version === PARTITIONED) {
      throw new TidemarkError("sink-failed", "The output was partitioned when the job ran last, and is not now.", {
        hint: "Give the output another name and directory; or run with --reset, which starts the job anew.",
      })
    }
    if (version > FORMAT_VERSION) {
      throw new TidemarkError(
        "state-newer-format",
        `A file sink's record has the format ${version}, newer than ${FORMAT_VERSION}.`,
        {
          hint: "Run the job with the version of Tidemark that wrote its state, or a later one.",
        },
      )
    }
    const value = read(reader, reader.uint8())
    if (reader.remaining === 0) return value
    throw new RangeError(`${reader.remaining} bytes too many`)
  } catch (error) {
    if (error instanceof TidemarkError) throw error
    throw new TidemarkError("state-corrupt", "A file sink's record in the log cannot be read.", { cause: error })
  }
}
