/**
 * What a person sees while a job runs: the job's status as text. Drawing it on a terminal is `terminal.ts`'s business.
 *
 * Invariant:
 * - CP1 Text depends only on the samples given: no clock is read here.
 */
import type { Colors } from "picocolors/types.js"
import { counted, grouped, plural } from "../base/counted.ts"
import type { JobStatus } from "../runtime/status.ts"
import type { TimeShare } from "../runtime/time-use.ts"
import { printable } from "./printable.ts"
import { spanText, timeText } from "./time-text.ts"

/** A status at a moment of the display's own clock. */
export interface Sample {
  readonly atMillis: number
  readonly status: JobStatus
}

/** What has happened between two samples, a second. */
export interface Rates {
  readonly rowsIn: number
  readonly rowsOut: number
  readonly input: number
}

/** Rates over the samples given, oldest first. */
export function ratesOf(samples: readonly Sample[]): Rates {
  const first = samples[0]
  const last = samples.at(-1)
  if (first === undefined || last === undefined || last.atMillis === first.atMillis) {
    return { rowsIn: 0, rowsOut: 0, input: 0 }
  }
  const seconds = (last.atMillis - first.atMillis) / 1000
  return {
    rowsIn: (last.status.rowsIn - first.status.rowsIn) / seconds,
    rowsOut: (totalOut(last.status) - totalOut(first.status)) / seconds,
    input: (last.status.inputRead - first.status.inputRead) / seconds,
  }
}

/** The lines of the live display. */
export function liveLines(sample: Sample, rates: Rates, elapsedMillis: number, colors: Colors): string[] {
  const { status } = sample
  const { bold, dim, yellow } = colors
  const counts = Object.entries(status.rowsOut).map(([name, rows]) => `${name} ${bold(grouped(rows))}`)
  const open = `${counted(status.openWindows, "window")} open`
  const flying = status.rowsInFlight === 0 ? "" : ` · ${grouped(status.rowsInFlight)} wait for calls`
  const bad = `${grouped(status.badRecords)} bad · ${grouped(status.lateRows)} late · ${open}${flying}`
  const rows = plural(status.rowsIn, "row")
  const cause = backPressure(status)
  return [
    `${bold(status.job)}  epoch ${status.epoch}  ${dim(clock(elapsedMillis))}`,
    `  ${dim("in  ")}  ${bold(grouped(status.rowsIn))} ${rows}  ${perSecond(rates.rowsIn)}  ${inputLine(status, rates)}`,
    `  ${dim("out ")}  ${counts.join(" · ")}  ${perSecond(rates.rowsOut)}`,
    `  ${dim("time")}  ${timeLine(status)}`,
    `  ${dim("note")}  ${status.badRecords + status.lateRows > 0 ? yellow(bad) : dim(bad)}`,
    ...(cause === undefined ? [] : [`  ${dim("slow")}  ${yellow(cause)}`]),
    ...quiet(status).map((line) => `  ${dim("wait")}  ${yellow(line)}`),
  ]
}

/** One line of plain text, for logs. */
export function plainLine(sample: Sample, rates: Rates): string {
  const { status } = sample
  const out = Object.entries(status.rowsOut).map(([name, rows]) => `${name}=${rows}`)
  const parts = [
    `${status.job}: epoch ${status.epoch}`,
    `in ${status.rowsIn} (${Math.round(rates.rowsIn)}/s)`,
    `out ${out.join(" ")}`,
    timeLine(status),
    `${counted(status.openWindows, "window")} open`,
    ...(status.rowsInFlight === 0 ? [] : [`${status.rowsInFlight} wait for calls`]),
    `late ${status.lateRows}`,
    `bad ${status.badRecords}`,
  ]
  const left = remainingSeconds(status, rates)
  if (status.inputTotal !== undefined) parts.push(`read ${percent(status)}`)
  if (left !== undefined) parts.push(`ETA ${seconds(left)}`)
  const cause = backPressure(status)
  if (cause !== undefined) parts.push(cause)
  return [...parts, ...quiet(status)].join(", ")
}

/** Partitions for which the watermark does not wait, those that wait for others, and outputs whose target is away: the first of each. */
function quiet(status: JobStatus): string[] {
  const { idlePartitions, pausedPartitions, waitingOutputs } = status
  const namesOf = (partitions: readonly NamedPartition[]): string => partitionNames(partitions, status)
  const [idle] = idlePartitions
  const [paused] = pausedPartitions
  const [waiting] = waitingOutputs
  return [
    ...(idle === undefined ? [] : [`${namesOf(idlePartitions)} idle since ${timeText(idle.sinceMicros)}`]),
    ...(paused === undefined ? [] : [`${namesOf(pausedPartitions)} ahead of the slowest, not read`]),
    ...(waiting === undefined
      ? []
      : [printable(`the output ${waiting.output} waits for its target: ${waiting.reason}`)]),
  ]
}

interface NamedPartition {
  readonly input: string
  readonly partition: string
}

function partitionNames(partitions: readonly NamedPartition[], { rowsInByInput }: JobStatus): string {
  const hasSeveral = Object.keys(rowsInByInput).length > 1
  const names = partitions.map(({ input, partition }) => (hasSeveral ? `${partition} of ${input}` : partition))
  const [first, ...others] = [...new Set(names)]
  return others.length === 0 ? first! : `${first} and ${counted(others.length, "other")}`
}

/** What holds a job back, where it is not its own work: a sink, the log or calls, for which reading waits most of the time. */
function backPressure({ timeShares }: JobStatus): string | undefined {
  const [most] = timeShares
  if (most === undefined || most.share < 0.5 || most.on === "input" || most.on === "compute") return undefined
  return `waits for ${awaited(most)} ${Math.round(most.share * 100)} % of the time`
}

function awaited({ on, name }: TimeShare): string {
  if (on === "log") return "the disk of the state directory"
  return on === "calls" ? `the calls of ${name}` : `the output ${name}`
}

function inputLine(status: JobStatus, rates: Rates): string {
  if (status.inputTotal === undefined || status.inputTotal === 0) return ""
  const left = remainingSeconds(status, rates)
  return `${bar(status.inputRead / status.inputTotal)} ${percent(status)}${left === undefined ? "" : `  ETA ${seconds(left)}`}`
}

function timeLine(status: JobStatus): string {
  const { eventTimes, maxEventTimeMicros, watermarkMicros } = status
  if (eventTimes.length === 0) return "no event time"
  if (maxEventTimeMicros === undefined) return "event time: none yet"
  const seen = timeText(maxEventTimeMicros)
  if (watermarkMicros === undefined || !Number.isFinite(watermarkMicros)) return `event time ${seen}, no watermark yet`
  const lag = Math.max(0, maxEventTimeMicros - watermarkMicros)
  return `event time ${seen}, watermark ${timeText(watermarkMicros)} (lag ${spanText(lag)})`
}

function remainingSeconds({ inputRead, inputTotal }: JobStatus, { input }: Rates): number | undefined {
  return inputTotal === undefined || input <= 0 || inputRead >= inputTotal
    ? undefined
    : (inputTotal - inputRead) / input
}

function totalOut(status: JobStatus): number {
  return Object.values(status.rowsOut).reduce((sum, rows) => sum + rows, 0)
}

function bar(share: number): string {
  const width = 20
  const full = Math.round(Math.min(1, Math.max(0, share)) * width)
  return "█".repeat(full) + "░".repeat(width - full)
}

function percent({ inputRead, inputTotal }: JobStatus): string {
  return `${Math.floor((100 * inputRead) / Math.max(1, inputTotal ?? 1))} %`
}

function perSecond(rate: number): string {
  return `${grouped(Math.round(rate))}/s`
}

function seconds(value: number): string {
  return value < 90 ? `${Math.ceil(value)} s` : `${Math.ceil(value / 60)} min`
}

function clock(millis: number): string {
  const total = Math.floor(millis / 1000)
  return `${String(Math.floor(total / 60)).padStart(2, "0")}:${String(total % 60).padStart(2, "0")}`
}
