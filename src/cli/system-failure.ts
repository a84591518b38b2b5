/** What the operating system refuses to the command line itself, as an operating error. */
import type { TidemarkError } from "../base/errors.ts"
import { diskError } from "../env/disk-error.ts"

/** `disk-full` where there was no room, else `disk-failed`. */
export function systemFailure(operation: string, path: string, cause: unknown): TidemarkError {
  const { code = "unknown", message } = cause as NodeJS.ErrnoException
  // Node's message is "EACCES: permission denied, mkdir '...'": the words in the middle are the system's.
  const reason = /^[A-Z0-9]+: ([^,]*)/.exec(message)?.[1] ?? message
  return diskError({ operation, path, errno: code, reason, cause })
}
