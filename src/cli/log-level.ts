/** How much is told of a run. */

/** The levels, the least first: each says what those above it say, too. */
export const LOG_LEVELS = ["error", "warn", "info", "debug"] as const

/** One of them. */
export type LogLevel = (typeof LOG_LEVELS)[number]

/** Whether something of that level is told where `asked` is. */
export function isTold(level: LogLevel, asked: LogLevel): boolean {
  return LOG_LEVELS.indexOf(level) <= LOG_LEVELS.indexOf(asked)
}
