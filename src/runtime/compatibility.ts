/**
 * Whether the state in a directory belongs to the job that wants to run on it.
 *
 * State is matched by operator id. A changed lambda, parameter or filter is accepted: it changes what comes, not what
 * the state means. State that its operator can migrate goes over. A changed key, window or aggregate, another output target, or
 * another job is refused in words; `--reset` is the way to start anew.
 */
import { TidemarkError } from "../base/errors.ts"
import type { ShapeChange } from "../connect/sink.ts"
import type { OperatorState, StateMigration } from "../flow/operator.ts"
import type { StateMisfit } from "../flow/process/state-plan.ts"
import { signatureDifference } from "../flow/signature-difference.ts"
import type { RunRecord } from "../state/commit-record.ts"
import type { JobEvent } from "../trace/events.ts"

const START_ANEW =
  "Run with another --dir, or with --reset (in code: reset: true) to start anew (what was published is moved aside, not deleted)."

type ParamChanges = Extract<JobEvent, { kind: "params-changed" }>["changes"]

/** The parameters whose values have changed, by name. */
export function changedParams(before: RunRecord, now: RunRecord): ParamChanges {
  const names = [...new Set([...Object.keys(before.params), ...Object.keys(now.params)])].sort()
  return names.flatMap((name) => {
    const change = { name, before: before.params[name] ?? null, now: now.params[name] ?? null }
    return change.before === change.now ? [] : [change]
  })
}

/** An output whose rows have another shape than before. */
export interface ChangedShape extends ShapeChange {
  readonly name: string
}

/** The outputs whose rows have another shape than what the run before has begun. Where its version did not log shapes, none are known. */
export function changedShapes(before: RunRecord, now: RunRecord): ChangedShape[] {
  const known = new Map(before.outputs.map(({ name, shape }) => [name, shape]))
  return now.outputs.flatMap(({ name, shape }) => {
    const earlier = known.get(name)
    if (earlier === undefined || shape === undefined || earlier === shape) return []
    return [{ name, before: earlier, now: shape }]
  })
}

/** An operator that is new and whose state means the same as that of one that is gone. */
function renamedTo(before: RunRecord, now: RunRecord, signature: string): string | undefined {
  const known = new Set(before.operators.map(({ id }) => id))
  return now.operators.find((operator) => operator.signature === signature && !known.has(operator.id))?.id
}

/** How the state of an operator goes over that an earlier program has kept under another signature. */
export type MigrationFrom = (operator: string, signature: string) => StateMigration | StateMisfit | undefined

/**
 * Throws `state-foreign` unless `now` can go on from the state that `before` left. Before the first commit there is no
 * state: a job whose first run failed may be mended in any way.
 *
 * @returns by operator id what state goes over by, where it does not go as it is.
 */
export function checkCompatible(
  before: RunRecord,
  now: RunRecord,
  epoch: number,
  directory: string,
  migrationFrom: MigrationFrom = () => undefined,
): ReadonlyMap<string, StateMigration> {
  const migrations = new Map<string, StateMigration>()
  const refuse = (what: string, hint = START_ANEW): never => {
    throw new TidemarkError("state-foreign", `The state in ${directory} does not fit the job ${now.job}: ${what}.`, {
      hint,
    })
  }
  if (before.job !== now.job) refuse(`it belongs to the job ${before.job}`)
  if (epoch === 0) return migrations
  const operators = new Map(now.operators.map(({ id, signature }) => [id, signature]))
  for (const { id, signature } of before.operators) {
    const wanted = operators.get(id)
    if (wanted === undefined) {
      const renamed = renamedTo(before, now, signature)
      const hint = renamed && `If ${renamed} is the same operator, give it its old name: { id: "${id}" }. ${START_ANEW}`
      refuse(`it has state of the operator ${id}, which the job no longer has`, hint)
    } else if (wanted !== signature) {
      const migration = migrationFrom(id, signature)
      if (migration !== undefined && "migrate" in migration) migrations.set(id, migration)
      else {
        const problems = migration?.problems ?? signatureDifference(signature, wanted)
        const hint = migration && `${migration.hint} Or: ${START_ANEW}`
        refuse(`its operator ${id} has changed: ${problems.join("; ")}`, hint)
      }
    }
    operators.delete(id)
  }
  for (const id of operators.keys()) refuse(`the operator ${id} is new and has missed what was already read`)
  const outputs = new Map(now.outputs.map((output) => [output.name, output]))
  for (const { name, sink } of before.outputs) {
    const wanted = outputs.get(name)
    if (wanted === undefined) refuse(`it has staged rows of the output ${name}, which the job no longer has`)
    // Earlier versions knew dead letters in the state directory by its path, as people are told of them.
    else if (wanted.sink !== sink && wanted.described !== sink) {
      refuse(`its output ${name} went to ${sink} and would now go to ${wanted.sink}`)
    }
    outputs.delete(name)
  }
  for (const name of outputs.keys()) refuse(`the output ${name} is new and has missed what was already read`)
  return migrations
}

/** State that a run wants to go on from. */
export interface EarlierState {
  /** Who has left it; `undefined` where there is none. */
  readonly run: RunRecord | undefined
  readonly epoch: number
  /** Where it is one, outputs begin anew, so that it does not matter what they were. */
  readonly isSavepoint: boolean
  readonly directory: string
}

/** Refuses state that does not fit (`checkCompatible`, which says what is returned), and tells what has changed else. */
export function checkChanges(
  { run, epoch, isSavepoint, directory }: EarlierState,
  now: RunRecord,
  states: readonly OperatorState[],
  onEvent: ((event: JobEvent) => void) | undefined,
): ReadonlyMap<string, StateMigration> {
  if (run === undefined) return new Map()
  const before = isSavepoint ? { ...run, outputs: now.outputs } : run
  const migrationFrom: MigrationFrom = (operator, signature) =>
    states.find(({ id }) => id === operator)?.migrationFrom?.(signature)
  const migrations = checkCompatible(before, now, epoch, directory, migrationFrom)
  if (epoch === 0) return migrations
  // What becomes of state that goes over is told when it has.
  if (run.fingerprint !== now.fingerprint && migrations.size === 0) {
    onEvent?.({ kind: "plan-changed", before: run.fingerprint, now: now.fingerprint })
  }
  const changes = changedParams(run, now)
  if (changes.length > 0) onEvent?.({ kind: "params-changed", changes })
  return migrations
}
