/** A log as an input of a job. */
import { resolve } from "node:path"
import { TidemarkError } from "../base/errors.ts"
import { checkOptions } from "../base/known-options.ts"
import { shownValue } from "../base/shown-value.ts"
import type { Source, SourceBinding, SourceContext } from "../connect/source.ts"
import { LogSource, type LogSourceParts } from "../connectors/log/log-source.ts"
import { LogReader } from "../log/records/log.ts"
import type { Lsn } from "../log/records/lsn.ts"
import { openLogReader } from "./open-log.ts"

/**
 * How a log is read as an input.
 *
 * @example
 * ```ts
 * import { fromLog, type FromLogOptions } from "tidemark/log"
 *
 * const lately: FromLogOptions = { from: new Date(Date.now() - 3_600_000), follow: false, maxRecordBytes: 65_536 }
 * const orders = fromLog("orders.log", lately)
 * ```
 */
export interface FromLogOptions {
  /** Whether records are waited for that come, until the log is sealed (default); else the input ends where the log ends when the job begins. */
  readonly follow?: boolean
  /** Where a job begins that has read nothing yet: the oldest record (`"start"`, default), behind the newest, an LSN, or a time. */
  readonly from?: Lsn | "start" | "end" | Date
  /** A record with more bytes is a bad record: 1 to 67,108,864, 1 MiB by default. */
  readonly maxRecordBytes?: number
}

const RECORD_BYTES_MAX = 64 * 2 ** 20

/**
 * The records of a log as an input: each is a JSON object with the columns of the input's schema. Replayable: each counts exactly once over
 * restarts and crashes, as long as the log is not trimmed before the job has committed what it has read of it.
 *
 * @param log the log's directory, which another process may append to; or a log that this process has opened.
 * @throws TidemarkError `invalid-options`; when the job begins `log-missing`, and `source-changed` where the log is not the one that was read.
 *
 * @example
 * ```ts
 * import { job, run, schema, t } from "tidemark"
 * import { jsonl } from "tidemark/files"
 * import { fromLog, openLog } from "tidemark/log"
 *
 * const log = await openLog("orders.log")
 * const large = job({
 *   name: "large-orders",
 *   inputs: { orders: schema({ order: t.int53, total: t.float64 }) },
 *   flow: ({ orders }) => ({ large: orders.filter((row) => row.total > 100) }),
 * })
 * const running = await run(large.with({ inputs: { orders: fromLog(log) }, outputs: { large: jsonl("out/large") } }))
 *
 * await log.append(JSON.stringify({ order: 1, total: 250 })) // durable from here on, and will be read once
 * await log.seal() // the job comes to its end
 * await running.finished
 * await log.close()
 * ```
 */
export function fromLog(log: string | LogReader, options: FromLogOptions = {}): SourceBinding {
  const {
    follow = true,
    from = "start",
    maxRecordBytes = 2 ** 20,
  } = checkOptions("fromLog(...)", options, ["follow", "from", "maxRecordBytes"])
  if (!(log instanceof LogReader) && (typeof log !== "string" || log === "")) {
    throw refusal(
      `fromLog(...) takes a directory or an open log, not ${shownValue(log)}.`,
      'Write fromLog("orders.log").',
    )
  }
  if (typeof follow !== "boolean") throw refused("follow", follow, "Give true or false.")
  if (!isStart(from)) throw refused("from", from, 'Give "start", "end", an LSN or a Date.')
  const isSize = Number.isSafeInteger(maxRecordBytes) && (maxRecordBytes as number) >= 1
  if (!isSize || (maxRecordBytes as number) > RECORD_BYTES_MAX) {
    throw refused("maxRecordBytes", maxRecordBytes, `Give a whole number of bytes, 1 to ${RECORD_BYTES_MAX}.`)
  }
  const begin = async (reader: LogReader) => (isMoment(from) ? await reader.findTime(from) : from)
  return new LogBinding(log, { isFollowed: follow, begin, maxRecordBytes: maxRecordBytes as number })
}

function isMoment(from: unknown): from is Date {
  const time: unknown = (from as Date | null | undefined)?.getTime?.()
  return typeof time === "number" && !Number.isNaN(time)
}

function isStart(from: unknown): from is NonNullable<FromLogOptions["from"]> {
  if (isMoment(from)) return true
  return from === "start" || from === "end" || (typeof from === "bigint" && from >= 0n && from < 1n << 63n)
}

function refused(option: string, value: unknown, hint: string): TidemarkError {
  return refusal(`fromLog(...): ${option} is ${shownValue(value)}.`, hint)
}

function refusal(message: string, hint: string): TidemarkError {
  return new TidemarkError("invalid-options", message, { hint })
}

type ReadPolicy = Pick<LogSourceParts, "isFollowed" | "begin" | "maxRecordBytes">

class LogBinding implements SourceBinding {
  readonly #log: string | LogReader
  readonly #policy: ReadPolicy

  constructor(log: string | LogReader, policy: ReadPolicy) {
    this.#log = log
    this.#policy = policy
  }

  describe(): string {
    const what = typeof this.#log === "string" ? JSON.stringify(this.#log) : "log"
    return `fromLog(${what}${this.#policy.isFollowed ? "" : ", { follow: false }"})`
  }

  async openSource(context: SourceContext): Promise<Source> {
    if (typeof this.#log !== "string") {
      return new LogSource(context, { ...this.#policy, id: "log", reader: this.#log, onClose: () => Promise.resolve() })
    }
    const reader = await openLogReader(resolve(context.baseDirectory, this.#log))
    return new LogSource(context, { ...this.#policy, id: this.#log, reader, onClose: () => reader.close() })
  }
}
