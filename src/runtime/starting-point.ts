/**
 * What a run goes on from: the state in its directory, or a savepoint, or nothing.
 *
 * Invariants (rules of docs/spec/epochs.md):
 * - E21 A run that is told of a savepoint begins from it once: where its directory has state that began from that, it goes on from there.
 * - E22 State that did not begin from the savepoint is not replaced by it, unless a reset says so.
 */
import { TidemarkError } from "../base/errors.ts"
import type { RecoveredState } from "../state/recovery-fold.ts"
import { readSavepoint } from "../state/savepoint.ts"
import type { RunJobOptions } from "./run-options.ts"

/** See the head of this file. */
export interface StartingPoint {
  /** Positions, state and counters to go on from. What it says of outputs is not for those who begin from a savepoint. */
  readonly state: RecoveredState
  /** Whether that is a savepoint, and not what the directory has. */
  readonly isSavepoint: boolean
  /** The savepoint that the state began from, now or in an earlier run. */
  readonly begunFrom: string | undefined
}

/**
 * Where a run starts.
 *
 * @param recovered what its directory says.
 * @throws TidemarkError `state-foreign` where that is state of another origin (E22), `state-missing` where there is no savepoint.
 */
export async function startingPoint(recovered: RecoveredState, options: RunJobOptions): Promise<StartingPoint> {
  const { env, directory, reset = false, fromSavepoint } = options
  const { run, epoch } = recovered
  if (run?.savepoint !== undefined) {
    throw new TidemarkError("state-foreign", `${directory} is a savepoint, and no job runs on it.`, {
      hint: `Run with --from-savepoint ${directory} (in code: fromSavepoint), and a directory of the job's own for its state.`,
    })
  }
  if (fromSavepoint !== undefined) {
    const { id, state } = await readSavepoint(env.disk, fromSavepoint)
    const hasBegun = epoch > 0 && run?.begunFrom === id
    if (reset || epoch === 0) return { state, isSavepoint: true, begunFrom: id }
    if (!hasBegun) throw begunOtherwise(directory, fromSavepoint)
  }
  if (reset) return { state: NOTHING, isSavepoint: false, begunFrom: undefined }
  return { state: recovered, isSavepoint: false, begunFrom: run?.begunFrom }
}

const NOTHING: RecoveredState = {
  epoch: 0,
  wallMicros: 0,
  finished: false,
  active: undefined,
  run: undefined,
  partitions: new Map(),
  operators: new Map(),
  outputs: new Map(),
  counters: new Map(),
  resetPending: false,
}

function begunOtherwise(directory: string, savepoint: string): TidemarkError {
  return new TidemarkError(
    "state-foreign",
    `The state in ${directory} did not begin from the savepoint ${savepoint}.`,
    {
      hint: "Leave the savepoint away to go on with that state, give another directory (--dir), or add --reset to give that state up and begin from the savepoint.",
    },
  )
}
