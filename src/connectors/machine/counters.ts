/**
 * What the machine counts: of each core, disk and network interface, growing numbers, and rows made of how they have grown.
 *
 * Linux tells of disks and networks in files of text (`proc_diskstats` and `proc_pid_net` of its manual, section 5).
 */

/** The counters of one thing, by name. */
export type Counters = Readonly<Record<string, number>>

/** A disk sector, as Linux counts them, whatever the disk's own: bytes. */
const SECTOR_BYTES = 512

/** What each disk has read and written since it was there, from `/proc/diskstats`; parts of disks are left out. */
export function parseDiskStats(text: string): ReadonlyMap<string, Counters> {
  const disks = new Map<string, Counters>()
  for (const line of text.split("\n")) {
    const fields = line.trim().split(/\s+/)
    const name = fields[2]
    if (name === undefined || fields.length < 10 || /^(loop|ram|zram)|^(sd|vd|xvd|hd)[a-z]+\d+$|p\d+$/.test(name))
      continue
    disks.set(name, { read: Number(fields[5]) * SECTOR_BYTES, written: Number(fields[9]) * SECTOR_BYTES })
  }
  return disks
}

/** What each network interface has received and sent since it was there, from `/proc/net/dev`. */
export function parseNetDev(text: string): ReadonlyMap<string, Counters> {
  const networks = new Map<string, Counters>()
  for (const line of text.split("\n")) {
    const [name, rest] = line.split(":")
    const fields = rest?.trim().split(/\s+/) ?? []
    if (name !== undefined && fields.length >= 9) {
      networks.set(name.trim(), { received: Number(fields[0]), sent: Number(fields[8]) })
    }
  }
  return networks
}

/**
 * How much each thing's counters have grown, of those that were there before. A counter that has become less began anew: it
 * has grown by what it shows.
 */
export function growth(
  before: ReadonlyMap<string, Counters>,
  now: ReadonlyMap<string, Counters>,
): (readonly [name: string, Counters])[] {
  return [...now].flatMap(([name, counters]) => {
    const old = before.get(name)
    if (old === undefined) return []
    const grown = Object.entries(counters).map(([each, value]) => {
      const last = old[each] ?? 0
      return [each, value >= last ? value - last : value]
    })
    return [[name, Object.fromEntries(grown) as Counters] as const]
  })
}
