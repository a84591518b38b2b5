/**
 * Which partition to read next.
 *
 * Partitions are read in morsels: ranges of `MORSEL_BYTES` of offsets; a record belongs to the morsel it starts in. At
 * the end of a morsel the partition with the lowest watermark is next; those that tie go by their content's fingerprint,
 * then by id. So the order in which records are processed is a function of offsets and content alone: not of batch
 * sizes, epochs, restarts, or the names of files (E7), and state stays bounded by a morsel for each partition.
 *
 * Partitions whose records come with time may have nothing now. Others are read meanwhile, no further ahead of the slowest of those
 * with event time than they may be (T14): any distance, where nothing is said. An idle one (T13) and one without event time keep nobody
 * waiting.
 *
 * Invariants:
 * - Q1 Where nothing of that is so, the choice depends only on what is in the commit record: offsets, watermarks, tie breaks and
 *   the active partition.
 * - Q2 A partition that is further ahead of the slowest than it may be is not read before that one.
 */
import type { PartitionStanding } from "../flow/dataflow-status.ts"

/** The length of a morsel, in the unit of offsets. */
export const MORSEL_BYTES = 1024 * 1024

/** What the choice is made of. */
export interface Candidate {
  readonly index: number
  readonly watermark: number
  readonly tieBreak: string
  readonly id: string
}

/** A partition of which there may be nothing to read at the moment. */
export interface LiveCandidate extends Candidate, Pick<PartitionStanding, "isTimed" | "isIdle" | "maxDriftMicros"> {
  /** Whether its records are known to come with time. */
  readonly isLive: boolean
}

/** Which partition is read now, or else of which to wait until there is something to read of one. */
export type Turn<C> = { readonly next: C } | { readonly awaited: readonly C[] }

/**
 * Whose turn it is.
 *
 * @param candidates all open partitions, at least one.
 * @param active that of them whose morsel is being read, if there is one.
 * @param isReadable whether there is something to read of one now. It is asked of no more than it must be.
 */
export async function nextTurn<C extends LiveCandidate>(
  candidates: readonly C[],
  active: C | undefined,
  isReadable: (candidate: C) => Promise<boolean>,
): Promise<Turn<C>> {
  const awake = candidates.filter(({ isIdle }) => !isIdle).sort(byTurn)
  const slowest = awake.find(({ isTimed }) => isTimed)
  const least = slowest?.watermark ?? Infinity
  const isTooFar = ({ isTimed, watermark, maxDriftMicros }: C) => isTimed && watermark > least + maxDriftMicros
  const isKept = active !== undefined && !active.isIdle && !(active.isLive && isTooFar(active))
  const awaited = candidates.filter(({ isIdle }) => isIdle)
  let isHeld = false
  for (const each of isKept ? [active, ...awake.filter((other) => other !== active)] : awake) {
    if (isHeld && isTooFar(each)) continue
    if (await isReadable(each)) return { next: each }
    awaited.push(each)
    isHeld ||= each === slowest
  }
  return { awaited }
}

/** The lowest watermark is next, then the lower tie break, then the lower id. */
function byTurn(one: Candidate, other: Candidate): number {
  if (one.watermark !== other.watermark) return one.watermark < other.watermark ? -1 : 1
  if (one.tieBreak !== other.tieBreak) return one.tieBreak < other.tieBreak ? -1 : 1
  return one.id < other.id ? -1 : one.id > other.id ? 1 : 0
}

/** Where the morsel ends to which `offset` belongs. */
export function morselEnd(offset: number, morselBytes = MORSEL_BYTES): number {
  return (Math.floor(offset / morselBytes) + 1) * morselBytes
}
