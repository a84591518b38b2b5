/**
 * A source whose partitions hold numbered records: what partitions are, and whether one still is what it was (O4). Reading
 * them is `numbered-reader.ts`.
 *
 * A partition's identity says what its records are made of, and how far their offsets lie apart. The distance is the one
 * with which the partition was first read: another pace does not move positions.
 */
import { counted } from "../base/counted.ts"
import { TidemarkError } from "../base/errors.ts"
import type { NumberedRange, NumberedRecords } from "../batch/numbered-records.ts"
import type { Position } from "../batch/position.ts"
import { openNumbered } from "./numbered-reader.ts"
import type { Partition, PartitionReader, Source, SourceContext } from "./source.ts"

/** A partition of numbered records, not yet opened. */
export interface NumberedPart {
  readonly id: string
  /** What its records are made of: other records have another text. */
  readonly content: string
  /** How many there are; `Infinity` where they do not end. */
  readonly records: number
  /** How far the offsets of two records lie apart, where nothing of the partition was read before. */
  readonly stride: number
  /** How long after the start a record comes that is so many behind the first one read, in µs. Without it at once. */
  readonly delayMicros?: ((behind: number) => number) | undefined
  take(range: NumberedRange): NumberedRecords
}

/** Of records that are there at once, 64 Ki of one partition are read before the next has its turn. */
export const UNPACED_STRIDE = 16

/**
 * With a pace, partitions take turns about so often, as all of them have records at the same time. The scheduler changes
 * between partitions where 1 MiB of offsets is full, so the distance of offsets says how many records that is.
 */
const TURNS_PER_SECOND = 100
const MORSEL = 1024 * 1024

/** How far offsets should lie apart in a partition to which so many records come each second. */
export function pacedStride(recordsPerSecond: number): number {
  const turn = recordsPerSecond / TURNS_PER_SECOND
  return Math.max(UNPACED_STRIDE, MORSEL / 2 ** Math.max(0, Math.ceil(Math.log2(turn))))
}

const STRIDE_MARK = "; stride "

/** See the head of this file. */
export class NumberedSource implements Source {
  readonly #context: SourceContext
  readonly #parts: ReadonlyMap<string, NumberedPart>
  readonly #hint: string
  readonly #startMicros: number

  /** @param hint what to do where a partition is not what it was. */
  constructor(context: SourceContext, parts: readonly NumberedPart[], hint: string) {
    this.#context = context
    this.#parts = new Map(parts.map((part) => [part.id, part]))
    this.#hint = hint
    this.#startMicros = context.env.clock.monotonicMicros()
  }

  async partitions(): Promise<readonly Partition[]> {
    return [...this.#parts.values()].map(({ id, content, records, stride }, place) => ({
      id,
      tieBreak: String(place).padStart(5, "0"),
      identity: `${content}${STRIDE_MARK}${stride}`,
      size: records === Infinity ? undefined : records * stride,
    }))
  }

  async open(partition: Partition, index: number, position: Position, identity?: string): Promise<PartitionReader> {
    const part = this.#parts.get(partition.id)
    const [content = "", stride = ""] = (identity ?? partition.identity).split(STRIDE_MARK)
    if (part === undefined || part.content !== content || position.ordinal > part.records) {
      throw this.#changed(partition.id, content, part, position)
    }
    const { records, delayMicros } = part
    const start = this.#startMicros
    const { ordinal } = position
    const dueMicros = delayMicros && ((number: number) => start + delayMicros(number - ordinal))
    const take = (range: NumberedRange) => part.take(range)
    return openNumbered({ records, stride: Number(stride), dueMicros, take }, this.#context.env, index, position)
  }

  async close(): Promise<void> {}

  #changed(id: string, before: string, part: NumberedPart | undefined, { ordinal }: Position): TidemarkError {
    const change =
      part === undefined
        ? "there is no such partition any more"
        : part.content === before
          ? `${counted(ordinal, "record")} of it were read, and now it has ${part.records}`
          : `it was ${before}, and is ${part.content}`
    const message = `${id} of the input ${this.#context.input} is not what it was: ${change}.`
    return new TidemarkError("source-changed", message, { hint: this.#hint })
  }
}
