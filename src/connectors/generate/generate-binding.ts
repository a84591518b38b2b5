/**
 * Generated rows, bound to an input. A partition's identity says what its rows are made of, as far as it can be told: a
 * function cannot.
 */
import { counted } from "../../base/counted.ts"
import { TidemarkError } from "../../base/errors.ts"
import { Prng } from "../../base/prng.ts"
import type { Position } from "../../batch/position.ts"
import { openNumbered, type NumberedPartition } from "../../connect/numbered-reader.ts"
import type { Partition, PartitionReader, Source, SourceContext, TypedSource } from "../../connect/source.ts"
import { RowObjects } from "../../formats/row-objects.ts"
import type { Random } from "./random.ts"

/** What rows are made of, checked. */
export interface GeneratedRows {
  readonly row: (id: number, random: Random) => unknown
  /** `Infinity` where they do not end. */
  readonly rows: number
  readonly rowsPerSecond: number | undefined
  readonly seed: number
  readonly partitions: number
}

/** Of rows that come as fast as they are taken, 64 Ki of one partition are read before the next has its turn. */
const STRIDE = 16

/**
 * With a pace, partitions take turns about so often, as all of them have rows at the same time. The scheduler changes
 * between partitions where 1 MiB of offsets is full, so the distance of offsets says how many rows that is.
 */
const TURNS_PER_SECOND = 100
const MORSEL = 1024 * 1024

const ID_START = "partition "
const STRIDE_MARK = ", stride "

/** See the head of this file. */
export class GenerateBinding<Row> implements TypedSource<Row> {
  declare readonly rowType?: Row
  readonly #rows: GeneratedRows

  constructor(rows: GeneratedRows) {
    this.#rows = rows
  }

  describe(): string {
    const { rows, rowsPerSecond, seed, partitions } = this.#rows
    const parts = [
      ...(rows === Infinity ? [] : [`rows: ${rows}`]),
      ...(rowsPerSecond === undefined ? [] : [`rowsPerSecond: ${rowsPerSecond}`]),
      `seed: ${seed}`,
      ...(partitions === 1 ? [] : [`partitions: ${partitions}`]),
    ]
    return `generate({ ${parts.join(", ")} })`
  }

  async openSource(context: SourceContext): Promise<Source> {
    return new GenerateSource(this.#rows, context)
  }
}

class GenerateSource implements Source {
  readonly #rows: GeneratedRows
  readonly #context: SourceContext
  readonly #columns: RowObjects
  readonly #random = new Prng(0)
  /** What `random` depends on beside the row's number. */
  readonly #words: readonly [number, number]
  readonly #startMicros: number

  constructor(rows: GeneratedRows, context: SourceContext) {
    this.#rows = rows
    this.#context = context
    this.#columns = new RowObjects(context.arena, context.schema)
    const seeded = new Prng(rows.seed)
    this.#words = [seeded.uint32(), seeded.uint32()]
    this.#startMicros = context.env.clock.monotonicMicros()
  }

  async partitions(): Promise<readonly Partition[]> {
    const stride = this.#stride
    return Array.from({ length: this.#rows.partitions }, (_, place) => {
      const records = this.#recordsOf(place)
      return {
        id: `${ID_START}${place}`,
        tieBreak: String(place).padStart(5, "0"),
        identity: `${this.#contentOf(place)}${STRIDE_MARK}${stride}`,
        size: records === Infinity ? undefined : records * stride,
      }
    })
  }

  async open(partition: Partition, index: number, position: Position, identity?: string): Promise<PartitionReader> {
    const { row, partitions } = this.#rows
    const { content, stride } = splitIdentity(identity ?? partition.identity)
    const place = Number(partition.id.slice(ID_START.length))
    const records = this.#recordsOf(place)
    if (content !== this.#contentOf(place) || position.ordinal > records) {
      throw this.#changed(partition.id, content, this.#contentOf(place), position, records)
    }
    const random = this.#random
    const [low, high] = this.#words
    const rowOf = (number: number): unknown => {
      const id = number * partitions + place
      random.reset(id, Math.floor(id / 2 ** 32) ^ low, high)
      return row(id, random)
    }
    const source: NumberedPartition = {
      records,
      stride,
      dueMicros: this.#paceOf(place, position.ordinal),
      take: (range) => this.#columns.take(range, rowOf),
    }
    return openNumbered(source, this.#context.env, index, position)
  }

  async close(): Promise<void> {}

  /** How far the offsets of two records lie apart in partitions that are new. */
  get #stride(): number {
    const { rowsPerSecond, partitions } = this.#rows
    if (rowsPerSecond === undefined) return STRIDE
    const turn = rowsPerSecond / partitions / TURNS_PER_SECOND
    return Math.max(STRIDE, MORSEL / 2 ** Math.max(0, Math.ceil(Math.log2(turn))))
  }

  #recordsOf(place: number): number {
    const { rows, partitions } = this.#rows
    return rows === Infinity ? Infinity : Math.ceil(Math.max(0, rows - place) / partitions)
  }

  /** When each row of a partition comes that is read from one on. */
  #paceOf(place: number, first: number): ((number: number) => number) | undefined {
    const { rowsPerSecond, partitions } = this.#rows
    if (rowsPerSecond === undefined) return undefined
    const micros = 1_000_000 / rowsPerSecond
    const start = this.#startMicros
    return (number) => start + ((number - first) * partitions + place) * micros
  }

  /** What the rows of a partition are made of. */
  #contentOf(place: number): string {
    const { partitions, seed } = this.#rows
    return `seed ${seed}, partition ${place} of ${partitions}`
  }

  #changed(id: string, before: string, now: string, { ordinal }: Position, records: number): TidemarkError {
    const { input } = this.#context
    const change =
      records < ordinal
        ? `${counted(ordinal, "row")} of it were read, and now it has ${records}`
        : `it was made of ${before}, and is of ${now}`
    return new TidemarkError("source-changed", `${id} of the input ${input} is not what it was: ${change}.`, {
      hint: "Give seed, partitions and rows as they were, or start anew with --reset.",
    })
  }
}

/** What rows are made of, and the distance of their offsets, which a partition keeps. */
function splitIdentity(identity: string): { content: string; stride: number } {
  const [content = "", stride = ""] = identity.split(STRIDE_MARK)
  return { content, stride: Number(stride) }
}
