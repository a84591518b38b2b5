/**
 * Samples of the machine as a source: one partition that is read as time passes, and never again.
 *
 * Invariants:
 * - MA1 A sample is taken when its time has come; times that have passed meanwhile are left out, and not made up for.
 * - MA2 Records are numbered on from the last committed one, so that positions go forward over restarts; what was read and
 *   not committed is lost with the process.
 */
import { assert } from "../../base/assert.ts"
import { TidemarkError } from "../../base/errors.ts"
import type { Position } from "../../batch/position.ts"
import type {
  Partition,
  PartitionReader,
  ReadLimits,
  Source,
  SourceBatch,
  SourceContext,
} from "../../connect/source.ts"
import { RowObjects } from "../../formats/row-objects.ts"

/** A row of a sample, without its time. */
export type SampledRow = Readonly<Record<string, unknown>>

/** Takes samples: each gives the rows since the last, the first one none where rows are differences. */
export type TakeSample = () => Promise<readonly SampledRow[] | undefined>

/** Each record is a morsel of its own: inputs that are sampled at the same times take turns record by record. */
const STRIDE = 1024 * 1024

/** See the head of this file. */
export class MachineSource implements Source {
  readonly #context: SourceContext
  readonly #takeSample: TakeSample
  readonly #everyMicros: number
  readonly #what: string

  constructor(context: SourceContext, what: string, takeSample: TakeSample, everyMicros: number) {
    this.#context = context
    this.#what = what
    this.#takeSample = takeSample
    this.#everyMicros = everyMicros
  }

  async partitions(): Promise<readonly Partition[]> {
    return [{ id: this.#what, tieBreak: this.#what, identity: this.#what, size: undefined }]
  }

  async open(_partition: Partition, index: number, position: Position): Promise<PartitionReader> {
    // What the first sample says is measured from here on.
    if ((await this.#takeSample()) === undefined) {
      throw new TidemarkError(
        "source-unreadable",
        `The input ${this.#context.input} asks for ${this.#what}, of which this operating system does not tell.`,
        {
          hint: "Disks and networks are told of by Linux alone. Leave the input out on this machine.",
        },
      )
    }
    return new MachineReader(this.#context, this.#takeSample, this.#everyMicros, index, position)
  }

  async close(): Promise<void> {}
}

class MachineReader implements PartitionReader {
  readonly #context: SourceContext
  readonly #takeSample: TakeSample
  readonly #everyMicros: number
  readonly #columns: RowObjects
  readonly #index: number
  #next: number
  #dueMicros: number
  /** Rows that were sampled and not read yet. */
  #rows: SampledRow[] = []

  constructor(context: SourceContext, takeSample: TakeSample, everyMicros: number, index: number, position: Position) {
    this.#context = context
    this.#takeSample = takeSample
    this.#everyMicros = everyMicros
    this.#columns = new RowObjects(context.arena, context.schema)
    this.#index = index
    this.#next = position.ordinal
    this.#dueMicros = context.env.clock.monotonicMicros() + everyMicros
  }

  whenReadable(signal: AbortSignal): Promise<void> | undefined {
    if (this.#rows.length > 0) return undefined
    const rest = this.#dueMicros - this.#context.env.clock.monotonicMicros()
    return rest <= 0 ? undefined : this.#context.env.timers.sleep(Math.ceil(rest), signal)
  }

  async read({ rows, untilOffset }: ReadLimits): Promise<SourceBatch> {
    while (this.#rows.length === 0) await this.#sample()
    const first = this.#next
    const count = Math.min(rows, this.#rows.length, Math.ceil(untilOffset / STRIDE) - first)
    assert(count >= 1, "a read is asked for a record at least")
    const range = { first, count, stride: STRIDE, partition: this.#index }
    const { batch, bad, records, release } = this.#columns.take(range, (number) => this.#rows[number - first])
    this.#rows.splice(0, records)
    this.#next += records
    return { batch, bad, next: { offset: this.#next * STRIDE, ordinal: this.#next }, end: false, release }
  }

  async close(): Promise<void> {}

  /** Waits for the time of the next sample, and takes it (MA1). */
  async #sample(): Promise<void> {
    const { clock, timers } = this.#context.env
    const rest = this.#dueMicros - clock.monotonicMicros()
    if (rest > 0) await timers.sleep(Math.ceil(rest))
    const at = clock.wallMicros()
    const rows = (await this.#takeSample()) ?? []
    this.#rows = rows.map((row) => ({ at, ...row }))
    const late = Math.max(0, clock.monotonicMicros() - this.#dueMicros)
    this.#dueMicros += this.#everyMicros * (1 + Math.floor(late / this.#everyMicros))
  }
}
