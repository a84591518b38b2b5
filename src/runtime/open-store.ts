/** Opens a job's epochs; where they cannot be read and the job starts anew, they are set aside. */
import { TidemarkError } from "../base/errors.ts"
import { EpochStore } from "../state/epoch-store.ts"
import type { RunJobOptions } from "./run-options.ts"

/** See the head of this file. */
export async function openStore(options: RunJobOptions): Promise<EpochStore> {
  const { disk } = options.env
  const logDirectory = `${options.directory}/log`
  // The other half is for what has been taken over.
  const keptBytesMax = (options.stateMemoryBytes ?? Infinity) / 2
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
