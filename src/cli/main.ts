#!/usr/bin/env node
/**
 * The command line. It delegates to the project's own installation of Tidemark where there is one, so that a job meets
 * the version that its project has chosen; else it is its own.
 */
import { realpathSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import { runProgram } from "./program.ts"
import { guardStandardStreams } from "./standard-streams.ts"

function projectInstallation(): string | undefined {
  try {
    const manifest = createRequire(join(process.cwd(), "package.json")).resolve("tidemark/package.json")
    return realpathSync(join(dirname(manifest), "dist/cli/main.js"))
  } catch {
    return undefined
  }
}

const installed = projectInstallation()
if (installed !== undefined && installed !== realpathSync(fileURLToPath(import.meta.url))) {
  await import(pathToFileURL(installed).href)
} else {
  guardStandardStreams()
  await runProgram(process.argv.slice(2))
}
