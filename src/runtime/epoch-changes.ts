/** The states of operators as bytes, for commit records and snapshots. */
import { ByteWriter } from "../base/bytes.ts"
import type { Clock } from "../env/env.ts"
import type { OperatorState, StateSlices } from "../flow/operator.ts"
import type { EpochRecord } from "../state/commit-record.ts"
import { EarlyChanges } from "./early-changes.ts"
import type { Captured } from "./snapshots.ts"

/** What runs functions of the user's for each record does so for no longer at once. */
const PIECE_MICROS = 5000

/** What epochs change. */
export class EpochChanges {
  /** By state: what changes are written to. A commit takes the bytes over before it waits, so it serves again. */
  readonly #writers = new Map<string, ByteWriter>()
  readonly #early: EarlyChanges

  /** @param earlyKeys see `EarlyChanges`. */
  constructor(clock: Pick<Clock, "monotonicMicros">, earlyKeys: number | undefined) {
    this.#early = new EarlyChanges(clock, earlyKeys)
  }

  /** How long a piece of work may be that is between two calls of `writeEarly`, where it may be `micros` long for the sake of others. */
  pieceMicros(states: readonly OperatorState[], micros: number): number {
    return states.some(({ changedKeys }) => changedKeys !== undefined) ? Math.min(micros, PIECE_MICROS) : micros
  }

  /** To be called between batches; `restMicros` is how long it is until the cut. */
  writeEarly(states: readonly OperatorState[], restMicros: number): void {
    this.#early.write(states, restMicros)
  }

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

/** Slices of those states that have some, begun now; and an epoch with all of each other. */
export function captured(
  states: readonly OperatorState[],
  everything: (operators: Map<string, Uint8Array>) => EpochRecord,
): Captured {
  const slices = new Map<string, StateSlices>()
  const whole: OperatorState[] = []
  for (const state of states) {
    const begun = state.beginSlices?.()
    if (begun === undefined) whole.push(state)
    else slices.set(state.id, begun)
  }
  return { everything: everything(allOf(whole)), slices }
}
