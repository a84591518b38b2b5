/** `tidemark status [DIR]`: how far jobs are, and why their windows have not fired. Nothing of theirs is touched. */
import { readdir } from "node:fs/promises"
import { join, resolve } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import picocolors from "picocolors"
import { TidemarkError } from "../../base/errors.ts"
import { isDirectoryLocked } from "../../env/node/directory-lock.ts"
import { nodeDisk } from "../../env/node/node-disk.ts"
import { readStoredStatus } from "../../observe/stored-status.ts"
import { EXIT } from "../exit-codes.ts"
import { pathStats } from "../path-stats.ts"
import { errorText } from "../report.ts"
import { statusLines, type ShownStatus } from "../status-lines.ts"
import { LiveRegion } from "../terminal.ts"

/** The options of `tidemark status`, as the command line gives them. */
export interface StatusCommandOptions {
  readonly json?: boolean
  readonly watch?: boolean
}

/** Where jobs keep their state unless told otherwise, in the working directory. */
const STATE_ROOT = ".tidemark"

const WATCH_MILLIS = 1000

/** Runs the command; gives the exit code. With `--watch` it goes on until the process is ended. */
export async function statusCommand(directory: string | undefined, options: StatusCommandOptions): Promise<number> {
  const show = options.json === true ? showJson : options.watch === true ? redrawing() : showText
  try {
    do {
      show(await statusesOf(directory))
      if (options.watch === true) await pause(WATCH_MILLIS)
    } while (options.watch === true)
    return EXIT.finished
  } catch (error) {
    process.stderr.write(errorText(error))
    return error instanceof TidemarkError && error.code === "state-missing" ? EXIT.usage : EXIT.failed
  }
}

async function statusesOf(directory: string | undefined): Promise<ShownStatus[]> {
  const directories = directory === undefined ? await ownDirectories() : [resolve(directory)]
  const found = await Promise.all(directories.map(statusIn))
  const statuses = found.filter((status) => status !== undefined)
  if (statuses.length > 0) return statuses
  const where = directory ?? `${STATE_ROOT}/ of the working directory`
  throw new TidemarkError("state-missing", `There is no state of a job in ${where}.`, {
    hint: "Give the directory of a job's state: .tidemark/<job> where the job was started, or what --dir named.",
  })
}

/** The directories of all jobs that keep their state in the working directory. */
async function ownDirectories(): Promise<string[]> {
  const names = await readdir(STATE_ROOT).catch(() => [])
  return names.sort().map((name) => resolve(STATE_ROOT, name))
}

/** What a directory says; `undefined` where it is none of a job. */
async function statusIn(directory: string): Promise<ShownStatus | undefined> {
  if (pathStats(join(directory, "log"))?.isDirectory() !== true) return undefined
  // Asked first: a job that ends meanwhile has then committed what is read.
  const isRunning = await isDirectoryLocked(directory)
  const status = await readStoredStatus(nodeDisk, directory)
  if (status === undefined) return undefined
  const state = isRunning ? "running" : status.hasFinished ? "finished" : "stopped"
  return { state, status, nowMicros: Date.now() * 1000 }
}

function showJson(statuses: readonly ShownStatus[]): void {
  for (const { state, status } of statuses) process.stdout.write(`${JSON.stringify({ state, ...status })}\n`)
}

function textOf(statuses: readonly ShownStatus[]): string[] {
  return statuses.flatMap((shown, index) => [...(index === 0 ? [] : [""]), ...statusLines(shown, picocolors)])
}

function showText(statuses: readonly ShownStatus[]): void {
  process.stdout.write(`${textOf(statuses).join("\n")}\n`)
}

/** Shows each status in place of the one before, where that can be. */
function redrawing(): (statuses: readonly ShownStatus[]) => void {
  if (!process.stdout.isTTY) return showText
  const region = new LiveRegion(process.stdout)
  return (statuses) => region.draw(textOf(statuses))
}
