/** `tidemark log cat|verify|trim DIR`: looks at the records of a log, checks them, and lets old ones go. */
import { resolve } from "node:path"
import { counted, grouped } from "../../base/counted.ts"
import { TidemarkError } from "../../base/errors.ts"
import { shownValue } from "../../base/shown-value.ts"
import { openLog, openLogReader } from "../../embedded/open-log.ts"
import type { LogReader } from "../../log/records/log.ts"
import type { LogEntry, LogGap, LogRecord, ReadLogOptions } from "../../log/records/log-entry.ts"
import { formatLsn, parseLsn, type Lsn } from "../../log/records/lsn.ts"
import { EXIT } from "../exit-codes.ts"
import { printable } from "../printable.ts"
import { errorText } from "../report.ts"

/** The options of `tidemark log cat`, as the command line gives them. */
export interface CatLogOptions {
  readonly from?: string
  readonly since?: string
  readonly until?: string
  readonly count?: string
  readonly follow?: boolean
  readonly aroundDamage?: boolean
  readonly json?: boolean
}

/** The options of `tidemark log trim`, as the command line gives them. */
export interface TrimLogOptions {
  readonly before?: string
  readonly olderThan?: string
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/** Runs `cat`; gives the exit code. */
export async function catLogCommand(directory: string, options: CatLogOptions): Promise<number> {
  return await telling(async () => {
    const countMax = options.count === undefined ? Infinity : countOf(options.count)
    const reader = await openLogReader(resolve(directory))
    let left = countMax
    for await (const entry of reader.read(await readOptions(reader, options))) {
      if (left === 0) break
      if (options.json === true) process.stdout.write(`${JSON.stringify(jsonOf(entry))}\n`)
      else if (entry.kind === "record") process.stdout.write(`${printable(textOf(entry))}\n`)
      else process.stderr.write(`${gapText(entry)}\n`)
      if (entry.kind === "record") left--
      if (left === 0) break
    }
    await reader.close()
    return EXIT.finished
  })
}

/** Runs `verify`; gives the exit code. */
export async function verifyLogCommand(directory: string): Promise<number> {
  return await telling(async () => {
    const reader = await openLogReader(resolve(directory))
    const seen = {
      records: 0,
      bytes: 0,
      gaps: [] as LogGap[],
      first: undefined as LogRecord | undefined,
      last: undefined as LogRecord | undefined,
    }
    for await (const entries of reader.readBatches({ onDamage: "gap" })) {
      for (const entry of entries) {
        if (entry.kind === "gap") seen.gaps.push(entry)
        else {
          seen.first ??= entry
          seen.last = entry
          seen.records++
          seen.bytes += entry.payload.length
        }
      }
    }
    const { first, last } = seen
    const span =
      first === undefined || last === undefined
        ? ""
        : `, from ${formatLsn(first.lsn)} of ${timeText(first)} to ${formatLsn(last.lsn)} of ${timeText(last)}`
    process.stdout.write(`${counted(seen.records, "record")}, ${grouped(seen.bytes)} bytes${span}\n`)
    const trimmed = await reader.trimmed()
    if (trimmed > 0n) process.stdout.write(`trimmed before ${formatLsn(trimmed)}\n`)
    if (await reader.isSealed()) process.stdout.write("sealed\n")
    const lost = seen.gaps.filter(({ reason }) => reason === "lost")
    for (const gap of lost) process.stdout.write(`${gapText(gap)}\n`)
    process.stdout.write(
      lost.length === 0 ? "no damage\n" : `${counted(lost.length, "damaged stretch", "damaged stretches")}\n`,
    )
    await reader.close()
    return lost.length === 0 ? EXIT.finished : EXIT.failed
  })
}

/** Runs `trim`; gives the exit code. */
export async function trimLogCommand(directory: string, options: TrimLogOptions): Promise<number> {
  return await telling(async () => {
    const { before, olderThan } = options
    if ((before === undefined) === (olderThan === undefined)) {
      throw new TidemarkError("invalid-options", "trim takes either --before or --older-than.", {
        hint: "For example --before 3:4096, or --older-than 2026-11-01T00:00:00Z.",
      })
    }
    // It must be there: opening makes a log.
    await (await openLogReader(resolve(directory))).close()
    const log = await openLog(resolve(directory))
    try {
      await log.trim(before === undefined ? await log.findTime(momentOf(olderThan!)) : parseLsn(before))
      process.stdout.write(`trimmed before ${formatLsn(await log.trimmed())}\n`)
    } finally {
      await log.close()
    }
    return EXIT.finished
  })
}

async function readOptions(reader: LogReader, options: CatLogOptions): Promise<ReadLogOptions> {
  const { from, since, until, follow = false, aroundDamage = false } = options
  const start: Lsn | undefined =
    since !== undefined ? await reader.findTime(momentOf(since)) : from === undefined ? undefined : parseLsn(from)
  return {
    ...(start !== undefined && { from: start }),
    ...(until !== undefined && { until: parseLsn(until) }),
    follow,
    onDamage: aroundDamage ? "gap" : "stop",
  }
}

function jsonOf(entry: LogEntry): object {
  const place = { lsn: formatLsn(entry.lsn), next: formatLsn(entry.next) }
  if (entry.kind === "gap") return { ...place, gap: entry.reason }
  try {
    return { ...place, time: timeText(entry), text: decoder.decode(entry.payload) }
  } catch {
    return { ...place, time: timeText(entry), base64: Buffer.from(entry.payload).toString("base64") }
  }
}

function textOf({ payload }: LogRecord): string {
  return new TextDecoder().decode(payload)
}

function timeText({ timeMicros }: LogRecord): string {
  return new Date(timeMicros / 1000).toISOString()
}

function gapText({ reason, lsn, next }: LogGap): string {
  const what = { trimmed: "trimmed", bridge: "opened anew", lost: "damaged" }[reason]
  return `${what} from ${formatLsn(lsn)} to ${formatLsn(next)}`
}

function momentOf(text: string): Date {
  const moment = new Date(text)
  if (!Number.isNaN(moment.getTime())) return moment
  throw new TidemarkError("invalid-options", `${shownValue(text)} is no moment.`, {
    hint: "Write it in ISO 8601, such as 2026-11-01T00:00:00Z.",
  })
}

function countOf(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new TidemarkError("invalid-options", `--count is ${shownValue(text)}.`, { hint: "It is a whole number." })
}

async function telling(work: () => Promise<number>): Promise<number> {
  try {
    return await work()
  } catch (error) {
    process.stderr.write(errorText(error))
    const isUsage = error instanceof TidemarkError && ["log-missing", "invalid-options"].includes(error.code)
    return isUsage ? EXIT.usage : EXIT.failed
  }
}
