/** The protocol steps of a run, beside those of its log and of its sources and sinks. */
import type { DirectorySteps } from "../env/durable-directory.ts"

/** How the directory is made in which a job's state lies. */
export const STATE_DIRECTORY_STEPS = {
  syncExisting: "run.sync-existing",
  make: "run.make-directory",
  sync: "run.sync-parent",
} as const satisfies DirectorySteps
