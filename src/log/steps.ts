/**
 * The protocol steps of the log: the closed list of names under which it calls the disk, in the order in which a job
 * comes to them. What is called for two purposes has two names, so that each call can be failed, dropped and swapped by
 * itself.
 */
export const LOG_STEPS = [
  "log.make-directory",
  "log.sync-parent",
  "log.fence.create",
  "log.fence.sync-directory",
  "log.recover.read",
  /** The first segment of a generation, with the records that it takes over. */
  "log.open.create",
  "log.open.write",
  "log.open.sync",
  "log.open.rename",
  "log.open.sync-directory",
  /** Records that do not wait for a sync, because they have become many. */
  "log.append.write",
  /** Who runs, and whether everything before is void. */
  "log.begin.write",
  "log.begin.sync",
  /** An epoch: the sync that decides. */
  "log.commit.write",
  "log.commit.sync",
  /** A segment with what a snapshot begins with. */
  "log.roll.create",
  "log.roll.write",
  "log.roll.sync",
  "log.roll.rename",
  "log.roll.sync-directory",
  /** The end of a snapshot: the sync that lets it take the place of all before it. */
  "log.snapshot.write",
  "log.snapshot.sync",
  "log.trim.remove",
  "log.trim.sync-directory",
  "log.discard.rename",
] as const

/** One of them. */
export type LogStep = (typeof LOG_STEPS)[number]

/** What records are made durable for. */
export type SyncPurpose = "begin" | "commit" | "snapshot"

/** Holds a step's name to the list. */
export function step(name: LogStep): LogStep {
  return name
}
