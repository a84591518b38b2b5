/**
 * How the index of a key table lies in linear memory.
 *
 *     bucket       32 bytes: the hashes of up to four keys, then for each one more than its id, 0 where the lane is free
 *     segment      buckets: a KiB of them at first, which doubles up to a MiB; from then on there are more segments
 *     directory    addresses of segments, a power of two
 *
 *     bits of a hash    from 5 on: the bucket within its segment; from 20 on: the place in the directory
 */
import { i32, i32x4, v128, type Code, type Local } from "../../../base/wasm-code.ts"

/** Hashes, and as many entries, of a bucket. */
export const BUCKET_LANES = 4
export const BUCKET_BYTES = 8 * BUCKET_LANES
/** Where the entries of a bucket start, behind its hashes. */
export const ENTRIES_AT = 4 * BUCKET_LANES

/** The largest segment has 2^20 bytes. */
export const SEGMENT_SHIFT = 20
/** The first bit of a hash above those that name a bucket of the largest segment: as many bits as that has bytes. */
export const DIRECTORY_SHIFT = 20
/** Bit 31 is not free in hashes of longer keys (KH2). */
export const DIRECTORY_BITS_MAX = 31 - DIRECTORY_SHIFT

/** The address of the bucket behind another one of its segment, which starts at a multiple of its size. */
export function bucketBehind(bucket: Local<"i32">, mask: Code<"i32">): Code<"i32"> {
  const place = i32.and(bucket.get, mask)
  const next = i32.and(i32.add(bucket.get, i32.const(BUCKET_BYTES)), mask)
  return i32.add(i32.sub(bucket.get, place), next)
}

/** A bit for each free lane of a bucket. */
export function freeLanesOf(bucket: Local<"i32">): Code<"i32"> {
  return i32x4.bitmask(i32x4.eq(v128.load(bucket.get, ENTRIES_AT), i32x4.splat(i32.const(0))))
}
