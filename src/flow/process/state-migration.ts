/**
 * State of an earlier program as bytes of the new one's.
 *
 * Invariant (rule of docs/spec/process.md):
 * - P17 A migration that fails, or gives what is no value of the type, stops the job before anything has changed.
 */
import { ByteReader, ByteWriter } from "../../base/bytes.ts"
import { TidemarkError } from "../../base/errors.ts"
import { shownValue } from "../../base/shown-value.ts"
import type { ColumnType } from "../../batch/type.ts"
import { settled } from "../../batch/value-codec.ts"
import { readingState, takeChanges } from "../taken-changes.ts"
import { cellOf, KeyState, timerId } from "./key-state.ts"
import { KeyedStates } from "./keyed-states.ts"
import type { ProcessSpec, StateSpec } from "./process-spec.ts"
import type { StateCourse, StatePlan } from "./state-plan.ts"

/** What an operator is migrated with. */
export interface MigrationParts {
  readonly operator: string
  readonly spec: ProcessSpec
  readonly keyTypes: readonly ColumnType[]
  /** Whether values expire by the watermark, and not by the clock. */
  readonly isTimed: boolean
}

/**
 * The whole state of an operator as the new program keeps it.
 *
 * @param changes what the earlier program has written, in order.
 * @throws TidemarkError `lambda-failed` where a migration fails (P17), `state-corrupt`.
 */
export function migratedState(
  { operator, spec, keyTypes, isTimed }: MigrationParts,
  plan: StatePlan,
  changes: readonly Uint8Array[],
): Uint8Array {
  const before = new KeyedStates({ operator, keyTypes, specs: plan.states, kinds: plan.timers.length })
  const head = { watermark: -Infinity, nowMicros: -Infinity, sequence: 0 }
  const restoring = before.restoring(() => undefined)
  let isEmpty = true
  for (const bytes of changes) {
    takeChanges(operator, new ByteReader(bytes), (from) => {
      isEmpty = false
      head.watermark = from.float64()
      head.nowMicros = from.float64()
      head.sequence = from.varint()
      restoring.apply(from)
    })
  }
  readingState(operator, () => {
    restoring.end()
  })
  const out = new ByteWriter()
  if (isEmpty) return out.finish()
  const migration = new Migration(operator, spec, plan, isTimed ? head.watermark : head.nowMicros)
  const specs = Object.values(spec.state)
  const after = before.migrated({ specs, kinds: spec.timers.length }, (state, row) => migration.of(state, row))
  out.float64(head.watermark)
  out.float64(head.nowMicros)
  out.varint(head.sequence)
  after.writeAll(out)
  return out.finish()
}

class Migration {
  readonly #operator: string
  readonly #spec: ProcessSpec
  readonly #plan: StatePlan
  /** When values count as written that have not expired so far. */
  readonly #time: number
  /** By the earlier program's kinds of timers: the new one's. */
  readonly #kinds: readonly number[]

  constructor(operator: string, spec: ProcessSpec, plan: StatePlan, time: number) {
    this.#operator = operator
    this.#spec = spec
    this.#plan = plan
    this.#time = time
    this.#kinds = plan.timers.map((name) => spec.timers.findIndex((timer) => timer.name === name))
  }

  of(before: KeyState, row: number): KeyState {
    const specs = Object.values(this.#spec.state)
    const cells = this.#plan.courses.map((course, index) => {
      const spec = specs[index]!
      const cell = before.cells[course.from]
      if (cell === undefined) return cellOf(spec)
      return cell.migrated(spec, {
        key: course.key,
        value: (value) => this.#valueOf(course, spec, before.key, value),
        expires: (micros) => this.#expiryOf(course, spec, micros),
      })
    })
    const state = new KeyState(row, before.key, cells)
    for (const { kind, tag, time, sequence } of before.timers.values()) {
      const now = this.#kinds[kind]!
      state.restoreTimer(timerId(now, tag), { owner: row, kind: now, tag, time, sequence, isSet: true })
    }
    return state
  }

  #expiryOf({ expiry }: StateCourse, { ttlMicros }: StateSpec, micros: number): number {
    if (expiry === "ends") return Infinity
    if (expiry === undefined) return micros
    // Where no time is known yet there is none from which it could last.
    return this.#time === -Infinity ? Infinity : this.#time + ttlMicros
  }

  #valueOf({ name, value, isMigrated }: StateCourse, { type }: StateSpec, key: readonly unknown[], given: unknown) {
    const fail = (what: string, cause?: unknown): never => {
      const at = key.map(shownValue).join(", ")
      const message = `The migration of the state ${name} of the operator ${this.#operator} ${what}, for the key (${at}) and the value ${shownValue(given)}.`
      throw new TidemarkError("lambda-failed", message, {
        hint: "Mend the migration: nothing has changed, and the earlier program can go on.",
        ...(cause === undefined ? {} : { cause }),
      })
    }
    let made: unknown
    try {
      made = value(given)
    } catch (error) {
      if (!isMigrated) throw error
      return fail(`threw ${String(error)}`, error)
    }
    const problem = made === undefined ? "undefined" : type.check(made)
    return problem === undefined ? settled(type, made) : fail(`gave what is ${problem}`)
  }
}
