/**
 * Segment files: their names and the chain that they form.
 *
 * A segment's name is `<generation, 8 digits>-<start offset, 15 digits>.wal`. Segments of one generation follow each
 * other without gaps; the first segment of a generation names the generation before and where that one ends.
 */
import type { SegmentHeader } from "./record.ts"

/** A segment file as its name tells. */
export interface SegmentName {
  readonly generation: number
  readonly startOffset: number
  readonly name: string
}

/** A segment whose header was read. */
export interface Segment extends SegmentHeader {
  readonly path: string
  /** Size of the file in bytes. */
  readonly size: number
}

/** The name of a segment file. */
export function segmentName(generation: number, startOffset: number): string {
  return `${String(generation).padStart(8, "0")}-${String(startOffset).padStart(15, "0")}.wal`
}

/** What a file's name tells, or `undefined` where it is not a segment's. */
function parseSegmentName(name: string): SegmentName | undefined {
  const match = /^(\d{8})-(\d{15})\.wal$/.exec(name)
  return match === null ? undefined : { generation: Number(match[1]), startOffset: Number(match[2]), name }
}

/** The segments among the names of a log's directory, in their order. */
export function segmentNames(names: readonly string[]): SegmentName[] {
  return names.map(parseSegmentName).filter((name) => name !== undefined)
}

/** A piece of the chain: the valid records of a segment lie before `endOffset`, where that is known. */
export interface ChainLink {
  readonly segment: Segment
  /** Where the segment's records end, or `undefined` for the newest segment: there the reader finds out. */
  readonly endOffset: number | undefined
}

/**
 * Orders segments into the chain that readers follow, oldest first.
 *
 * @param segments sorted by generation and start offset; at least one.
 */
export function chainOf(segments: readonly Segment[]): ChainLink[] {
  const chain: ChainLink[] = []
  let end: number | undefined
  let generation = segments.at(-1)!.generation
  for (let index = segments.length - 1; index >= 0; index--) {
    const segment = segments[index]!
    // Generations that no later one names were begun and never used.
    if (segment.generation !== generation) continue
    // A segment that was begun behind the end that the next generation saw holds nothing.
    if (end !== undefined && segment.startOffset >= end && segment.startOffset > 0) continue
    chain.unshift({ segment, endOffset: end })
    const before = segments[index - 1]
    const isFirstOfGeneration = before?.generation !== generation
    if (!isFirstOfGeneration) end = segment.startOffset
    else if (segment.startOffset === 0) {
      generation = segment.previousGeneration
      end = segment.previousEnd
    } else break
  }
  return chain
}
