/** What becomes of a failed call of the database, by its SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html). */

/** A failure as the server, or what lies between, tells it. */
export interface SqlFailure {
  readonly message: string
  /** The SQLSTATE of five letters, or the code of the system (`ECONNREFUSED`). */
  readonly code: string | undefined
  readonly detail: string | undefined
  readonly constraint: string | undefined
  readonly column: string | undefined
  /** For a COPY with the number of the row: `COPY hourly, line 3, column zone: "JFK"`. */
  readonly where: string | undefined
}

/** What is to be done. */
export type Remedy =
  /** The same again, later: the server is away, is starting, is another's at the moment, or had to choose between transactions. */
  | "wait"
  /** A row is at fault, and the same would fail again. */
  | "row"
  /** Somebody has to do something: rights, tables, passwords. */
  | "stop"

/** SQLSTATEs by their first letters, the longest of which decides. */
const REMEDIES: readonly (readonly [prefix: string, remedy: Remedy])[] = [
  ["08", "wait"],
  ["22", "row"],
  ["23", "row"],
  // read_only_sql_transaction: a standby that is not promoted yet, or a server whose disk is full.
  ["25006", "wait"],
  // Transactions that were idle for too long, or too long.
  ["25P03", "wait"],
  ["25P04", "wait"],
  ["40", "wait"],
  ["44", "row"],
  ["53", "wait"],
  ["55006", "wait"],
  ["55P03", "wait"],
  ["57", "wait"],
  // database_dropped
  ["57P04", "stop"],
  ["58", "wait"],
  // What a trigger raises is about its row.
  ["P0001", "row"],
]

/** The failure that an error tells of. */
export function failureOf(error: unknown): SqlFailure {
  const parts = error as Partial<Record<keyof SqlFailure, unknown>>
  const text = (part: unknown): string | undefined => (typeof part === "string" && part !== "" ? part : undefined)
  // Node tells of several addresses of one name with an error without a message.
  const inner = error instanceof AggregateError ? (error.errors as unknown[])[0] : undefined
  return {
    message: text(parts.message) ?? text((inner as Error | undefined)?.message) ?? String(error),
    code: text(parts.code),
    detail: text(parts.detail),
    constraint: text(parts.constraint),
    column: text(parts.column),
    where: text(parts.where),
  }
}

/** What is to be done about it. */
export function remedyFor({ code }: SqlFailure): Remedy {
  // Without a SQLSTATE it was not the server who said it: the connection is gone.
  if (code === undefined || !/^[0-9A-Z]{5}$/.test(code) || /^E[A-Z]{4}$/.test(code)) return "wait"
  const found = REMEDIES.filter(([prefix]) => code.startsWith(prefix))
  return found.sort(([one], [other]) => other.length - one.length)[0]?.[1] ?? "stop"
}

/** The row of a COPY that a failure names, from 1. */
export function lineOf({ where }: SqlFailure): number | undefined {
  const found = /^COPY .*, line (\d+)/m.exec(where ?? "")
  return found === null ? undefined : Number(found[1])
}
