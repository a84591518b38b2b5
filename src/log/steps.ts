/** The protocol steps of the log: the names under which it calls the disk. */
export const LOG_STEPS = [
  "log.create-directory",
  "log.create",
  "log.create.sync-directory",
  "log.header.write",
  "log.header.sync",
  "log.append.write",
  "log.append.sync",
  "log.trim.remove",
  "log.trim.sync-directory",
  "log.recover.read",
  "log.discard.remove",
  "log.discard.sync-directory",
] as const
