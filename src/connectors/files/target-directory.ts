/**
 * The directory that a file sink writes to: making it, looking who has written to it, setting its content aside.
 *
 * Invariants:
 * - M1 When `makeDirectories` has returned, the directory and all above it that were missing survive a crash, also where
 *   an earlier process made some of them and crashed.
 * - M2 Nothing that was published is ever deleted: it is moved to a sibling directory.
 */
import { posix } from "node:path"
import { TidemarkError } from "../../base/errors.ts"
import { makeDurableDirectory } from "../../env/durable-directory.ts"
import type { Disk } from "../../env/env.ts"
import { parsePartName, type PartName } from "./part-name.ts"
import type { FileSinkStep } from "./steps.ts"

/** Makes a sink's directory and what is missing above it. */
export function makeDirectories(disk: Disk, directory: string, baseDirectory: string): Promise<void> {
  return makeDurableDirectory(disk, directory, OPEN_STEPS, { baseDirectory, refuse: sinkFailed })
}

const OPEN_STEPS = {
  syncExisting: "sink.open.sync-existing",
  make: "sink.open.make-directory",
  sync: "sink.open.sync-parent",
} as const satisfies Record<string, FileSinkStep>

function sinkFailed(obstacle: string): TidemarkError {
  return new TidemarkError("sink-failed", `${obstacle} is not a directory, so no output can be written to it.`, {
    hint: "Give the output another directory, or move what is there away.",
  })
}

/** A sink's file in its directory. */
export interface PartEntry {
  readonly fileName: string
  readonly name: PartName
}

/** The files in a directory that bear a part's name, of whatever job and format. */
export async function listParts(disk: Disk, directory: string): Promise<PartEntry[]> {
  const entries: PartEntry[] = []
  for (const fileName of await disk.list(directory)) {
    const name = parsePartName(fileName)
    if (name !== undefined) entries.push({ fileName, name })
  }
  return entries
}

/**
 * Moves all parts, published or not, to a new directory beside this one, `<directory>.superseded-<n>` (M2). When it has
 * returned, parts that were moved survive a crash in their new place, also those that an earlier process moved before it
 * died.
 */
export async function setAside(disk: Disk, directory: string): Promise<void> {
  const parts = await listParts(disk, directory)
  const { last, prefix, parent } = await supersededBy(disk, directory)
  if (last === 0 && parts.length === 0) return
  // Parts arrive durably before it is made durable that they are gone from here: where a file system writes directories
  // back one by one, they would be nowhere in between. So an earlier reset that died is settled first.
  if (last > 0) await disk.syncDirectory(`${prefix}${last}`, RESET_STEPS.syncEarlier)
  if (parts.length > 0) {
    const aside = `${prefix}${last + 1}`
    await disk.makeDirectory(aside, RESET_STEPS.make)
    await disk.syncDirectory(parent, RESET_STEPS.syncParent)
    for (const { fileName } of parts) {
      await disk.rename(`${directory}/${fileName}`, `${aside}/${fileName}`, RESET_STEPS.rename)
    }
    await disk.syncDirectory(aside, RESET_STEPS.syncAside)
  }
  await disk.syncDirectory(directory, RESET_STEPS.sync)
}

/** The directories that have what was set aside: how they begin, and the greatest number, 0 where there is none. */
export async function supersededBy(
  disk: Disk,
  directory: string,
): Promise<{ readonly parent: string; readonly prefix: string; readonly last: number }> {
  const parent = posix.dirname(directory)
  const name = `${posix.basename(directory)}.superseded-`
  const taken = (await disk.list(parent)).filter((each) => each.startsWith(name))
  const numbers = taken.map((each) => Number(each.slice(name.length))).filter(Number.isSafeInteger)
  return { parent, prefix: `${parent}/${name}`, last: Math.max(0, ...numbers) }
}

/** Under which names the disk is called where output is set aside. */
export const RESET_STEPS = {
  syncEarlier: "sink.reset.sync-earlier",
  make: "sink.reset.make-directory",
  syncParent: "sink.reset.sync-parent",
  rename: "sink.reset.rename",
  syncAside: "sink.reset.sync-superseded",
  sync: "sink.reset.sync-directory",
} as const satisfies Record<string, FileSinkStep>
