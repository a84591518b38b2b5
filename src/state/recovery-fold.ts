/**
 * Recovery: the records of a log, oldest first, folded into the state that they describe.
 *
 * Invariants:
 * - Z2 Epoch numbers rise by one; anything else is corruption.
 * - Z3 A snapshot that is not whole is as if it were not there.
 */
import { ByteReader, ByteWriter } from "../base/bytes.ts"
import { crc32c } from "../base/crc32c.ts"
import { TidemarkError } from "../base/errors.ts"
import type { LogRecord, LogVisitor } from "../log/log-reader.ts"
import {
  decodeEpoch,
  decodeRun,
  RECORD,
  type EpochRecord,
  type PartitionProgress,
  type RunRecord,
} from "./commit-record.ts"

/** What a sink has committed: its last checkpoint, and what was staged in the epochs since, in order. */
export interface RecoveredOutput {
  readonly checkpoint: Uint8Array | undefined
  readonly staged: readonly Uint8Array[]
}

/** What the log says of a job. */
export interface RecoveredState {
  /** The last committed epoch; 0 where there is none. */
  readonly epoch: number
  /** When it was committed, by the clock of then; 0 where there is none. */
  readonly wallMicros: number
  readonly finished: boolean
  readonly active: number | undefined
  /** The last run that is known, or `undefined` where the log is empty. */
  readonly run: RunRecord | undefined
  readonly partitions: ReadonlyMap<number, PartitionProgress>
  /** Per operator id: change bytes to apply in order. */
  readonly operators: ReadonlyMap<string, readonly Uint8Array[]>
  readonly outputs: ReadonlyMap<string, RecoveredOutput>
  readonly counters: ReadonlyMap<string, number>
  /** Whether a reset was ordered and no epoch has been committed since. */
  readonly resetPending: boolean
}

interface OpenSnapshot {
  readonly epoch: number
  readonly length: number
  readonly body: ByteWriter
}

/** Takes the records of a log and gives the state they describe. */
export class RecoveryFold implements LogVisitor {
  /** Bytes of payloads since the last whole snapshot, and of that snapshot's body. */
  bytesSinceSnapshot = 0
  snapshotBytes = 0
  readonly #directory: string
  readonly #onEpoch: ((record: EpochRecord, isSnapshot: boolean) => void) | undefined
  /** Whether what came so far starts from nothing, so that epochs may be folded. */
  #isGrounded = true
  #epoch = 0
  #wallMicros = 0
  #finished = false
  #active: number | undefined
  #run: RunRecord | undefined
  #partitions = new Map<number, PartitionProgress>()
  #operators = new Map<string, Uint8Array[]>()
  #outputs = new Map<string, { checkpoint: Uint8Array | undefined; staged: Uint8Array[] }>()
  #counters = new Map<string, number>()
  #resetPending = false
  #snapshot: OpenSnapshot | undefined

  /** @param onEpoch is shown each epoch that counts, and each whole snapshot, for those who look at how it came about. */
  constructor(directory: string, onEpoch?: (record: EpochRecord, isSnapshot: boolean) => void) {
    this.#directory = directory
    this.#onEpoch = onEpoch
  }

  begin(isComplete: boolean): void {
    this.#isGrounded = isComplete
  }

  record({ type, payload }: LogRecord): void {
    this.bytesSinceSnapshot += payload.length
    switch (type) {
      case RECORD.run:
        this.#run = decodeRun(payload)
        return
      case RECORD.reset:
        this.#clear()
        this.#resetPending = true
        this.#isGrounded = true
        return
      case RECORD.epoch:
        this.#applyEpoch(payload)
        return
      case RECORD.snapshotBegin: {
        const reader = new ByteReader(payload)
        this.#snapshot = { epoch: reader.varint(), length: reader.varint(), body: new ByteWriter() }
        return
      }
      case RECORD.snapshotPart:
        this.#snapshot?.body.raw(payload)
        return
      case RECORD.snapshotEnd:
        this.#applySnapshot(payload)
        return
      default:
        throw new TidemarkError("state-newer-format", `The log in ${this.#directory} has a record of type ${type}.`, {
          hint: "Run the job with the Tidemark that wrote it, or start anew with --reset.",
        })
    }
  }

  /** The state after all records. */
  state(): RecoveredState {
    if (!this.#isGrounded) throw this.#corrupt("it starts in the middle")
    return {
      epoch: this.#epoch,
      wallMicros: this.#wallMicros,
      finished: this.#finished,
      active: this.#active,
      run: this.#run,
      partitions: this.#partitions,
      operators: this.#operators,
      outputs: this.#outputs,
      counters: this.#counters,
      resetPending: this.#resetPending,
    }
  }

  #clear(): void {
    this.#epoch = 0
    this.#wallMicros = 0
    this.#finished = false
    this.#active = undefined
    this.#run = undefined
    this.#partitions = new Map()
    this.#operators = new Map()
    this.#outputs = new Map()
    this.#counters = new Map()
    this.#resetPending = false
  }

  #applyEpoch(payload: Uint8Array): void {
    // A crash that cut the removal of old segments short leaves epochs that the snapshot behind them makes superfluous.
    if (!this.#isGrounded) return
    // The bytes are a view of a read buffer; the state outlives it.
    const record = decodeEpoch(payload.slice(), this.#partitions)
    if (record.epoch !== this.#epoch + 1) {
      throw this.#corrupt(`epoch ${this.#epoch + 1} is missing before epoch ${record.epoch}`)
    }
    this.#take(record)
    this.#onEpoch?.(record, false)
    for (const [name, staged] of record.outputs) {
      const output = this.#outputs.get(name)
      if (output === undefined) this.#outputs.set(name, { checkpoint: undefined, staged: [staged] })
      else output.staged.push(staged)
    }
    this.#resetPending = false
  }

  #applySnapshot(payload: Uint8Array): void {
    const snapshot = this.#snapshot
    this.#snapshot = undefined
    if (snapshot === undefined) throw this.#corrupt("a snapshot ends that never began")
    const body = snapshot.body.finish()
    if (body.length !== snapshot.length || crc32c(body) !== new ByteReader(payload).uint32()) {
      throw this.#corrupt(`the snapshot of epoch ${snapshot.epoch} does not check`)
    }
    const run = this.#run
    this.#clear()
    this.#run = run
    const record = decodeEpoch(body, this.#partitions)
    this.#take(record)
    this.#onEpoch?.(record, true)
    for (const [name, checkpoint] of record.outputs) this.#outputs.set(name, { checkpoint, staged: [] })
    this.#isGrounded = true
    this.snapshotBytes = body.length
    this.bytesSinceSnapshot = 0
  }

  #take(record: EpochRecord): void {
    this.#epoch = record.epoch
    this.#wallMicros = record.wallMicros
    this.#finished = record.finished
    this.#active = record.active
    for (const partition of record.partitions) this.#partitions.set(partition.index, partition)
    for (const [id, changes] of record.operators) {
      const earlier = this.#operators.get(id)
      if (earlier === undefined) this.#operators.set(id, [changes])
      else earlier.push(changes)
    }
    for (const [name, value] of record.counters) this.#counters.set(name, value)
  }

  #corrupt(what: string): TidemarkError {
    return new TidemarkError("state-corrupt", `The log in ${this.#directory} is not whole: ${what}.`, {
      hint: "A file of it is missing or damaged. Restore it from a copy, or start anew with --reset.",
    })
  }
}
