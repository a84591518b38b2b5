/**
 * Whether a damaged record was durable: whether a valid record behind it says that the log was synced beyond it (G2).
 *
 * Nobody knows where records begin behind a damaged one, so each byte may be such a place, and what lies there may look
 * like a record of any length. Checking one after the other would take time that grows with the square of the tail's
 * length. Instead places are told by their headers first, and all checksums are then made of those of prefixes, in one
 * pass over the bytes.
 *
 * Invariant:
 * - LS1 The time is that of one checksum over the bytes, and a little for each place whose header might be a record's,
 *   whatever the bytes are.
 */
import { crc32c, crc32cBehind } from "../base/crc32c.ts"
import { CHECKED_FROM, CHECKSUM_AT, MAX_PAYLOAD_BYTES, positionSeed, RECORD_HEADER_BYTES, SYNCED_AT } from "./record.ts"

/** A place whose header might be that of a record that says so. */
interface Claim {
  readonly at: number
  readonly length: number
}

/** Whether a valid record in `bytes`, which begin at `offset` of `generation`, says that the log was synced beyond `offset`. */
export function wasSyncedBeyond(bytes: Uint8Array, generation: number, offset: number): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const claims = claimsIn(bytes, view, offset)
  if (claims.length === 0) return false
  const prefixes = prefixChecksums(bytes, claims)
  return claims.some(({ at, length }) => {
    const [from, end] = [at + CHECKED_FROM, at + RECORD_HEADER_BYTES + length]
    const seed = positionSeed(generation, offset + at, length)
    // What lies between two prefixes, behind the seed: the prefix's own share cancels out.
    const checksum = crc32cBehind(seed ^ prefixes.get(from)!, prefixes.get(end)!, end - from)
    return checksum === view.getUint32(at + CHECKSUM_AT, true)
  })
}

/** The places behind the first byte that have the header of a record that was written later, and fits in. */
function claimsIn(bytes: Uint8Array, view: DataView, offset: number): Claim[] {
  const claims: Claim[] = []
  for (let at = 1; at + RECORD_HEADER_BYTES <= bytes.length; at++) {
    if (bytes[at + CHECKED_FROM] === 0) continue
    const syncedThrough = view.getUint32(at + SYNCED_AT, true) + view.getUint32(at + SYNCED_AT + 4, true) * 2 ** 32
    // A record is never synced before it is written.
    if (syncedThrough <= offset || syncedThrough > offset + at) continue
    const length = view.getUint32(at, true)
    if (length <= MAX_PAYLOAD_BYTES && at + RECORD_HEADER_BYTES + length <= bytes.length) claims.push({ at, length })
  }
  return claims
}

/** The checksums of the prefixes of `bytes` that end where something that is to be checked begins or ends. */
function prefixChecksums(bytes: Uint8Array, claims: readonly Claim[]): ReadonlyMap<number, number> {
  const ends = new Float64Array(claims.length * 2)
  claims.forEach(({ at, length }, index) => {
    ends[2 * index] = at + CHECKED_FROM
    ends[2 * index + 1] = at + RECORD_HEADER_BYTES + length
  })
  const checksums = new Map<number, number>()
  let checksum = 0
  let from = 0
  for (const end of ends.sort()) {
    checksum = crc32c(bytes, checksum, from, end)
    checksums.set(end, checksum)
    from = end
  }
  return checksums
}
