/**
 * The kind of log that programs open themselves (`record-log.ts`), and the protocol steps under which it calls the disk: a closed list,
 * in the order in which a log comes to them.
 */
import { TidemarkError } from "../../base/errors.ts"
import type { LogKind } from "../log-kind.ts"

export const RECORD_LOG_STEPS = [
  "records.sync-existing",
  "records.make-directory",
  "records.sync-parent",
  /** A generation: its name, and a copy of what may not be durable of the one before. */
  "records.fence.create",
  "records.fence.sync-directory",
  "records.recover.read",
  "records.open.create",
  "records.open.write",
  "records.open.sync",
  "records.open.rename",
  "records.open.sync-directory",
  /** How far the log is durable, for readers in other processes. */
  "records.mark.open",
  "records.mark.read",
  "records.mark.write",
  /** What was appended: the sync that decides. */
  "records.append.write",
  "records.append.sync",
  /** The next segment. */
  "records.roll.create",
  "records.roll.write",
  "records.roll.sync",
  "records.roll.rename",
  "records.roll.sync-directory",
  "records.trim.remove",
  "records.trim.sync-directory",
  "records.read.open",
  "records.read",
  "records.read.sync",
] as const

/** One of them. */
export type RecordLogStep = (typeof RECORD_LOG_STEPS)[number]

/** Holds a step's name to the list. */
export function step(name: RecordLogStep): RecordLogStep {
  return name
}

const HINT =
  'The disk or somebody changed the file. Restore it from a copy; or read around it with onDamage: "gap", which says what is missing.'

/** The log that programs open themselves. */
export const RECORD_LOG: LogKind = {
  format: { magic: "TIDELOG\n", version: 1 },
  stepOf: (call) => step(`records.${call}`),
  corrupt: (path, position, what) =>
    new TidemarkError("log-corrupt", `${path} is damaged at byte ${position}: ${what}.`, { hint: HINT }),
  vanished: (path) => new TidemarkError("log-corrupt", `The log's segment ${path} has vanished.`, { hint: HINT }),
  newer: (path, version) =>
    new TidemarkError(
      "log-newer-format",
      `${path} has format version ${version}; this Tidemark reads up to ${RECORD_LOG.format.version}.`,
      { hint: "Open the log with the newer Tidemark that has written it." },
    ),
  fenced: (path) =>
    new TidemarkError("log-fenced", `Another process has taken over the log (${path}).`, {
      hint: "Only one process may append to a log. What this one was told is durable stays; open the log again to go on.",
    }),
}
