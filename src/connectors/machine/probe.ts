/** Asks the operating system. */
import { readFile } from "node:fs/promises"
import { cpus, freemem, loadavg, totalmem } from "node:os"
import { parseDiskStats, parseNetDev, type Counters } from "./counters.ts"

/** What can be asked of a machine. */
export interface Probe {
  /** The milliseconds that each core has spent, by its number: idle, for programs, for the operating system. */
  cores(): ReadonlyMap<string, Counters>
  memory(): { readonly totalBytes: number; readonly freeBytes: number; readonly load: readonly number[] }
  /** `undefined` where the operating system does not tell. */
  disks(): Promise<ReadonlyMap<string, Counters> | undefined>
  networks(): Promise<ReadonlyMap<string, Counters> | undefined>
}

/** The machine that this process runs on. */
export const thisMachine: Probe = {
  cores() {
    return new Map(
      cpus().map(({ times }, core) => {
        return [String(core), { idle: times.idle, user: times.user + times.nice, system: times.sys + times.irq }]
      }),
    )
  },
  memory: () => ({ totalBytes: totalmem(), freeBytes: freemem(), load: loadavg() }),
  disks: async () => parsed("/proc/diskstats", parseDiskStats),
  networks: async () => parsed("/proc/net/dev", parseNetDev),
}

async function parsed<T>(path: string, parse: (text: string) => T): Promise<T | undefined> {
  try {
    return parse(await readFile(path, "utf8"))
  } catch {
    // Another operating system than Linux has no such file, which is told as such.
    return undefined
  }
}
