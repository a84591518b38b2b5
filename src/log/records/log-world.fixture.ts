/** A simulated machine and the logs on it, for tests. */
import type { Env } from "../../env/env.ts"
import { SimWorld } from "../../sim/sim-env.ts"
import { FollowedLog } from "./followed-log.ts"
import { Log, LogReader } from "./log.ts"
import type { LogEntry, ReadLogOptions } from "./log-entry.ts"
import { settingsOf, type LogSettings, type OpenLogOptions } from "./log-options.ts"
import { RecordLog } from "./record-log.ts"

export const DIRECTORY = "/data/orders.log"
export const SMALL = { segmentBytes: 64 * 1024 }

export function worldOf(seed: number): SimWorld {
  const world = new SimWorld({ seed })
  world.image.installDirectory("/data")
  return world
}

export async function openLog(env: Env, options: OpenLogOptions = {}, more: Partial<LogSettings> = {}): Promise<Log> {
  const settings = { ...settingsOf("The log", options), ...more }
  return new Log(await RecordLog.open(env, DIRECTORY, settings), env.disk)
}

export async function openReader(env: Env, isLocked = false): Promise<LogReader> {
  const { disk, timers } = env
  return new LogReader(
    await FollowedLog.open({ disk, timers, isLocked: () => Promise.resolve(isLocked) }, DIRECTORY),
    disk,
  )
}

/** Runs a program in a process that nothing goes wrong with, and ends the process in order. */
export async function inProcess<T>(world: SimWorld, program: (env: Env) => Promise<T>): Promise<T> {
  const promise = program(world.boot())
  promise.catch(() => undefined)
  await world.run(promise)
  world.kill()
  return await promise
}

export function losePower(world: SimWorld): void {
  world.boot()
  world.crash()
}

export async function entriesOf(log: LogReader, options?: ReadLogOptions): Promise<LogEntry[]> {
  const entries: LogEntry[] = []
  for await (const entry of log.read(options)) entries.push(entry)
  return entries
}

export const textOf = (payload: Uint8Array): string => new TextDecoder().decode(payload)
export const shown = (entry: LogEntry): string => (entry.kind === "record" ? textOf(entry.payload) : entry.reason)
export const textsOf = async (log: LogReader, options?: ReadLogOptions): Promise<string[]> =>
  (await entriesOf(log, options)).map(shown)
