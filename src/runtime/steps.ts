/** The steps of a run, beside those of its log and of its sources and sinks. */
import type { DirectorySteps } from "../env/durable-directory.ts"

/** How the directory is made in which a job's state lies. */
export const STATE_DIRECTORY_STEPS = {
  syncExisting: "run.sync-existing",
  make: "run.make-directory",
  sync: "run.sync-parent",
} as const satisfies DirectorySteps

/** The file of what memory has no room for. It is a cache, and belongs to no protocol: nothing depends on what is left of it. */
export const SPILL_STEPS = {
  removeStale: "spill.remove-stale",
  create: "spill.create",
  write: "spill.write",
  read: "spill.read",
  remove: "spill.remove",
} as const
