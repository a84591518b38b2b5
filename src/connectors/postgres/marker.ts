/**
 * The marker: a row in `tidemark_outputs` that says whose a table is and which of its epochs was the last to come into it. It changes in the
 * transaction that writes the epoch's rows, and in no other way.
 *
 * Invariants (`docs/spec/postgres.md`):
 * - PG1 An epoch's rows and its mark are in one transaction.
 * - PG4 A table is written to by the state of a job that its marker names, and by the process that opened it last.
 */
import { TidemarkError } from "../../base/errors.ts"
import { NO_EPOCH, type EpochMark } from "../../connect/epoch-mark.ts"
import { literal } from "./identifiers.ts"
import type { Rows, Session } from "./session.ts"
import type { StagedEpoch } from "./staged-epoch.ts"
import { MARKER_TABLE, type TargetTable } from "./target-table.ts"

/** Who wants to write. */
export interface Claimant {
  readonly job: string
  readonly output: string
  /** What its commit records say that the state is; a new one where nothing is committed. */
  readonly token: string
  /** Of this opening, so that of two processes with one state the later is the only one that writes. */
  readonly opening: string
}

/** A marker as it stands. */
export interface Marker extends EpochMark {
  readonly job: string
  readonly token: string
  readonly opening: string
}

/** Begins a transaction and locks the marker, so that whoever is about to change it has done so, or never will. */
export async function lockMarker(session: Session, table: TargetTable): Promise<Marker | undefined> {
  const columns = "job, state, opening, sequence::text AS sequence, epoch_id"
  const results = await session.query(`
    BEGIN ISOLATION LEVEL READ COMMITTED;
    SET CONSTRAINTS ALL IMMEDIATE;
    SELECT ${columns} FROM ${table.beside(MARKER_TABLE)} WHERE table_name = ${table.markerKey} FOR UPDATE`)
  return markerOf(results.at(-1)!)
}

/** The marker without a lock; `undefined` where there is none. */
export async function readMarker(session: Session, table: TargetTable): Promise<Marker | undefined> {
  const { schema } = table.name
  const name = `format('%I.%I', ${literal(schema)}, ${literal(MARKER_TABLE)})`
  const [[found] = []] = await session.query(`SELECT to_regclass(${name}) IS NOT NULL AS is_there`)
  if (found?.["is_there"] !== true) return undefined
  const columns = "job, state, opening, sequence::text AS sequence, epoch_id"
  const [rows = []] = await session.query(
    `SELECT ${columns} FROM ${table.beside(MARKER_TABLE)} WHERE table_name = ${table.markerKey}`,
  )
  return markerOf(rows)
}

function markerOf(rows: Rows): Marker | undefined {
  const [row] = rows
  if (row === undefined) return undefined
  const text = (name: string): string => row[name] as string
  return {
    job: text("job"),
    token: text("state"),
    opening: text("opening"),
    sequence: Number(text("sequence")),
    id: text("epoch_id"),
  }
}

/** Makes the table that of a claimant, whose last epoch there is given. */
export function claimSql(table: TargetTable, claimant: Claimant, { sequence, id }: EpochMark): string {
  const { job, output, token, opening } = claimant
  const [jobText, outputText, tokenText, openingText, idText] = [job, output, token, opening, id].map(literal)
  return `INSERT INTO ${table.beside(MARKER_TABLE)}
      (table_name, job, output, state, opening, sequence, epoch_id, row_count, dead_letter_count)
    VALUES (${table.markerKey}, ${jobText}, ${outputText}, ${tokenText}, ${openingText}, ${sequence}, ${idText}, 0, 0)
    ON CONFLICT (table_name) DO UPDATE SET job = EXCLUDED.job, output = EXCLUDED.output, opening = EXCLUDED.opening,
      row_count = CASE WHEN ${MARKER_TABLE}.state = EXCLUDED.state THEN ${MARKER_TABLE}.row_count ELSE 0 END,
      dead_letter_count = CASE WHEN ${MARKER_TABLE}.state = EXCLUDED.state THEN ${MARKER_TABLE}.dead_letter_count ELSE 0 END,
      state = EXCLUDED.state, sequence = EXCLUDED.sequence, epoch_id = EXCLUDED.epoch_id, updated_at = now()`
}

/** Moves the marker to an epoch. */
export function markSql(table: TargetTable, { sequence, id }: EpochMark, rows: number, deadLetters: number): string {
  return `UPDATE ${table.beside(MARKER_TABLE)} SET sequence = ${sequence}, epoch_id = ${literal(id)}, updated_at = now(),
    row_count = row_count + ${rows}, dead_letter_count = dead_letter_count + ${deadLetters} WHERE table_name = ${table.markerKey}`
}

/** Where a state has come to, as its log knows. */
export interface KnownHistory {
  /** `undefined` where nothing of it is committed. */
  readonly token: string | undefined
  /** What it knows to be in the table. */
  readonly applied: EpochMark
  /** Committed behind that, in order: they may be in the table, or not. */
  readonly staged: readonly StagedEpoch[]
}

/**
 * Where a claimant finds the table, if it may have it.
 *
 * @param isReset whether it sets aside what an earlier state of it has written.
 * @returns the last epoch of its own that is there.
 * @throws TidemarkError `sink-occupied`, `sink-failed`.
 */
export function whereItStands(
  table: TargetTable,
  marker: Marker | undefined,
  claimant: Pick<Claimant, "job">,
  history: KnownHistory,
  isReset: boolean,
): EpochMark {
  const { token, applied, staged } = history
  if (token === undefined || isReset) {
    if (marker === undefined || marker.sequence === 0 || (isReset && marker.job === claimant.job)) return NO_EPOCH
    throw holdsOutput(table, marker, claimant.job)
  }
  if (marker === undefined) throw markerGone(table)
  if (marker.token !== token) throw takenBy(table, marker, claimant.job)
  const known = [applied, ...staged].find(({ sequence, id }) => sequence === marker.sequence && id === marker.id)
  if (known !== undefined) return { sequence: known.sequence, id: known.id }
  if (marker.sequence < applied.sequence) throw lostEpochs(table, marker, applied)
  throw copied(table, claimant.job)
}

/**
 * Whether an epoch is the next one, or is there already.
 *
 * @throws TidemarkError `sink-occupied`, `sink-failed`.
 */
export function isNext(
  table: TargetTable,
  marker: Marker | undefined,
  claimant: Claimant,
  epoch: StagedEpoch,
): boolean {
  if (marker === undefined) throw markerGone(table)
  if (marker.token !== claimant.token) throw takenBy(table, marker, claimant.job)
  if (marker.opening !== claimant.opening) throw copied(table, claimant.job)
  if (marker.sequence >= epoch.sequence) return false
  if (marker.sequence === epoch.sequence - 1 && marker.id === epoch.previousId) return true
  throw lostEpochs(table, marker, { sequence: epoch.sequence - 1, id: epoch.previousId })
}

function holdsOutput(table: TargetTable, { job }: Marker, own: string): TidemarkError {
  const isOwn = job === own
  const whose = isOwn ? `an earlier state of the job ${job}` : `the job ${job}`
  return new TidemarkError("sink-occupied", `The table ${table.text} holds output of ${whose}.`, {
    hint: isOwn
      ? "Run the job on the state directory that it had (--dir), or start anew with --reset: then the rows that are there are moved to a table beside it."
      : `Give each output of each job a table of its own. Where ${job} is not wanted any more, drop the table, and its row in ${MARKER_TABLE}.`,
  })
}

function takenBy(table: TargetTable, { job }: Marker, own: string): TidemarkError {
  const who = job === own ? `another state of the job ${job}` : `the job ${job}`
  return new TidemarkError(
    "sink-occupied",
    `The table ${table.text} is written to by ${who} since this one ran last.`,
    {
      hint: `What this job had written there was set aside (see ${table.text}_superseded_1 and later). Give each output of each job a table of its own.`,
    },
  )
}

function copied(table: TargetTable, job: string): TidemarkError {
  return new TidemarkError(
    "sink-occupied",
    `The table ${table.text} is written to by another process with a copy of the state of the job ${job}.`,
    {
      hint: "A state directory has one job. Go on with the one whose rows are in the table, and start the other anew on a table of its own.",
    },
  )
}

function markerGone(table: TargetTable): TidemarkError {
  return new TidemarkError("sink-failed", `${MARKER_TABLE} has no row for the table ${table.text} any more.`, {
    hint: "Without it nobody knows which rows are there. Put it back, or start anew with --reset.",
  })
}

function lostEpochs(table: TargetTable, marker: EpochMark, applied: EpochMark): TidemarkError {
  return new TidemarkError(
    "sink-failed",
    `The database has lost rows of ${table.text}: it had confirmed epoch ${applied.sequence} of the output, and now has ${marker.sequence}.`,
    {
      hint: "It was put back from a backup, or a standby took over that had not everything. Run the job again: what its log still has is written again. Where that is not enough, start anew with --reset.",
    },
  )
}
