/**
 * How failures of a disk are told, by the real disk and by the simulated one alike.
 */
import { TidemarkError } from "../base/errors.ts"

/** What is told of a disk call that failed. */
export interface DiskFailure {
  /** The call, as a verb: `"write"`, `"sync"`. */
  readonly operation: string
  readonly path: string
  /** The operating system's name of the error: `"EIO"`. */
  readonly errno: string
  /** The operating system's own words. */
  readonly reason: string
  readonly cause?: unknown
}

const FULL: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT"])

/** The operating error for a disk call that failed: `disk-full` where there was no room, else `disk-failed`. */
export function diskError(failure: DiskFailure): TidemarkError {
  const { operation, path, errno, reason, cause } = failure
  const message = `The disk could not ${operation} ${path}: ${reason} (${errno}).`
  if (FULL.has(errno)) {
    const hint = "Make room on the disk (or raise the quota) and run the job again: it goes on from its last commit."
    return new TidemarkError("disk-full", message, { hint, cause })
  }
  return new TidemarkError("disk-failed", message, { hint: hintFor(errno), cause })
}

function hintFor(errno: string): string {
  switch (errno) {
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return "Check who owns the path and what this process may do there, then run the job again."
    case "EMFILE":
    case "ENFILE":
      return "Too many files are open: raise the limit (ulimit -n), then run the job again."
    default:
      return "Check the disk and the path, then run the job again: it goes on from its last commit."
  }
}
