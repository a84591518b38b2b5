/** The states of operators as bytes, for commit records and snapshots. */
import { ByteWriter } from "../base/bytes.ts"
import type { OperatorState } from "../flow/operator.ts"

/** What epochs change. */
export class EpochChanges {
  /** By state: what changes are written to. A commit takes the bytes over before it waits, so it serves again. */
  readonly #writers = new Map<string, ByteWriter>()

  /** What has changed since the last call, by operator. The bytes are good until the next. */
  take(states: readonly OperatorState[]): Map<string, Uint8Array> {
    const operators = new Map<string, Uint8Array>()
    for (const state of states) {
      const changes = this.#writers.get(state.id) ?? new ByteWriter()
      this.#writers.set(state.id, changes)
      changes.recycle()
      state.writeChanges(changes)
      operators.set(state.id, changes.view())
    }
    return operators
  }
}

/** All of each state, by operator. */
export function allOf(states: readonly OperatorState[]): Map<string, Uint8Array> {
  return new Map(
    states.map((state) => {
      const everything = new ByteWriter()
      state.writeAll(everything)
      return [state.id, everything.view()]
    }),
  )
}
