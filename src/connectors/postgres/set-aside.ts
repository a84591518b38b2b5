/**
 * Moves the rows of a table to one beside it, `<table>_superseded_<n>`, when a job starts anew. They are moved and the table is not renamed, so that
 * views on it, rights, foreign keys and triggers stay as they are: see decision 0061.
 */
import { literal, quotedTable } from "./identifiers.ts"
import type { Session } from "./session.ts"
import type { TargetTable } from "./target-table.ts"

/** Moves what an earlier state has written, within the transaction that is open. */
export async function setAside(session: Session, { name: { schema, name }, deadLetters }: TargetTable): Promise<void> {
  for (const each of [name, deadLetters]) {
    const [tables = []] = await session.query(`
      SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = ${literal(schema)} AND (c.relname = ${literal(each)} OR c.relname LIKE ${literal(`${escaped(each)}\\_superseded\\_%`)})`)
    const names = tables.map((row) => row["name"] as string)
    if (!names.includes(each)) continue
    const numbers = names.map((taken) => Number(taken.slice(each.length + "_superseded_".length)))
    const next = Math.max(0, ...numbers.filter(Number.isSafeInteger)) + 1
    const from = quotedTable({ schema, name: each })
    const aside = quotedTable({ schema, name: `${each}_superseded_${next}` })
    await session.query(`
      CREATE TABLE ${aside} (LIKE ${from});
      WITH moved AS (DELETE FROM ${from} RETURNING *) INSERT INTO ${aside} SELECT * FROM moved`)
  }
}

/** A name within a pattern of LIKE. */
function escaped(name: string): string {
  return name.replaceAll(/[\\%_]/g, String.raw`\$&`)
}
