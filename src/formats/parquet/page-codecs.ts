/** Pages unpacked: Snappy here, and what the platform must bring. */
import { TidemarkError } from "../../base/errors.ts"
import type { Arena } from "../../batch/arena.ts"
import type { Codec, RowGroup } from "./footer.ts"
import { demand, Malformed } from "./malformed.ts"
import { unpackSnappyIn } from "./snappy-kernel.ts"

/** What pure code cannot have: codecs that belong to the platform. */
export interface PlatformCodecs {
  /** CRC-32 as zlib has it, as an unsigned number. */
  crc32(this: void, bytes: Uint8Array): number
  /**
   * Unpacks a member of gzip (RFC 1952) or a frame of Zstandard (RFC 8878) that has at most `lengthMax` bytes when it is
   * unpacked, and gives them. It throws where it is none, or has more.
   */
  gunzip(this: void, bytes: Uint8Array, lengthMax: number): Uint8Array
  unzstd(this: void, bytes: Uint8Array, lengthMax: number): Uint8Array
}

/** The codecs that are read. */
const CODECS: readonly Codec[] = ["UNCOMPRESSED", "SNAPPY", "GZIP", "ZSTD"]

/** @throws TidemarkError `source-unreadable` where pages of a leaf are packed by another codec. */
export function refuseCodecs(groups: readonly RowGroup[], leaf: number, subject: string): void {
  const group = groups.find(({ chunks }) => !CODECS.includes(chunks[leaf]!.codec))
  if (group === undefined) return
  const codec: string | undefined = group.chunks[leaf]!.codec
  throw new TidemarkError("source-unreadable", `${subject} is compressed by ${codec ?? "an unknown codec"}.`, {
    hint: "Write the file with Snappy, Zstandard or gzip, or without compression.",
  })
}

/**
 * Unpacks `source[at, end)` to `target[0, length)`.
 *
 * @throws Malformed where it is not what the codec makes, or of another length.
 */
export function unpackPage(
  { platform, arena }: { readonly platform: PlatformCodecs; readonly arena: Arena },
  codec: Codec,
  source: Uint8Array,
  at: number,
  end: number,
  target: Uint8Array,
  length: number,
): void {
  if (codec === "SNAPPY") {
    unpackSnappyIn(arena, source, at, end, target, length)
    return
  }
  const unpacked = unpackBy(codec === "GZIP" ? platform.gunzip : platform.unzstd, source.subarray(at, end), length)
  demand(unpacked.length === length, "a compressed page has another length than its header says")
  target.set(unpacked)
}

function unpackBy(codec: (bytes: Uint8Array, lengthMax: number) => Uint8Array, bytes: Uint8Array, length: number) {
  // Some codecs take "no more than nothing" for "as much as there is".
  if (length === 0) return new Uint8Array(0)
  try {
    return codec(bytes, length)
  } catch (error) {
    throw new Malformed(`a page cannot be unpacked (${error instanceof Error ? error.message : String(error)})`)
  }
}
