/**
 * Taking over what another process has left of a log: where it ends, and what it knows of itself.
 *
 * What no record says was synced may be readable and not durable, and a sync of its file proves nothing once one has failed. To write it
 * again in its place would put at risk what is durable. So it is copied into a segment of the same generation that begins where it
 * begins, and is there whole or not at all: no record changes its place, and what lies behind that place in the older file is void.
 *
 * Invariant:
 * - TO1 When `takeOver` has returned, everything before the end that it gives is durable, also where a sync has failed before.
 */
import { ByteWriter } from "../../base/bytes.ts"
import type { LogPlace } from "../log-reader.ts"
import { encodeRecord, SEGMENT_HEADER_BYTES } from "../record.ts"
import { chainOf, type ChainLink, type Segment } from "../segment.ts"
import { createSegment, type SegmentPlace } from "../segment-files.ts"
import { readMark } from "./durable-mark.ts"
import { ENTRY, LogState } from "./log-state.ts"
import { FIRST_PLACE } from "./lsn.ts"
import { endOf, type ReadableLink } from "./readable-log.ts"
import { RECORD_LOG, step } from "./record-log-kind.ts"
import type { ClosedSegment } from "./retention.ts"
import { findEnd, type LogEnd } from "./segment-scan.ts"

const CHUNK_BYTES = 1 << 20

/** A segment to which nothing is appended any more. */
export interface ClosedLink extends ClosedSegment {
  readonly link: ReadableLink
}

/** What another process has left. */
export interface Takeover {
  readonly end: LogPlace
  readonly state: LogState
  readonly closed: readonly ClosedLink[]
}

/** Finds where a log ends that lies in segments, and makes durable what lies before that (TO1). */
export async function takeOver(place: SegmentPlace, segments: readonly Segment[]): Promise<Takeover> {
  if (segments.length === 0) return { end: FIRST_PLACE, state: new LogState(), closed: [] }
  const chain = chainOf(segments)
  const mark = await readMark(place.disk, place.directory)
  const logEnd = await findEnd(place, chain, mark?.durable)
  const newest = chain.at(-1)!.segment
  const { endOffset, syncedOffset, contentOffset, state } = logEnd
  const links = chain.map((link) => linkOf(link, endOffset))
  if (endOffset > contentOffset) {
    const copy = await copyTail(place, newest, logEnd)
    const whole = links.pop()!
    if (syncedOffset > newest.startOffset) links.push({ ...whole, endOffset: syncedOffset })
    links.push({ ...whole, ...copy })
  }
  const closed = links.map((link, index) => closedLink(link, links[index + 1]?.lastMicros ?? state.lastMicros))
  return { end: { generation: newest.generation, offset: endOffset }, state, closed }
}

/** Copies what lies from an offset on into a segment of its own; gives what is particular to that. */
async function copyTail(
  place: SegmentPlace,
  newest: Segment,
  { syncedOffset: startOffset, syncedMicros: lastMicros, endOffset }: LogEnd,
): Promise<Pick<ReadableLink, "path" | "startOffset" | "lastMicros">> {
  const isWhole = startOffset === newest.startOffset
  const following = { ...newest, startOffset, previousGeneration: 0, previousEnd: 0, lastMicros }
  const header = isWhole ? newest : following
  const source = await place.disk.open(newest.path, "read", step("records.recover.read"))
  if (source === undefined) throw RECORD_LOG.vanished(newest.path)
  try {
    const segment = await createSegment({ ...place, purpose: "open" }, header, async (write) => {
      for (let offset = startOffset; offset < endOffset; offset += CHUNK_BYTES) {
        const bytes = new Uint8Array(Math.min(CHUNK_BYTES, endOffset - offset))
        const position = SEGMENT_HEADER_BYTES + offset - newest.startOffset
        const got = await source.read(bytes, position, step("records.recover.read"))
        if (got < bytes.length) throw RECORD_LOG.corrupt(newest.path, position + got, "what was just read is gone")
        await write(bytes)
      }
    })
    await segment.file.close()
    return { path: segment.path, startOffset, lastMicros: header.lastMicros }
  } finally {
    await source.close()
  }
}

/** A piece of a chain as readers see it, where the newest ends at an offset. */
export function linkOf({ segment, endOffset }: ChainLink, newestEnd: number): ReadableLink {
  const { path, generation, startOffset, lastMicros } = segment
  const isClosed = endOffset !== undefined
  return { path, generation, startOffset, endOffset: endOffset ?? newestEnd, lastMicros, isClosed }
}

/** A link to which nothing is appended any more, with what its retention goes by. */
export function closedLink(link: ReadableLink, lastMicros: number): ClosedLink {
  return { link: { ...link, isClosed: true }, end: endOf(link), bytes: link.endOffset - link.startOffset, lastMicros }
}

/** Writes the state with which a segment begins. */
export function stateWriter(place: LogPlace, syncedThrough: number, state: LogState) {
  return async (write: (bytes: Uint8Array) => Promise<void>): Promise<void> => {
    const out = new ByteWriter()
    encodeRecord(out, { ...place, syncedThrough }, ENTRY.state, state.encode())
    await write(out.view())
  }
}
