/** What a dataflow tells of itself at a moment. */
import type { PlanNode } from "./plan.ts"

/** What an operator has counted. */
export interface OperatorCounts {
  readonly id: string
  /** Rows since the dataflow was made. */
  readonly rowsIn: number
  readonly rowsOut: number
  /** Rows late for all their windows, over the life of the state. */
  readonly lateRows: number
}

/** An operator at a moment. */
export interface OperatorStatus extends OperatorCounts {
  readonly kind: PlanNode["kind"]
  /** Whether its results wait for the watermark. */
  readonly isTimed: boolean
  /** Rows that lay between windows and so counted nowhere, since the dataflow was made. */
  readonly rowsBetweenWindows: number
  /** In microseconds; `undefined` where the operator has none, or none yet. */
  readonly watermark: number | undefined
  /** The latest event time that an `eventTime` operator has seen, in microseconds. */
  readonly maxEventTime: number | undefined
  /** Windows that wait for the watermark. */
  readonly openWindows: number
  /** The watermark at which its next result is due, in microseconds; `undefined` where nothing waits. */
  readonly nextDue: number | undefined
  /** Rows that wait for the answer to their call. */
  readonly heldRows: number
  /** Of what the user's functions keep by key: how many keys have something, and how many timers are set. */
  readonly kept: KeptCounts | undefined
}

/** How much an operator keeps by key. */
export interface KeptCounts {
  readonly keys: number
  readonly timers: number
  /** How many bytes of them are not in memory. */
  readonly spilledBytes: number
}

/** How far an event time is. */
export interface EventTimeProgress {
  readonly id: string
  /** In microseconds; `undefined` before the first. */
  readonly watermark: number | undefined
  readonly maxEventTime: number | undefined
  /** Whether windows wait for it: not where all its partitions have ended, or are idle. */
  readonly isActive: boolean
}

/** What the watermark of an event time waits for. */
export interface SlowestInput {
  /** The id of the event time. */
  readonly eventTime: string
  /** The open partition with the least watermark, and that watermark: `undefined` before its first row. */
  readonly partition: number
  readonly watermark: number | undefined
  /**
   * How far it is behind the partition that has come furthest, ended ones included, of all event times that meet its own in an
   * operator; `undefined` where it has no watermark.
   */
  readonly behind: number | undefined
  /** How many other open partitions are as far. */
  readonly others: number
}

/** A partition for which an event time does not wait. */
export interface IdleInput {
  /** The id of the event time. */
  readonly eventTime: string
  readonly partition: number
  /** Since when there has been nothing to read of it, by the clock, in microseconds. */
  readonly sinceMicros: number
}

/** Where an open partition stands, for those who decide what is read next. */
export interface PartitionStanding {
  /** Whether its input has event times at all. */
  readonly isTimed: boolean
  /** The lowest of its watermarks, in microseconds; −∞ without event time, so that such inputs are read first. */
  readonly watermark: number
  /** Whether it is idle in all event times. */
  readonly isIdle: boolean
  /** Whether it is in any. */
  readonly isIdleAnywhere: boolean
  /** For how long there must be nothing to read of it until it is idle somewhere; +∞ where that never is, or already. */
  readonly idleAfterMicros: number
  /** How far it may be ahead of a partition for whose records one would have to wait; 0 where it is read in its turn only. */
  readonly maxDriftMicros: number
}

/** A dataflow at a moment. */
export interface DataflowStatus {
  /** Of all windows. */
  readonly lateRows: number
  /** The lowest of the active event times', or of all where none is, in microseconds; `undefined` before the first. */
  readonly watermark: number | undefined
  /** In microseconds. */
  readonly maxEventTime: number | undefined
  readonly openWindows: number
  /** In the order of the plan. */
  readonly operators: readonly OperatorStatus[]
  /** In the order of the plan. */
  readonly eventTimes: readonly EventTimeProgress[]
  /** Of each event time that has an open partition that is not idle, in the order of the plan. */
  readonly slowest: readonly SlowestInput[]
  /** By event time, in the order of the plan. */
  readonly idle: readonly IdleInput[]
}
