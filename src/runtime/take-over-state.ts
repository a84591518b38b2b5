/** State that was written, taken over by who keeps it now: as it is, or migrated. */
import { ByteReader } from "../base/bytes.ts"
import type { OperatorState, StateMigration } from "../flow/operator.ts"
import type { LogPlace } from "../log/log-reader.ts"
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
  const left = new Map(states.map((state) => [state, written.get(state.id)?.length ?? 0]))
  /** What is to be migrated, which needs all of it. */
  const gathered = new Map(states.map((state) => [state, [] as Uint8Array[]]))
  try {
    for (const { state, changes } of inOrder(states, written)) {
      const bytes = await bytesOf(changes)
      if (migrations.has(state.id)) gathered.get(state)!.push(bytes)
      else state.applyChanges(new ByteReader(bytes))
      await spill.flush()
      left.set(state, left.get(state)! - 1)
      if (left.get(state) === 0 && !migrations.has(state.id)) state.endChanges?.()
    }
    for (const state of states) {
      const migration = migrations.get(state.id)
      if (migration === undefined) continue
      state.applyChanges(new ByteReader(migration.migrate(gathered.get(state)!)))
      await spill.flush()
      state.endChanges?.()
    }
  } finally {
    await seen.close()
  }
}

interface Written {
  readonly state: OperatorState
  readonly changes: WrittenChanges
  /** How often what is read again has gone back so far. */
  readonly round: number
  /** Where that lay which was read again last. */
  readonly place: LogPlace
}

/**
 * All changes, state by state; where some are read again, in the order of the log for all states together, so that it is read forwards: once for slices, and once for
 * the epochs behind them. The order of each state's own stays.
 */
function inOrder(
  states: readonly OperatorState[],
  written: ReadonlyMap<string, readonly WrittenChanges[]>,
): readonly Written[] {
  const all = states.flatMap((state) => {
    let round = 0
    let place: LogPlace = { generation: 0, offset: 0 }
    return (written.get(state.id) ?? []).map((changes): Written => {
      if (!(changes instanceof Uint8Array)) {
        if (comparePlaces(changes.place, place) < 0) round++
        place = changes.place
      }
      return { state, changes, round, place }
    })
  })
  if (all.every(({ changes }) => changes instanceof Uint8Array)) return all
  return all.sort((one, other) => one.round - other.round || comparePlaces(one.place, other.place))
}

function comparePlaces(one: LogPlace, other: LogPlace): number {
  return one.generation - other.generation || one.offset - other.offset
}
