/**
 * Whether the state in a directory belongs to the job that wants to run on it.
 *
 * State is matched by operator id. A changed lambda, parameter or filter is accepted: it changes what comes, not what
 * the state means. A changed key, window or aggregate, another output target, or another job is refused in words;
 * `--reset` is the way to start anew.
 */
import { TidemarkError } from "../base/errors.ts"
import type { ShapeChange } from "../connect/sink.ts"
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

/**
 * Throws `state-foreign` unless `now` can go on from the state that `before` left. Before the first commit there is no
 * state: a job whose first run failed may be mended in any way.
 */
export function checkCompatible(before: RunRecord, now: RunRecord, epoch: number, directory: string): void {
  const refuse = (what: string, hint = START_ANEW): never => {
    throw new TidemarkError("state-foreign", `The state in ${directory} does not fit the job ${now.job}: ${what}.`, {
      hint,
    })
  }
  if (before.job !== now.job) refuse(`it belongs to the job ${before.job}`)
  if (epoch === 0) return
  const operators = new Map(now.operators.map(({ id, signature }) => [id, signature]))
  for (const { id, signature } of before.operators) {
    const wanted = operators.get(id)
    if (wanted === undefined) {
      const renamed = renamedTo(before, now, signature)
      const hint = renamed && `If ${renamed} is the same operator, give it its old name: { id: "${id}" }. ${START_ANEW}`
      refuse(`it has state of the operator ${id}, which the job no longer has`, hint)
    } else if (wanted !== signature) {
      refuse(`its operator ${id} has changed: ${signatureDifference(signature, wanted).join("; ")}`)
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
}

/** State that a run wants to go on from. */
export interface EarlierState {
  readonly run: RunRecord
  readonly epoch: number
  /** Where it is one, outputs begin anew, so that it does not matter what they were. */
  readonly isSavepoint: boolean
  readonly directory: string
}

/** Refuses state that does not fit (`checkCompatible`), and tells what has changed else. */
export function checkChanges(
  { run, epoch, isSavepoint, directory }: EarlierState,
  now: RunRecord,
  onEvent: ((event: JobEvent) => void) | undefined,
): void {
  checkCompatible(isSavepoint ? { ...run, outputs: now.outputs } : run, now, epoch, directory)
  if (epoch === 0) return
  if (run.fingerprint !== now.fingerprint) {
    onEvent?.({ kind: "plan-changed", before: run.fingerprint, now: now.fingerprint })
  }
  const changes = changedParams(run, now)
  if (changes.length > 0) onEvent?.({ kind: "params-changed", changes })
}
