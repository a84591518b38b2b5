/**
 * Reading a log: the chain of its segments and their records, oldest first. Nothing is written and nobody is fenced, so that
 * also those can read it who do not hold it: `readLog` is for them.
 *
 * Whoever reads a log that is being written meets what a writer may leave at any moment: a record that is written in part,
 * which is a torn tail, and segments that go while they are being looked for. Reading begins anew then.
 *
 * Invariants:
 * - LR1 `readLog` shows a prefix of what was appended that holds everything that was synced when it was called.
 * - LR2 It changes nothing in the directory.
 */
import { TidemarkError } from "../base/errors.ts"
import type { Disk } from "../env/env.ts"
import { wasSyncedBeyond } from "./later-sync.ts"
import { COMMIT_LOG } from "./log-kind.ts"
import { decodeSegmentHeader, recordBytesAt, SEGMENT_HEADER_BYTES } from "./record.ts"
import { RecordScan } from "./record-scan.ts"
import { SegmentBytes } from "./segment-bytes.ts"
import type { SegmentPlace } from "./segment-files.ts"
import { chainOf, segmentNames, type ChainLink, type Segment, type SegmentName } from "./segment.ts"

/** How often a log that changes under its reader is read anew before what is wrong with it counts as damage. */
const ATTEMPTS = 5
/** How often it is read anew where segments have come and gone each time. */
const TRIES_MAX = 200

/** A place in a log: offsets count bytes of records within a generation. */
export interface LogPlace {
  readonly generation: number
  readonly offset: number
}

/** A record and its place, until the visitor returns: the next one may be the same object. */
export interface LogRecord {
  readonly lsn: LogPlace
  readonly type: number
  /** A view of what was read, about a mebibyte at once. Nobody changes it, also later. */
  readonly payload: Uint8Array
}

/** Takes what a log holds when it is opened. */
export interface LogVisitor {
  /** Called first. `isComplete` is whether the log still has its very first record, so that nothing was trimmed. */
  begin(isComplete: boolean): void
  /** Called with every durable record, oldest first. */
  record(record: LogRecord): void
}

/** Whether a chain still has the log's very first record, so that nothing was trimmed. */
export function isFromTheStart(chain: readonly ChainLink[]): boolean {
  const first = chain.at(0)?.segment
  return first === undefined || (first.startOffset === 0 && first.previousGeneration === 0)
}

/**
 * Reads the log of a directory without holding it (LR1, LR2).
 *
 * @param makeVisitor gives who is shown the records: another one each time that reading begins anew.
 * @throws TidemarkError `state-corrupt` where something that was durable does not read back, `state-newer-format` where a
 * newer Tidemark wrote it.
 */
export async function readLog<V extends LogVisitor>(disk: Disk, directory: string, makeVisitor: () => V): Promise<V> {
  for (let [attempt, tries] = [1, 1]; ; tries++) {
    const visitor = makeVisitor()
    const names = await disk.list(directory)
    try {
      const place = { disk, directory, kind: COMMIT_LOG }
      const segments = await readSegments(place, segmentNames(names))
      const chain = segments.length === 0 ? [] : chainOf(segments)
      visitor.begin(isFromTheStart(chain))
      for (const link of chain) await readSegment(place, link, (record) => visitor.record(record))
      return visitor
    } catch (error) {
      const isPassing = error instanceof TidemarkError && error.code === "state-corrupt"
      if (!isPassing || tries === TRIES_MAX) throw error
      // A job that makes snapshots as fast as somebody reads has another log each time.
      const isSameLog = (await disk.list(directory)).join() === names.join()
      if (isSameLog && attempt++ === ATTEMPTS) throw error
    }
  }
}

/** The segments of those names with what their headers say, those left out that were begun and never used. */
export async function readSegments(
  { disk, directory, kind }: SegmentPlace,
  names: readonly SegmentName[],
): Promise<Segment[]> {
  const segments: Segment[] = []
  for (const [index, { generation, startOffset, name }] of names.entries()) {
    const path = `${directory}/${name}`
    const file = await disk.open(path, "read", kind.stepOf("recover.read"))
    if (file === undefined) throw kind.vanished(path)
    try {
      const size = await file.size()
      const bytes = new Uint8Array(SEGMENT_HEADER_BYTES)
      const count = await file.read(bytes, 0, kind.stepOf("recover.read"))
      const reading = decodeSegmentHeader(kind.format, bytes.subarray(0, count))
      if (reading.kind === "newer") throw kind.newer(path, reading.version)
      if (reading.kind === "header") {
        const { header } = reading
        const isOwn = header.generation === generation && header.startOffset === startOffset
        if (!isOwn) throw kind.corrupt(path, 0, "the header belongs to another segment")
        segments.push({ ...header, path, size })
        continue
      }
      // A name that was taken and never used; everything else got its name with a durable header.
      const isUnused = size === 0 && names[index + 1]?.generation !== generation
      if (!isUnused) throw kind.corrupt(path, 0, "the header does not check")
    } finally {
      await file.close()
    }
  }
  return segments
}

/** Visits a segment's records up to where they end. What is shown is the next record when the visitor has returned. */
export async function readSegment(
  { disk, kind }: Pick<SegmentPlace, "disk" | "kind">,
  link: ChainLink,
  visit: (record: RecordScan) => void,
): Promise<void> {
  const { segment, endOffset } = link
  const readStep = kind.stepOf("recover.read")
  const file = await disk.open(segment.path, "read", readStep)
  if (file === undefined) throw kind.vanished(segment.path)
  let pieces: SegmentBytes | undefined
  try {
    const stop = endOffset ?? segment.startOffset + segment.size - SEGMENT_HEADER_BYTES
    let offset = segment.startOffset
    let chunk: Uint8Array<ArrayBuffer> = new Uint8Array(0)
    pieces = new SegmentBytes(file, segment, stop, readStep)
    while (offset < stop) {
      chunk = await pieces.next(offset)
      let scan = new RecordScan(chunk, segment.generation, offset)
      let isRecord = scan.next()
      // It may be longer than the piece, or the end of what checks.
      for (const count of isRecord ? [] : longerThan(chunk, stop - offset)) {
        chunk = await pieces.exactly(offset, count)
        scan = new RecordScan(chunk, segment.generation, offset)
        isRecord = scan.next()
        if (isRecord) break
      }
      if (!isRecord) break
      for (; isRecord; isRecord = scan.next()) visit(scan)
      offset = scan.endOffset
    }
    if (offset === stop) return
    // The loop broke off at a record that does not check; `chunk` holds all that follows.
    if (endOffset !== undefined || wasSyncedBeyond(chunk, segment.generation, offset)) {
      const filePosition = SEGMENT_HEADER_BYTES + offset - segment.startOffset
      throw kind.corrupt(segment.path, filePosition, "a record that was durable does not check")
    }
  } finally {
    await pieces?.end()
    await file.close()
  }
}

/** How many bytes are read where those that were do not begin with a record: so many as it says that it has, and then all that follow. */
function longerThan(bytes: Uint8Array, all: number): number[] {
  const said = recordBytesAt(bytes)
  return said > bytes.length && said < all ? [said, all] : [all]
}
