/** Reading the newest segment of a log from its start to where it ends, and what the log knows of itself there. */
import { assert } from "../../base/assert.ts"
import { readSegment, type LogPlace } from "../log-reader.ts"
import { SEGMENT_HEADER_BYTES } from "../record.ts"
import type { RecordScan } from "../record-scan.ts"
import type { ChainLink } from "../segment.ts"
import type { SegmentPlace } from "../segment-files.ts"
import { ENTRY, LogState } from "./log-state.ts"

/** Where a log ends. */
export interface LogEnd {
  readonly endOffset: number
  /** What the newest segment itself says of how far it was synced; its start where it says nothing. */
  readonly syncedOffset: number
  /** Where the records behind the newest segment's state begin; its start where it begins without one. */
  readonly contentOffset: number
  /** No record before `syncedOffset` is of a later time. */
  readonly syncedMicros: number
  readonly state: LogState
}

/**
 * Finds the end of a log.
 *
 * @param chain not empty.
 * @param durable up to where the log was durable, at least, as its mark says.
 * @throws TidemarkError `log-corrupt` where a record does not check that was durable, as the mark or a later record says.
 */
export async function findEnd(
  place: Pick<SegmentPlace, "disk" | "kind">,
  chain: readonly ChainLink[],
  durable: LogPlace | undefined,
): Promise<LogEnd> {
  const { segment } = chain.at(-1)!
  assert(chain.at(-1)!.endOffset === undefined, "the newest segment ends where its records do")
  let endOffset = segment.startOffset
  let syncedOffset = segment.startOffset
  let contentOffset = segment.startOffset
  let unsynced: { readonly offset: number; readonly micros: number }[] = []
  const state = await stateBehind(place, chain, (record) => {
    const { type, offset, syncedThrough } = record
    endOffset = record.endOffset
    if (syncedThrough > syncedOffset) {
      syncedOffset = syncedThrough
      unsynced = unsynced.filter(({ offset }) => offset >= syncedOffset)
    }
    if (type === ENTRY.record) unsynced.push({ offset, micros: record.leadingInt64 })
    if (type === ENTRY.state) contentOffset = endOffset
  })
  if (durable?.generation === segment.generation && durable.offset > endOffset) {
    const position = SEGMENT_HEADER_BYTES + endOffset - segment.startOffset
    throw place.kind.corrupt(segment.path, position, "a record that was durable does not check")
  }
  const syncedMicros = unsynced[0]?.micros ?? state.lastMicros
  return { endOffset, syncedOffset, contentOffset, syncedMicros, state }
}

/** The state behind the newest segment, whose records are shown. One that continues another begins without any: then that is read, too. */
async function stateBehind(
  place: Pick<SegmentPlace, "disk" | "kind">,
  chain: readonly ChainLink[],
  visit: (record: RecordScan) => void,
): Promise<LogState> {
  const newest = chain.at(-1)!
  const entries: { readonly type: number; readonly payload: Uint8Array }[] = []
  let lastMicros: number | undefined
  let isContinued = chain.length > 1
  await readSegment(place, newest, (record) => {
    if (record.type === ENTRY.record) lastMicros = record.leadingInt64
    else entries.push({ type: record.type, payload: record.payload.slice() })
    // The state is the first entry, where there is one.
    if (record.type === ENTRY.state) isContinued = false
    visit(record)
  })
  const state = isContinued ? await stateBehind(place, chain.slice(0, -1), () => undefined) : new LogState()
  for (const { type, payload } of entries) state.apply(type, payload)
  if (lastMicros !== undefined) state.lastMicros = lastMicros
  return state
}
