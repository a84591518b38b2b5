/** `postgres`: an output in a table of PostgreSQL. The door `tidemark/postgres` publishes it. */
import { TidemarkError } from "../../base/errors.ts"
import { checkOptions } from "../../base/known-options.ts"
import { shownValue } from "../../base/shown-value.ts"
import type { SinkBinding } from "../../connect/sink.ts"
import { checkName, type TableName } from "./identifiers.ts"
import { PostgresBinding } from "./postgres-binding.ts"

/**
 * Options of `postgres` that all modes have.
 *
 * @example
 * ```ts
 * import type { PostgresTableOptions } from "tidemark/postgres"
 *
 * const place: PostgresTableOptions = {
 *   connection: { env: "DATABASE_URL" },
 *   table: "metrics.hourly",
 *   create: false,
 *   onViolation: "dead-letter",
 * }
 * ```
 */
export interface PostgresTableOptions {
  /**
   * The variable of the environment that has the address (or, with `_FILE` behind its name, the path of a file that has it), such as
   * `postgres://user:password@host:5432/database`. As a text it is the address itself: for databases without a password worth keeping.
   */
  readonly connection: string | { readonly env: string }
  /**
   * The table: `"hourly"`, or `"metrics.hourly"` with its schema. Capitals count. A name with a dot in it is given as an object.
   */
  readonly table: string | { readonly schema?: string; readonly name: string }
  /** Whether a table that is not there is made. Default `true`. */
  readonly create?: boolean
  /**
   * What becomes of a row that the table refuses (a constraint, a value that PostgreSQL has not): `"stop"`, which it is unless given, stops the
   * job; `"dead-letter"` writes it to `<table>_dead_letters`, in the transaction in which the other rows of its epoch are written.
   */
  readonly onViolation?: "stop" | "dead-letter"
}

/**
 * Options of `postgres`: what becomes of rows, and where.
 *
 * @example
 * ```ts
 * import { postgres, type PostgresOptions } from "tidemark/postgres"
 *
 * const options = {
 *   connection: { env: "DATABASE_URL" },
 *   table: "hourly",
 *   mode: "upsert",
 *   key: ["zone", "windowStart"],
 * } satisfies PostgresOptions
 * const hourly = postgres(options)
 * ```
 */
export type PostgresOptions = PostgresTableOptions &
  (
    | {
        /** Each row is a row of the table; `"changelog"` also takes updating streams, with what a row does in the column `op`. */
        readonly mode?: "append" | "changelog"
        readonly key?: undefined
      }
    | {
        /** Each row takes the place of the one with its key; of an updating stream, one that is withdrawn is deleted. */
        readonly mode: "upsert"
        /** The columns that tell rows apart: the primary key of a table that is made, and a unique index of one that is there. */
        readonly key: readonly string[]
      }
  )

/** The kinds of streams that a mode takes. */
type AcceptedBy<O> = O extends { readonly mode: "upsert" | "changelog" }
  ? { readonly append: true; readonly update: true }
  : { readonly append: true }

const OPTIONS = ["connection", "table", "mode", "key", "create", "onViolation"] as const

/**
 * Writes an output's rows to a table of PostgreSQL, exactly once: an epoch's rows and the mark that they are there are one transaction.
 *
 * It needs the package `pg`, which is installed beside Tidemark: `npm install pg`. While the database is away the job waits, and what it
 * reads from waits with it.
 *
 * @throws TidemarkError `invalid-options` where an option has no meaning.
 *
 * @example
 * ```ts
 * import { count, job, schema, t, tumbling } from "tidemark"
 * import { csv } from "tidemark/files"
 * import { postgres } from "tidemark/postgres"
 *
 * const Trip = schema({ at: t.timestamp(), zone: t.string })
 * const busy = job({
 *   name: "busy-zones",
 *   inputs: { trips: Trip },
 *   flow: ({ trips }) => ({
 *     hourly: trips
 *       .eventTime("at", { outOfOrder: "5m" })
 *       .keyBy("zone")
 *       .window(tumbling("1h"), { allowedLateness: "1d" })
 *       .aggregate({ trips: count() }, { id: "hourly" }),
 *   }),
 * })
 * export default busy.with({
 *   inputs: { trips: csv("trips/*.csv") },
 *   outputs: {
 *     hourly: postgres({
 *       connection: { env: "DATABASE_URL" },
 *       table: "hourly",
 *       mode: "upsert",
 *       key: ["zone", "windowStart"],
 *     }),
 *   },
 * })
 * ```
 */
export function postgres<const O extends PostgresOptions>(
  options: O,
): SinkBinding & { readonly accepts: AcceptedBy<O> } {
  const {
    connection,
    table,
    mode = "append",
    key,
    create = true,
    onViolation = "stop",
  } = checkOptions("postgres(...)", options, OPTIONS)
  if (mode !== "append" && mode !== "upsert" && mode !== "changelog") {
    throw meaningless("mode", mode, 'Give "append", "upsert" or "changelog".')
  }
  if (onViolation !== "stop" && onViolation !== "dead-letter") {
    throw meaningless("onViolation", onViolation, 'Give "stop" or "dead-letter".')
  }
  if (typeof create !== "boolean") throw meaningless("create", create, "Give true or false.")
  const binding = new PostgresBinding({
    connection: checkConnection(connection),
    table: checkTable(table),
    mode,
    key: checkKey(key, mode),
    creates: create,
    onViolation,
  })
  return binding as typeof binding & { readonly accepts: AcceptedBy<O> }
}

function meaningless(option: string, value: unknown, hint: string): TidemarkError {
  return new TidemarkError("invalid-options", `postgres(...): ${option} is ${shownValue(value)}.`, { hint })
}

function checkConnection(connection: unknown): string | { readonly env: string } {
  if (typeof connection === "string" && connection !== "") return connection
  const hint = 'Give { env: "DATABASE_URL" }: the variable that has the address of the database.'
  if (typeof connection !== "object" || connection === null) {
    // Whatever it is, it may have a password in it.
    throw new TidemarkError("invalid-options", "postgres(...) is not given a connection.", { hint })
  }
  const { env } = checkOptions("postgres(...): connection", connection, ["env"])
  if (typeof env === "string" && env !== "") return { env }
  throw meaningless("connection.env", env, hint)
}

/** The longest of the names that are made of a table's. */
const LONGEST_ENDING = "_dead_letters_superseded_99"

function checkTable(table: unknown): TableName {
  const hint = 'Give a name, as in "hourly" or "metrics.hourly".'
  let found: { schema?: unknown; name?: unknown }
  if (typeof table === "string") {
    const parts = table.split(".")
    if (parts.length > 2)
      throw meaningless("table", table, `${hint} One with dots in it: { schema: "a.b", name: "c.d" }.`)
    found = { schema: parts.length === 2 ? parts[0] : undefined, name: parts.at(-1) }
  } else found = checkOptions("postgres(...): table", table, ["schema", "name"])
  const { schema, name } = found
  if (typeof name !== "string") throw meaningless("table", table, hint)
  checkName("The table, with what the names of tables beside it end in,", `${name}${LONGEST_ENDING}`)
  checkName("The table", name)
  if (schema === undefined) return { schema: undefined, name }
  if (typeof schema !== "string") throw meaningless("table.schema", schema, hint)
  checkName("The schema", schema)
  return { schema, name }
}

function checkKey(key: unknown, mode: string): readonly string[] {
  const hint =
    'Give the columns that tell rows apart, as in key: ["zone", "windowStart"], with mode: "upsert" and no other.'
  if (mode !== "upsert") {
    if (key === undefined) return []
    throw meaningless("key", key, hint)
  }
  const names: unknown[] = Array.isArray(key) ? key : []
  if (names.length === 0 || !names.every((name) => typeof name === "string")) throw meaningless("key", key, hint)
  if (new Set(names).size < names.length) throw meaningless("key", key, "Name each column once.")
  return names
}
