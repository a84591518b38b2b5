/** The rows that `machine` gives. Shares are from 0 to 1, sizes in bytes, times of event in UTC. */
import { schema } from "../../batch/schema.ts"
import { t } from "../../batch/types.ts"

/**
 * A processor core over the time since the last sample.
 *
 * @example
 * ```ts
 * import { job } from "tidemark"
 * import { CoreSample } from "tidemark/machine"
 *
 * const busy = job({
 *   name: "busy",
 *   inputs: { cores: CoreSample },
 *   flow: ({ cores }) => ({ busy: cores.filter((r) => r.busy > 0.9) }),
 * })
 * ```
 */
export const CoreSample = schema({
  at: t.timestamp(),
  core: t.int32,
  /** The share of the time in which it did something. */
  busy: t.float64,
  /** Of it, for programs and for the operating system. */
  user: t.float64,
  system: t.float64,
})

/**
 * The machine's memory, and its load over one, five and fifteen minutes.
 *
 * @example
 * ```ts
 * import { job } from "tidemark"
 * import { MemorySample } from "tidemark/machine"
 *
 * const low = job({
 *   name: "low-memory",
 *   inputs: { memory: MemorySample },
 *   flow: ({ memory }) => ({ low: memory.filter((r) => r.freeBytes < 1e9) }),
 * })
 * ```
 */
export const MemorySample = schema({
  at: t.timestamp(),
  totalBytes: t.float64,
  freeBytes: t.float64,
  load1: t.float64,
  load5: t.float64,
  load15: t.float64,
})

/**
 * A disk over the time since the last sample. Linux only.
 *
 * @example
 * ```ts
 * import { job } from "tidemark"
 * import { DiskSample } from "tidemark/machine"
 *
 * const writing = job({
 *   name: "writing",
 *   inputs: { disks: DiskSample },
 *   flow: ({ disks }) => ({ writing: disks.filter((r) => r.writtenBytes > 0) }),
 * })
 * ```
 */
export const DiskSample = schema({ at: t.timestamp(), disk: t.string, readBytes: t.float64, writtenBytes: t.float64 })

/**
 * A network interface over the time since the last sample. Linux only.
 *
 * @example
 * ```ts
 * import { job } from "tidemark"
 * import { NetworkSample } from "tidemark/machine"
 *
 * const traffic = job({
 *   name: "traffic",
 *   inputs: { networks: NetworkSample },
 *   flow: ({ networks }) => ({ traffic: networks.filter((r) => r.network !== "lo") }),
 * })
 * ```
 */
export const NetworkSample = schema({
  at: t.timestamp(),
  network: t.string,
  receivedBytes: t.float64,
  sentBytes: t.float64,
})
