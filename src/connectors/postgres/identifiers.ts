/**
 * Names and texts within SQL. PostgreSQL cuts longer names without an error, so they are refused.
 *
 * Invariant:
 * - PI1 What `quoted` and `literal` give is one identifier and one string of SQL, whatever is in the text.
 */
import { assert } from "../../base/assert.ts"
import { TidemarkError } from "../../base/errors.ts"

/** `NAMEDATALEN` less one, in bytes. */
const NAME_BYTES_MAX = 63
const encoder = new TextEncoder()

/** A table by its names as they are, without quotes; without a schema it is the first of the connection's search path. */
export interface TableName {
  readonly schema: string | undefined
  readonly name: string
}

/** A name as an identifier of SQL. */
export function quoted(name: string): string {
  assert(!name.includes("\0"), "a name that goes into SQL was checked")
  return `"${name.replaceAll('"', '""')}"`
}

/** A text as a string of SQL, however `standard_conforming_strings` stands. */
export function literal(text: string): string {
  assert(!text.includes("\0"), "a text that goes into SQL was checked")
  const body = `'${text.replaceAll("'", "''").replaceAll("\\", "\\\\")}'`
  return text.includes("\\") ? `E${body}` : body
}

/** A table as SQL names it. */
export function quotedTable({ schema, name }: TableName): string {
  return schema === undefined ? quoted(name) : `${quoted(schema)}.${quoted(name)}`
}

/** `metrics.hourly`, as people write it. */
export function tableText({ schema, name }: TableName): string {
  return schema === undefined ? name : `${schema}.${name}`
}

/**
 * Refuses a name that PostgreSQL has not, or would cut.
 *
 * @param what begins the message: `"The column"`.
 */
export function checkName(what: string, name: string): void {
  const { length } = encoder.encode(name)
  if (length > 0 && length <= NAME_BYTES_MAX && !name.includes("\0")) return
  throw new TidemarkError("invalid-options", `${what} ${JSON.stringify(name)} is no name in PostgreSQL.`, {
    hint: `A name has 1 to ${NAME_BYTES_MAX} bytes as UTF-8, and no NUL.`,
  })
}
