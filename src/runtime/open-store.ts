/** Opens a job's epochs; where they cannot be read and the job starts anew, they are set aside. */
import { TidemarkError } from "../base/errors.ts"
import { EpochStore } from "../state/epoch-store.ts"
import type { Plan } from "../flow/plan.ts"
import type { RunJobOptions } from "./run-options.ts"
import { spillingOperators } from "./spill.ts"

/** See the head of this file. */
export async function openStore(plan: Plan, options: RunJobOptions): Promise<EpochStore> {
  const { disk } = options.env
  const logDirectory = `${options.directory}/log`
  // The other half is for what has been taken over. What cannot be spilled is in memory in any case.
  const keptBytesMax = spillingOperators(plan) === 0 ? Infinity : (options.stateMemoryBytes ?? Infinity) / 2
  const storeOptions = { policy: options.snapshotPolicy, bufferBytes: options.logBufferBytes, keptBytesMax }
  try {
    return await EpochStore.open(disk, logDirectory, storeOptions)
  } catch (error) {
    if (options.reset !== true || !isUnreadableState(error)) throw error
    await EpochStore.discard(disk, logDirectory)
    return await EpochStore.open(disk, logDirectory, storeOptions)
  }
}

function isUnreadableState(error: unknown): boolean {
  return error instanceof TidemarkError && (error.code === "state-corrupt" || error.code === "state-newer-format")
}
