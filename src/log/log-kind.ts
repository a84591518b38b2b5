/**
 * The kinds of logs that there are: what lies in their segments is told apart by the first bytes, and what goes wrong with them is
 * told to different people. The log of a job's commits is one (`COMMIT_LOG`), the log that programs open themselves another
 * (`records/record-log-kind.ts`).
 */
import { TidemarkError } from "../base/errors.ts"
import type { StepName } from "../env/env.ts"
import type { SegmentFormat } from "./record.ts"
import { step } from "./steps.ts"

/** What records are made durable together with their segment for. */
export type SegmentPurpose = "open" | "roll"

/** The calls of the disk that all kinds of logs make. */
export type SegmentStep =
  | "fence.create"
  | "fence.sync-directory"
  | "recover.read"
  | "trim.remove"
  | "trim.sync-directory"
  | `${SegmentPurpose}.${"create" | "write" | "sync" | "rename" | "sync-directory"}`

/** What is particular to a kind of log. */
export interface LogKind {
  readonly format: SegmentFormat
  /** The protocol step of a call. */
  stepOf(call: SegmentStep): StepName
  corrupt(path: string, position: number, what: string): TidemarkError
  vanished(path: string): TidemarkError
  newer(path: string, version: number): TidemarkError
  fenced(path: string): TidemarkError
}

/** The log of a job's commits. */
export const COMMIT_LOG: LogKind = {
  format: { magic: "TIDEWAL\n", version: 1 },
  stepOf: (call) => step(`log.${call}`),
  corrupt: (path, position, what) =>
    new TidemarkError("state-corrupt", `${path} is damaged at byte ${position}: ${what}.`, {
      hint: "The disk or somebody changed the file. Restore it from a copy, or start anew with --reset.",
    }),
  vanished: (path) => new TidemarkError("state-corrupt", `The log's segment ${path} has vanished.`),
  newer: (path, version) =>
    new TidemarkError(
      "state-newer-format",
      `${path} has format version ${version}; this Tidemark reads up to ${COMMIT_LOG.format.version}.`,
      { hint: "Run the job with the newer Tidemark, or start anew with --reset." },
    ),
  fenced: (path) =>
    new TidemarkError("state-fenced", `Another process has taken over the log (${path}).`, {
      hint: "Only one process may run a job on a directory. This one has stopped; nothing it had not committed counts.",
    }),
}
