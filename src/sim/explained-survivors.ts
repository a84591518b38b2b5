/**
 * Mutants of the commit protocol that no seed kills, each with the reason why that is right. A mutant that survives and
 * does not stand here makes `npm run sim -- --mutate` fail; so does one that stands here and is killed.
 *
 * Most are swaps of a call that only has to be done before something later, not before its neighbour: the protocol asks
 * for an order of a few calls, and makes its calls one after the other because that is simple.
 */
import type { Mutant } from "./mutation.ts"

/** A mutant and why it may live. */
export interface ExplainedSurvivor extends Mutant {
  readonly reason: string
}

/** The mutants that are known to survive. */
export const EXPLAINED_SURVIVORS: readonly ExplainedSurvivor[] = [
  {
    step: "log.fence.sync-directory",
    kind: "swap",
    reason:
      "The names before the new generation must be durable before it refers to them, which is when its first segment gets " +
      "its name. The call behind this one only reads or removes drafts.",
  },
  {
    step: "log.create.remove-draft",
    kind: "swap",
    reason: "Drafts are rubbish: nobody reads them, and no generation that ever made one is made again.",
  },
  {
    step: "log.create.sync-directory",
    kind: "swap",
    reason:
      "The call behind this one writes a record into the new segment. Nobody relies on the record before the sync of the " +
      "segment, which comes behind both.",
  },
  {
    step: "log.sync-parent",
    kind: "swap",
    reason:
      "The log's directory must be durable before the first commit is acknowledged, many calls later, not before the next " +
      "name in it.",
  },
  {
    step: "run.sync-parent",
    kind: "swap",
    reason:
      "The state directory must be durable before the first commit is acknowledged, many calls later, not before the log's " +
      "directory is made in it.",
  },
  {
    step: "log.trim.remove",
    kind: "swap",
    reason:
      "Each segment is still removed before the sync of the next one, so what a crash leaves is a suffix of the chain; that " +
      "the last removal may be undone costs disk space until the next snapshot.",
  },
  {
    step: "sink.open.sync-parent",
    kind: "swap",
    reason:
      "The output directory must be durable before the first commit that stages into it is acknowledged. The calls behind " +
      "this one make directories below it or look into it.",
  },
  {
    step: "sink.checkpoint.sync",
    kind: "swap",
    reason:
      "The bytes must be durable before the snapshot that forgets their records is. The call behind this one is another " +
      "sink's, or makes the segment that the snapshot will be written to.",
  },
  {
    step: "sink.publish.sync-directory",
    kind: "swap",
    reason:
      "A publication that a crash undoes is done again from its commit record, which stays until a snapshot behind the next " +
      "calls is durable.",
  },
  {
    step: "sink.recover.remove",
    kind: "swap",
    reason:
      "The name of an uncommitted part must be free before the part is made anew, which is when rows have been read; the call " +
      "behind this one still belongs to recovery.",
  },
  {
    step: "sink.recover.sync-directory",
    kind: "swap",
    reason:
      "The published name must be durable before a snapshot forgets the part. The call behind this one still belongs to " +
      "recovery.",
  },
  {
    step: "sink.reset.rename",
    kind: "swap",
    reason:
      "The last rename then escapes the sync of the new directory, but not that of the old one; and a part that a crash puts " +
      "back is set aside again, because a reset is pending until the first epoch behind it is committed.",
  },
  {
    step: "sink.reset.sync-superseded",
    kind: "drop",
    reason:
      "Where a rename is one change, as on every file system with a journal, the sync of the directory that the part leaves " +
      "makes its arrival durable, too. The call is there for those that promise less than the simulated ones.",
  },
  {
    step: "sink.reset.sync-superseded",
    kind: "swap",
    reason:
      "The call behind this one is the sync of the directory that the parts leave. Nothing is done between the two.",
  },
  {
    step: "sink.reset.sync-directory",
    kind: "swap",
    reason:
      "A part that a crash puts back is set aside again, because a reset is pending until the first epoch behind it is " +
      "committed. The call behind this one still belongs to the opening of the sinks.",
  },
]
