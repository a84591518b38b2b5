/**
 * Outputs whose rows have another shape than in the run before: other columns, or written otherwise. What they have begun and not
 * published is published before anything is written, in an epoch of its own in which nothing is read.
 *
 * Invariant:
 * - BP1 What is begun has the shape that the last run record of the log says. So a run begins with a record that has the shapes of before, and
 *   writes its own when the epoch is committed and applied. Whoever dies on the way leaves it to the next run, of whatever program.
 */
import type { Clock } from "../env/env.ts"
import type { EpochRecord } from "../state/commit-record.ts"
import type { JobEvent } from "../trace/events.ts"
import type { ChangedShape } from "./compatibility.ts"
import type { Outputs } from "./outputs.ts"

/** What of an epoch's record says what was read and computed: here, nothing. */
type Nothing = Pick<EpochRecord, "partitions" | "operators" | "counters">

/** What publishing passes through. */
export interface BegunPartsContext {
  readonly outputs: Outputs
  readonly clock: Clock
  commit(this: void, parts: Nothing & Pick<EpochRecord, "outputs">): Promise<EpochRecord>
  readonly onEvent: ((event: JobEvent) => void) | undefined
}

/** Publishes what outputs have begun with another shape; commits no epoch where they have begun nothing. */
export async function publishBegun(
  changes: readonly ChangedShape[],
  { outputs, clock, commit, onEvent }: BegunPartsContext,
): Promise<void> {
  const startMicros = clock.monotonicMicros()
  const staged = await outputs.stageBegun(changes.map(({ name }) => name))
  if (staged.size === 0) return
  const { epoch } = await commit({ partitions: [], operators: new Map(), counters: new Map(), outputs: staged })
  await outputs.apply(staged)
  for (const { name, before, now } of changes) {
    if (staged.has(name)) onEvent?.({ kind: "output-changed", output: name, before, now })
  }
  onEvent?.({ kind: "committed", epoch, rows: 0, commitMicros: clock.monotonicMicros() - startMicros })
}
