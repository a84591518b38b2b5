/** The slow, obvious twin of `wasSyncedBeyond`: it looks for a record at every byte. */
import { decodeRecord, RECORD_HEADER_BYTES } from "./record.ts"

/** See `later-sync.ts`. */
export function wasSyncedBeyondSlowly(bytes: Uint8Array, generation: number, offset: number): boolean {
  for (let at = 1; at + RECORD_HEADER_BYTES <= bytes.length; at++) {
    const record = decodeRecord(bytes, at, generation, offset + at)
    if (record !== undefined && record.syncedThrough > offset && record.syncedThrough <= offset + at) return true
  }
  return false
}
