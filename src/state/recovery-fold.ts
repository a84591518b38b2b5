/**
 * Recovery: the records of a log, oldest first, folded into the state that they describe.
 *
 * A snapshot that is whole takes the place of all before it: what it was begun with, its slices, and then, once more, the epochs that
 * were committed since it was begun. They stand between its slices, which may show some of what they have changed: operators
 * see to it that this does not matter (rule F4 of `flow/operator.ts`).
 *
 * Invariants:
 * - Z2 Epoch numbers rise by one; anything else is corruption.
 * - Z3 A snapshot that is not whole is as if it were not there. A new run goes on with none of an earlier one's.
 * - Z5 All epochs behind the one at which a snapshot was begun are folded behind its slices.
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
import { RECORD_HEADER_BYTES } from "../log/record.ts"
import { decodeSlice, decodeSnapshotEnd } from "./snapshot-record.ts"
import { ChangesMemory, writtenOf, type KeptChanges, type WrittenChanges } from "./written-changes.ts"

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
  /** Per operator id: changes to apply in order. */
  readonly operators: ReadonlyMap<string, readonly WrittenChanges[]>
  readonly outputs: ReadonlyMap<string, RecoveredOutput>
  readonly counters: ReadonlyMap<string, number>
  /** Whether a reset was ordered and no epoch has been committed since. */
  readonly resetPending: boolean
}

/** An epoch, or all there was at one, of which the changes of operators are kept apart. */
interface FoldedEpoch extends Omit<EpochRecord, "operators"> {
  readonly changes: readonly KeptChanges[]
}

/** What those are shown who look at how a state came about. */
export interface SeenEpoch {
  readonly epoch: number
  readonly wallMicros: number
  /** Operators with changes. */
  readonly operators: readonly string[]
}

/** What a fold may be told. */
export interface FoldOptions {
  /** Is shown each epoch that counts, and each whole snapshot. */
  readonly onEpoch?: (epoch: SeenEpoch, isSnapshot: boolean) => void
  /** How many bytes of changes are kept; of more only where they are. Default: all of them. */
  readonly keptBytesMax?: number | undefined
}

/** A snapshot that is not whole yet. */
interface OpenSnapshot {
  /** What it was begun with. */
  readonly base: FoldedEpoch
  /** As they are described there and in the epochs since. */
  readonly partitions: Map<number, PartitionProgress>
  readonly slices: KeptChanges[]
  /** The epochs since. */
  readonly behind: FoldedEpoch[]
  bytes: number
  bytesBehind: number
}

/** One that a version before this has written. */
interface OldSnapshot {
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
  readonly #onEpoch: FoldOptions["onEpoch"]
  readonly #memory: ChangesMemory
  /** Whether what came so far starts from nothing, so that epochs may be folded. */
  #isGrounded = true
  #epoch = 0
  #wallMicros = 0
  #finished = false
  #active: number | undefined
  #run: RunRecord | undefined
  #partitions = new Map<number, PartitionProgress>()
  #operators = new Map<string, KeptChanges[]>()
  #outputs = new Map<string, { checkpoint: Uint8Array | undefined; staged: Uint8Array[] }>()
  #counters = new Map<string, number>()
  #resetPending = false
  #snapshot: OpenSnapshot | undefined
  #oldSnapshot: OldSnapshot | undefined

  constructor(directory: string, { onEpoch, keptBytesMax = Infinity }: FoldOptions = {}) {
    this.#directory = directory
    this.#onEpoch = onEpoch
    this.#memory = new ChangesMemory(keptBytesMax)
  }

  begin(isComplete: boolean): void {
    this.#isGrounded = isComplete
  }

  record(record: LogRecord): void {
    const { type, payload } = record
    switch (type) {
      case RECORD.run:
        this.#run = decodeRun(payload)
        this.#giveUpSnapshot()
        return
      case RECORD.reset:
        this.#clear()
        this.#resetPending = true
        this.#isGrounded = true
        this.#giveUpSnapshot()
        return
      case RECORD.epoch:
        this.#takeEpoch(record)
        return
      case RECORD.snapshotBegun:
        this.#beginSnapshot(record)
        return
      case RECORD.snapshotSlice:
        this.#takeSlice(record)
        return
      case RECORD.snapshotWhole:
        this.#endSnapshot(payload)
        return
      default:
        this.#oldRecord(type, payload)
    }
  }

  #oldRecord(type: number, payload: Uint8Array): void {
    switch (type) {
      case RECORD.oldSnapshotBegin: {
        const reader = new ByteReader(payload)
        this.#oldSnapshot = { epoch: reader.varint(), length: reader.varint(), body: new ByteWriter() }
        return
      }
      case RECORD.oldSnapshotPart:
        this.#oldSnapshot?.body.raw(payload)
        return
      case RECORD.oldSnapshotEnd:
        this.#applyOldSnapshot(payload)
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
      operators: new Map([...this.#operators].map(([id, changes]) => [id, changes.map(writtenOf)])),
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

  #takeEpoch(from: LogRecord): void {
    const { payload } = from
    this.bytesSinceSnapshot += payload.length
    const snapshot = this.#snapshot
    // A crash that cut the removal of old segments short leaves epochs that the snapshot behind them makes superfluous.
    if (!this.#isGrounded && snapshot === undefined) return
    const record = this.#folded(from, this.#isGrounded ? this.#partitions : snapshot!.partitions)
    if (snapshot !== undefined) {
      this.#expectNext(record, (snapshot.behind.at(-1) ?? snapshot.base).epoch)
      snapshot.behind.push(record)
      for (const partition of record.partitions) snapshot.partitions.set(partition.index, partition)
      snapshot.bytesBehind += payload.length
    }
    if (this.#isGrounded) this.#applyEpoch(record)
  }

  /** Decodes an epoch, of which nothing is kept but what is counted. */
  #folded(from: LogRecord, known: ReadonlyMap<number, PartitionProgress>): FoldedEpoch {
    const { operators, outputs, ...record } = decodeEpoch(from.payload, known)
    return {
      ...record,
      changes: [...operators].map(([id, changes]) => this.#kept(id, changes, from)),
      outputs: new Map([...outputs].map(([name, bytes]) => [name, bytes.slice()])),
    }
  }

  /** Changes that are a view of a record's payload. */
  #kept(operator: string, changes: Uint8Array, { lsn, payload }: LogRecord): KeptChanges {
    const { generation, offset } = lsn
    return this.#memory.keep(operator, changes, {
      place: { generation, offset },
      recordBytes: RECORD_HEADER_BYTES + payload.length,
      from: changes.byteOffset - payload.byteOffset,
      length: changes.length,
    })
  }

  #expectNext({ epoch }: FoldedEpoch, before: number): void {
    if (epoch !== before + 1) throw this.#corrupt(`epoch ${before + 1} is missing before epoch ${epoch}`)
  }

  #applyEpoch(record: FoldedEpoch): void {
    this.#expectNext(record, this.#epoch)
    this.#take(record)
    this.#show(record, false)
    for (const [name, staged] of record.outputs) {
      const output = this.#outputs.get(name)
      if (output === undefined) this.#outputs.set(name, { checkpoint: undefined, staged: [staged] })
      else output.staged.push(staged)
    }
    this.#resetPending = false
  }

  #show({ epoch, wallMicros, changes }: FoldedEpoch, isSnapshot: boolean): void {
    this.#onEpoch?.({ epoch, wallMicros, operators: changes.map(({ operator }) => operator) }, isSnapshot)
  }

  #beginSnapshot(from: LogRecord): void {
    const { payload } = from
    this.#giveUpSnapshot()
    const base = this.#folded(from, new Map())
    const partitions = new Map(base.partitions.map((partition) => [partition.index, partition]))
    this.#snapshot = { base, partitions, slices: [], behind: [], bytes: payload.length, bytesBehind: 0 }
  }

  /** One that is not whole, where there is one: only the state so far is needed. */
  #giveUpSnapshot(): void {
    this.#snapshot = undefined
    this.#memory.keepOnly([...this.#operators.values()].flat())
  }

  #takeSlice(from: LogRecord): void {
    const { payload } = from
    const { epoch, operator, changes } = decodeSlice(payload)
    const snapshot = this.#openSnapshot(epoch)
    if (snapshot === undefined) return
    snapshot.slices.push(this.#kept(operator, changes, from))
    snapshot.bytes += payload.length
  }

  #endSnapshot(payload: Uint8Array): void {
    const { epoch, slices, outputs } = decodeSnapshotEnd(payload.slice())
    const snapshot = this.#openSnapshot(epoch)
    this.#snapshot = undefined
    if (snapshot === undefined) return
    if (snapshot.slices.length !== slices) {
      throw this.#corrupt(`the snapshot of epoch ${epoch} has ${snapshot.slices.length} of ${slices} slices`)
    }
    const { base, slices: kept, behind } = snapshot
    this.#memory.keepOnly([...base.changes, ...kept, ...behind.flatMap(({ changes }) => changes)])
    this.#begin(base, outputs)
    for (const changes of kept) this.#addChanges(changes)
    for (const record of behind) this.#applyEpoch(record)
    this.snapshotBytes = snapshot.bytes
    this.bytesSinceSnapshot = snapshot.bytesBehind
  }

  /** The snapshot that was begun behind that epoch; `undefined` where its beginning went with segments that nobody needs. */
  #openSnapshot(epoch: number): OpenSnapshot | undefined {
    if (this.#snapshot?.base.epoch === epoch) return this.#snapshot
    if (this.#snapshot !== undefined || this.#isGrounded) {
      throw this.#corrupt(`a piece of a snapshot of epoch ${epoch} stands where there is none`)
    }
    return undefined
  }

  #applyOldSnapshot(payload: Uint8Array): void {
    const snapshot = this.#oldSnapshot
    this.#oldSnapshot = undefined
    if (snapshot === undefined) throw this.#corrupt("a snapshot ends that never began")
    const body = snapshot.body.finish()
    if (body.length !== snapshot.length || crc32c(body) !== new ByteReader(payload).uint32()) {
      throw this.#corrupt(`the snapshot of epoch ${snapshot.epoch} does not check`)
    }
    const { operators, ...record } = decodeEpoch(body, new Map())
    const changes = [...operators].map(([id, bytes]) => this.#memory.keep(id, bytes, undefined))
    this.#memory.keepOnly(changes)
    this.#begin({ ...record, changes }, record.outputs)
    this.snapshotBytes = body.length
    this.bytesSinceSnapshot = 0
  }

  /** Begins anew with everything as it was at an epoch. */
  #begin(everything: FoldedEpoch, checkpoints: EpochRecord["outputs"]): void {
    const run = this.#run
    this.#clear()
    this.#run = run
    this.#take(everything)
    this.#show(everything, true)
    for (const [name, checkpoint] of checkpoints) this.#outputs.set(name, { checkpoint, staged: [] })
    this.#isGrounded = true
  }

  #take(record: FoldedEpoch): void {
    this.#epoch = record.epoch
    this.#wallMicros = record.wallMicros
    this.#finished = record.finished
    this.#active = record.active
    for (const partition of record.partitions) this.#partitions.set(partition.index, partition)
    for (const changes of record.changes) this.#addChanges(changes)
    for (const [name, value] of record.counters) this.#counters.set(name, value)
  }

  #addChanges(changes: KeptChanges): void {
    const earlier = this.#operators.get(changes.operator)
    if (earlier === undefined) this.#operators.set(changes.operator, [changes])
    else earlier.push(changes)
  }

  #corrupt(what: string): TidemarkError {
    return new TidemarkError("state-corrupt", `The log in ${this.#directory} is not whole: ${what}.`, {
      hint: "A file of it is missing or damaged. Restore it from a copy, or start anew with --reset.",
    })
  }
}
