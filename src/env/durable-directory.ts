/**
 * Making a directory so that it survives a crash.
 *
 * Invariant:
 * - DD1 When `makeDurableDirectory` has returned, the directory and all that was missing above it survive a crash, also
 *   where an earlier process made some of them and died.
 */
import { assert } from "../base/assert.ts"
import { TidemarkError } from "../base/errors.ts"
import type { Disk, StepName } from "./env.ts"

/** The steps under which the disk is called. */
export interface DirectorySteps {
  /** Makes durable what an earlier process may have made before it died. */
  readonly syncExisting: StepName
  readonly make: StepName
  /** Makes the new directory's entry durable. */
  readonly sync: StepName
}

/** What is particular to a directory. */
export interface DirectoryOptions {
  /** What lies at or above this directory is nobody's to make durable. */
  readonly baseDirectory?: string
  /** The error where something that is not a directory is in the way, at the path itself or above it. */
  readonly refuse?: (obstacle: string) => TidemarkError
}

/** Makes a directory and what is missing above it. `path` is absolute. */
export async function makeDurableDirectory(
  disk: Disk,
  path: string,
  steps: DirectorySteps,
  { baseDirectory, refuse = (obstacle) => diskFailed(obstacle, path) }: DirectoryOptions = {},
): Promise<void> {
  assert(path.startsWith("/"), "a directory's path is absolute")
  const missing: string[] = []
  let existing = path
  for (;;) {
    const entry = await disk.stat(existing)
    if (entry?.kind === "directory") break
    if (entry !== undefined) throw refuse(existing)
    missing.push(existing)
    existing = parentOf(existing)
  }
  // Each directory is made durable before the next is made: only the lowest one may be somebody's half-done work.
  if (baseDirectory === undefined || !isAtOrAbove(existing, baseDirectory)) {
    await disk.syncDirectory(parentOf(existing), steps.syncExisting)
  }
  for (const directory of missing.reverse()) {
    await disk.makeDirectory(directory, steps.make)
    await disk.syncDirectory(parentOf(directory), steps.sync)
  }
}

function diskFailed(obstacle: string, path: string): TidemarkError {
  const problem = obstacle === path ? "" : `, so ${path} cannot be made`
  return new TidemarkError("disk-failed", `${obstacle} is not a directory${problem}.`, {
    hint: "Choose another directory, or move what is there away.",
  })
}

function isAtOrAbove(path: string, other: string): boolean {
  return path === "/" || other === path || other.startsWith(`${path}/`)
}

function parentOf(path: string): string {
  const end = path.lastIndexOf("/")
  return end <= 0 ? "/" : path.slice(0, end)
}
