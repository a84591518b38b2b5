/** A log as readers see it, whoever writes it: the pieces of which it is made, and how far they may be read. */
import type { LogPlace } from "../log-reader.ts"
import type { SegmentIndex } from "./segment-index.ts"

/** A piece of a log: records from `startOffset` up to `endOffset` of a generation, all durable. */
export interface ReadableLink {
  readonly path: string
  readonly generation: number
  readonly startOffset: number
  readonly endOffset: number
  /** The time of the last record before it, in µs since 1970. */
  readonly lastMicros: number
  /** Whether nothing is appended to it any more. */
  readonly isClosed: boolean
  /** Its index, where somebody has it in memory. */
  readonly index?: SegmentIndex
}

/** What may be read of a log at a moment. */
export interface ReadableState {
  /** Oldest first. */
  readonly links: readonly ReadableLink[]
  /** What lies before this place is not read. */
  readonly trimmed: LogPlace
  readonly isSealed: boolean
}

/** A log that can be read. */
export interface ReadableLog {
  /** What may be read now. */
  look(): Promise<ReadableState>
  /** Resolves when more may be read than then, or the signal is aborted. */
  grown(since: ReadableState, signal: AbortSignal | undefined): Promise<void>
}

/** Where a link ends. */
export function endOf({ generation, endOffset }: ReadableLink): LogPlace {
  return { generation, offset: endOffset }
}

/** Where a link begins. */
export function startOf({ generation, startOffset }: ReadableLink): LogPlace {
  return { generation, offset: startOffset }
}

/** Where a log ends now. */
export function endOfLog({ links, trimmed }: ReadableState): LogPlace {
  const last = links.at(-1)
  return last === undefined ? trimmed : endOf(last)
}
