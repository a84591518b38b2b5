/** What lies at a path that somebody has typed. */
import { statSync, type Stats } from "node:fs"
import { systemFailure } from "./system-failure.ts"

/**
 * The stats of what lies at a path; `undefined` where nothing does, also because a part of the path is a file.
 *
 * @throws TidemarkError `disk-failed` where the system does not say.
 */
export function pathStats(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOTDIR") return undefined
    throw systemFailure("look at", path, error)
  }
}
