/**
 * A request as one record of the log, so that its records are stored together or not at all.
 *
 * | bytes | what |
 * |---|---|
 * | 1 | version: 1 |
 * | 1 | 1 where the request has a key, else 0 |
 * | 16 | with a key: its digest |
 * | 16 | with a key: the digest of what was sent |
 * | varint | how many records, at least 1 |
 * | rest | the records, a line feed between each two: JSON, or what was sent in the place of it, without line feeds |
 *
 * That the bytes are those that were written is the log's promise.
 */
import { assert } from "../../base/assert.ts"
import { ByteReader, ByteWriter } from "../../base/bytes.ts"
import { TidemarkError } from "../../base/errors.ts"

const VERSION = 1
const LINE_FEED = 0x0a

/** How many bytes the digests of keys and of what was sent have. */
export const DIGEST_BYTES = 16

/** What makes a request known when it is repeated. */
export interface RequestKey {
  /** Of the key that the sender gave. */
  readonly digest: Uint8Array
  /** Of what was sent. */
  readonly sent: Uint8Array
}

/** Records that somebody sends at once. */
export interface PushedRequest {
  readonly key: RequestKey | undefined
  /** At least one; each without line feeds. */
  readonly records: readonly Uint8Array[]
}

/** The head of a request's record. */
export interface RequestHead {
  readonly key: RequestKey | undefined
  readonly count: number
  /** Where the records begin. */
  readonly bodyStart: number
}

/** The record of a request. */
export function encodeRequest({ key, records }: PushedRequest): Uint8Array {
  assert(records.length > 0, "a request has records")
  const out = new ByteWriter(64 + records.reduce((sum, { length }) => sum + length + 1, 0))
  out.uint8(VERSION)
  out.uint8(key === undefined ? 0 : 1)
  if (key !== undefined) {
    assert(key.digest.length === DIGEST_BYTES && key.sent.length === DIGEST_BYTES, "digests have their length")
    out.raw(key.digest)
    out.raw(key.sent)
  }
  out.varint(records.length)
  records.forEach((record, index) => {
    if (index > 0) out.uint8(LINE_FEED)
    out.raw(record)
  })
  return out.view()
}

/**
 * What a request's record begins with.
 *
 * @throws TidemarkError `log-newer-format` where a newer Tidemark wrote it.
 */
export function decodeHead(payload: Uint8Array): RequestHead {
  const reader = new ByteReader(payload)
  const version = reader.uint8()
  if (version !== VERSION) {
    throw new TidemarkError(
      "log-newer-format",
      `A request was stored in format ${version}; this Tidemark reads up to ${VERSION}.`,
      { hint: "Run the job with the newer Tidemark that has stored it." },
    )
  }
  const hasKey = reader.uint8() === 1
  const key = hasKey ? { digest: reader.raw(DIGEST_BYTES), sent: reader.raw(DIGEST_BYTES) } : undefined
  return { key, count: reader.varint(), bodyStart: reader.position }
}

/** The records of a request's record: parts of its bytes. */
export function recordsOf(payload: Uint8Array): Uint8Array[] {
  const { count, bodyStart } = decodeHead(payload)
  const records: Uint8Array[] = []
  let start = bodyStart
  for (let index = 0; index < count; index++) {
    const found = index === count - 1 ? -1 : payload.indexOf(LINE_FEED, start)
    const end = found < 0 ? payload.length : found
    records.push(payload.subarray(start, end))
    start = end + 1
  }
  assert(start === payload.length + 1, "a request has as many records as it says")
  return records
}
