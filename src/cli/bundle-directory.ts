/**
 * Where bundles of job files lie: `.tidemark/bundles` in the working directory or, where nothing can be written there, a
 * directory of this process alone, which goes with it. (One that others can write to would let them put code into it.)
 *
 * Invariant:
 * - BD1 However often a job file changes, at most `KEPT_BUNDLES` of its bundles are kept, the newest ones.
 */
import { constants, existsSync, rmSync } from "node:fs"
import { access, mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { systemFailure } from "./system-failure.ts"

/** Older ones may still be run by other processes, which load them once. */
export const KEPT_BUNDLES = 10

/**
 * The directory, which exists.
 *
 * @throws TidemarkError `disk-failed` or `disk-full` where not even a temporary one can be made.
 */
export async function bundleDirectory(): Promise<string> {
  const own = resolve(".tidemark/bundles")
  try {
    await mkdir(own, { recursive: true })
    await access(own, constants.W_OK)
    return own
  } catch {
    // Explaining a job, or running it with its state elsewhere, needs no writable working directory.
    return await temporaryDirectory()
  }
}

async function temporaryDirectory(): Promise<string> {
  const prefix = join(tmpdir(), "tidemark-bundle-")
  try {
    const directory = await mkdtemp(prefix)
    process.once("exit", () => rmSync(directory, { recursive: true, force: true }))
    return directory
  } catch (error) {
    throw systemFailure("make the directory", `${prefix}*`, error)
  }
}

/**
 * Writes a bundle unless it is there, and gives its path.
 *
 * @throws TidemarkError `disk-failed` or `disk-full`.
 */
export async function writeBundle(directory: string, name: string, hash: string, text: string): Promise<string> {
  const bundle = join(directory, `${name}-${hash}.mjs`)
  if (existsSync(bundle)) return bundle
  // Two processes may come here at once: each writes its own file, and the rename is atomic.
  const draft = `${bundle}.${process.pid}`
  try {
    await writeFile(draft, text)
    await rename(draft, bundle)
    await removeOldest(directory, name)
    return bundle
  } catch (error) {
    await rm(draft, { force: true })
    throw systemFailure("write", bundle, error)
  }
}

/** Removes bundles of the file but for the newest ones (BD1). */
async function removeOldest(directory: string, name: string): Promise<void> {
  const isBundle = (file: string) =>
    file.startsWith(`${name}-`) && /^[0-9a-f]{16}\.mjs$/.test(file.slice(name.length + 1))
  const paths = (await readdir(directory)).filter(isBundle).map((file) => join(directory, file))
  if (paths.length <= KEPT_BUNDLES) return
  const dated = await Promise.all(paths.map(async (path) => ({ path, millis: (await stat(path)).mtimeMs })))
  dated.sort((one, other) => other.millis - one.millis)
  for (const { path } of dated.slice(KEPT_BUNDLES)) await rm(path, { force: true })
}
