/** What a reader of a log is given. */
import type { Lsn } from "./lsn.ts"

/** What lies between two places of a log: `lsn` is where it begins, `next` is where what follows begins. */
interface LogPiece {
  readonly lsn: Lsn
  /** Where to go on behind it: what to give as `from`, or to a consumer's `commit`. */
  readonly next: Lsn
}

/**
 * A record, as it was appended.
 *
 * @example
 * ```ts
 * import { openLog, type LogRecord } from "tidemark/log"
 *
 * const textOf = ({ payload }: LogRecord) => new TextDecoder().decode(payload)
 * const log = await openLog("orders.log")
 * for await (const entry of log.read()) if (entry.kind === "record") console.log(textOf(entry))
 * await log.close()
 * ```
 */
export interface LogRecord extends LogPiece {
  readonly kind: "record"
  /** When it was appended, in µs since 1970-01-01T00:00:00Z by the clock of the writer; never before that of the record before. */
  readonly timeMicros: number
  /** A part of the bytes that were read together with its neighbours: whoever keeps few of many records should copy them. */
  readonly payload: Uint8Array
}

/**
 * A stretch without records.
 *
 * - `trimmed`: what was there was let go, by `trim` or by the log's retention.
 * - `bridge`: one generation ends and the next begins; there never was a record.
 * - `lost`: what was there is damaged. It is told so only where `onDamage: "gap"` is said; else reading ends with an error.
 *
 * @example
 * ```ts
 * import { formatLsn, openLogReader } from "tidemark/log"
 *
 * const reader = await openLogReader("orders.log")
 * for await (const entry of reader.read({ onDamage: "gap" })) {
 *   if (entry.kind === "gap" && entry.reason === "lost") console.warn(`damaged from ${formatLsn(entry.lsn)} on`)
 * }
 * await reader.close()
 * ```
 */
export interface LogGap extends LogPiece {
  readonly kind: "gap"
  readonly reason: "trimmed" | "bridge" | "lost"
}

/**
 * What a reader of a log is given: a record, or a stretch without any.
 *
 * @example
 * ```ts
 * import { formatLsn, openLogReader, type LogEntry, type ReadLogOptions } from "tidemark/log"
 *
 * const lineOf = (entry: LogEntry) =>
 *   entry.kind === "gap" ? `${entry.reason} up to ${formatLsn(entry.next)}` : new Date(entry.timeMicros / 1000).toISOString()
 *
 * const reader = await openLogReader("orders.log")
 * const options: ReadLogOptions = { until: await reader.end(), signal: AbortSignal.timeout(60_000) }
 * for await (const entries of reader.readBatches(options)) console.log(entries.map(lineOf).join("\n"))
 * console.log("begins at", formatLsn(await reader.trimmed()), (await reader.isSealed()) ? "and is sealed" : "")
 * await reader.close()
 * ```
 */
export type LogEntry = LogRecord | LogGap

/**
 * From where to where a log is read, and how.
 *
 * @example
 * ```ts
 * import { openLog } from "tidemark/log"
 *
 * const log = await openLog("orders.log")
 * const yesterday = await log.findTime(new Date(Date.now() - 86_400_000))
 * for await (const entry of log.read({ from: yesterday, filter: ({ payload }) => payload.length > 0 })) console.log(entry.lsn)
 * await log.close()
 * ```
 */
export interface ReadLogOptions {
  /** The first place: an LSN, whether a record begins there or not; `"start"` (default) is the oldest record, `"end"` behind the newest. */
  readonly from?: Lsn | "start" | "end"
  /** Where to end: no record at or behind it is given. Without it and without `follow`, where the log ends when reading begins. */
  readonly until?: Lsn
  /** Waits for records at the end of the log, until it is sealed, or `signal` is aborted, or the loop is left. */
  readonly follow?: boolean
  /** Which records are given. */
  readonly filter?: (record: LogRecord) => boolean
  /** `"stop"` (default) ends reading with an error that names file and byte; `"gap"` goes on behind it and gives a gap that is `lost`. */
  readonly onDamage?: "stop" | "gap"
  /** Ends reading. */
  readonly signal?: AbortSignal
}
