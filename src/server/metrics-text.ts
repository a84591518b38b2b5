/**
 * A job's status in the text format of Prometheus (https://prometheus.io/docs/instrumenting/exposition_formats/).
 *
 * Invariants:
 * - MT1 Each metric is told once, with its help and type before its samples; values of labels are escaped.
 * - MT2 What a job does not have (a watermark before the first record) is left out, and not told as 0.
 */
import type { JobStatus } from "../runtime/status.ts"
import type { CommitTimes } from "./commit-times.ts"

/** A value with what it is of. */
type Sample = readonly [labels: Readonly<Record<string, string>>, value: number | undefined]

/** The media type of the format. */
export const METRICS_MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

const MICROS = 1_000_000

/** The text of all metrics of a job. */
export function metricsText(status: JobStatus, commits: CommitTimes): string {
  const { job, maxEventTimeMicros, watermarkMicros } = status
  const lag =
    maxEventTimeMicros === undefined || watermarkMicros === undefined ? undefined : maxEventTimeMicros - watermarkMicros
  const one = (value: number | undefined): Sample[] => [[{}, value]]
  const by = (label: string, values: Readonly<Record<string, number>>): Sample[] =>
    Object.entries(values).map(([name, value]) => [{ [label]: name }, value])
  const family = (kind: "counter" | "gauge", name: string, help: string, samples: readonly Sample[]) =>
    familyText(kind, `tidemark_${name}`, help, job, samples)
  return [
    family("gauge", "up", "1 while the job runs.", one(status.state === "running" ? 1 : 0)),
    family("gauge", "epoch", "The last committed epoch.", one(status.epoch)),
    commitsText(job, commits),
    family("counter", "rows_in_total", "Records read, good and bad, by input.", by("input", status.rowsInByInput)),
    family("counter", "rows_out_total", "Rows written, by output.", by("output", status.rowsOut)),
    family("counter", "late_rows_total", "Rows too late for all their windows.", one(status.lateRows)),
    family(
      "counter",
      "bad_records_total",
      "Records that could not be read, and rows that failed.",
      one(status.badRecords),
    ),
    family("counter", "input_gaps_total", "How often records of an input may have been lost.", one(status.inputGaps)),
    family("gauge", "open_windows", "Windows that wait for the watermark.", one(status.openWindows)),
    family("gauge", "rows_in_flight", "Rows that wait for the answer of a call.", one(status.rowsInFlight)),
    family(
      "gauge",
      "watermark_seconds",
      "The least watermark that is waited for, in seconds since 1970.",
      one(seconds(watermarkMicros)),
    ),
    family("gauge", "watermark_lag_seconds", "How far the watermark is behind the latest event.", one(seconds(lag))),
    family(
      "gauge",
      "event_time_watermark_seconds",
      "The watermark of an event time, in seconds since 1970.",
      status.eventTimes.map(({ id, watermarkMicros: own }) => [{ event_time: id }, seconds(own)]),
    ),
    family(
      "gauge",
      "partition_behind_seconds",
      "How far the partition that holds an event time is behind the furthest of all that it meets.",
      status.holdingBack.map(({ eventTime, input, partition, behindMicros }) => [
        { event_time: eventTime, input, partition },
        seconds(behindMicros),
      ]),
    ),
    family("gauge", "idle_partitions", "Partitions no watermark waits for.", one(status.idlePartitions.length)),
    family("gauge", "paused_partitions", "Partitions that are too far ahead.", one(status.pausedPartitions.length)),
    family("gauge", "waiting_outputs", "Outputs whose target cannot be reached.", one(status.waitingOutputs.length)),
    family("gauge", "input_read", "How much was read, in the unit of offsets (files: bytes).", one(status.inputRead)),
    family("gauge", "input_total", "How much there is to read, where that is known.", one(status.inputTotal)),
    family("gauge", "arena_used_bytes", "Bytes of columns and of state in use.", one(status.arenaUsedBytes)),
    family("gauge", "arena_peak_bytes", "The most that was in use.", one(status.arenaPeakBytes)),
    family("gauge", "spilled_bytes", "Bytes of keys and their values that are on the disk.", one(status.spilledBytes)),
    family(
      "gauge",
      "time_share",
      "What the job has spent its time on of late, as shares of 1.",
      status.timeShares.map(({ on, name, share }) => [{ on, name: name ?? "" }, share]),
    ),
  ].join("")
}

function commitsText(job: string, { buckets, count, sumSeconds }: CommitTimes): string {
  const name = "tidemark_commit_seconds"
  const samples = buckets.map(([bound, below]) => `${name}_bucket${labelsText({ job, le: String(bound) })} ${below}\n`)
  return [
    `# HELP ${name} How long commits took, in this run.\n# TYPE ${name} histogram\n`,
    ...samples,
    `${name}_bucket${labelsText({ job, le: "+Inf" })} ${count}\n`,
    `${name}_sum${labelsText({ job })} ${sumSeconds}\n`,
    `${name}_count${labelsText({ job })} ${count}\n`,
  ].join("")
}

function familyText(kind: string, name: string, help: string, job: string, samples: readonly Sample[]): string {
  const lines = samples.flatMap(([labels, value]) =>
    value === undefined ? [] : [`${name}${labelsText({ job, ...labels })} ${value}\n`],
  )
  return lines.length === 0 ? "" : `# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n${lines.join("")}`
}

function labelsText(labels: Readonly<Record<string, string>>): string {
  const texts = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`)
  return `{${texts.join(",")}}`
}

function escaped(value: string): string {
  return value.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\n/g, "\\n")
}

function seconds(micros: number | undefined): number | undefined {
  return micros === undefined ? undefined : micros / MICROS
}
