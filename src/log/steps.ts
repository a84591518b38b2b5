/** The protocol steps of the log: the closed list of names under which it calls the disk. */
export const LOG_STEPS = [
  "log.make-directory",
  "log.sync-parent",
  "log.fence.create",
  "log.fence.sync-directory",
  "log.create.remove-draft",
  "log.create",
  "log.create.write",
  "log.create.sync",
  "log.create.rename",
  "log.create.sync-directory",
  "log.append.write",
  "log.append.sync",
  "log.trim.remove",
  "log.trim.sync-directory",
  "log.recover.read",
  "log.discard.remove",
  "log.discard.sync-directory",
] as const

/** One of them. */
export type LogStep = (typeof LOG_STEPS)[number]

/** Holds a step's name to the list. */
export function step(name: LogStep): LogStep {
  return name
}
