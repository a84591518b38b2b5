/**
 * Brings the directories of a partitioned sink to what the commit records say, as `sink-recovery.ts` does for one (K4, K6, K7).
 *
 * What an uncommitted epoch has begun may lie in directories of which the records know nothing, so all are looked through.
 */
import { posix } from "node:path"
import { TidemarkError } from "../../base/errors.ts"
import type { SinkRecovery } from "../../connect/sink.ts"
import { makeDurableDirectory } from "../../env/durable-directory.ts"
import { inProgressName } from "./part-name.ts"
import type { PartPlace, Trailer } from "./part-file.ts"
import { mark, SUCCESS, type RecoveredPartition, type RecoveredPartitions } from "./partitioned-sink.ts"
import { decodePartitionedCursor, decodePartitionedEpoch, type PartitionedEpoch } from "./partitioned-record.ts"
import { advance, recoverPart, refuseForeign } from "./sink-recovery.ts"
import type { SinkCursor, StagedPart } from "./staged-part.ts"
import type { FileSinkStep } from "./steps.ts"
import { listParts, RESET_STEPS, supersededBy, type PartEntry } from "./target-directory.ts"
import { claimTarget, type ClaimedTarget } from "./target-owner.ts"

/** Where a partitioned sink writes to. */
export interface PartitionedTarget extends ClaimedTarget {
  /** How many levels its directories have. */
  readonly depth: number
  readonly trailer: Trailer | undefined
  readonly newToken: () => number
  readonly placeOf: (path: string, token: number) => PartPlace
}

/** What the records say of one part. */
interface PartRecords {
  readonly path: string
  readonly start: SinkCursor
  readonly epochs: StagedPart[]
}

/** A directory of a partition, and the sink's files in it. */
interface PartitionDirectory {
  readonly path: string
  readonly parts: readonly PartEntry[]
}

/** Restores the directories of a sink; the target directory exists. */
export async function recoverPartitions(
  target: PartitionedTarget,
  recovery: SinkRecovery,
): Promise<RecoveredPartitions> {
  const { disk, directory, placeOf } = target
  const epochs = recovery.staged.map(decodePartitionedEpoch).filter((epoch) => epoch !== undefined)
  const checkpoint = recovery.checkpoint === undefined ? undefined : decodePartitionedCursor(recovery.checkpoint)
  const token = await claimTarget(target, checkpoint?.token ?? epochs[0]?.token, target.newToken)
  const nextPart = epochs.at(-1)?.nextPart ?? checkpoint?.nextPart ?? 0
  const unmarked = new Map((checkpoint?.unmarked ?? []).map(({ path, endMicros }) => [path, endMicros]))
  const records = new Map<string, PartRecords>()
  for (const { path, cursor } of checkpoint?.open ?? []) {
    records.set(`${cursor.part} ${path}`, { path, start: cursor, epochs: [] })
  }
  for (const epoch of epochs) addEpoch(records, unmarked, epoch)
  const directories = await listPartitions(target)
  for (const each of directories) refuseForeign(`${directory}/${each.path}`, each.parts, nextPart)
  const open: RecoveredPartition[] = []
  try {
    for (const each of records.values()) await recoverRecords(target, each, placeOf(each.path, token), open)
    for (const path of epochs.flatMap(({ marked }) => marked)) {
      const place = placeOf(path, token)
      if ((await disk.stat(place.directory)) !== undefined) await mark(disk, place.directory, place.prepare)
    }
    await dropUncommitted(target, directories, token, open)
  } catch (error) {
    for (const { file } of open) await file.close()
    throw error
  }
  return { token, nextPart, open, unmarked: [...unmarked].map(([path, endMicros]) => ({ path, endMicros })) }
}

/** As `committedFiles` of `sink-recovery.ts`: by path below the target directory. */
export function committedPartitionFiles({ checkpoint, staged }: SinkRecovery, extension: string): readonly string[] {
  const { open } = checkpoint === undefined ? { open: [] } : decodePartitionedCursor(checkpoint)
  const parts = [
    ...open.map(({ path, cursor: { part, token } }) => ({ path, part, token })),
    ...staged.flatMap((epoch) =>
      (decodePartitionedEpoch(epoch)?.parts ?? []).map(({ path, staged: { part, token } }) => ({ path, part, token })),
    ),
  ]
  return [...new Set(parts.map(({ path, part, token }) => `${path}/${inProgressName(part, token, extension)}`))]
}

function addEpoch(records: Map<string, PartRecords>, unmarked: Map<string, number>, epoch: PartitionedEpoch): void {
  for (const { path, endMicros, staged } of epoch.parts) {
    const { token, part } = staged
    const key = `${part} ${path}`
    const known = records.get(key)
    if (known !== undefined) known.epochs.push(staged)
    else records.set(key, { path, start: { token, part, length: 0, openedAtMicros: 0 }, epochs: [staged] })
    unmarked.set(path, endMicros)
  }
  for (const path of epoch.marked) unmarked.delete(path)
}

/** Restores a part; adds it to those that are open, where it is. */
async function recoverRecords(
  { disk, trailer }: PartitionedTarget,
  { path, start, epochs }: PartRecords,
  place: PartPlace,
  open: RecoveredPartition[],
): Promise<void> {
  const cursor = epochs.reduce(advance, start)
  const last = epochs.at(-1)
  const publish = last?.publish ?? false
  // Who has taken the published parts of a partition away may have taken its directory as well.
  if (publish && (await disk.stat(place.directory)) === undefined) return
  const history = { part: start.part, epochs, length: last?.end ?? start.length, publish }
  const file = await recoverPart(place, history, trailer)
  if (file !== undefined) open.push({ path, place, cursor, file })
}

/** Removes in-progress files of this job's parts of which nothing is committed. */
async function dropUncommitted(
  { disk, directory }: PartitionedTarget,
  directories: readonly PartitionDirectory[],
  token: number,
  open: readonly RecoveredPartition[],
): Promise<void> {
  const removeStep: FileSinkStep = "sink.recover.remove"
  for (const { path, parts } of directories) {
    for (const { fileName, name } of parts) {
      if (name.kind !== "in-progress" || name.token !== token) continue
      const isOpen = open.some((each) => each.path === path && each.cursor.part === name.part)
      if (!isOpen) await disk.remove(`${directory}/${path}/${fileName}`, removeStep)
    }
  }
}

/** The directories of partitions that are there, as deep as the levels go. */
async function listPartitions({ disk, directory, depth }: Pick<PartitionedTarget, "disk" | "directory" | "depth">) {
  let paths = [""]
  for (let level = 0; level < depth; level++) {
    const below: string[] = []
    for (const path of paths) {
      for (const name of await disk.list(posix.join(directory, path))) {
        if (name.includes("=")) below.push(posix.join(path, name))
      }
    }
    paths = below
  }
  const found: PartitionDirectory[] = []
  for (const path of paths) {
    const entry = await disk.stat(`${directory}/${path}`)
    if (entry?.kind === "directory") found.push({ path, parts: await listParts(disk, `${directory}/${path}`) })
  }
  return found
}

/** Moves all that partitions have to a new directory beside the target, in directories of the same names (M2). */
export async function setPartitionsAside(
  target: Pick<PartitionedTarget, "disk" | "directory" | "depth">,
): Promise<void> {
  const { disk, directory, depth } = target
  const { last, prefix } = await supersededBy(disk, directory)
  const directories = await listPartitions(target)
  // As in `setAside`: what an earlier reset has moved is durable there before it is made durable that it is gone from here.
  const earlier = last === 0 ? [] : await listPartitions({ disk, directory: `${prefix}${last}`, depth })
  for (const { path } of earlier) await disk.syncDirectory(`${prefix}${last}/${path}`, RESET_STEPS.syncEarlier)
  for (const { path } of directories) {
    const from = `${directory}/${path}`
    const to = `${prefix}${last + 1}/${path}`
    const names = (await disk.list(from)).filter((name) => name === SUCCESS || isPart(directories, path, name))
    if (names.length > 0) {
      const steps = { syncExisting: RESET_STEPS.syncEarlier, make: RESET_STEPS.make, sync: RESET_STEPS.syncParent }
      await makeDurableDirectory(disk, to, steps, { refuse: occupied })
    }
    for (const name of names) await disk.rename(`${from}/${name}`, `${to}/${name}`, RESET_STEPS.rename)
    if (names.length > 0) await disk.syncDirectory(to, RESET_STEPS.syncAside)
    await disk.syncDirectory(from, RESET_STEPS.sync)
  }
}

function isPart(directories: readonly PartitionDirectory[], path: string, name: string): boolean {
  return directories.some((each) => each.path === path && each.parts.some(({ fileName }) => fileName === name))
}

function occupied(obstacle: string): TidemarkError {
  return new TidemarkError("sink-failed", `${obstacle} is not a directory, so no output can be set aside in it.`, {
    hint: "Move what is there away.",
  })
}
