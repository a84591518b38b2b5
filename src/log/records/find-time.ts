/** Where the records of a time begin. */
import type { Disk } from "../../env/env.ts"
import type { LogPlace } from "../log-reader.ts"
import { LinkFile } from "./link-file.ts"
import { ENTRY } from "./log-state.ts"
import { isBefore } from "./lsn.ts"
import { endOf, endOfLog, startOf, type ReadableLink, type ReadableLog, type ReadableState } from "./readable-log.ts"
import { RECORD_LOG } from "./record-log-kind.ts"
import { SEGMENT_HEADER_BYTES } from "../record.ts"

/** The place of the first record that is of a time or later, or the end of the log. Times never go back, so it is looked for by halves. */
export async function findTime(log: ReadableLog, disk: Disk, micros: number): Promise<LogPlace> {
  const state = await log.look()
  const { links, trimmed } = state
  // Of the links that begin behind an older record, the last: what is looked for lies in it, or begins the next.
  let [low, high] = [0, links.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (links[middle]!.lastMicros < micros) low = middle + 1
    else high = middle
  }
  for (let index = Math.max(0, low - 1); index < links.length; index++) {
    const found = await withFile(disk, links[index]!, (file, link) => firstIn(file, link, state, micros))
    if (found !== undefined) return isBefore(found, trimmed) ? trimmed : found
  }
  return endOfLog(state)
}

async function firstIn(
  file: LinkFile,
  link: ReadableLink,
  { trimmed }: ReadableState,
  micros: number,
): Promise<LogPlace | undefined> {
  if (!isBefore(trimmed, endOf(link))) return undefined
  const { generation, path, startOffset, endOffset } = link
  const index = link.index ?? (link.isClosed ? await file.index(link) : undefined)
  let offset = index?.before(micros) ?? startOf(link).offset
  while (offset < endOffset) {
    const scan = await file.read(link, offset)
    if (!scan.next()) {
      const position = SEGMENT_HEADER_BYTES + offset - startOffset
      throw RECORD_LOG.corrupt(path, position, "a record that was durable does not check")
    }
    do {
      const place = { generation, offset: scan.offset }
      if (scan.type === ENTRY.record && scan.leadingInt64 >= micros && !isBefore(place, trimmed)) return place
    } while (scan.next())
    offset = scan.endOffset
  }
  return undefined
}

async function withFile<T>(
  disk: Disk,
  link: ReadableLink,
  work: (file: LinkFile, link: ReadableLink) => Promise<T>,
): Promise<T> {
  const file = await LinkFile.open(disk, link.path)
  if (file === undefined) throw RECORD_LOG.vanished(link.path)
  try {
    return await work(file, link)
  } finally {
    await file.close()
  }
}
