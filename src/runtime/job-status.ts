/** The status of a running job, put together of what its parts know. */
import type { Arena } from "../batch/arena.ts"
import type { DataflowStatus, SlowestInput } from "../flow/dataflow-status.ts"
import { DEAD_LETTER_OUTPUT } from "../state/commit-record.ts"
import type { Inputs } from "./inputs.ts"
import type { JobCounters } from "./job-counters.ts"
import type { Outputs } from "./outputs.ts"
import type { HoldingBack, JobStatus } from "./status.ts"

/** What is asked for it. */
export interface JobParts extends Pick<
  JobStatus,
  "job" | "state" | "epoch" | "rowsInFlight" | "timeShares" | "lastCommitMicros"
> {
  readonly inputs: Inputs
  readonly outputs: Outputs
  readonly counters: JobCounters
  readonly flow: DataflowStatus
  readonly arena: Arena
}

/** See the head of this file. */
export function jobStatus({ inputs, outputs, counters, flow, arena, ...known }: JobParts): JobStatus {
  const { read, total } = inputs.progress()
  return {
    ...known,
    rowsIn: counters.rowsIn,
    rowsInByInput: counters.rowsInByInput,
    rowsOut: Object.fromEntries([...outputs.rows].filter(([name]) => name !== DEAD_LETTER_OUTPUT)),
    lateRows: flow.lateRows,
    badRecords: counters.badRecords,
    inputGaps: counters.inputGaps,
    watermarkMicros: flow.watermark,
    maxEventTimeMicros: flow.maxEventTime,
    eventTimes: flow.eventTimes.map(({ id, watermark, maxEventTime, isActive }) => {
      return { id, watermarkMicros: watermark, maxEventTimeMicros: maxEventTime, isActive }
    }),
    openWindows: flow.openWindows,
    holdingBack: flow.slowest.map((slowest) => holdingBack(slowest, inputs, counters)),
    idlePartitions: flow.idle.map(({ eventTime, partition, sinceMicros }) => {
      const { input, id } = inputs.place(partition)
      return { eventTime, input, partition: id, sinceMicros }
    }),
    pausedPartitions: inputs.paused(),
    waitingOutputs: outputs.waiting(),
    inputRead: read,
    inputTotal: total,
    arenaUsedBytes: arena.usedBytes,
    arenaPeakBytes: arena.peakBytes,
    spilledBytes: flow.operators.reduce((sum, { kept }) => sum + (kept?.spilledBytes ?? 0), 0),
  }
}

function holdingBack(
  { eventTime, partition, watermark, behind, others }: SlowestInput,
  inputs: Inputs,
  counters: JobCounters,
): HoldingBack {
  const { input, id } = inputs.place(partition)
  return {
    eventTime,
    input,
    partition: id,
    watermarkMicros: watermark,
    behindMicros: behind,
    others,
    lastReadMicros: counters.lastReadMicros(partition),
  }
}
