/**
 * The PostgreSQL sink: an epoch's rows are staged as the text that COPY reads, and `apply` brings them into the table in one transaction with the
 * marker that says so.
 *
 * Few rows (up to 256 KiB) are staged in the commit record, more in a file of the state directory that is synced before `stage` returns. Whether
 * an epoch is in the table is asked of the marker and of nothing else: so a COMMIT whose answer was lost is looked up, and not guessed (PG2).
 *
 * Invariants, beside K1 to K5 of `connect/sink.ts` and PG1 to PG8 of `docs/spec/postgres.md`:
 * - PK1 `pending` are the epochs that were handed to `apply` and are not known to be in the table, in order.
 * - PK2 A checkpoint has them: with it they need no commit record any more.
 */
import { assert } from "../../base/assert.ts"
import { counted } from "../../base/counted.ts"
import { RecentNeed } from "../../base/recent-need.ts"
import type { Batch } from "../../batch/batch.ts"
import { NOTHING_STAGED, type EpochMark } from "../../connect/epoch-mark.ts"
import type { Sink } from "../../connect/sink.ts"
import { SinkTurns } from "../../connect/sink-turns.ts"
import type { JobEvent } from "../../trace/events.ts"
import { ByteOutput } from "../../formats/byte-output.ts"
import { applyEpoch, type EpochTarget } from "./apply-epoch.ts"
import { CopyEncoder } from "./copy-encoder.ts"
import type { PatientDatabase } from "./patient-database.ts"
import type { Session } from "./session.ts"
import { decodeEpoch, encodeCheckpoint, encodeEpoch, type StagedEpoch } from "./staged-epoch.ts"
import type { Schema } from "../../batch/schema.ts"

/** An epoch of at most so many bytes travels in the commit record, which saves it a file. */
const INLINE_BYTES_MAX = 256 * 1024

/** What it is made of. */
export interface PostgresSinkParts {
  readonly database: PatientDatabase
  readonly target: EpochTarget
  readonly schema: Schema
  /** The last epoch that is in the table ... */
  readonly applied: EpochMark
  /** ... and those that are committed behind it. */
  readonly pending: readonly StagedEpoch[]
  readonly newId: () => string
  readonly onEvent: ((event: JobEvent) => void) | undefined
}

/** An open PostgreSQL sink. */
export class PostgresSink implements Sink {
  readonly #parts: PostgresSinkParts
  readonly #encoder: CopyEncoder
  readonly #turns = new SinkTurns()
  /** Rows written since the last `stage` or `flush`. */
  #bytes = new ByteOutput()
  #spare: ByteOutput | undefined
  readonly #need = new RecentNeed()
  /** How many were written since the last `stage`. */
  #rows = 0
  #staged: EpochMark
  #applied: EpochMark
  readonly #pending: StagedEpoch[]
  /** The connections that have what upserts need. */
  readonly #prepared = new WeakSet<Session>()
  #isClosed = false

  constructor(parts: PostgresSinkParts) {
    const { table } = parts.target
    this.#parts = parts
    this.#encoder = new CopyEncoder(parts.schema, table.copied, table.mode === "upsert")
    this.#applied = parts.applied
    this.#pending = [...parts.pending]
    this.#staged = this.#pending.at(-1) ?? parts.applied
  }

  get bufferedBytes(): number {
    return this.#bytes.length
  }

  get waitsFor(): string | undefined {
    return this.#parts.database.waitsFor
  }

  write(batch: Batch): void {
    assert(!this.#isClosed, "a closed sink is not written to")
    const before = this.#bytes.length
    try {
      this.#encoder.encode(batch, this.#rows, this.#bytes)
    } catch (error) {
      // Half a row must not be staged, should anybody go on after this.
      this.#bytes.length = before
      throw error
    }
    this.#rows += batch.count
  }

  flush(): Promise<void> {
    const bytes = this.#takeBytes()
    return this.#inTurn(async () => {
      const { files } = this.#parts.target
      if (bytes.length > 0) await files.append(this.#staged.sequence + 1, viewOf(bytes), "flush")
      this.#giveBack(bytes)
    })
  }

  stage(): Promise<Uint8Array> {
    const bytes = this.#takeBytes()
    const rows = this.#rows
    this.#rows = 0
    return this.#inTurn(async () => {
      const staged = rows === 0 ? NOTHING_STAGED : await this.#stageRows(viewOf(bytes), rows)
      this.#giveBack(bytes)
      return staged
    })
  }

  apply(staged: Uint8Array): Promise<void> {
    return this.#inTurn(async () => {
      const epoch = decodeEpoch(staged)
      if (epoch === undefined) return
      assert(epoch.token === this.#parts.target.claimant.token, "a sink applies its own records")
      const last = this.#pending.at(-1) ?? this.#applied
      if (epoch.sequence > last.sequence) this.#pending.push(epoch)
      await this.#applyPending()
    })
  }

  checkpoint(): Promise<Uint8Array> {
    return this.#inTurn(async () => {
      await this.#parts.target.files.removeUpTo(this.#applied.sequence)
      const { token } = this.#parts.target.claimant
      return encodeCheckpoint({ token, applied: this.#applied, pending: this.#pending })
    })
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await this.#turns.settled()
    try {
      await this.#parts.target.files.close()
    } finally {
      await this.#parts.database.close()
    }
  }

  /** Brings what is committed into the table: after a recovery, what the process before has not. */
  applyPending(): Promise<void> {
    return this.#inTurn(() => this.#applyPending())
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    assert(!this.#isClosed, "a closed sink does nothing")
    return this.#turns.take(task)
  }

  #takeBytes(): ByteOutput {
    const bytes = this.#bytes
    this.#bytes = this.#spare ?? new ByteOutput()
    this.#spare = undefined
    return bytes
  }

  #giveBack(bytes: ByteOutput): void {
    if (this.#need.keeps(bytes.bytes.length, bytes.length)) this.#spare = bytes
    bytes.length = 0
  }

  async #stageRows(bytes: Uint8Array, rows: number): Promise<Uint8Array> {
    const { files, claimant } = this.#parts.target
    const sequence = this.#staged.sequence + 1
    const isInline = files.length === 0 && bytes.length <= INLINE_BYTES_MAX
    if (!isInline && bytes.length > 0) await files.append(sequence, bytes, "stage")
    const epoch: StagedEpoch = {
      token: claimant.token,
      sequence,
      id: this.#parts.newId(),
      previousId: this.#staged.id,
      rows,
      byteLength: isInline ? bytes.length : await files.sync(),
      inline: isInline ? bytes : undefined,
    }
    this.#staged = { sequence, id: epoch.id }
    return encodeEpoch(epoch)
  }

  async #applyPending(): Promise<void> {
    const { database, target, onEvent } = this.#parts
    const { output } = target.claimant
    for (let epoch = this.#pending[0]; epoch !== undefined; epoch = this.#pending[0]) {
      const next = epoch
      const done = await database.run(async (session) => {
        await this.#prepare(session)
        return await applyEpoch(session, target, next)
      })
      if (done === undefined) {
        const count = counted(this.#pending.length, "epoch is committed and not", "epochs are committed and not")
        onEvent?.({
          kind: "warning",
          about: output,
          message: `The database of the output ${output} could not be reached: ${count} in the table ${target.table.text} yet.`,
          hint: "Nothing is lost: the next run writes what is missing before it reads anything.",
        })
        return
      }
      const { deadLetters, reason } = done.value
      if (deadLetters > 0) onEvent?.({ kind: "rows-refused", output, rows: deadLetters, reason })
      this.#applied = { sequence: next.sequence, id: next.id }
      this.#pending.shift()
    }
  }

  async #prepare(session: Session): Promise<void> {
    const sql = this.#parts.target.table.prepareSql()
    if (sql === undefined || this.#prepared.has(session)) return
    await session.query(sql)
    this.#prepared.add(session)
  }
}

/** What was written: a view that the next write may invalidate. */
function viewOf({ bytes, length }: ByteOutput): Uint8Array {
  return bytes.subarray(0, length)
}
