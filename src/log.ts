/** The door `tidemark/log`: records appended in order, durable, and read from any place. */
export { fromLog, type FromLogOptions } from "./embedded/from-log.ts"
export { openLog, openLogReader } from "./embedded/open-log.ts"
export { Log, LogConsumer, LogReader } from "./log/records/log.ts"
export type { LogEntry, LogGap, LogRecord, ReadLogOptions } from "./log/records/log-entry.ts"
export type { LogRetention, OpenLogOptions } from "./log/records/log-options.ts"
export { formatLsn, parseLsn, type Lsn } from "./log/records/lsn.ts"
