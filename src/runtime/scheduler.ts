/**
 * Which partition to read next.
 *
 * Partitions are read in morsels: ranges of `MORSEL_BYTES` of offsets; a record belongs to the morsel it starts in. At
 * the end of a morsel the partition with the lowest watermark is next; those that tie go by their content's fingerprint,
 * then by id. So the order in which records are processed is a function of offsets and content alone: not of batch
 * sizes, epochs, restarts, or the names of files (E7), and state stays bounded by a morsel for each partition.
 *
 * Invariant:
 * - Q1 The choice depends only on what is in the commit record: offsets, watermarks, tie breaks and the active partition.
 */

/** The length of a morsel, in the unit of offsets. */
export const MORSEL_BYTES = 1024 * 1024

/** What the choice is made of. */
export interface Candidate {
  readonly index: number
  readonly watermark: number
  readonly tieBreak: string
  readonly id: string
}

/** The next partition to read; the candidates are not empty. */
export function choosePartition<C extends Candidate>(candidates: readonly C[]): C {
  let best = candidates[0]!
  for (let at = 1; at < candidates.length; at++) if (isBefore(candidates[at]!, best)) best = candidates[at]!
  return best
}

function isBefore(one: Candidate, other: Candidate): boolean {
  if (one.watermark !== other.watermark) return one.watermark < other.watermark
  if (one.tieBreak !== other.tieBreak) return one.tieBreak < other.tieBreak
  return one.id < other.id
}

/** Where the morsel ends to which `offset` belongs. */
export function morselEnd(offset: number, morselBytes = MORSEL_BYTES): number {
  return (Math.floor(offset / morselBytes) + 1) * morselBytes
}
