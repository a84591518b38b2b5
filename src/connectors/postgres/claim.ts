/**
 * Opens an output's table for a job: finds it, makes what is missing, and puts the job's name on it.
 *
 * Invariant:
 * - CL1 All that it changes is in one transaction, which may be done again; but for the tables beside the output's, which are made before it.
 */
import { TidemarkError } from "../../base/errors.ts"
import type { EpochMark } from "../../connect/epoch-mark.ts"
import type { Env } from "../../env/env.ts"
import type { ViolationPolicy } from "./apply-epoch.ts"
import { literal, quoted, tableText, type TableName } from "./identifiers.ts"
import { claimSql, lockMarker, readMarker, whereItStands, type Claimant, type KnownHistory } from "./marker.ts"
import { DatabaseError, type Session } from "./session.ts"
import { setAside } from "./set-aside.ts"
import { checkExisting, existingTable } from "./table-check.ts"
import { MARKER_TABLE, type TargetTable } from "./target-table.ts"

/** How a table is opened. */
export interface ClaimOptions {
  readonly creates: boolean
  readonly onViolation: ViolationPolicy
  readonly isReset: boolean
}

const [LOCK_WAIT_MICROS, LOCK_STEP_MICROS] = [5_000_000, 200_000] as const

/** What each connection begins with: the values of rows mean the same whatever the server, the database and the user are set to. */
export const SESSION_SQL = `
  SET client_encoding TO 'UTF8'; SET standard_conforming_strings TO on; SET datestyle TO 'ISO, MDY'; SET intervalstyle TO 'postgres';
  SET timezone TO 'UTC'; SET statement_timeout TO 0; SET tcp_keepalives_idle TO 30; SET tcp_keepalives_interval TO 10;
  SET tcp_keepalives_count TO 3;
  SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'`

/** The schema in which a table lies. */
export async function schemaOf(session: Session, { schema, name }: TableName): Promise<string> {
  if (schema !== undefined) return schema
  const [[row] = []] = await session.query("SELECT current_schema()::text AS name")
  const found: unknown = row?.["name"]
  if (typeof found === "string") return found
  throw new TidemarkError(
    "sink-mismatch",
    `No schema of the connection's search path is there, in which the table ${name} could lie.`,
    {
      hint: `Name the schema, as in "public.${name}".`,
    },
  )
}

/**
 * Refuses what could not be opened; changes nothing.
 *
 * @throws TidemarkError `sink-mismatch`, `sink-occupied`, `sink-failed`.
 */
export async function checkTable(
  session: Session,
  table: TargetTable,
  claimant: Pick<Claimant, "job">,
  history: KnownHistory,
  options: ClaimOptions,
): Promise<void> {
  const marker = await readMarker(session, table)
  whereItStands(table, marker, claimant, history, options.isReset)
  const existing = await existingTable(session, table)
  if (existing !== undefined) checkExisting(table, existing)
  else if (!options.creates) throw missingTable(table)
  const isComplete = existing !== undefined && marker !== undefined && !options.isReset
  await checkRights(session, table, existing !== undefined, !isComplete)
}

function missingTable(table: TargetTable): TidemarkError {
  return new TidemarkError("sink-mismatch", `There is no table ${table.text}.`, {
    hint: `Make it, or set create: true, with which it is made as: ${table.createSql()}`,
  })
}

async function checkRights(session: Session, table: TargetTable, exists: boolean, creates: boolean): Promise<void> {
  const { schema } = table.name
  const wanted = [
    ...(creates ? [["CREATE", "schema", schema, `the schema ${quoted(schema)}`]] : []),
    ...(exists ? ["INSERT", ...upsertRights(table)].map((right) => [right, "table", table.sql, table.text]) : []),
  ] as const
  if (creates) {
    const [[row] = []] = await session.query(
      `SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = ${literal(schema)}) AS is_there`,
    )
    if (row?.["is_there"] !== true) {
      throw new TidemarkError("sink-mismatch", `There is no schema ${schema} in the database.`, {
        hint: `Make it: CREATE SCHEMA ${quoted(schema)}`,
      })
    }
  }
  for (const [right, kind, name, text] of wanted) {
    const [[row] = []] = await session.query(
      `SELECT has_${kind!}_privilege(${literal(name!)}, ${literal(right!)}) AS is_granted, current_user::text AS user`,
    )
    if (row?.["is_granted"] === true) continue
    const user = quoted(String(row?.["user"]))
    throw new TidemarkError("sink-failed", `The user ${user} may not ${right!} on ${text!}.`, {
      hint: `Grant it: GRANT ${right!} ON ${kind === "schema" ? "SCHEMA " : ""}${kind === "schema" ? quoted(name!) : name!} TO ${user}. The job keeps its marker in ${MARKER_TABLE}, in the schema of the table.`,
    })
  }
}

function upsertRights({ mode, opIndex }: TargetTable): string[] {
  if (mode !== "upsert") return []
  return ["SELECT", "UPDATE", ...(opIndex === -1 ? [] : ["DELETE"])]
}

/**
 * Takes the lock that says that somebody writes to the table now. It ends with the connection; what makes two writers safe is the marker.
 *
 * @throws TidemarkError `sink-occupied`.
 */
export async function takeLock(session: Session, table: TargetTable, { clock, timers }: Env): Promise<void> {
  const startMicros = clock.monotonicMicros()
  // A process that was killed a moment ago may still have a server process that has not noticed.
  while (!(await tryLock(session, table))) {
    if (clock.monotonicMicros() - startMicros > LOCK_WAIT_MICROS) {
      throw new TidemarkError("sink-occupied", `Another process writes to the table ${table.text} now.`, {
        hint: "Wait for its end, or stop it. Where its machine is gone, the server notices that within a minute.",
      })
    }
    await timers.sleep(LOCK_STEP_MICROS)
  }
}

/** The same without insisting, where the marker is already this process's. */
export async function tryLock(session: Session, table: TargetTable): Promise<boolean> {
  const key = literal(`tidemark ${tableText(table.name)}`)
  const [[row] = []] = await session.query(`SELECT pg_try_advisory_lock(hashtextextended(${key}, 0)) AS is_taken`)
  return row?.["is_taken"] === true
}

/** SQLSTATEs of a table that another process makes at the same moment. */
const MADE_MEANWHILE: ReadonlySet<string | undefined> = new Set(["42P07", "23505"])

/** Makes a table beside the output's. It is looked for first: who may not make any may have been given one. */
async function ensureTable(session: Session, table: TargetTable, name: string, sql: string): Promise<void> {
  const regclass = `to_regclass(format('%I.%I', ${literal(table.name.schema)}, ${literal(name)}))`
  const [[found] = []] = await session.query(`SELECT ${regclass} IS NOT NULL AS is_there`)
  if (found?.["is_there"] === true) return
  try {
    await session.query(sql)
  } catch (error) {
    if (!(error instanceof DatabaseError) || !MADE_MEANWHILE.has(error.failure.code)) throw error
  }
}

/** Makes the table that of a job; gives the last of its epochs that is there. */
export async function claim(
  session: Session,
  table: TargetTable,
  claimant: Claimant,
  history: KnownHistory,
  options: ClaimOptions,
): Promise<EpochMark> {
  await ensureTable(session, table, MARKER_TABLE, table.createMarkersSql())
  if (options.onViolation === "dead-letter") {
    await ensureTable(session, table, table.deadLetters, table.createDeadLettersSql())
  }
  const marker = await lockMarker(session, table)
  const mark = whereItStands(table, marker, claimant, history, options.isReset)
  const existing = await existingTable(session, table)
  if (existing === undefined) {
    if (!options.creates) throw missingTable(table)
    await session.query(table.createSql())
  } else {
    checkExisting(table, existing)
    if (options.isReset && marker !== undefined && marker.sequence > 0) await setAside(session, table)
  }
  await session.query(`${claimSql(table, claimant, mark)}; COMMIT`)
  return mark
}
