/**
 * Brings an epoch's rows into the table, in one transaction with its mark (PG1). Rows that the table refuses are found by the number of the line
 * that the server tells, or by halving, within savepoints: a good row is copied twice for each that is refused in front of it, at most.
 */
import { TidemarkError } from "../../base/errors.ts"
import type { EpochFiles } from "../../connect/epoch-files.ts"
import { EpochRows } from "./epoch-rows.ts"
import { literal, quoted } from "./identifiers.ts"
import { isNext, lockMarker, markSql, type Claimant } from "./marker.ts"
import { DatabaseError, type Session } from "./session.ts"
import { lineOf, remedyFor, type SqlFailure } from "./sql-failure.ts"
import type { StagedEpoch } from "./staged-epoch.ts"
import type { TargetTable } from "./target-table.ts"

/** What becomes of rows that the table refuses. */
export type ViolationPolicy =
  /** The job stops, and goes on when the table or the policy is another. */
  | "stop"
  /** They are written to the table of dead letters, and the others to theirs. */
  | "dead-letter"

/** Where epochs go. */
export interface EpochTarget {
  readonly table: TargetTable
  readonly claimant: Claimant
  readonly files: EpochFiles
  readonly onViolation: ViolationPolicy
}

/** A row that the table refuses. */
interface RefusedRow {
  readonly index: number
  readonly failure: SqlFailure
}

/** What has become of an epoch. */
export interface AppliedEpoch {
  readonly deadLetters: number
  /** Why the first of them is one. */
  readonly reason: string
}

/**
 * Writes an epoch, unless it is there.
 *
 * @throws TidemarkError `sink-refused` where a row is at fault and the policy is to stop.
 */
export async function applyEpoch(session: Session, target: EpochTarget, epoch: StagedEpoch): Promise<AppliedEpoch> {
  const { table, claimant, files, onViolation } = target
  const marker = await lockMarker(session, table)
  if (!isNext(table, marker, claimant, epoch)) {
    await session.query("ROLLBACK")
    return { deadLetters: 0, reason: "" }
  }
  const rows = new EpochRows(files, epoch)
  const refused = await store(session, table, rows, onViolation === "stop" ? 1 : Infinity)
  const [first] = refused
  if (first !== undefined && onViolation === "stop") throw await refusal(target, rows, first)
  const statements = await Promise.all(refused.map((each) => deadLetterSql(table, rows, epoch, each)))
  statements.push(markSql(table, epoch, epoch.rows - refused.length, refused.length), "COMMIT")
  await session.query(statements.join(";\n"))
  return { deadLetters: refused.length, reason: first === undefined ? "" : reasonOf(first.failure) }
}

/** Stores the rows that the table takes, and gives the others: at most so many, with which it ends. */
async function store(session: Session, table: TargetTable, rows: EpochRows, max: number): Promise<RefusedRow[]> {
  const refused: RefusedRow[] = []
  /** What is left to be stored, the next at the end. */
  const ranges: { from: number; to: number }[] = [{ from: 0, to: rows.count }]
  for (let range = ranges.pop(); range !== undefined && refused.length < max; range = ranges.pop()) {
    const { from, to } = range
    const failure = await storeRange(session, table, rows, from, to)
    if (failure === undefined) continue
    if (to - from === 1) {
      refused.push({ index: from, failure })
      continue
    }
    const line = from + (lineOf(failure) ?? 0) - 1
    const isKnown = line >= from && line < to
    const cuts = isKnown ? [from, line, line + 1, to] : [from, (from + to) >> 1, to]
    for (let at = cuts.length - 1; at > 0; at--) {
      if (cuts[at - 1]! < cuts[at]!) ranges.push({ from: cuts[at - 1]!, to: cuts[at]! })
    }
  }
  return refused
}

async function storeRange(
  session: Session,
  table: TargetTable,
  rows: EpochRows,
  from: number,
  to: number,
): Promise<SqlFailure | undefined> {
  await session.query("SAVEPOINT tidemark_rows")
  try {
    await session.copyIn(table.copySql(), await rows.read(from, to))
    const statements = [table.mergeSql(), table.clearSql(), "RELEASE SAVEPOINT tidemark_rows"]
    await session.query(statements.filter((sql) => sql !== undefined).join(";\n"))
    return undefined
  } catch (error) {
    if (!(error instanceof DatabaseError) || remedyFor(error.failure) !== "row") throw error
    await session.query("ROLLBACK TO SAVEPOINT tidemark_rows; RELEASE SAVEPOINT tidemark_rows")
    return error.failure
  }
}

async function deadLetterSql(
  table: TargetTable,
  rows: EpochRows,
  { sequence }: StagedEpoch,
  { index, failure }: RefusedRow,
): Promise<string> {
  const { code = "", column, constraint } = failure
  const values = [await rows.json(index, table), code, reasonOf(failure), column, constraint]
  const texts = values.map((value) => (value === undefined ? "NULL" : literal(value)))
  return `INSERT INTO ${table.beside(table.deadLetters)} (sequence, row, sqlstate, message, column_name, constraint_name)
    VALUES (${sequence}, ${texts.join(", ")})`
}

function reasonOf({ message, detail }: SqlFailure): string {
  return detail === undefined ? message : `${message} (${detail})`
}

async function refusal(
  { table, claimant }: EpochTarget,
  rows: EpochRows,
  { index, failure }: RefusedRow,
): Promise<Error> {
  const { code = "", column, constraint } = failure
  const place = [
    code,
    ...(column === undefined ? [] : [`column ${quoted(column)}`]),
    ...(constraint === undefined ? [] : [`constraint ${quoted(constraint)}`]),
  ].join(", ")
  return new TidemarkError(
    "sink-refused",
    `The table ${table.text} refuses a row of the output ${claimant.output}: ${reasonOf(failure)} (${place}). The row is ${await rows.json(index, table)}.`,
    {
      hint: 'The epoch is committed and waits: mend the table and run again, or set onViolation: "dead-letter", with which such rows go to a table beside it.',
    },
  )
}
