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
  /** Called when the source is closed. */
  readonly onClose: () => Promise<void>
}

/** See the head of this file. */
export function pushedSource(context: SourceContext, requests: RequestLog, options: PushedSourceOptions): LogSource {
  return new LogSource(context, {
    ...options,
    reader: requests.log,
    isFollowed: true,
    begin: () => Promise.resolve("start"),
    piecesOf: recordsOf,
    onCommitted: (next) => requests.committed(next),
  })
}
