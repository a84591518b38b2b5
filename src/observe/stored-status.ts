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
import { DEAD_LETTER_OUTPUT, type RunOperator, type RunRecord } from "../state/commit-record.ts"
import { RecoveryFold, type RecoveredState, type SeenEpoch } from "../state/recovery-fold.ts"
import { keptBytes } from "../state/written-changes.ts"

/** The partition that holds a watermark. */
export interface StoredHold {
  readonly input: string
  readonly partition: string
  /** In µs; `undefined` before its first record. */
  readonly watermarkMicros: number | undefined
  /** How far it is behind the partition that has come furthest, in µs of event time, of all event times that meet this one. */
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
}

/** What waits for a watermark, for the clock, or for answers. */
export interface StoredOperator {
  readonly id: string
  /** `"process"` stands for the generic operator, too. */
  readonly kind: "window" | "process" | "asyncMap"
  /** The ids of the event times at the bottom, for whose watermarks it waits: the least of them. */
  readonly eventTimes: readonly string[]
  readonly lateRows: number
  readonly openWindows: number
  /** The watermark at which the next window fires, or the next timer, in µs; `undefined` where nothing waits. */
  readonly nextDueMicros: number | undefined
  /** Of a `process`: how many keys have something, and how many timers are set; `undefined` in what older versions have written. */
  readonly keys: number | undefined
  readonly timers: number | undefined
  /** How many bytes of them were not in memory. */
  readonly spilledBytes: number | undefined
  /** Of an `asyncMap`: rows that wait for the answer to their call. */
  readonly rowsInFlight: number | undefined
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
  readonly pausedPartitions: readonly StoredPause[]
  readonly operators: readonly StoredOperator[]
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
    return new RecoveryFold(log, { onEpoch: (epoch, isSnapshot) => stamp(stamps, epoch, isSnapshot) })
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
function stamp(stamps: Map<string, Stamp[]>, { epoch, wallMicros, operators }: SeenEpoch, isSnapshot: boolean): void {
  if (isSnapshot || epoch === 1) stamps.clear()
  for (const id of operators) {
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
  const operators = run.operators.flatMap((operator) => operatorOf(operator, run, counters))
  const eventTimes = run.operators.filter(isEventTime).map((operator) => {
    return openEventTime(operator, state, stamps.get(operator.id) ?? [])
  })
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
    lateRows: sum(operators.map(({ lateRows }) => lateRows)),
    openWindows: sum(operators.map(({ openWindows }) => openWindows)),
    eventTimes: eventTimes.map((eventTime) => {
      const meeting = operators.filter((operator) => operator.eventTimes.includes(eventTime.operator.id))
      const met = new Set([eventTime.operator.id, ...meeting.flatMap((operator) => operator.eventTimes)])
      const furthest = Math.max(...eventTimes.filter(({ operator }) => met.has(operator.id)).map(furthestOf))
      return eventTimeOf(eventTime, state, furthest)
    }),
    pausedPartitions: pausedOf(eventTimes, state),
    operators,
  }
}

/** What a person would ask of an operator; nothing of those that only tell the time. */
function operatorOf(operator: RunOperator, run: RunRecord, counters: ReadonlyMap<string, number>): StoredOperator[] {
  const { id, follows, signature } = operator
  if (isEventTime(operator) || signature.startsWith("processingTime/")) return []
  const kind = /^(process|operator)\//.test(signature)
    ? "process"
    : signature.startsWith("asyncMap/")
      ? "asyncMap"
      : "window"
  const due = counters.get(`due.${id}`) ?? 0
  return [
    {
      id,
      kind,
      eventTimes: [...new Set(bottomsOf(follows, run))],
      lateRows: counters.get(`late.${id}`) ?? 0,
      openWindows: counters.get(`open.${id}`) ?? 0,
      nextDueMicros: due === 0 ? undefined : due,
      keys: counters.get(`keys.${id}`),
      timers: counters.get(`timers.${id}`),
      spilledBytes: counters.get(`spilled.${id}`),
      rowsInFlight: counters.get(`held.${id}`),
    },
  ]
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

/** An event time as its state has it. */
interface OpenEventTime {
  readonly operator: RunOperator
  readonly watermark: number
  readonly maxEventTime: number
  /** The partitions that have not ended. */
  readonly open: ReadonlyMap<number, PartitionHold>
}

function openEventTime(operator: RunOperator, state: RecoveredState, stamps: readonly Stamp[]): OpenEventTime {
  const { id } = operator
  let watermark = -Infinity
  let maxEventTime = -Infinity
  const open = new Map<number, PartitionHold>()
  for (const [index, bytes] of (state.operators.get(id) ?? []).map(keptBytes).entries()) {
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
  return { operator, watermark, maxEventTime, open }
}

/** How far it would be if only the partition counted that has come furthest, ended ones included. */
function furthestOf({ operator, watermark, maxEventTime, open }: OpenEventTime): number {
  const { outOfOrderMicros } = operator
  // Where a function gives watermarks, only they say how far a partition is.
  return outOfOrderMicros === undefined
    ? Math.max(watermark, ...[...open.values()].map((hold) => hold.watermark))
    : Math.max(watermark, maxEventTime - outOfOrderMicros - 1)
}

function eventTimeOf(eventTime: OpenEventTime, state: RecoveredState, furthest: number): StoredEventTime {
  const { operator, watermark, maxEventTime, open } = eventTime
  return {
    id: operator.id,
    watermarkMicros: finite(watermark),
    maxEventTimeMicros: finite(maxEventTime),
    outOfOrderMicros: operator.outOfOrderMicros,
    openPartitions: open.size,
    holdingBack: holdOf(
      [...open].filter(([, { idleSince }]) => idleSince === undefined),
      state,
      furthest,
    ),
    idlePartitions: [...open].flatMap(([index, { idleSince }]) => {
      return idleSince === undefined ? [] : [{ ...placeOf(index, state), sinceMicros: idleSince }]
    }),
  }
}

/** Where a partition stands among those of all event times. */
interface Standing {
  readonly watermark: number
  readonly maxDriftMicros: number
  readonly isIdle: boolean
}

/** T14: the partitions that are further ahead of the slowest, of whatever event time, than they may be. */
function pausedOf(eventTimes: readonly OpenEventTime[], state: RecoveredState): StoredPause[] {
  const standings = new Map<number, Standing>()
  for (const { operator, open } of eventTimes) {
    for (const [index, { watermark, idleSince }] of open) {
      const before = standings.get(index)
      standings.set(index, {
        watermark: Math.min(watermark, before?.watermark ?? Infinity),
        maxDriftMicros: Math.min(operator.maxDriftMicros ?? Infinity, before?.maxDriftMicros ?? Infinity),
        isIdle: idleSince !== undefined && (before?.isIdle ?? true),
      })
    }
  }
  const awake = [...standings].filter(([, { isIdle }]) => !isIdle)
  const least = Math.min(...awake.map(([, { watermark }]) => watermark))
  return awake.flatMap(([index, { watermark, maxDriftMicros }]) => {
    const ahead = watermark - least
    if (!(ahead > maxDriftMicros)) return []
    return [{ ...placeOf(index, state), aheadMicros: finite(ahead) }]
  })
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
  const least = Math.min(...awake.map(([, { watermark }]) => watermark))
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
