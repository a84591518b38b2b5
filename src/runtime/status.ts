/** What a job tells of itself while it runs, and how it ended. */
import type { TimeShare } from "./time-use.ts"

/**
 * A job at a moment. Counts of rows are over the life of the job, restarts included.
 *
 * @example
 * ```ts
 * import type { JobStatus } from "tidemark"
 *
 * function lagSeconds({ maxEventTimeMicros, watermarkMicros }: JobStatus): number | undefined {
 *   if (maxEventTimeMicros === undefined || watermarkMicros === undefined) return undefined
 *   return (maxEventTimeMicros - watermarkMicros) / 1_000_000
 * }
 * ```
 */
export interface JobStatus {
  /** The job's name. */
  readonly job: string
  readonly state: "running" | "finished" | "stopped" | "failed"
  /** The last committed epoch. */
  readonly epoch: number
  /** Records read over the life of the job, good and bad. */
  readonly rowsIn: number
  /** Rows written to each output over the life of the job, the open epoch included. */
  readonly rowsOut: Readonly<Record<string, number>>
  /** Rows that came too late for all their windows. */
  readonly lateRows: number
  /** Records that could not be read, and rows whose lambda failed. */
  readonly badRecords: number
  /** The watermark in µs, or `undefined` before the first. */
  readonly watermarkMicros: number | undefined
  /** The latest event time seen, in µs. */
  readonly maxEventTimeMicros: number | undefined
  /** Windows that wait for the watermark. */
  readonly openWindows: number
  /** How much of the input was read, in the unit of offsets (files: bytes), and of how much where that is known. */
  readonly inputRead: number
  readonly inputTotal: number | undefined
  /**
   * What the job has spent its time on of late, the greatest share first. An output, or the log, with nearly all of it is what
   * holds the job back: reading waits for it.
   */
  readonly timeShares: readonly TimeShare[]
  /** How long the last commit took, in µs. */
  readonly lastCommitMicros: number
  /** Bytes of columns in use and at their peak. */
  readonly arenaUsedBytes: number
  readonly arenaPeakBytes: number
}

/**
 * How a job ended.
 *
 * @example
 * ```ts
 * import type { JobResult } from "tidemark"
 *
 * const summary = ({ outcome, status }: JobResult): string => `${outcome} after epoch ${status.epoch}`
 * ```
 */
export interface JobResult {
  /** `"finished"`: all inputs were read to their end. `"stopped"`: somebody asked it to stop. */
  readonly outcome: "finished" | "stopped"
  /** Whether there was nothing to do: an earlier run had finished, and nothing new has come. */
  readonly isNothingNew: boolean
  readonly status: JobStatus
}
