/**
 * What `tidemark status` shows a person: how far a job is, and why its windows have not fired.
 *
 * Invariant:
 * - SL1 Text depends only on what is given: no clock is read here.
 */
import type { Colors } from "picocolors/types.js"
import { counted, grouped, plural } from "../base/counted.ts"
import { formatDuration } from "../base/duration.ts"
import type { StoredEventTime, StoredHold, StoredIdle, StoredOperator, StoredStatus } from "../observe/stored-status.ts"
import { agoText, spanText, timeText } from "./time-text.ts"

/** What became of a job. */
export type StoredState = "running" | "finished" | "stopped"

/** A status to show. */
export interface ShownStatus {
  readonly state: StoredState
  readonly status: StoredStatus
  /** By the clock of the process that shows it. */
  readonly nowMicros: number
}

/** The lines of a status. */
export function statusLines(shown: ShownStatus, colors: Colors): string[] {
  const { status } = shown
  const late =
    status.lateRows > 0 ? [countLine("late", status.lateRows, "row", "too late for their windows", colors)] : []
  const { deadLetters = "the dead letters" } = status
  const bad = status.badRecords > 0 ? [countLine("bad", status.badRecords, "record", `in ${deadLetters}`, colors)] : []
  return [
    headLine(shown, colors),
    ...status.inputs.map(({ name, rows, openPartitions, endedPartitions }) => {
      const parts = [`${counted(openPartitions + endedPartitions, "partition")}`, `${grouped(openPartitions)} open`]
      return countLine("in", rows ?? status.rowsIn, "row", `${name}, ${parts.join(", ")}`, colors)
    }),
    ...status.outputs.map(({ name, rows, sink }) => countLine("out", rows, "row", `${name}, ${sink}`, colors)),
    ...late,
    ...bad,
    ...(status.inputGaps > 0
      ? [countLine("gaps", status.inputGaps, "gap", "in the inputs, where records may have been lost", colors)]
      : []),
    ...someLines(status.pausedPartitions, ({ aheadMicros, ...paused }) => {
      const ahead = aheadMicros === undefined ? "" : `${spanText(aheadMicros)} `
      return `${partitionText(paused, status)} is ${ahead}ahead of the slowest: it is read when that has caught up`
    }),
    ...status.eventTimes.flatMap((eventTime) => ["", ...eventTimeLines(eventTime, shown, colors)]),
    ...untimedLines(status),
  ]
}

/** Those that wait for no watermark, where they have something. */
function untimedLines({ operators }: StoredStatus): string[] {
  const untimed = operators.filter(({ eventTimes }) => eventTimes.length === 0)
  return untimed.length === 0 ? [] : ["", ...untimed.map((operator) => operatorText(operator, undefined))]
}

function headLine({ state, status, nowMicros }: ShownStatus, { bold, green, yellow, dim }: Colors): string {
  const words = { running: green("running"), finished: green("finished"), stopped: yellow("not running") }[state]
  const { epoch, committedMicros } = status
  if (committedMicros === undefined) return `${bold(status.job)}  ${words}, nothing is committed yet`
  const when = `${timeText(committedMicros)}, ${agoText(nowMicros - committedMicros)}`
  return `${bold(status.job)}  ${words}, epoch ${epoch} committed ${dim(when)}`
}

function countLine(label: string, count: number, what: string, where: string, { dim }: Colors): string {
  return `  ${dim(label.padEnd(4))} ${grouped(count).padStart(14)} ${plural(count, what).padEnd(7)}  ${dim(where)}`
}

/** An event time, who holds it, and the windows that wait for it. */
function eventTimeLines(eventTime: StoredEventTime, shown: ShownStatus, colors: Colors): string[] {
  const { id, watermarkMicros, maxEventTimeMicros } = eventTime
  const { bold, dim } = colors
  const head = `${bold(`event time ${id}`)}`
  const followers = shown.status.operators.filter(({ eventTimes }) => eventTimes.includes(id))
  const waiting = followers.filter((follower) => awaitedOf(follower, shown.status).includes(eventTime))
  const lines = [
    watermarkMicros === undefined
      ? `${head}  no watermark yet`
      : `${head}  watermark ${timeText(watermarkMicros)}${lagText(watermarkMicros, maxEventTimeMicros)}`,
    ...holdLines(eventTime, shown, colors),
    ...someLines(eventTime.idlePartitions, ({ sinceMicros, ...idle }) => {
      return `${partitionText(idle, shown.status)} is idle: nothing of it since ${timeText(sinceMicros)}, ${agoText(shown.nowMicros - sinceMicros)}`
    }),
  ]
  for (const follower of followers) {
    lines.push(
      `  ${waiting.includes(follower) ? operatorText(follower, watermarkMicros) : elsewhereText(follower, shown)}`,
    )
  }
  if (waiting.some(({ nextDueMicros }) => nextDueMicros !== undefined)) {
    lines.push(`  ${dim(adviceOf(eventTime, shown))}`)
  }
  return lines
}

/** T8: the event times that an operator waits for: of those that are not idle or at their end, or else of all, the least. */
function awaitedOf({ eventTimes }: StoredOperator, status: StoredStatus): StoredEventTime[] {
  const followed = status.eventTimes.filter(({ id }) => eventTimes.includes(id))
  const active = followed.filter(({ holdingBack }) => holdingBack !== undefined)
  const asked = active.length > 0 ? active : followed
  const least = Math.min(...asked.map(({ watermarkMicros = -Infinity }) => watermarkMicros))
  return asked.filter(({ watermarkMicros = -Infinity }) => watermarkMicros === least)
}

/** Of an operator that follows several event times, for those that it does not wait for. */
function elsewhereText(follower: StoredOperator, { status }: ShownStatus): string {
  const ids = awaitedOf(follower, status).map(({ id }) => id)
  return `${follower.id} waits for the event time ${ids.join(" and ")}, which it follows, too`
}

const SHOWN_MAX = 5

/** A line for each of the first, and how many more there are. */
function someLines<T>(all: readonly T[], lineOf: (each: T) => string): string[] {
  const lines = all.slice(0, SHOWN_MAX).map((each) => `  ${lineOf(each)}`)
  return all.length > SHOWN_MAX ? [...lines, `  and ${grouped(all.length - SHOWN_MAX)} more like it`] : lines
}

/** A partition by its name, which in a job with several inputs may be that of two. */
function partitionText(
  { input, partition }: Pick<StoredIdle, "input" | "partition">,
  { inputs }: StoredStatus,
): string {
  return inputs.length > 1 ? `${partition} of ${input}` : partition
}

function lagText(watermark: number, latest: number | undefined): string {
  return latest === undefined || latest <= watermark ? "" : `, ${spanText(latest - watermark)} behind the latest event`
}

function holdLines(eventTime: StoredEventTime, shown: ShownStatus, { yellow }: Colors): string[] {
  const { id, holdingBack, openPartitions, outOfOrderMicros } = eventTime
  if (holdingBack === undefined) {
    return [
      openPartitions === 0 ? "  no partition is open: all that was there is read" : "  all open partitions are idle",
    ]
  }
  const { watermarkMicros, behindMicros = 0, others } = holdingBack
  const partition = partitionText(holdingBack, shown.status)
  const isAlone = openPartitions - eventTime.idlePartitions.length === 1
  const also = others === 0 ? "" : `, and ${counted(others, "other")} with it`
  const since = sinceText(holdingBack, shown.nowMicros)
  if (watermarkMicros === undefined) {
    return [`  ${yellow(`${partition} holds it: no record of it has come yet`)}${also}${since}`]
  }
  const at = `${partition} holds it at ${timeText(watermarkMicros)}`
  if (behindMicros > 0) return [`  ${yellow(`${at}, ${spanText(behindMicros)} behind the furthest`)}${also}${since}`]
  const delay =
    outOfOrderMicros === undefined || outOfOrderMicros === 0 ? "" : ` less ${formatDuration(outOfOrderMicros)}`
  const whose = shown.status.eventTimes.length > 1 ? ` of ${id}` : ""
  const who = !isAlone
    ? "none is further"
    : openPartitions === 1
      ? `the only open partition${whose}`
      : "all others are idle"
  return [`  ${at}, its latest event${delay}; ${who}${since}`]
}

function sinceText({ sinceEpoch, sinceMicros, isAtLeast }: StoredHold, nowMicros: number): string {
  const since = `since epoch ${sinceEpoch}${isAtLeast ? " or before" : ""}`
  return `; ${since}, ${agoText(nowMicros - sinceMicros)}`
}

/** What waits in an operator, and for what. */
function operatorText(operator: StoredOperator, watermark: number | undefined): string {
  const { id, kind, nextDueMicros } = operator
  const what = `${id}: ${contentText(operator)}`
  if (nextDueMicros === undefined) return what
  const missing = watermark === undefined ? "" : `, ${spanText(nextDueMicros - watermark)} to go`
  // A window fires at its last moment, which is a microsecond before its end: its end is what people know it by.
  const due = kind === "window" ? nextDueMicros + 1 : nextDueMicros
  return `${what}; the next fires when the watermark has come to ${timeText(due)}${missing}`
}

function contentText({
  kind,
  openWindows,
  keys,
  timers = 0,
  spilledBytes = 0,
  rowsInFlight = 0,
}: StoredOperator): string {
  if (kind === "asyncMap") {
    return rowsInFlight === 0
      ? "no call is in flight"
      : `${counted(rowsInFlight, "row waits", "rows wait")} for the answer to their call`
  }
  if (kind === "process") {
    if (keys === undefined) return "its keys were not counted yet"
    const spilled = spilledBytes === 0 ? "" : `, ${counted(spilledBytes, "byte is", "bytes are")} spilled`
    return `${counted(keys, "key has", "keys have")} state${spilled}, ${counted(timers, "timer is", "timers are")} set`
  }
  return openWindows === 0 ? "no window is open" : `${counted(openWindows, "window is", "windows are")} open`
}

/** What makes the windows fire that wait. */
function adviceOf({ holdingBack }: StoredEventTime, { state, status }: ShownStatus): string {
  if (holdingBack === undefined) {
    return state === "running"
      ? "They fire when later records come, or when the job drains."
      : "They fire when later files come, or in a run without --no-drain."
  }
  const partition = partitionText(holdingBack, status)
  return state === "running"
    ? `They fire when later records of ${partition} come, or when it ends.`
    : `The job does not run. They fire when a run has read later records of ${partition}, or its end.`
}
