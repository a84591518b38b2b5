/**
 * `memory`: arrays of rows of this process as inputs and outputs. The door `tidemark` publishes it.
 */
import { TidemarkError } from "../../base/errors.ts"
import { shownValue } from "../../base/shown-value.ts"
import type { Sink, SinkBinding, SinkContext, SinkRecovery } from "../../connect/sink.ts"
import { NumberedSource, UNPACED_STRIDE } from "../../connect/numbered-source.ts"
import type { Source, SourceContext, TypedSource } from "../../connect/source.ts"
import { RowObjects } from "../../formats/row-objects.ts"
import { contentOf } from "./content.ts"
import { MemorySink } from "./memory-sink.ts"

/**
 * Rows in this process: an input, or an output. Make one with `memory`.
 *
 * @example
 * ```ts
 * import { memory, type MemoryRows } from "tidemark"
 *
 * const results: MemoryRows<{ zone: string; trips: number }> = memory()
 * const busiest = (): string | undefined => results.rows.find((row) => row.trips > 100)?.zone
 * ```
 */
export interface MemoryRows<Row> extends TypedSource<Row>, SinkBinding {
  /** Updates come as their rows: `op` says what each of them means. */
  readonly accepts: { readonly append: true; readonly update: true }
  /** As an output: the rows committed so far, in order. Take away what you have seen as you like. */
  readonly rows: Row[]
  /** As an output: what an earlier job of the process had written, where a job has started anew with `reset`. */
  readonly superseded: Row[]
}

/** See `MemoryRows`. */
export class MemoryTable<Row> implements MemoryRows<Row> {
  declare readonly rowType?: Row
  readonly guarantee = "exactly-once-in-process"
  readonly accepts = { append: true, update: true } as const
  readonly rows: Row[]
  readonly superseded: Row[] = []
  /** The last epoch whose rows are in `rows`, as its sink numbers them. */
  sequence = 0
  /** The sink that writes to it now. */
  writer: Sink | undefined

  constructor(rows: readonly Row[]) {
    this.rows = [...rows]
  }

  describe(): string {
    return "memory()"
  }

  async openSource(context: SourceContext): Promise<Source> {
    const rows = [...this.rows]
    const columns = new RowObjects(context.arena, context.schema)
    const part = {
      id: "rows",
      content: contentOf(rows),
      records: rows.length,
      stride: UNPACED_STRIDE,
      take: (range: Parameters<RowObjects["take"]>[0]) => columns.take(range, (number) => rows[number]),
    }
    return new NumberedSource(
      context,
      [part],
      "Give the rows that were read, and more behind them; or start anew with --reset.",
    )
  }

  async openSink(context: SinkContext, recovery: SinkRecovery): Promise<Sink> {
    return new MemorySink(this as MemoryTable<unknown>, context, recovery)
  }
}

/**
 * Rows of this process as an input, and an array of rows as an output: for a job within a program.
 *
 * As an input: the rows that are there when the job starts, in their order. They go by the columns' names; a row that does
 * not fit the input is a bad record. As an output: `rows` has what is committed, each row once, as long as the process lives.
 *
 * @param rows the input's rows, which are copied.
 * @throws TidemarkError `invalid-options` where `rows` is no array.
 *
 * @example
 * ```ts
 * import { job, memory, run, schema, t } from "tidemark"
 *
 * const paid = job({
 *   name: "paid",
 *   inputs: { trips: schema({ fare: t.float64 }) },
 *   flow: ({ trips }) => ({ paid: trips.filter((trip) => trip.fare > 0) }),
 * })
 * const results = memory<{ fare: number }>()
 * const handle = await run(paid.with({ inputs: { trips: memory([{ fare: 12.5 }, { fare: 0 }]) }, outputs: { paid: results } }))
 * await handle.finished
 * console.log(results.rows)
 * ```
 */
export function memory<const Row>(rows: readonly Row[] = []): MemoryRows<Row> {
  if (Array.isArray(rows)) return new MemoryTable<Row>(rows)
  throw new TidemarkError("invalid-options", `memory(...) is given ${shownValue(rows)}, not an array of rows.`, {
    hint: "Give an array of objects for an input, and nothing for an output.",
  })
}
