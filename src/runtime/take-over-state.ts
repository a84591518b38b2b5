/** State that was written, taken over by who keeps it now: as it is, or migrated. */
import { ByteReader } from "../base/bytes.ts"
import type { OperatorState, StateMigration } from "../flow/operator.ts"
import type { SeenRecords } from "../log/seen-records.ts"
import type { WrittenChanges } from "../state/written-changes.ts"
import type { Spill } from "./spill.ts"

/**
 * Takes over what was written, by id.
 *
 * @param seen where that is read of which only the place is known; it is closed.
 * @param spill where that goes which memory has no room for.
 * @throws TidemarkError `state-corrupt`; `lambda-failed` where a migration fails.
 */
export async function takeOverState(
  states: readonly OperatorState[],
  written: ReadonlyMap<string, readonly WrittenChanges[]>,
  migrations: ReadonlyMap<string, StateMigration>,
  seen: Pick<SeenRecords, "read" | "close">,
  spill: Pick<Spill, "begin" | "flush">,
): Promise<void> {
  await spill.begin()
  const bytesOf = (changes: WrittenChanges) => (changes instanceof Uint8Array ? changes : seen.read(changes))
  try {
    for (const state of states) {
      const changes = written.get(state.id) ?? []
      const migration = migrations.get(state.id)
      if (migration === undefined) {
        for (const each of changes) {
          state.applyChanges(new ByteReader(await bytesOf(each)))
          await spill.flush()
        }
      } else {
        const all: Uint8Array[] = []
        for (const each of changes) all.push(await bytesOf(each))
        state.applyChanges(new ByteReader(migration.migrate(all)))
        await spill.flush()
      }
      state.endChanges?.()
    }
  } finally {
    await seen.close()
  }
}
