#!/usr/bin/env node
/**
 * The command line. It delegates to the project's own installation of Tidemark where there is one, so that a job meets
 * the version that its project has chosen; else it is its own.
 */
import { realpathSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import { notices } from "./notices.ts"
import { runProgram } from "./program.ts"
import { guardStandardStreams } from "./standard-streams.ts"

/** How long what a job file has started may go on when the command is done. */
const GRACE_MILLIS = 1000

function projectInstallation(): string | undefined {
  try {
    const manifest = createRequire(join(process.cwd(), "package.json")).resolve("tidemark/package.json")
    return realpathSync(join(dirname(manifest), "dist/cli/main.js"))
  } catch {
    return undefined
  }
}

/**
 * Ends the process where something that the job file has started (a timer, a connection) would keep it alive for ever.
 * Nothing happens where it ends by itself.
 */
function endAnyway(): void {
  setTimeout(() => {
    notices().warn("process-ended", "something that the job file has started keeps the process alive; it is ended.")
    process.exit()
  }, GRACE_MILLIS).unref()
}

const installed = projectInstallation()
if (installed !== undefined && installed !== realpathSync(fileURLToPath(import.meta.url))) {
  await import(pathToFileURL(installed).href)
} else {
  guardStandardStreams()
  await runProgram(process.argv.slice(2))
  endAnyway()
}
