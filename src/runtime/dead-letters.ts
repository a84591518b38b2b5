/**
 * Dead letters: records that could not be read, and rows whose lambda failed, as rows of an output of their own.
 *
 * Invariant:
 * - X1 Every record read is either processed or a dead letter, in the same epoch, never both; where its call is under way, when
 *   that is answered.
 */
import { counted } from "../base/counted.ts"
import { TidemarkError } from "../base/errors.ts"
import type { Arena } from "../batch/arena.ts"
import { batchOfRows, type Batch } from "../batch/batch.ts"
import { writtenRow } from "../batch/written-row.ts"
import type { BadRecord, Position } from "../batch/position.ts"
import { schema, type RowOf } from "../batch/schema.ts"
import { t } from "../batch/types.ts"
import type { RecordPlace } from "../connect/source.ts"
import type { FailedRow } from "../flow/operator.ts"
import type { JobEvent } from "../trace/events.ts"
import type { ExecutableJob } from "./executable-job.ts"
import { SecretMask } from "./secret-mask.ts"

/** Where dead letters lie in the state directory of a job that binds no output for them. */
export const DEAD_LETTER_DIRECTORY = "dead-letters"

/** What the log says of where they lie: the state directory may be moved. */
export const OWN_DEAD_LETTERS = "dead-letters of the state directory"

/** The columns of the dead-letter output. The first four are null for rows that the job made, such as results of windows. */
export const DEAD_LETTER_SCHEMA = schema({
  /** The input's name. */
  input: t.string.nullable(),
  /** Where it was read: for files, the path. */
  partition: t.string.nullable(),
  /** Where the record starts in the partition: for files, in bytes. */
  offset: t.int53.nullable(),
  /** The record's number in the partition, from 1: for text files, the line. */
  record: t.int53.nullable(),
  /** The operator that failed, or null where the record could not be read. */
  operator: t.string.nullable(),
  /** The field at fault, or null where it is no single one. */
  field: t.string.nullable(),
  reason: t.string,
  /** The record as read (cut to 4 KiB), or the row as JSON. */
  raw: t.string,
})

/** A row of the dead-letter output. */
export type DeadLetter = RowOf<typeof DEAD_LETTER_SCHEMA>

/** The most of a record that a dead letter shows, in UTF-16 units. */
const MAX_RAW_LENGTH = 4096

/** The dead letter of a record that could not be read. */
function deadLetterOfRecord(bad: BadRecord, place: InputPlace): DeadLetter {
  return {
    input: place.input,
    partition: place.id,
    offset: place.offset,
    record: place.ordinal + 1,
    operator: bad.operator ?? null,
    field: bad.field ?? null,
    reason: bad.reason,
    raw: bad.raw,
  }
}

/** The dead letter of a row whose lambda failed. */
function deadLetterOfRow(failed: FailedRow, placeOf: DeadLettersContext["placeOf"]): DeadLetter {
  const { partition, offsets, ordinals } = failed.batch.origin
  const [offset, ordinal] = [offsets?.[failed.row], ordinals?.[failed.row]]
  const from = partition === -1 ? undefined : placeOf(partition, { offset: offset ?? 0, ordinal: ordinal ?? 0 })
  return {
    input: from?.input ?? null,
    partition: from?.id ?? null,
    offset: offset === undefined ? null : (from?.offset ?? offset),
    record: ordinal === undefined ? null : (from?.ordinal ?? ordinal) + 1,
    operator: failed.operator,
    field: null,
    reason: failed.error instanceof Error ? failed.error.message : String(failed.error),
    raw: writtenRow(failed.batch, failed.row).slice(0, MAX_RAW_LENGTH),
  }
}

/** Why a job stops at a row that failed, where its policy says so. */
function rowFailed(failed: FailedRow, letter: DeadLetter): TidemarkError {
  const { error } = failed
  const isCall = error instanceof TidemarkError && error.code === "call-failed"
  return new TidemarkError(
    isCall ? error.code : "lambda-failed",
    `The operator ${failed.operator} failed at ${placeText(letter)}: ${letter.reason}`,
    {
      hint: `The row was ${letter.raw}. Mend ${isCall ? "what it asks" : "the lambda"}, or set ${failed.policy === undefined ? "onError" : "onFailure"}: "dead-letter". Nothing of this epoch counts.`,
      cause: error,
    },
  )
}

/** Why a job stops at a dead letter that is one too many. */
function tooManyBadRecords(letter: DeadLetter, count: number, allowed: number): TidemarkError {
  return new TidemarkError(
    "too-many-bad-records",
    `${counted(count, "bad record is", "bad records are")} more than maxBadRecords (${allowed}) allows. The last: ` +
      `${placeText(letter)}: ${letter.reason}.`,
    {
      hint: `It was ${letter.raw}. Mend the input or the schema, or raise maxBadRecords. Nothing of this epoch counts.`,
    },
  )
}

/** Where a record lies, and of which input it is. */
type InputPlace = RecordPlace & { readonly input: string }

/** What dead letters of a running job pass through. */
export interface DeadLettersContext {
  readonly arena: Arena
  /** Where a record lies that was read. */
  placeOf(partition: number, position: Position): InputPlace
  /** Counts one more bad record, and gives how many there are. */
  countBad(): number
  /** Takes rows of the output of dead letters; they are gone when it returns. */
  write(batch: Batch): void
  readonly onEvent: ((event: JobEvent) => void) | undefined
}

/** The dead letters of a running job, until they are written. */
export class DeadLetters {
  readonly #job: ExecutableJob
  readonly #context: DeadLettersContext
  readonly #mask: SecretMask
  #letters: DeadLetter[] = []

  constructor(job: ExecutableJob, context: DeadLettersContext) {
    this.#job = job
    this.#context = context
    this.#mask = new SecretMask(job)
  }

  /** Takes a record that could not be read. */
  addRecord(bad: BadRecord, partition: number): void {
    this.#add(deadLetterOfRecord(bad, this.#context.placeOf(partition, bad.position)))
  }

  /**
   * Takes a row that failed.
   *
   * @throws TidemarkError `lambda-failed` or `call-failed` where the policy is to stop.
   */
  addRow(failed: FailedRow): void {
    const told = deadLetterOfRow(failed, (partition, position) => this.#context.placeOf(partition, position))
    const letter = { ...told, reason: this.#mask.text(told.reason) }
    if ((failed.policy ?? this.#job.onError) === "stop") throw rowFailed(failed, letter)
    this.#add(letter)
  }

  #add(letter: DeadLetter): void {
    const { partition, record, operator, reason, input } = letter
    const count = this.#context.countBad()
    this.#context.onEvent?.({ kind: "dead-letter", input, partition, record, operator, reason })
    const { maxBadRecords } = this.#job
    if (count > maxBadRecords) throw tooManyBadRecords(letter, count, maxBadRecords)
    if (this.#job.deadLetter !== undefined) this.#letters.push(letter)
  }

  /** Puts them in the order of the records, so that it does not show how they were cut into batches (E7). */
  sort(): void {
    this.#letters.sort((one, other) => (one.offset ?? 0) - (other.offset ?? 0))
  }

  /** Writes them. */
  write(): void {
    if (this.#letters.length === 0) return
    for (let at = 0; at < this.#letters.length; at += 1024) {
      const { batch, release } = batchOfRows(
        this.#context.arena,
        DEAD_LETTER_SCHEMA,
        this.#letters.slice(at, at + 1024),
      )
      try {
        this.#context.write(batch)
      } finally {
        release()
      }
    }
    this.#letters = []
  }
}

function placeText({ partition, record }: DeadLetter): string {
  return partition === null ? "a row that the job made" : `${partition}, record ${record}`
}
