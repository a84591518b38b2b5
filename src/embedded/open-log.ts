/** Logs on the real disk. */
import { resolve } from "node:path"
import { isDirectoryLocked } from "../env/node/directory-lock.ts"
import { nodeDisk } from "../env/node/node-disk.ts"
import { nodeEnv } from "../env/node/node-env.ts"
import { FollowedLog } from "../log/records/followed-log.ts"
import { Log, LogReader } from "../log/records/log.ts"
import { settingsOf, type OpenLogOptions } from "../log/records/log-options.ts"
import { RecordLog } from "../log/records/record-log.ts"

/**
 * Opens a log for appending, and makes it where there is none. One process has it open at a time; others read it by `openLogReader`.
 *
 * @param directory where its segments lie; relative paths start from the working directory.
 * @throws TidemarkError `log-locked` where it is open already, `log-corrupt` where something that was durable does not read back,
 * `log-newer-format` where a newer Tidemark wrote it, `invalid-options`.
 * @example
 * ```ts
 * import { openLog } from "tidemark/log"
 *
 * const log = await openLog("orders.log")
 * const lsn = await log.append(JSON.stringify({ order: 1, total: 12.5 })) // durable from here on
 * for await (const entry of log.read({ from: lsn })) console.log(entry)
 * await log.close()
 * ```
 */
export async function openLog(directory: string, options: OpenLogOptions = {}): Promise<Log> {
  const settings = settingsOf(`The log ${directory}`, options)
  return new Log(await RecordLog.open(nodeEnv(), resolve(directory), settings), nodeDisk)
}

/**
 * Opens a log for reading, whether a process appends to it or not. Nothing of it is changed.
 *
 * @throws TidemarkError `log-missing` where there is none.
 * @example
 * ```ts
 * import { openLogReader } from "tidemark/log"
 *
 * const reader = await openLogReader("orders.log")
 * const today = await reader.findTime(new Date(new Date().toDateString()))
 * for await (const entry of reader.read({ from: today, follow: true })) console.log(entry)
 * await reader.close()
 * ```
 */
export async function openLogReader(directory: string): Promise<LogReader> {
  const { timers } = nodeEnv()
  const env = { disk: nodeDisk, timers, isLocked: isDirectoryLocked }
  return new LogReader(await FollowedLog.open(env, resolve(directory)), nodeDisk)
}
