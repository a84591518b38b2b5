/** State that was written, taken over by who keeps it now: as it is, or migrated. */
import { ByteReader } from "../base/bytes.ts"
import type { OperatorState, StateMigration } from "../flow/operator.ts"
import type { Spill } from "./spill.ts"

/**
 * Takes over what was written, by id.
 *
 * @param spill where that goes which memory has no room for.
 * @throws TidemarkError `state-corrupt`; `lambda-failed` where a migration fails.
 */
export async function takeOverState(
  states: readonly OperatorState[],
  written: ReadonlyMap<string, readonly Uint8Array[]>,
  migrations: ReadonlyMap<string, StateMigration>,
  spill: Pick<Spill, "begin" | "flush">,
): Promise<void> {
  await spill.begin()
  for (const state of states) {
    const changes = written.get(state.id) ?? []
    const migration = migrations.get(state.id)
    for (const bytes of migration === undefined ? changes : [migration.migrate(changes)]) {
      state.applyChanges(new ByteReader(bytes))
      await spill.flush()
    }
    state.endChanges?.()
  }
}
