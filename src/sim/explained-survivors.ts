/**
 * Mutants of the commit protocol that no seed kills, each with the reason why that is right, and with the step before
 * which the call has to be done. `npm run sim -- --mutate` fails where a survivor does not stand here, where one that
 * stands here is killed, and where nobody finds out that the call is put off until behind that step.
 *
 * Only swaps can be explained. A call that can be dropped is superfluous.
 */
import type { StepName } from "../env/env.ts"
import type { Mutant } from "./mutation.ts"

/** A mutant and why it may live. */
export interface ExplainedSurvivor {
  readonly step: StepName
  readonly kind: "swap"
  /** The first step that relies on the call. */
  readonly before: StepName
  readonly reason: string
}

/** The mutants that are known to survive. */
export const EXPLAINED_SURVIVORS: readonly ExplainedSurvivor[] = [
  {
    step: "sink.open.sync-existing",
    kind: "swap",
    before: "log.snapshot.write",
    reason:
      "What an earlier process made and left must be durable when nothing publishes into it again: that is until a " +
      "snapshot forgets the commit records, as with `sink.publish.sync-directory`.",
  },
  {
    step: "log.sync-parent",
    kind: "swap",
    before: "sink.publish.rename",
    reason:
      "The log's directory must be durable before anybody sees what its records tell, not before there is a name in it: " +
      "what a crash takes away until then, nobody has heard of.",
  },
  {
    step: "log.open.sync-directory",
    kind: "swap",
    before: "sink.publish.rename",
    reason:
      "The new generation must be found again before anybody sees what it commits. The change behind this call writes its " +
      "first record; a crash that takes the name away leaves the generation before, which says the same.",
  },
  {
    step: "sink.checkpoint.sync",
    kind: "swap",
    before: "log.snapshot.write",
    reason:
      "The rows must be durable before the snapshot is whole and forgets the records with them. The change behind this call " +
      "makes the segment that begins with the snapshot, adds a slice of it, or belongs to an epoch.",
  },
  {
    step: "log.roll.sync-directory",
    kind: "swap",
    before: "log.commit.sync",
    reason:
      "The segment that begins with a snapshot must be found again when an epoch in it is durable. The change behind this call " +
      "is the writing of that epoch or of a slice, and not yet its sync.",
  },
  {
    step: "sink.publish.sync-directory",
    kind: "swap",
    before: "log.snapshot.write",
    reason:
      "A publication that a crash undoes is done again from its commit record, until a snapshot forgets that or the job " +
      "says that it has ended.",
  },
  {
    step: "sink.recover.sync-directory",
    kind: "swap",
    before: "log.snapshot.write",
    reason: "As `sink.publish.sync-directory`: it makes up for one that did not come.",
  },
  {
    step: "sink.republish.sync-directory",
    kind: "swap",
    before: "log.snapshot.write",
    reason: "As `sink.publish.sync-directory`: only the process that publishes is another one.",
  },
  {
    step: "sink.recover.remove",
    kind: "swap",
    before: "sink.create",
    reason:
      "The name must be free before a part of that number is made, which is when rows have been read. The call behind this " +
      "one still belongs to recovery, or reads.",
  },
]

/** The mutant that must be killed, so that an explanation holds. */
export function lateMutantOf({ step, before }: ExplainedSurvivor): Mutant {
  return { step, kind: "late", behind: before }
}
