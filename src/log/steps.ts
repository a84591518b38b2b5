/** The protocol steps of the log: the names under which it calls the disk. */
export const LOG_STEPS = [
  "log.make-directory",
  "log.sync-parent",
  "log.fence.create",
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
