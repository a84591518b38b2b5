/**
 * The table of one output as SQL: what is said to the server, and in which names. `check` compares it with what is there.
 */
import { TidemarkError } from "../../base/errors.ts"
import type { Schema } from "../../batch/schema.ts"
import type { ColumnType } from "../../batch/type.ts"
import { postgresType } from "./column-type.ts"
import { checkName, literal, quoted, quotedTable, tableText, type TableName } from "./identifiers.ts"

/** What becomes of rows. */
export type TableMode =
  /** Each is a row of the table. */
  | "append"
  /** Each takes the place of the row with its key, or withdraws it. */
  | "upsert"
  /** Each is a row of the table, also those that replace or withdraw earlier ones, with what they do in `op`. */
  | "changelog"

/** The table that says whose tables are, and how far they have come, in the schema of each. */
export const MARKER_TABLE = "tidemark_outputs"
/** Numbers the rows of a changelog. */
const CHANGE_NUMBER = "change_number"
/** The table of a session that takes the rows of an upsert. */
const INCOMING = `pg_temp."tidemark_incoming"`
const [NUMBER_COLUMN, OP_COLUMN] = ["tidemark_number", "tidemark_op"] as const

/** A column that is written. */
export interface TargetColumn {
  readonly name: string
  readonly type: ColumnType
  /** Its place in the schema of the rows. */
  readonly index: number
}

/** See the head of this file. */
export class TargetTable {
  readonly name: TableName & { readonly schema: string }
  readonly mode: TableMode
  readonly key: readonly string[]
  /** Those that the table has. */
  readonly columns: readonly TargetColumn[]
  /** The place of the column that says what a row does, where an upsert has one. */
  readonly opIndex: number

  constructor(
    name: TableName & { readonly schema: string },
    { fields }: Schema,
    { mode, key }: { readonly mode: TableMode; readonly key: readonly string[] },
  ) {
    this.name = name
    this.mode = mode
    this.key = key
    const all = fields.map((field, index) => ({ ...field, index }))
    this.opIndex = mode === "upsert" && isChangeColumn(fields[0]) ? 0 : -1
    this.columns = all.filter(({ index }) => index !== this.opIndex)
  }

  /** `metrics.hourly` */
  get text(): string {
    return tableText(this.name)
  }

  /** As SQL names it. */
  get sql(): string {
    return quotedTable(this.name)
  }

  /** Beside the table, in its schema. */
  beside(name: string): string {
    return quotedTable({ schema: this.name.schema, name })
  }

  /** The table that has rows which this one refuses. */
  get deadLetters(): string {
    return `${this.name.name}_dead_letters`
  }

  /** The places of the columns that are copied, in order. */
  get copied(): readonly number[] {
    const own = this.columns.map(({ index }) => index)
    return this.opIndex === -1 ? own : [this.opIndex, ...own]
  }

  /** The names of what is copied, with the number of the row before it where that is. */
  get copiedNames(): readonly string[] {
    const own = this.columns.map(({ name }) => name)
    if (this.mode !== "upsert") return own
    return [NUMBER_COLUMN, ...(this.opIndex === -1 ? [] : [OP_COLUMN]), ...own]
  }

  createSql(): string {
    const columns = this.columns.map(({ name, type }) => {
      return `${quoted(name)} ${postgresType(type)}${type.isNullable ? "" : " NOT NULL"}`
    })
    if (this.mode === "changelog" && !this.columns.some(({ name }) => name === CHANGE_NUMBER)) {
      columns.unshift(`${quoted(CHANGE_NUMBER)} bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY`)
    }
    if (this.mode === "upsert") columns.push(`PRIMARY KEY (${this.key.map(quoted).join(", ")})`)
    return `CREATE TABLE ${this.sql} (${columns.join(", ")})`
  }

  createMarkersSql(): string {
    return `CREATE TABLE ${this.beside(MARKER_TABLE)} (
      table_name text PRIMARY KEY, job text NOT NULL, output text NOT NULL, state text NOT NULL, opening text NOT NULL,
      sequence bigint NOT NULL, epoch_id text NOT NULL, row_count bigint NOT NULL, dead_letter_count bigint NOT NULL,
      updated_at timestamptz NOT NULL DEFAULT now())`
  }

  createDeadLettersSql(): string {
    return `CREATE TABLE ${this.beside(this.deadLetters)} (
      number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, sequence bigint NOT NULL, row json NOT NULL, sqlstate text NOT NULL,
      message text NOT NULL, column_name text, constraint_name text, at timestamptz NOT NULL DEFAULT now())`
  }

  /** What a session needs before rows can be copied: for upserts, a table of its own. */
  prepareSql(): string | undefined {
    if (this.mode !== "upsert") return undefined
    const op = this.opIndex === -1 ? "" : `, NULL::text AS ${OP_COLUMN}`
    const columns = this.columns.map(({ name }) => quoted(name)).join(", ")
    return `CREATE TEMPORARY TABLE tidemark_incoming ON COMMIT DELETE ROWS AS
      SELECT NULL::bigint AS ${NUMBER_COLUMN}${op}, ${columns} FROM ${this.sql} WHERE false`
  }

  copySql(): string {
    const into = this.mode === "upsert" ? INCOMING : this.sql
    return `COPY ${into} (${this.copiedNames.map(quoted).join(", ")}) FROM STDIN`
  }

  /** Puts what was copied where it belongs; where it is there already, nothing is to be done. */
  mergeSql(): string | undefined {
    if (this.mode !== "upsert") return undefined
    const keys = this.key.map(quoted)
    const columns = this.columns.map(({ name }) => quoted(name))
    const values = columns.filter((name) => !keys.includes(name))
    const action =
      values.length === 0 ? "NOTHING" : `UPDATE SET ${values.map((v) => `${v} = EXCLUDED.${v}`).join(", ")}`
    const latest = `latest AS MATERIALIZED (SELECT DISTINCT ON (${keys.join(", ")}) * FROM ${INCOMING} ORDER BY ${keys.join(", ")}, ${NUMBER_COLUMN} DESC)`
    const isDelete = `latest.${OP_COLUMN} = 'delete'`
    const match = keys.map((key) => `target.${key} = latest.${key}`).join(" AND ")
    const gone =
      this.opIndex === -1
        ? ""
        : `, gone AS (DELETE FROM ${this.sql} AS target USING latest WHERE ${isDelete} AND ${match})`
    return `WITH ${latest}${gone}
      INSERT INTO ${this.sql} (${columns.join(", ")}) SELECT ${columns.join(", ")} FROM latest${this.opIndex === -1 ? "" : ` WHERE NOT ${isDelete}`}
      ON CONFLICT (${keys.join(", ")}) DO ${action}`
  }

  /** Empties what the session has for upserts, so that more can be copied in the same transaction. */
  clearSql(): string | undefined {
    return this.mode === "upsert" ? `TRUNCATE ${INCOMING}` : undefined
  }

  /** The table's name in the markers. */
  get markerKey(): string {
    return literal(this.name.name)
  }
}

/** Whether a column is the one by which updating streams say what a row does. */
function isChangeColumn(field: { readonly name: string; readonly type: ColumnType } | undefined): boolean {
  const symbols = field?.type.definition.symbols
  return field?.name === "op" && symbols?.join() === "insert,update,delete"
}

/**
 * Refuses columns that PostgreSQL cannot name, and keys that are none.
 *
 * @throws TidemarkError `invalid-options`, `sink-mismatch`.
 */
export function checkColumns(table: TargetTable, output: string): void {
  for (const { name } of table.columns) checkName("The column", name)
  for (const name of table.key) {
    const column = table.columns.find((each) => each.name === name)
    const problem =
      column === undefined ? "is no column of its rows" : column.type.isNullable ? "may be null" : undefined
    if (problem === undefined) continue
    throw new TidemarkError(
      "sink-mismatch",
      `The output ${output} has the key ${JSON.stringify(name)}, which ${problem}.`,
      {
        hint: "Rows are found again by their key: give columns that every row has, such as the key of a window with its windowStart.",
      },
    )
  }
}
