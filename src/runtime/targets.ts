/**
 * The places that a job writes to, held apart from each other, from its state and from its inputs, before anything is
 * opened: whoever reads, moves or clears one of them as a whole must not meet another in it.
 *
 * It goes by paths: two names of one directory, by a link, are told apart only by the sinks' own locks.
 *
 * Invariants:
 * - TG1 No output's place is another's, or lies within another's.
 * - TG2 No output lies within the job's state directory, nor that within an output's; but for the dead letters that lie
 *   there unless the job binds them elsewhere.
 * - TG3 No input is read from within an output's place or the state directory (U4 of `inputs.ts` is one case of it).
 */
import { TidemarkError } from "../base/errors.ts"
import type { Source } from "../connect/source.ts"
import { directoryKey, isWithin } from "../connect/target-key.ts"
import { DEAD_LETTER_OUTPUT } from "../state/commit-record.ts"
import { DEAD_LETTER_DIRECTORY } from "./dead-letters.ts"
import type { ExecutableJob } from "./executable-job.ts"

/** A place that a job writes to. */
interface Target {
  /** Who writes there: `the output hourly`. */
  readonly label: string
  readonly isDeadLetters: boolean
  readonly key: string
  /** What was bound: `jsonl("out/hourly")`. */
  readonly sink: string
}

const KEEP_APART = "Whoever reads, moves or clears one of them as a whole would meet the other."

/** The places of one job. */
export class Targets {
  readonly #targets: readonly Target[]
  readonly #directory: string

  /** @param directory the state directory, an absolute path. */
  constructor(job: Pick<ExecutableJob, "outputs" | "deadLetter">, baseDirectory: string, directory: string) {
    const sinks = Object.entries(job.outputs)
    if (job.deadLetter !== undefined) sinks.push([DEAD_LETTER_OUTPUT, job.deadLetter])
    this.#directory = directory
    this.#targets = sinks.flatMap(([name, sink]) => {
      const key = sink.targetKey?.(baseDirectory)
      const isDeadLetters = name === DEAD_LETTER_OUTPUT
      const label = isDeadLetters ? "the dead letters" : `the output ${name}`
      return key === undefined ? [] : [{ label, isDeadLetters, key, sink: sink.describe() }]
    })
  }

  /**
   * Holds outputs and state apart (TG1, TG2).
   *
   * @throws TidemarkError `invalid-options`.
   */
  check(): void {
    const state = directoryKey(this.#directory)
    const ownDeadLetters = directoryKey(`${this.#directory}/${DEAD_LETTER_DIRECTORY}`)
    this.#targets.forEach((target, index) => {
      const { label, isDeadLetters, key, sink } = target
      for (const other of this.#targets.slice(0, index)) refuseShared(other, target)
      if (isWithin(key, state) && !(isDeadLetters && key === ownDeadLetters)) {
        throw refusal(`${label} would go to ${sink}, within the job's state directory ${this.#directory}`)
      }
      if (isWithin(state, key)) {
        throw refusal(`the job's state directory ${this.#directory} lies within ${sink}, where ${label} would go`)
      }
    })
  }

  /**
   * Holds what an input has found apart from what the job writes (TG3).
   *
   * @throws TidemarkError `invalid-options`.
   */
  checkInput(input: string, source: Source): void {
    const places = this.#targets.map(({ label, key, sink }) => ({ key, what: `${sink}, where ${label} goes` }))
    places.push({ key: directoryKey(this.#directory), what: `the job's state directory ${this.#directory}` })
    for (const { key, what } of places) {
      const partition = source.partitionWithin?.(key)
      if (partition === undefined) continue
      throw new TidemarkError("invalid-options", `The input ${input} matches ${partition}, within ${what}.`, {
        hint: "A job that reads its own output grows for ever. Narrow the pattern, or give the output another directory.",
      })
    }
  }
}

function refuseShared(one: Target, other: Target): void {
  if (one.key === other.key) throw refusal(`${one.label} and ${other.label} would both go to ${other.sink}`)
  const [inner, outer] = isWithin(one.key, other.key) ? [one, other] : [other, one]
  if (!isWithin(inner.key, outer.key)) return
  throw refusal(`${inner.label} would go to ${inner.sink}, within ${outer.sink}, where ${outer.label} would go`)
}

function refusal(clause: string): TidemarkError {
  const message = `${clause.charAt(0).toUpperCase()}${clause.slice(1)}.`
  return new TidemarkError("invalid-options", message, {
    hint: `Give each a directory of its own, beside the others. ${KEEP_APART}`,
  })
}
