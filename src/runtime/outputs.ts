/**
 * The outputs of a running job: one sink for each, staged and applied together.
 *
 * Invariant:
 * - J1 All sinks are staged before the commit record is written, and applied only after it is durable (E2).
 */
import type { Batch } from "../batch/batch.ts"
import type { Sink, SinkContext, SinkRecovery, StageProgress } from "../connect/sink.ts"
import type { RecoveredState } from "../state/recovery-fold.ts"
import { closeAll } from "./close-all.ts"
import type { ChangedShape } from "./compatibility.ts"
import type { OutputSpec } from "./output-specs.ts"
import type { WaitingOutput } from "./status.ts"
import type { TimeUse } from "./time-use.ts"

/** Bytes in memory that make a sink move them to its staging area, unless told otherwise. */
const FLUSH_BYTES = 1 << 20

/** What all sinks of a job may use. */
export type OutputsContext = Omit<SinkContext, "schema" | "output">

/** The open sinks of a job. */
export class Outputs {
  readonly #sinks = new Map<string, Sink>()
  readonly #rows = new Map<string, number>()
  readonly #time: TimeUse

  private constructor(time: TimeUse) {
    this.#time = time
  }

  /**
   * Refuses outputs that could not be opened; changes nothing.
   *
   * @param start what `open` will get, and which outputs have rows of another shape than before.
   */
  static async check(
    specs: readonly OutputSpec[],
    context: OutputsContext,
    start: { readonly recovered: RecoveredState; readonly reset: boolean; readonly changes: readonly ChangedShape[] },
  ): Promise<void> {
    for (const { name, schema, binding } of specs) {
      const change = start.changes.find((each) => each.name === name)
      await binding.check?.(
        { ...context, schema, output: name },
        recoveryOf(name, start.recovered, start.reset),
        change,
      )
    }
  }

  /**
   * Opens the sinks, applies again what was committed, and drops what was not.
   *
   * @param reset whether the job starts anew.
   */
  static async open(
    specs: readonly OutputSpec[],
    context: OutputsContext & { readonly time: TimeUse },
    recovered: RecoveredState,
    reset: boolean,
  ): Promise<Outputs> {
    const { time, ...sinkContext } = context
    const outputs = new Outputs(time)
    try {
      for (const { name, schema, binding } of specs) {
        const recovery = recoveryOf(name, recovered, reset)
        outputs.#sinks.set(name, await binding.openSink({ ...sinkContext, schema, output: name }, recovery))
        outputs.#rows.set(name, reset ? 0 : (recovered.counters.get(`rows.${name}`) ?? 0))
      }
    } catch (error) {
      await outputs.close()
      throw error
    }
    return outputs
  }

  /** Rows written to each output over the life of the job. */
  get rows(): ReadonlyMap<string, number> {
    return this.#rows
  }

  /** Hands the rows of a batch that count to an output's sink. */
  write(name: string, batch: Batch): void {
    this.#sinks.get(name)!.write(batch)
    this.#rows.set(name, this.#rows.get(name)! + batch.count)
  }

  /** Moves what sinks hold in memory to their staging areas, where it has become much. */
  async flushLarge(bufferBytes = FLUSH_BYTES): Promise<void> {
    for (const [name, sink] of this.#sinks) {
      if (sink.bufferedBytes < bufferBytes) continue
      this.#time.turnTo("output", name)
      await sink.flush()
    }
  }

  /** Makes everything written safe (E2) and gives what the commit record must hold. */
  async stage(final: boolean, progressOf: (name: string) => StageProgress): Promise<Map<string, Uint8Array>> {
    const staged = new Map<string, Uint8Array>()
    for (const [name, sink] of this.#sinks) {
      this.#time.turnTo("output", name)
      staged.set(name, await sink.stage(final, progressOf(name)))
    }
    return staged
  }

  /** As `stage`, so that what some outputs have begun is published; others have nothing to say. */
  async stageBegun(names: Iterable<string>): Promise<Map<string, Uint8Array>> {
    const staged = new Map<string, Uint8Array>()
    for (const name of names) {
      const bytes = await this.#sinks.get(name)!.stage(true)
      if (bytes.length > 0) staged.set(name, bytes)
    }
    return staged
  }

  /** Makes a committed epoch visible. */
  async apply(staged: ReadonlyMap<string, Uint8Array>): Promise<void> {
    for (const [name, bytes] of staged) {
      this.#time.turnTo("output", name)
      await this.#sinks.get(name)!.apply(bytes)
    }
  }

  /** Makes the sinks independent of the log so far, and gives what a snapshot must hold. Epochs go on meanwhile. */
  async checkpoint(): Promise<Map<string, Uint8Array>> {
    const [names, sinks] = [[...this.#sinks.keys()], [...this.#sinks.values()]]
    // All are asked now: what each gives is of the same epoch. One that fails does not leave others running behind.
    const outcomes = await Promise.allSettled(sinks.map((sink) => sink.checkpoint()))
    return new Map(
      outcomes.map((outcome, index) => {
        if (outcome.status === "rejected") throw outcome.reason
        return [names[index]!, outcome.value]
      }),
    )
  }

  /** In how many µs an epoch should end though nothing comes, so that what is staged is published. */
  untilDue(wallMicros: number): number {
    let least = Infinity
    for (const sink of this.#sinks.values()) least = Math.min(least, sink.untilDue?.(wallMicros) ?? Infinity)
    return least
  }

  /** Those that wait for their target, in the order of the job. */
  waiting(): WaitingOutput[] {
    return [...this.#sinks].flatMap(([output, { waitsFor: reason }]) =>
      reason === undefined ? [] : [{ output, reason }],
    )
  }

  async close(): Promise<void> {
    await closeAll(this.#sinks.values())
  }
}

function recoveryOf(name: string, recovered: RecoveredState, reset: boolean): SinkRecovery {
  const earlier = reset ? undefined : recovered.outputs.get(name)
  return {
    checkpoint: earlier?.checkpoint,
    staged: earlier?.staged ?? [],
    reset,
    fresh: earlier === undefined,
  }
}
