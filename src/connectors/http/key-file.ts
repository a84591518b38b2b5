/**
 * The keys of requests in a file, which is written before the log lets go the requests: the file `keys` of an input's directory.
 *
 * | bytes | what |
 * |---|---|
 * | 8 | `TIDEKEYS` |
 * | 4 | version: 1 |
 * | varint | how many keys, the oldest first; then of each: |
 * | 16 | the digest of the key |
 * | 16 | the digest of what was sent |
 * | varint | how many records it had |
 * | 8 | float64: when it was stored, in µs since 1970 |
 * | 4 | CRC-32C of all before |
 *
 * Invariant:
 * - KF1 The name `keys` has a whole file that is durable, or none: it is written under another name, synced, and renamed.
 */
import { ByteReader, ByteWriter } from "../../base/bytes.ts"
import { crc32c } from "../../base/crc32c.ts"
import { TidemarkError } from "../../base/errors.ts"
import type { Disk } from "../../env/env.ts"
import { digestOf, digestText, type KeyTable } from "./key-table.ts"
import { DIGEST_BYTES } from "./request-record.ts"
import { step } from "./steps.ts"

const MAGIC = "TIDEKEYS"
const VERSION = 1
const HEAD_BYTES = MAGIC.length + 4
const CRC_BYTES = 4

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** Writes all keys of a table; gives how many bytes that were. */
export async function writeKeys(disk: Disk, directory: string, keys: KeyTable): Promise<number> {
  const bytes = encodeKeys(keys)
  const draft = `${directory}/keys.draft`
  const file =
    (await disk.open(draft, "create", step("requests.keys.create"))) ??
    (await disk.open(draft, "update", step("requests.keys.create")))
  if (file === undefined) throw vanished(draft)
  try {
    await file.truncate(0, step("requests.keys.write"))
    await file.write(bytes, 0, step("requests.keys.write"))
    await file.sync(step("requests.keys.sync"))
  } finally {
    await file.close()
  }
  await disk.rename(draft, `${directory}/keys`, step("requests.keys.rename"))
  await disk.syncDirectory(directory, step("requests.keys.sync-directory"))
  return bytes.length
}

/**
 * Adds the keys of the file to a table; gives how many bytes the file has, 0 where there is none.
 *
 * @throws TidemarkError `log-corrupt` or `log-newer-format`.
 */
export async function readKeys(disk: Disk, directory: string, keys: KeyTable, nowMicros: number): Promise<number> {
  const path = `${directory}/keys`
  const file = await disk.open(path, "read", step("requests.keys.read"))
  if (file === undefined) return 0
  try {
    const bytes = new Uint8Array(await file.size())
    await file.read(bytes, 0, step("requests.keys.read"))
    decodeKeys(path, bytes, keys, nowMicros)
    return bytes.length
  } finally {
    await file.close()
  }
}

function encodeKeys(keys: KeyTable): Uint8Array {
  const out = new ByteWriter(HEAD_BYTES + 16 + keys.size * (2 * DIGEST_BYTES + 10))
  out.raw(encoder.encode(MAGIC))
  out.uint32(VERSION)
  out.varint(keys.size)
  for (const [digest, { sent, records, storedMicros }] of keys.entries()) {
    out.raw(digestOf(digest))
    out.raw(digestOf(sent))
    out.varint(records)
    out.float64(storedMicros)
  }
  out.uint32(crc32c(out.view()))
  return out.view()
}

function decodeKeys(path: string, bytes: Uint8Array, keys: KeyTable, nowMicros: number): void {
  const end = bytes.length - CRC_BYTES
  if (end < HEAD_BYTES || decoder.decode(bytes.subarray(0, MAGIC.length)) !== MAGIC) throw damaged(path)
  const reader = new ByteReader(bytes.subarray(MAGIC.length, end))
  const version = reader.uint32()
  if (version !== VERSION) {
    throw new TidemarkError(
      "log-newer-format",
      `${path} has format version ${version}; this Tidemark reads up to ${VERSION}.`,
      { hint: "Run the job with the newer Tidemark that has written it." },
    )
  }
  if (crc32c(bytes, 0, 0, end) !== new ByteReader(bytes.subarray(end)).uint32()) throw damaged(path)
  for (let rest = reader.varint(); rest > 0; rest--) {
    const digest = digestText(reader.raw(DIGEST_BYTES))
    const sent = digestText(reader.raw(DIGEST_BYTES))
    keys.add(digest, { sent, records: reader.varint(), storedMicros: reader.float64() }, nowMicros)
  }
}

function damaged(path: string): TidemarkError {
  return new TidemarkError("log-corrupt", `${path} is damaged: it does not check.`, {
    hint: "Restore it from a copy. Or remove it: then requests that are repeated may be stored twice where the log has let the first go.",
  })
}

function vanished(path: string): TidemarkError {
  return new TidemarkError("disk-failed", `${path} is neither there nor can it be made.`, {
    hint: "Check who else works in the directory.",
  })
}
