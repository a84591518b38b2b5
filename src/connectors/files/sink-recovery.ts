/**
 * Brings a sink's directory to what the commit records say (E3, K4): applies them again, drops every later staging.
 *
 * What an uncommitted epoch left in the in-progress file of a committed part stays there for the time being: it lies
 * behind the committed length, where new rows overwrite it and publishing cuts it off.
 *
 * Invariants:
 * - K6 Recovery may crash anywhere and be done again from the same records.
 * - K7 It never takes output away that it cannot prove to be uncommitted work of this job, and never builds on output
 *   of another.
 */
import { assert } from "../../base/assert.ts"
import { counted } from "../../base/counted.ts"
import { TidemarkError } from "../../base/errors.ts"
import type { SinkRecovery } from "../../connect/sink.ts"
import { inProgressName } from "./part-name.ts"
import { PartFile, type PartPlace, type Trailer } from "./part-file.ts"
import { decodeCursor, decodeStagedPart, type SinkCursor, type StagedPart } from "./staged-part.ts"
import type { FileSinkStep } from "./steps.ts"
import { listParts, type PartEntry } from "./target-directory.ts"
import { claimTarget, type ClaimedTarget } from "./target-owner.ts"

const SYNC_STEP: FileSinkStep = "sink.recover.sync-directory"

/** A sink as recovery leaves it. */
export interface RecoveredSink {
  readonly place: PartPlace
  readonly cursor: SinkCursor
  /** The in-progress file of the cursor's part, where something of it is committed. */
  readonly file: PartFile | undefined
}

/** What commit records say about one part. */
export interface PartHistory {
  readonly part: number
  readonly epochs: readonly StagedPart[]
  /** How much of it is committed in the end. */
  readonly length: number
  readonly publish: boolean
}

/** Restores a sink's directory, which exists. */
export async function recoverSink(
  target: ClaimedTarget & { extension: string; newToken: () => number; trailer: Trailer | undefined },
  recovery: SinkRecovery,
): Promise<RecoveredSink> {
  const { disk, directory, extension } = target
  const epochs = recovery.staged.map(decodeStagedPart).filter((staged) => staged !== undefined)
  const checkpoint = recovery.checkpoint === undefined ? undefined : decodeCursor(recovery.checkpoint)
  const token = await claimTarget(target, checkpoint?.token ?? epochs[0]?.token, target.newToken)
  const place: PartPlace = { disk, directory, token, extension }
  const start: SinkCursor = checkpoint ?? { token, part: 0, length: 0, openedAtMicros: 0 }
  const cursor = epochs.reduce(advance, start)
  const parts = await listParts(disk, directory)
  refuseForeign(directory, parts, cursor.part)
  let file: PartFile | undefined
  try {
    for (const history of historiesOf(start, epochs)) file = await recoverPart(place, history, target.trailer)
    await dropUncommitted(place, parts, cursor)
  } catch (error) {
    await file?.close()
    throw error
  }
  assert((file !== undefined) === cursor.length > 0, "a part has a file where something of it is committed")
  return { place, cursor, file }
}

/** Brings a part to what commit records say of it; gives its file where it is not complete. */
export async function recoverPart(
  place: PartPlace,
  history: PartHistory,
  trailer: Trailer | undefined,
): Promise<PartFile | undefined> {
  const file = await PartFile.reopen(place, history.part)
  try {
    await replay(place, file, history)
    if (!history.publish || file === undefined) return file
    const { length } = history
    await file.publish(trailer ? await file.writeTrailer(trailer, length, "republish") : length, "republish")
    return undefined
  } catch (error) {
    await file?.close()
    throw error
  }
}

/** The in-progress files of parts of which something is committed, as far as they are still there: by name. */
export function committedFiles({ checkpoint, staged }: SinkRecovery, extension: string): readonly string[] {
  const cursor = checkpoint === undefined ? undefined : decodeCursor(checkpoint)
  const parts = [
    ...(cursor !== undefined && cursor.length > 0 ? [cursor] : []),
    ...staged.map(decodeStagedPart).filter((epoch) => epoch !== undefined),
  ]
  return [...new Set(parts.map(({ part, token }) => inProgressName(part, token, extension)))]
}

/** Where a sink stands after one more epoch. */
export function advance(cursor: SinkCursor, epoch: StagedPart): SinkCursor {
  const { token, part, start, end, publish, openedAtMicros } = epoch
  if (token !== cursor.token || part !== cursor.part || start !== cursor.length) {
    throw new TidemarkError(
      "state-corrupt",
      `The log's records of a file sink do not follow each other: part ${part} from ${start} stands after part ${cursor.part} up to ${cursor.length}.`,
    )
  }
  return publish
    ? { token, part: part + 1, length: 0, openedAtMicros: 0 }
    : { token, part, length: end, openedAtMicros }
}

/** The parts that recovery must look at, in order: those of the records, and the one that the checkpoint left open. */
function historiesOf(start: SinkCursor, epochs: readonly StagedPart[]): PartHistory[] {
  const parts = new Map<number, StagedPart[]>()
  if (start.length > 0) parts.set(start.part, [])
  for (const epoch of epochs) {
    const known = parts.get(epoch.part)
    if (known === undefined) parts.set(epoch.part, [epoch])
    else known.push(epoch)
  }
  return [...parts].map(([part, own]) => {
    const last = own.at(-1)
    return { part, epochs: own, length: last?.end ?? start.length, publish: last?.publish ?? false }
  })
}

/** Writes again what the records carry of a part, unless it was published already. */
async function replay(place: PartPlace, file: PartFile | undefined, history: PartHistory): Promise<void> {
  if (file === undefined) {
    // Whoever published it may have died before its name was durable, and the log may soon forget the part.
    if (history.publish) return await place.disk.syncDirectory(place.directory, SYNC_STEP)
    throw new TidemarkError(
      "sink-failed",
      `${place.directory} holds no in-progress file of part ${history.part}, though ${counted(history.length, "byte of it is", "bytes of it are")} committed.`,
      {
        hint: "Hidden files in a sink's directory belong to its job. Put the file back; or run with --reset, which starts the job anew and sets what is published aside.",
      },
    )
  }
  for (const { inline, start, end } of history.epochs) {
    await file.expectBytes(inline === undefined ? end : start)
    if (inline !== undefined) await file.write(inline, start, "sink.recover.write")
  }
  await file.expectBytes(history.length)
}

export function refuseForeign(directory: string, parts: readonly PartEntry[], nextPart: number): void {
  const foreign = parts.find(({ name }) => name.kind === "published" && name.part >= nextPart)
  if (foreign === undefined) return
  throw new TidemarkError("sink-occupied", `${directory} holds ${foreign.fileName}, which this job has not written.`, {
    hint: "Give each output of each job a directory of its own. Where these parts are of an earlier state of this same job, --reset starts it anew and moves them aside.",
  })
}

/** Removes this job's in-progress files of parts of which nothing is committed. */
async function dropUncommitted(place: PartPlace, parts: readonly PartEntry[], cursor: SinkCursor): Promise<void> {
  const removeStep: FileSinkStep = "sink.recover.remove"
  for (const { fileName, name } of parts) {
    if (name.kind !== "in-progress" || name.token !== place.token) continue
    const isCommitted = name.part < cursor.part || (name.part === cursor.part && cursor.length > 0)
    if (!isCommitted) await place.disk.remove(`${place.directory}/${fileName}`, removeStep)
  }
}
