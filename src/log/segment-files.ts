/** Making the segments of a log, of any kind: taking the name of a generation, and a file that is whole before it has a name. */
import type { Disk, DiskFile } from "../env/env.ts"
import type { LogKind, SegmentPurpose } from "./log-kind.ts"
import { encodeSegmentHeader, SEGMENT_HEADER_BYTES, type SegmentHeader } from "./record.ts"
import { segmentName, type SegmentName } from "./segment.ts"

/** How the name of a file ends that is not a segment yet. */
const DRAFT = ".draft"

/** A segment that is being written. */
export interface OpenSegment {
  readonly file: DiskFile
  readonly path: string
  readonly startOffset: number
}

/** Where segments are made, and for which kind of log. */
export interface SegmentPlace {
  readonly disk: Disk
  readonly directory: string
  readonly kind: LogKind
}

/**
 * Takes the name of a generation's first segment: whoever comes second is told. Whatever names a process before this one
 * has left are durable afterwards, so that the new generation refers to nothing that a crash can still undo.
 */
export async function takeName({ disk, directory, kind }: SegmentPlace, generation: number): Promise<void> {
  const path = `${directory}/${segmentName(generation, 0)}`
  const file = await disk.open(path, "create", kind.stepOf("fence.create"))
  if (file === undefined) throw kind.fenced(path)
  await file.close()
  await disk.syncDirectory(directory, kind.stepOf("fence.sync-directory"))
}

/** Removes what processes have left that died while they made a segment. Nobody reads it, so it is all the same when it goes. */
export async function removeDrafts({ disk, directory, kind }: SegmentPlace, names: readonly string[]): Promise<void> {
  const drafts = names.filter((name) => name.endsWith(DRAFT))
  for (const name of drafts) await disk.remove(`${directory}/${name}`, kind.stepOf("trim.remove"))
}

/**
 * Removes segments, oldest first, each gone for good before the next one goes: whatever a crash leaves is a suffix of the chain.
 * The last may come back; the directory is synced again before anything else is removed.
 */
export async function removeSegments(
  { disk, directory, kind }: SegmentPlace,
  segments: readonly SegmentName[],
): Promise<void> {
  for (const [index, { name }] of segments.entries()) {
    if (index > 0) await disk.syncDirectory(directory, kind.stepOf("trim.sync-directory"))
    await disk.remove(`${directory}/${name}`, kind.stepOf("trim.remove"))
  }
}

/** Makes a segment durable with its header and first records, then gives it its name (G7). */
export async function createSegment(
  place: SegmentPlace & { readonly purpose: SegmentPurpose },
  header: SegmentHeader,
  writeRecords: (write: (bytes: Uint8Array) => Promise<void>) => Promise<void>,
): Promise<OpenSegment & { readonly bytes: number }> {
  const { disk, directory, kind, purpose } = place
  const path = `${directory}/${segmentName(header.generation, header.startOffset)}`
  const draft = `${path}${DRAFT}`
  const file = await disk.open(draft, "create", kind.stepOf(`${purpose}.create`))
  if (file === undefined) throw kind.fenced(draft)
  let position = 0
  const write = async (bytes: Uint8Array): Promise<void> => {
    await file.write(bytes, position, kind.stepOf(`${purpose}.write`))
    position += bytes.length
  }
  try {
    await write(encodeSegmentHeader(kind.format, header))
    await writeRecords(write)
    await file.sync(kind.stepOf(`${purpose}.sync`))
    await disk.rename(draft, path, kind.stepOf(`${purpose}.rename`))
    await disk.syncDirectory(directory, kind.stepOf(`${purpose}.sync-directory`))
  } catch (error) {
    await file.close()
    throw error
  }
  return { file, path, startOffset: header.startOffset, bytes: position - SEGMENT_HEADER_BYTES }
}
