/**
 * Loads a job file: bundles the TypeScript once (esbuild), and imports the bundle.
 *
 * The bundle carries everything but Node's own modules and `tidemark` itself, which is this very installation: a job
 * must not meet a second copy of the classes it is made of. The file is named by its content's hash, so that whoever
 * loads it later (another thread, the next run) loads the same.
 */
import { createHash } from "node:crypto"
import { basename, join, resolve } from "node:path"
import { pathToFileURL } from "node:url"
import { build, type BuildFailure, type Plugin } from "esbuild"
import { TidemarkError } from "../base/errors.ts"
import { BoundJob } from "../stream/bound-job.ts"
import { Job } from "../stream/job.ts"
import { bundleDirectory, writeBundle } from "./bundle-directory.ts"
import { EXIT } from "./exit-codes.ts"
import { notices } from "./notices.ts"
import { pathStats } from "./path-stats.ts"

/**
 * The bound job that a file exports as default.
 *
 * @throws TidemarkError `job-file-invalid` where the file is missing, does not compile, or exports something else.
 */
export async function loadJob(file: string): Promise<BoundJob> {
  const path = checkFile(file)
  const directory = await bundleDirectory()
  const text = await bundleOf(path, directory)
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 16)
  const bundle = await writeBundle(directory, basename(path).replace(/\.[^.]+$/, ""), hash, text)
  return checkJob((await importBundle(bundle, file)).default, file)
}

function checkFile(file: string): string {
  const path = resolve(file)
  const stats = file === "" ? undefined : pathStats(path)
  if (stats?.isFile() === true) return path
  const problem = stats === undefined ? `There is no file ${file === "" ? '""' : file}` : `${file} is not a file`
  throw new TidemarkError("job-file-invalid", `${problem}.`, {
    hint: "Give the path of a TypeScript or JavaScript file whose default export is a job bound with .with({ … }).",
  })
}

/** Runs the job file. What goes wrong there is the file's doing, and is told with its own lines. */
async function importBundle(bundle: string, file: string): Promise<{ readonly default?: unknown }> {
  process.setSourceMapsEnabled(true)
  const stopWatching = watchForExit(file)
  try {
    return (await import(pathToFileURL(bundle).href)) as { default?: unknown }
  } catch (error) {
    if (error instanceof TidemarkError) throw error
    const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
    const place = error instanceof Error ? /\n\s+(at .*)/.exec(error.stack ?? "")?.[1] : undefined
    const where = place === undefined || place.includes("node:") ? "" : `\n  ${place}`
    throw new TidemarkError("job-file-invalid", `${file} cannot be loaded: ${what}${where}`, { cause: error })
  } finally {
    stopWatching()
  }
}

/** Says so where the process ends before the file is loaded; gives what ends the watch. */
function watchForExit(file: string): () => void {
  const onExit = (): void => {
    const problem = "the process ended before it was loaded"
    const hint = "It calls process.exit, or awaits what never comes: a job file only declares its job."
    notices().fail(new TidemarkError("job-file-invalid", `${file} cannot be loaded: ${problem}.`, { hint }))
    process.exitCode = EXIT.usage
  }
  process.once("exit", onExit)
  return () => void process.off("exit", onExit)
}

function checkJob(candidate: unknown, file: string): BoundJob {
  if (candidate instanceof BoundJob) return candidate
  const what = candidate instanceof Job ? "a job that is not bound to connectors" : "no job"
  throw new TidemarkError("job-file-invalid", `The default export of ${file} is ${what}.`, {
    hint: "End the file with: export default myJob.with({ inputs: { … }, outputs: { … } })",
  })
}

/** The bundle's text; places in it refer to the sources from the directory in which it will lie. */
async function bundleOf(path: string, directory: string): Promise<string> {
  try {
    const { outputFiles } = await build({
      entryPoints: [path],
      outfile: join(directory, "job.mjs"),
      bundle: true,
      write: false,
      platform: "node",
      format: "esm",
      target: "node20",
      sourcemap: "inline",
      logLevel: "silent",
      // CommonJS packages in the bundle call `require`, which ES modules do not have.
      banner: {
        js: 'import { createRequire as $createRequire } from "node:module"; const require = $createRequire(import.meta.url);',
      },
      plugins: [ownTidemark],
    })
    return outputFiles[0]!.text
  } catch (error) {
    throw new TidemarkError("job-file-invalid", `${path} does not compile:\n${compileErrors(error)}`, { cause: error })
  }
}

const ownTidemark: Plugin = {
  name: "own-tidemark",
  setup(plugin) {
    plugin.onResolve({ filter: /^tidemark(\/|$)/ }, ({ path }) => {
      try {
        return { path: import.meta.resolve(path), external: true }
      } catch {
        return { errors: [{ text: `tidemark has no entry point ${JSON.stringify(path)}.` }] }
      }
    })
  },
}

function compileErrors(error: unknown): string {
  const { errors } = error as Partial<BuildFailure>
  if (errors === undefined) return String(error)
  return errors
    .map(({ text, location }) =>
      location === null ? text : `  ${location.file}:${location.line}:${location.column + 1}: ${text}`,
    )
    .join("\n")
}
