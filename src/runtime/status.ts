/** What a job tells of itself while it runs, and how it ended. */
import type { TimeShare } from "./time-use.ts"

/**
 * What the watermark of an event time waits for: the open partition that is the least far. Windows that do not fire wait for
 * records of it, or for its end.
 *
 * @example
 * ```ts
 * import { formatTimestamp, type HoldingBack } from "tidemark"
 *
 * function why({ input, partition, watermarkMicros, behindMicros = 0 }: HoldingBack): string {
 *   if (watermarkMicros === undefined) return `${partition} of ${input} has brought no record yet`
 *   return `${partition} of ${input} is ${behindMicros / 60_000_000} min behind`
 * }
 * ```
 */
export interface HoldingBack {
  /** The id of the `eventTime`. */
  readonly eventTime: string
  readonly input: string
  /** For files, the path. */
  readonly partition: string
  /** Its watermark in µs, or `undefined` before its first record. */
  readonly watermarkMicros: number | undefined
  /**
   * How far it is behind the partition that has come furthest, in µs of event time, of all event times that meet this one in an
   * operator (two streams that are joined have one each); `undefined` before its first record.
   */
  readonly behindMicros: number | undefined
  /** How many other open partitions are just as far. */
  readonly others: number
  /** When its last record was read, by the clock; `undefined` where this run has read none. */
  readonly lastReadMicros: number | undefined
}

/**
 * How far an event time is. A job has one for each `eventTime` in it.
 *
 * @example
 * ```ts
 * import type { EventTimeStatus, JobStatus } from "tidemark"
 *
 * const lagMicros = ({ watermarkMicros = NaN, maxEventTimeMicros = NaN }: EventTimeStatus): number =>
 *   maxEventTimeMicros - watermarkMicros
 *
 * const lags = ({ eventTimes }: JobStatus): string[] =>
 *   eventTimes.filter(({ isActive }) => isActive).map((each) => `${each.id} lags by ${lagMicros(each)} µs`)
 * ```
 */
export interface EventTimeStatus {
  /** The id of the `eventTime`. */
  readonly id: string
  /** In µs, or `undefined` before the first. */
  readonly watermarkMicros: number | undefined
  /** The latest seen, in µs. */
  readonly maxEventTimeMicros: number | undefined
  /** Whether what meets others waits for it, too: not where all its partitions have ended, or are idle. */
  readonly isActive: boolean
}

/**
 * A partition for which an event time does not wait, as there is nothing to read of it: see `idleAfter`.
 *
 * @example
 * ```ts
 * import type { IdlePartition } from "tidemark"
 *
 * const silence = ({ input, partition, sinceMicros }: IdlePartition, nowMicros: number): string =>
 *   `${partition} of ${input} has been silent for ${(nowMicros - sinceMicros) / 1_000_000} s`
 * ```
 */
export interface IdlePartition {
  /** The id of the `eventTime`. */
  readonly eventTime: string
  readonly input: string
  readonly partition: string
  /** Since when there has been nothing to read of it, by the clock, in µs. */
  readonly sinceMicros: number
}

/**
 * A partition that is not read until others have caught up, as it is further ahead of the slowest than `maxDrift` lets it be.
 *
 * @example
 * ```ts
 * import type { PausedPartition } from "tidemark"
 *
 * const pause = ({ input, partition, aheadMicros = Infinity }: PausedPartition): string =>
 *   `${partition} of ${input} is ${aheadMicros / 1_000_000} s ahead, and waits`
 * ```
 */
export interface PausedPartition {
  readonly input: string
  readonly partition: string
  /** How far its watermark is ahead of the slowest partition's, in µs of event time; `undefined` where that has none yet. */
  readonly aheadMicros: number | undefined
}

/**
 * An output whose target cannot be reached: the job waits for it, and reads no further.
 *
 * @example
 * ```ts
 * import type { JobStatus, WaitingOutput } from "tidemark"
 *
 * const alarm = ({ output, reason }: WaitingOutput): string => `${output} waits: ${reason}`
 * const alarms = ({ waitingOutputs }: JobStatus): string[] => waitingOutputs.map(alarm)
 * ```
 */
export interface WaitingOutput {
  readonly output: string
  /** Why, as its target or the way to it says: `connect ECONNREFUSED 127.0.0.1:5432`. */
  readonly reason: string
}

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
  /** The same by input. Those read before a version that counts so are among none. */
  readonly rowsInByInput: Readonly<Record<string, number>>
  /** Rows written to each output over the life of the job, the open epoch included. */
  readonly rowsOut: Readonly<Record<string, number>>
  /** Rows that came too late for all their windows. */
  readonly lateRows: number
  /** Records that could not be read, and rows whose lambda failed. */
  readonly badRecords: number
  /** How often an input has said that records may have been lost, which only what cannot be read again does: cut files, ended commands. */
  readonly inputGaps: number
  /**
   * The watermark in µs, or `undefined` before the first. Where there are several event times, the least of those that are active: it
   * goes back where one that is behind becomes active again whose rows meet no other's.
   */
  readonly watermarkMicros: number | undefined
  /** The latest event time seen, in µs. */
  readonly maxEventTimeMicros: number | undefined
  /** In the order of the plan. */
  readonly eventTimes: readonly EventTimeStatus[]
  /** Windows that wait for the watermark. */
  readonly openWindows: number
  /** By event time, in the order of the plan, what its watermark waits for. Nothing of one whose partitions have all ended, or are idle. */
  readonly holdingBack: readonly HoldingBack[]
  /** The partitions that are idle, by event time. */
  readonly idlePartitions: readonly IdlePartition[]
  /** The partitions that are not read until others have caught up. */
  readonly pausedPartitions: readonly PausedPartition[]
  /** The outputs that wait for their target. */
  readonly waitingOutputs: readonly WaitingOutput[]
  /** Rows that wait for the answer to their call, in all `asyncMap`s. */
  readonly rowsInFlight: number
  /** How much of the input was read, in the unit of offsets (files: bytes), and of how much where that is known. */
  readonly inputRead: number
  readonly inputTotal: number | undefined
  /**
   * What the job has spent its time on of late, the greatest share first. An output, the log, or calls, with nearly all of it is
   * what holds the job back: reading waits for it.
   */
  readonly timeShares: readonly TimeShare[]
  /** How long the last commit took, in µs. */
  readonly lastCommitMicros: number
  /** Bytes of columns in use and at their peak. */
  readonly arenaUsedBytes: number
  readonly arenaPeakBytes: number
  /** Bytes of keys of `process` and their values that memory has no room for: they are in a file of the job's directory. */
  readonly spilledBytes: number
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
