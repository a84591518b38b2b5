/**
 * Compares an output's table with what is in the database, column by column, before anything is written.
 *
 * Invariant:
 * - TK1 What passes takes every value as it is, or refuses it by an error: nothing is rounded or cut silently.
 */
import { TidemarkError } from "../../base/errors.ts"
import { postgresType, takes } from "./column-type.ts"
import { literal } from "./identifiers.ts"
import type { Session } from "./session.ts"
import type { TargetTable } from "./target-table.ts"

/** A column as the catalogue has it. */
interface CatalogueColumn {
  readonly name: string
  readonly type: string
  readonly category: string
  readonly modifier: number
  readonly isRequired: boolean
  readonly isGenerated: boolean
}

/** What there is by a table's name. */
export interface ExistingTable {
  readonly kind: string
  readonly columns: readonly CatalogueColumn[]
  /** The columns of each unique index that an upsert could go by. */
  readonly uniques: readonly (readonly string[])[]
}

/** What bears the table's name; `undefined` where nothing does. */
export async function existingTable(session: Session, { name }: TargetTable): Promise<ExistingTable | undefined> {
  const [rows = []] = await session.query(`
    SELECT c.relkind::text AS kind,
      coalesce((SELECT json_agg(json_build_object('name', a.attname, 'type', format_type(coalesce(nullif(t.typbasetype, 0), t.oid), NULL),
          'category', t.typcategory, 'modifier', CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END,
          'isRequired', a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' AND a.attgenerated = '',
          'isGenerated', a.attgenerated <> '' OR a.attidentity = 'a') ORDER BY a.attnum)
        FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), '[]')::text AS columns,
      coalesce((SELECT json_agg((SELECT json_agg(a.attname) FROM pg_attribute a
          WHERE a.attrelid = c.oid AND a.attnum = ANY (string_to_array(i.indkey::text, ' ')::int[])
            AND array_position(string_to_array(i.indkey::text, ' ')::int[], a.attnum::int) <= i.indnkeyatts))
        FROM pg_index i WHERE i.indrelid = c.oid AND i.indisunique AND i.indimmediate AND i.indisvalid
          AND i.indpred IS NULL AND i.indexprs IS NULL), '[]')::text AS uniques
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = ${literal(name.schema)} AND c.relname = ${literal(name.name)}`)
  const [row] = rows
  if (row === undefined) return undefined
  return {
    kind: row["kind"] as string,
    columns: JSON.parse(row["columns"] as string) as CatalogueColumn[],
    uniques: JSON.parse(row["uniques"] as string) as string[][],
  }
}

/**
 * Refuses a table that does not fit the rows.
 *
 * @throws TidemarkError `sink-mismatch` with every difference.
 */
export function checkExisting(table: TargetTable, existing: ExistingTable): void {
  const differences = differencesOf(table, existing)
  if (differences.length === 0) return
  throw new TidemarkError(
    "sink-mismatch",
    `The table ${table.text} does not fit the output: ${differences.join("; ")}.`,
    {
      hint: `Change the table or the rows, or name another table. It would be made as: ${table.createSql()}`,
    },
  )
}

/** What does not fit, each as a clause. */
function differencesOf(table: TargetTable, existing: ExistingTable): string[] {
  if (!["r", "p"].includes(existing.kind)) return ["it is no table"]
  const differences = table.columns.flatMap(({ name, type }) => {
    const column = existing.columns.find((each) => each.name === name)
    const wanted = postgresType(type)
    if (column === undefined) return [`it has no column ${JSON.stringify(name)} (${wanted})`]
    if (column.isGenerated) return [`its column ${JSON.stringify(name)} is generated, and cannot be written`]
    const fits = takes(type, { name: column.type, category: column.category, modifier: column.modifier })
    return fits ? [] : [`its column ${JSON.stringify(name)} is ${column.type}, and the rows have ${wanted}`]
  })
  for (const { name, isRequired } of existing.columns) {
    if (!isRequired || table.columns.some((each) => each.name === name)) continue
    differences.push(
      `its column ${JSON.stringify(name)} must not be null and has no default, and the rows do not have it`,
    )
  }
  if (table.mode === "upsert") {
    const wanted = [...table.key].sort().join()
    if (!existing.uniques.some((names) => [...names].sort().join() === wanted)) {
      differences.push(`it has no unique index on just ${table.key.map((name) => JSON.stringify(name)).join(", ")}`)
    }
  }
  return differences
}
