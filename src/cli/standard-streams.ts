/**
 * Standard output and standard error where they cannot be written: a closed pipe, a full disk. What is told there is lost
 * then, and nothing else: a job goes on and commits.
 *
 * Invariants:
 * - SS1 A reader who has gone (`| head -1`) is no failure: nobody is told, and the exit code is the command's.
 * - SS2 Any other failure of standard output is told once, on standard error, and a command that would have ended with 0
 *   ends with 1.
 */
import { EXIT } from "./exit-codes.ts"
import { notices } from "./notices.ts"

/** Takes care of both streams for the rest of the process. */
export function guardStandardStreams(): void {
  let hasFailed = false
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE" || hasFailed) return
    hasFailed = true
    tellFailure(error)
  })
  // Nobody is left who could be told.
  process.stderr.on("error", () => undefined)
  process.on("exit", (code) => {
    if (hasFailed && code === EXIT.finished) process.exitCode = EXIT.failed
  })
}

function tellFailure(error: NodeJS.ErrnoException): void {
  // Node's message is "ENOSPC: no space left on device, write": the words in the middle are the system's.
  const words = /^[A-Z0-9]+: ([^,]*)/.exec(error.message)?.[1] ?? error.message
  notices().warn(
    "output-lost",
    `standard output cannot be written: ${words} (${error.code ?? error.name}).`,
    "What is told there is lost from here on. A running job goes on and commits all the same.",
  )
}
