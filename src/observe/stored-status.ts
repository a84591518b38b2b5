/**
 * How far a job is, by what its directory says: the log is read, and nothing there is touched, so that it may be looked at
 * while a process runs the job. What is told is what a run that began now would go on from.
 *
 * Invariants:
 * - SV1 It agrees with what the job tells of itself when it has just committed.
 * - SV2 Since when a partition has held a watermark is told to be at least so long where the log no longer shows the rise.
 */
import { ByteReader } from "../base/bytes.ts"
import { TidemarkError } from "../base/errors.ts"
import type { Disk } from "../env/env.ts"
import { readEventTimeChanges, type EventTimeChanges, type OpenPartition } from "../flow/operators/event-time-state.ts"
import { readLog } from "../log/log-reader.ts"
import { DEAD_LETTER_OUTPUT, type EpochRecord, type RunOperator, type RunRecord } from "../state/commit-record.ts"
import { RecoveryFold, type RecoveredState } from "../state/recovery-fold.ts"

/** The partition that holds a watermark. */
export interface StoredHold {
  readonly input: string
  readonly partition: string
  /** In µs; `undefined` before its first record. */
  readonly watermarkMicros: number | undefined
  /** How far it is behind the partition that has come furthest, in µs of event time. */
  readonly behindMicros: number | undefined
  /** How many other open partitions are just as far. */
  readonly others: number
  /** The epoch in which its watermark rose last, or in which it appeared, and when that was committed, by the clock. */
  readonly sinceEpoch: number
  readonly sinceMicros: number
  /** Whether it may have held it for longer: older epochs are gone from the log (SV2). */
  readonly isAtLeast: boolean
}

/** A partition for which an event time does not wait. */
export interface StoredIdle {
  readonly input: string
  readonly partition: string
  /** Since when there was nothing to read of it, by the clock, in µs. */
  readonly sinceMicros: number
}

/** A partition that is not read until others have caught up. */
export interface StoredPause {
  readonly input: string
  readonly partition: string
  /** How far it is ahead of the slowest, in µs of event time; `undefined` where that has no watermark yet. */
  readonly aheadMicros: number | undefined
}

/** An event time of a job. */
export interface StoredEventTime {
  readonly id: string
  /** In µs; `undefined` before the first. */
  readonly watermarkMicros: number | undefined
  readonly maxEventTimeMicros: number | undefined
  /** `undefined` in what older versions have written. */
  readonly outOfOrderMicros: number | undefined
  readonly openPartitions: number
  /** `undefined` where no partition is open that is not idle. */
  readonly holdingBack: StoredHold | undefined
  readonly idlePartitions: readonly StoredIdle[]
  readonly pausedPartitions: readonly StoredPause[]
}

/** What waits for a watermark. */
export interface StoredWindow {
  readonly id: string
  /** The ids of the event times at the bottom, for whose watermarks it waits. */
  readonly eventTimes: readonly string[]
  readonly lateRows: number
  readonly openWindows: number
  /** The watermark at which the next one fires, in µs; `undefined` where none is open. */
  readonly nextDueMicros: number | undefined
}

/** See the head of this file. Counts are over the life of the job. */
export interface StoredStatus {
  readonly job: string
  /** The last committed epoch, and when that was, by the clock. */
  readonly epoch: number
  readonly committedMicros: number | undefined
  /** Whether the job had come to the end of its inputs and had fired everything. */
  readonly hasFinished: boolean
  readonly rowsIn: number
  readonly inputs: readonly {
    readonly name: string
    readonly rows: number | undefined
    readonly openPartitions: number
    readonly endedPartitions: number
  }[]
  readonly outputs: readonly { readonly name: string; readonly rows: number; readonly sink: string }[]
  readonly badRecords: number
  /** How often records of an input may have been lost. */
  readonly inputGaps: number
  /** Where those go. */
  readonly deadLetters: string | undefined
  readonly lateRows: number
  readonly openWindows: number
  readonly eventTimes: readonly StoredEventTime[]
  readonly windows: readonly StoredWindow[]
}

/**
 * What the directory of a job says; `undefined` where no job has run there.
 *
 * @throws TidemarkError `state-corrupt`, `state-newer-format`, `disk-failed`.
 */
export async function readStoredStatus(disk: Disk, directory: string): Promise<StoredStatus | undefined> {
  const log = `${directory}/log`
  let stamps = new Map<string, Stamp[]>()
  const fold = await readLog(disk, log, () => {
    stamps = new Map()
    return new RecoveryFold(log, (record, isSnapshot) => stamp(stamps, record, isSnapshot))
  })
  const state = fold.state()
  return state.run === undefined ? undefined : statusOf(state, state.run, stamps)
}

/** When an operator's state has changed. */
interface Stamp {
  readonly epoch: number
  readonly wallMicros: number
  /** Whether it is only known to have been so then. */
  readonly isSnapshot: boolean
}

/** Takes note of when the changes were written that the fold gathers: it begins anew with a snapshot, and after a reset. */
function stamp(stamps: Map<string, Stamp[]>, { epoch, wallMicros, operators }: EpochRecord, isSnapshot: boolean): void {
  if (isSnapshot || epoch === 1) stamps.clear()
  for (const id of operators.keys()) {
    const earlier = stamps.get(id) ?? []
    earlier.push({ epoch, wallMicros, isSnapshot })
    stamps.set(id, earlier)
  }
}

function statusOf(state: RecoveredState, run: RunRecord, stamps: ReadonlyMap<string, readonly Stamp[]>): StoredStatus {
  const { counters, partitions, epoch } = state
  const inputs = [...new Set([...partitions.values()].map(({ input }) => input))]
  const sinks = run.outputs.map(({ name, sink, described = sink }) => ({ name, sink: described }))
  const outputs = sinks.filter(({ name }) => name !== DEAD_LETTER_OUTPUT)
  const windows = run.operators
    .filter((operator) => !isEventTime(operator))
    .map((operator) => windowOf(operator, run, counters))
  const eventTimes = run.operators.filter(isEventTime)
  return {
    job: run.job,
    epoch,
    committedMicros: epoch === 0 ? undefined : state.wallMicros,
    hasFinished: state.finished,
    rowsIn: counters.get("rowsIn") ?? 0,
    inputs: inputs.map((name) => {
      const own = [...partitions.values()].filter(({ input }) => input === name)
      const openPartitions = own.filter(({ ended }) => !ended).length
      return {
        name,
        rows: counters.get(`rowsIn.${name}`),
        openPartitions,
        endedPartitions: own.length - openPartitions,
      }
    }),
    outputs: outputs.map(({ name, sink }) => ({ name, sink, rows: counters.get(`rows.${name}`) ?? 0 })),
    badRecords: counters.get("badRecords") ?? 0,
    inputGaps: counters.get("inputGaps") ?? 0,
    deadLetters: sinks.find(({ name }) => name === DEAD_LETTER_OUTPUT)?.sink,
    lateRows: sum(windows.map(({ lateRows }) => lateRows)),
    openWindows: sum(windows.map(({ openWindows }) => openWindows)),
    eventTimes: eventTimes.map((operator) => eventTimeOf(operator, state, stamps.get(operator.id) ?? [])),
    windows,
  }
}

function windowOf({ id, follows }: RunOperator, run: RunRecord, counters: ReadonlyMap<string, number>): StoredWindow {
  const openWindows = counters.get(`open.${id}`) ?? 0
  const due = counters.get(`due.${id}`) ?? 0
  return {
    id,
    eventTimes: [...new Set(bottomsOf(follows, run))],
    lateRows: counters.get(`late.${id}`) ?? 0,
    openWindows,
    nextDueMicros: openWindows === 0 || due === 0 ? undefined : due,
  }
}

/** The event times below an operator, through windows of windows. */
function bottomsOf(ids: readonly string[] = [], run: RunRecord): string[] {
  return run.operators
    .filter(({ id }) => ids.includes(id))
    .flatMap((operator) => (isEventTime(operator) ? [operator.id] : bottomsOf(operator.follows, run)))
}

/** A partition's watermark, and since when. */
interface PartitionHold extends OpenPartition {
  readonly since: Stamp
}

function eventTimeOf(operator: RunOperator, state: RecoveredState, stamps: readonly Stamp[]): StoredEventTime {
  const { id, outOfOrderMicros, maxDriftMicros = Infinity } = operator
  let watermark = -Infinity
  let maxEventTime = -Infinity
  const open = new Map<number, PartitionHold>()
  for (const [index, bytes] of (state.operators.get(id) ?? []).entries()) {
    if (bytes.length === 0) continue
    const changes = readChanges(id, bytes)
    watermark = changes.watermark
    maxEventTime = changes.maxEventTime
    for (const { partition, state: now } of changes.partitions) {
      if (now === undefined) open.delete(partition)
      else {
        const before = open.get(partition)
        open.set(partition, { ...now, since: before?.watermark === now.watermark ? before.since : stamps[index]! })
      }
    }
  }
  const awake = [...open].filter(([, { idleSince }]) => idleSince === undefined)
  // Where a function gives watermarks, only they say how far a partition is.
  const furthest =
    outOfOrderMicros === undefined
      ? Math.max(...[...open.values()].map((hold) => hold.watermark))
      : maxEventTime - outOfOrderMicros - 1
  return {
    id,
    watermarkMicros: finite(watermark),
    maxEventTimeMicros: finite(maxEventTime),
    outOfOrderMicros,
    openPartitions: open.size,
    holdingBack: holdOf(awake, state, Math.max(watermark, furthest)),
    idlePartitions: [...open].flatMap(([index, { idleSince }]) => {
      return idleSince === undefined ? [] : [{ ...placeOf(index, state), sinceMicros: idleSince }]
    }),
    pausedPartitions: awake.flatMap(([index, { watermark: own }]) => {
      const ahead = own - leastOf(awake)
      return ahead > maxDriftMicros ? [{ ...placeOf(index, state), aheadMicros: finite(ahead) }] : []
    }),
  }
}

function leastOf(partitions: readonly (readonly [number, PartitionHold])[]): number {
  return Math.min(...partitions.map(([, { watermark }]) => watermark))
}

function placeOf(index: number, state: RecoveredState): { readonly input: string; readonly partition: string } {
  const place = state.partitions.get(index)
  return { input: place?.input ?? "", partition: place?.id ?? "" }
}

function holdOf(
  awake: readonly (readonly [number, PartitionHold])[],
  state: RecoveredState,
  furthest: number,
): StoredHold | undefined {
  const least = leastOf(awake)
  const slowest = awake.filter(([, { watermark }]) => watermark === least)
  const [first] = slowest
  if (first === undefined) return undefined
  const [index, { since }] = first
  return {
    ...placeOf(index, state),
    watermarkMicros: finite(least),
    behindMicros: finite(furthest - least),
    others: slowest.length - 1,
    sinceEpoch: since.epoch,
    sinceMicros: since.wallMicros,
    isAtLeast: since.isSnapshot,
  }
}

function readChanges(id: string, bytes: Uint8Array): EventTimeChanges {
  try {
    return readEventTimeChanges(new ByteReader(bytes))
  } catch (cause) {
    throw new TidemarkError("state-corrupt", `The state of the operator ${id} cannot be read.`, {
      hint: "Restore the directory from a backup, or start anew with --reset.",
      cause,
    })
  }
}

function isEventTime({ signature }: RunOperator): boolean {
  return signature.startsWith("eventTime/1 ")
}

function finite(micros: number): number | undefined {
  return Number.isFinite(micros) ? micros : undefined
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0)
}
