/**
 * Savepoints: a copy of what a job had committed at a moment, from which jobs can be begun.
 *
 * A savepoint is a directory with a log of its own, `log/`, which holds what recovery needs of the job's: the newest whole snapshot and the
 * epochs behind it, or all epochs, then a run record that names the savepoint. It is made beside its place and renamed, so it is there
 * whole or not at all. What outputs had is in it, too, as it was logged, and means nothing to those who begin from it.
 *
 * Invariant (rule of docs/spec/epochs.md):
 * - E20 A savepoint shows the last epoch that was committed when it was asked for, or a later one, whole. The job whose it is need not stop,
 *   and is not touched.
 */
import { TidemarkError } from "../base/errors.ts"
import { makeDurableDirectory } from "../env/durable-directory.ts"
import type { Disk } from "../env/env.ts"
import { Log, type AppendedRecord } from "../log/log.ts"
import { readLog, type LogRecord, type LogVisitor } from "../log/log-reader.ts"
import { encodeRun, RECORD, type RunRecord } from "./commit-record.ts"
import { RecoveryFold, type RecoveredState } from "./recovery-fold.ts"

/** A savepoint. */
export interface Savepoint {
  /** Tells it from others. */
  readonly id: string
  /** What the job had committed. */
  readonly state: RecoveredState & { readonly run: RunRecord }
  /** Bytes of records. */
  readonly bytes: number
}

const STEPS = {
  syncExisting: "savepoint.sync-existing",
  make: "savepoint.make-directory",
  sync: "savepoint.sync-parent",
} as const

/**
 * Makes a savepoint of what a job has committed.
 *
 * @param directory the job's state directory.
 * @param to where the savepoint will be, an absolute path at which there is nothing.
 * @param id what tells it from others.
 * @throws TidemarkError `state-missing` where nothing was committed there, `invalid-options` where there is something at `to`, and what
 * reading and writing logs throw.
 */
export async function writeSavepoint(disk: Disk, directory: string, to: string, id: string): Promise<Savepoint> {
  if ((await disk.stat(to)) !== undefined) {
    throw new TidemarkError("invalid-options", `There is something at ${to} already.`, {
      hint: "Give the savepoint a place of its own: it replaces nothing.",
    })
  }
  const { state, run, records } = await readCommitted(disk, directory)
  const taken = { ...run, savepoint: id }
  const draft = `${to}.draft-${id}`
  await makeDurableDirectory(disk, draft, STEPS)
  const log = await Log.open(disk, `${draft}/log`, new RecoveryFold(draft))
  try {
    for (const { type, payload } of records) await log.append(type, payload)
    await log.append(RECORD.run, encodeRun(taken))
    await log.sync("begin")
  } finally {
    await log.close()
  }
  await disk.rename(draft, to, "savepoint.rename")
  await disk.syncDirectory(to.slice(0, to.lastIndexOf("/")) || "/", "savepoint.sync-parent")
  const bytes = records.reduce((sum, { payload }) => sum + payload.length, 0)
  return { id, state: { ...state, run: taken }, bytes }
}

/**
 * Reads a savepoint.
 *
 * @throws TidemarkError `state-missing` where the directory is none, `state-corrupt` where it is one that is not whole, `state-newer-format`.
 */
export async function readSavepoint(disk: Disk, directory: string): Promise<Savepoint> {
  const copy = await readCopy(disk, directory)
  const state = copy.fold.state()
  const { run } = state
  if (run?.savepoint === undefined) {
    const isDamaged = run === undefined && (await disk.stat(`${directory}/log`)) !== undefined
    throw isDamaged ? notWhole(directory) : noSavepoint(directory, run)
  }
  const bytes = copy.records.reduce((sum, { payload }) => sum + payload.length, 0)
  return { id: run.savepoint, state: { ...state, run }, bytes }
}

/** Only the last record of a savepoint is a run record. */
function notWhole(directory: string): TidemarkError {
  return new TidemarkError(
    "state-corrupt",
    `The savepoint at ${directory} is not whole: it is damaged, or was copied in part.`,
    {
      hint: "Copy it again from where it was made, or make another one. Nothing was changed.",
    },
  )
}

function noSavepoint(directory: string, run: RunRecord | undefined): TidemarkError {
  const isState = run === undefined ? "" : `: it is the state of the job ${run.job}`
  return new TidemarkError("state-missing", `There is no savepoint at ${directory}${isState}.`, {
    hint: "Make one of a job's state directory: tidemark savepoint .tidemark/<job> DIRECTORY",
  })
}

async function readCommitted(disk: Disk, directory: string) {
  const { fold, records } = await readCopy(disk, directory)
  const state = fold.state()
  if (state.run === undefined || state.epoch === 0) {
    throw new TidemarkError(
      "state-missing",
      `There is no state of a job in ${directory}, or nothing is committed yet.`,
      {
        hint: "Give the directory of a job's state: .tidemark/<job> where the job was started, or what --dir named.",
      },
    )
  }
  return { state, run: state.run, records }
}

function readCopy(disk: Disk, directory: string): Promise<CopiedRecords> {
  return readLog(disk, `${directory}/log`, () => new CopiedRecords(`${directory}/log`))
}

/**
 * The records of a log that recovery needs: all behind the last reset, and but for that the last whole snapshot, and the epochs since it was
 * begun, behind it.
 */
class CopiedRecords implements LogVisitor {
  readonly fold: RecoveryFold
  records: AppendedRecord[] = []
  /** A snapshot that is not whole yet, and the epochs since it was begun. */
  #snapshot: { readonly pieces: AppendedRecord[]; readonly behind: AppendedRecord[] } | undefined

  constructor(directory: string) {
    this.fold = new RecoveryFold(directory)
  }

  begin(isComplete: boolean): void {
    this.fold.begin(isComplete)
  }

  record(record: LogRecord): void {
    this.fold.record(record)
    const copy = { type: record.type, payload: record.payload.slice() }
    switch (record.type) {
      case RECORD.reset:
        this.records = []
        this.#snapshot = undefined
        return
      case RECORD.run:
        // It goes on with none of an earlier run's.
        this.#snapshot = undefined
        return
      case RECORD.epoch:
        this.records.push(copy)
        this.#snapshot?.behind.push(copy)
        return
      case RECORD.snapshotBegun:
      case RECORD.oldSnapshotBegin:
        this.#snapshot = { pieces: [copy], behind: [] }
        return
      case RECORD.snapshotSlice:
      case RECORD.oldSnapshotPart:
        this.#snapshot?.pieces.push(copy)
        return
      case RECORD.snapshotWhole:
      case RECORD.oldSnapshotEnd:
        if (this.#snapshot !== undefined) this.records = [...this.#snapshot.pieces, copy, ...this.#snapshot.behind]
        this.#snapshot = undefined
    }
  }
}
