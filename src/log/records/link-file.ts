/**
 * The file of a link, opened for reading: its records from any place on, and its index.
 */
import { assert } from "../../base/assert.ts"
import type { Disk, DiskFile } from "../../env/env.ts"
import { CHECKED_FROM, decodeRecord, MAX_PAYLOAD_BYTES, RECORD_HEADER_BYTES, SEGMENT_HEADER_BYTES } from "../record.ts"
import { RecordScan } from "../record-scan.ts"
import { ENTRY } from "./log-state.ts"
import type { ReadableLink } from "./readable-log.ts"
import { step } from "./record-log-kind.ts"
import { INDEX_LENGTH_BYTES, SegmentIndex } from "./segment-index.ts"

const CHUNK_BYTES = 1 << 20
const SMALL_CHUNK_BYTES = 4096

/** An open file of a link. */
export class LinkFile {
  readonly path: string
  readonly #file: DiskFile

  private constructor(path: string, file: DiskFile) {
    this.path = path
    this.#file = file
  }

  /** Opens it; `undefined` where it is gone. */
  static async open(disk: Disk, path: string): Promise<LinkFile | undefined> {
    const file = await disk.open(path, "read", step("records.read.open"))
    return file === undefined ? undefined : new LinkFile(path, file)
  }

  /** The records from `offset` on that fit in a chunk, at least one where there is one; none where no record checks there. */
  async read(link: ReadableLink, offset: number, chunkBytes = CHUNK_BYTES): Promise<RecordScan> {
    const left = link.endOffset - offset
    assert(left > 0, "something is left to read")
    let bytes = await this.#bytesAt(link, offset, Math.min(chunkBytes, left))
    const needed = neededBytes(bytes)
    if (needed > bytes.length && needed <= left) bytes = await this.#bytesAt(link, offset, needed)
    return new RecordScan(bytes, link.generation, offset)
  }

  /** Whether a record begins at a place. */
  async isBoundary(link: ReadableLink, offset: number): Promise<boolean> {
    return (await this.read(link, offset, SMALL_CHUNK_BYTES)).next()
  }

  /** The next place behind a damaged one where a record checks, or the end of the link. */
  async nextBoundary(link: ReadableLink, offset: number): Promise<number> {
    const bytes = await this.#bytesAt(link, offset, link.endOffset - offset)
    for (let at = 1; at + RECORD_HEADER_BYTES <= bytes.length; at++) {
      if (bytes[at + CHECKED_FROM]! > ENTRY.index || bytes[at + CHECKED_FROM] === 0) continue
      if (decodeRecord(bytes, at, link.generation, offset + at) !== undefined) return offset + at
    }
    return link.endOffset
  }

  /** The index that ends the link; `undefined` where none does. */
  async index(link: ReadableLink): Promise<SegmentIndex | undefined> {
    const { startOffset, endOffset, generation } = link
    if (endOffset - startOffset < INDEX_LENGTH_BYTES) return undefined
    const tail = await this.#bytesAt(link, endOffset - INDEX_LENGTH_BYTES, INDEX_LENGTH_BYTES)
    if (tail.length < INDEX_LENGTH_BYTES) return undefined
    const length = new DataView(tail.buffer, tail.byteOffset).getUint32(0, true)
    if (length > endOffset - startOffset) return undefined
    const offset = endOffset - length
    const record = decodeRecord(await this.#bytesAt(link, offset, length), 0, generation, offset)
    return record?.type === ENTRY.index ? SegmentIndex.decode(startOffset, record.payload) : undefined
  }

  async close(): Promise<void> {
    await this.#file.close()
  }

  /** So many bytes, or fewer at the end of the file. They are nobody else's. */
  async #bytesAt({ startOffset }: ReadableLink, offset: number, count: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(count)
    const got = await this.#file.read(bytes, SEGMENT_HEADER_BYTES + offset - startOffset, step("records.read"))
    return bytes.subarray(0, got)
  }
}

/** How many bytes the record takes with which some begin. */
function neededBytes(bytes: Uint8Array): number {
  if (bytes.length < RECORD_HEADER_BYTES) return RECORD_HEADER_BYTES
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)
  return length > MAX_PAYLOAD_BYTES ? 0 : RECORD_HEADER_BYTES + length
}
