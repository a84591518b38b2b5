/**
 * Generated rows, bound to an input. A partition's content says what its rows are made of, as far as it can be told: a
 * function cannot.
 */
import { Prng } from "../../base/prng.ts"
import { NumberedSource, pacedStride, UNPACED_STRIDE, type NumberedPart } from "../../connect/numbered-source.ts"
import type { Source, SourceContext, TypedSource } from "../../connect/source.ts"
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
    const columns = new RowObjects(context.arena, context.schema)
    const parts = Array.from({ length: this.#rows.partitions }, (_, place) => partOf(this.#rows, place, columns))
    return new NumberedSource(
      context,
      parts,
      "Give seed, partitions and rows as they were, or start anew with --reset.",
    )
  }
}

/** One of the partitions to which rows are dealt in turn. */
function partOf(generated: GeneratedRows, place: number, columns: RowObjects): NumberedPart {
  const { row, rows, rowsPerSecond, seed, partitions } = generated
  const seeded = new Prng(seed)
  const [low, high] = [seeded.uint32(), seeded.uint32()]
  const random = new Prng(0)
  const rowOf = (number: number): unknown => {
    const id = number * partitions + place
    random.reset(id, Math.floor(id / 2 ** 32) ^ low, high)
    return row(id, random)
  }
  return {
    id: `partition ${place}`,
    content: `seed ${seed}, partition ${place} of ${partitions}`,
    records: rows === Infinity ? Infinity : Math.ceil(Math.max(0, rows - place) / partitions),
    stride: rowsPerSecond === undefined ? UNPACED_STRIDE : pacedStride(rowsPerSecond / partitions),
    delayMicros:
      rowsPerSecond === undefined ? undefined : (behind) => ((behind * partitions + place) * 1_000_000) / rowsPerSecond,
    take: (range) => columns.take(range, rowOf),
  }
}
