/** Requests that were pushed as the source of an input: their log, read as one is that programs append to, and let go behind each commit. */
import type { SourceContext } from "../../connect/source.ts"
import { LogSource } from "../log/log-source.ts"
import type { RequestLog } from "./request-log.ts"
import { recordsOf } from "./request-record.ts"

/** How it is read. */
export interface PushedSourceOptions {
  /** What the input is called, for people: `/orders`. */
  readonly id: string
  readonly maxRecordBytes: number
  /** Where its requests are kept. */
  readonly directory: string
  /** Called when the source is closed. */
  readonly onClose: () => Promise<void>
}

/** See the head of this file. */
export function pushedSource(context: SourceContext, requests: RequestLog, options: PushedSourceOptions): LogSource {
  return new LogSource(context, {
    ...options,
    kept: {
      label: `The log of the requests of the input ${context.input}, in ${options.directory},`,
      hint: "Copy inputs/ of the job's directory whose savepoint this is, or start anew with --reset.",
    },
    reader: requests.log,
    isFollowed: true,
    begin: () => Promise.resolve("start"),
    piecesOf: recordsOf,
    onCommitted: (next) => requests.committed(next),
  })
}
