/**
 * The durable state of a job: a log of epochs with snapshots, so that recovery reads little and the log stays short.
 *
 * One commit record per epoch decides (E1). Now and then there is a snapshot of everything; once it is durable, older
 * segments are removed. Recovery folds the newest whole snapshot and the epochs since it was begun.
 *
 * A snapshot begins a segment. Its slices follow, in between the epochs that are committed meanwhile, and a record that makes it whole.
 *
 * Invariants:
 * - Z1 `open` gives the state of the last epoch whose `commit` returned, or of the one that was committing (E1, E3).
 * - Z4 The log holds at most the newest whole snapshot, the epochs since it was begun, one that is not whole, and what was written before the newest was whole.
 * - Z6 A snapshot is made whole behind the commit of each epoch that its slices may show.
 */
import { assert } from "../base/assert.ts"
import { ByteWriter } from "../base/bytes.ts"
import type { Disk } from "../env/env.ts"
import { Log } from "../log/log.ts"
import type { LogPlace } from "../log/log-reader.ts"
import type { SeenRecords } from "../log/seen-records.ts"
import { encodeEpoch, encodeRun, RECORD, type EpochRecord, type RunRecord } from "./commit-record.ts"
import { RecoveryFold, type RecoveredState } from "./recovery-fold.ts"
import { encodeSlice, encodeSnapshotEnd } from "./snapshot-record.ts"
import { step } from "../log/steps.ts"

/** When a snapshot is due. */
export interface SnapshotPolicy {
  /** After so many bytes of epochs, at least, since the last snapshot. */
  readonly minBytes: number
  /** And so many times the bytes of the last snapshot. */
  readonly growth: number
}

/** What a store may be told. */
export interface EpochStoreOptions {
  readonly policy?: SnapshotPolicy | undefined
  /** Bytes that the log gathers before it writes them. */
  readonly bufferBytes?: number | undefined
  /** How many bytes of operators' changes are kept of what it reads; more are read again when they are asked for. Default: all are kept. */
  readonly keptBytesMax?: number | undefined
}

const DEFAULT_POLICY: SnapshotPolicy = { minBytes: 4 << 20, growth: 2 }

/** A snapshot that is not whole yet. */
interface OpenSnapshot {
  readonly epoch: number
  slices: number
  bytes: number
  /** Bytes of the epochs since it was begun. */
  bytesBehind: number
}

/** The log of a job's epochs, held by one writer. */
export class EpochStore {
  #recovered: RecoveredState | undefined
  readonly #log: Log
  readonly #policy: SnapshotPolicy
  /** By partition: the identity with which it was described last. */
  readonly #described: Map<number, string>
  #epoch: number
  #bytesSinceSnapshot: number
  #snapshotBytes: number
  /** What an epoch is encoded in. A new one each time would be garbage that takes V8 long to find: it is not on its heap. */
  readonly #body = new ByteWriter(4096)
  /** What slices are encoded in. */
  readonly #slice = new ByteWriter(4096)
  #snapshot: OpenSnapshot | undefined

  private constructor(log: Log, fold: RecoveryFold, policy: SnapshotPolicy) {
    this.#log = log
    this.#policy = policy
    const recovered = fold.state()
    this.#recovered = recovered
    this.#epoch = recovered.epoch
    this.#described = new Map([...recovered.partitions].map(([index, { identity }]) => [index, identity]))
    this.#bytesSinceSnapshot = fold.bytesSinceSnapshot
    this.#snapshotBytes = fold.snapshotBytes
  }

  /**
   * Opens the store of a directory and recovers what it says.
   *
   * @throws TidemarkError `state-corrupt`, `state-newer-format`, `state-fenced`; see `Log.open`.
   */
  static async open(disk: Disk, directory: string, options: EpochStoreOptions = {}): Promise<EpochStore> {
    const fold = new RecoveryFold(directory, { keptBytesMax: options.keptBytesMax })
    const log = await Log.open(disk, directory, fold, options.bufferBytes)
    try {
      return new EpochStore(log, fold, options.policy ?? DEFAULT_POLICY)
    } catch (error) {
      await log.close()
      throw error
    }
  }

  /**
   * Sets a log aside that cannot be read, as `<directory>.unreadable-<n>`, so that a new one can be begun. Opening that
   * one makes the renaming durable.
   */
  static async discard(disk: Disk, directory: string): Promise<void> {
    const end = directory.lastIndexOf("/")
    const prefix = `${directory.slice(end + 1)}.unreadable-`
    const taken = (await disk.list(directory.slice(0, end))).filter((name) => name.startsWith(prefix))
    const last = Math.max(0, ...taken.map((name) => Number(name.slice(prefix.length))).filter(Number.isSafeInteger))
    await disk.rename(directory, `${directory.slice(0, end)}/${prefix}${last + 1}`, step("log.discard.rename"))
  }

  /** What the log said when it was opened, until that is forgotten. */
  get recovered(): RecoveredState {
    assert(this.#recovered !== undefined, "what was recovered is not asked for when it is forgotten")
    return this.#recovered
  }

  /** To read what is not kept of it, until something is trimmed. */
  seenRecords(): SeenRecords {
    return this.#log.seenRecords()
  }

  /** Whoever has taken over what was recovered says so: it need not be kept twice. */
  forgetRecovered(): void {
    this.#recovered = undefined
  }

  /** The last committed epoch. */
  get epoch(): number {
    return this.#epoch
  }

  /** Whether the log has grown so much that a snapshot pays, also while one is got ready. */
  get isSnapshotDue(): boolean {
    return this.#bytesSinceSnapshot >= Math.max(this.#policy.minBytes, this.#snapshotBytes * this.#policy.growth)
  }

  /**
   * Writes who runs, durably.
   *
   * @param reset makes everything before void.
   */
  async begin(run: RunRecord, reset: boolean): Promise<void> {
    if (reset) {
      await this.#log.append(RECORD.reset, new Uint8Array(0))
      this.#described.clear()
      this.#epoch = 0
    }
    await this.#log.append(RECORD.run, encodeRun(run))
    await this.#log.sync("begin")
  }

  /** Commits an epoch: when this has returned, the epoch has happened, whatever comes. */
  async commit(record: EpochRecord): Promise<void> {
    assert(record.epoch === this.#epoch + 1, "epochs are committed in order")
    this.#body.recycle()
    encodeEpoch(this.#body, record, ({ index, identity }) => this.#described.get(index) === identity)
    await this.#log.append(RECORD.epoch, this.#body.view())
    await this.#log.sync("commit")
    this.#bytesSinceSnapshot += this.#body.length
    if (this.#snapshot !== undefined) this.#snapshot.bytesBehind += this.#body.length
    for (const { index, identity } of record.partitions) this.#described.set(index, identity)
    this.#epoch = record.epoch
  }

  /**
   * Begins a snapshot, durably. No epoch may be committed meanwhile.
   *
   * @param everything the last committed epoch with all partitions and counters, and the whole state of those operators of which no slices
   * follow.
   * @returns where it stands: when the snapshot is whole, `trim` removes what lies before that.
   */
  async beginSnapshot(run: RunRecord, everything: EpochRecord): Promise<LogPlace> {
    assert(this.#snapshot === undefined, "one snapshot is under way at a time")
    assert(everything.epoch === this.#epoch, "a snapshot begins at the last committed epoch")
    const base = baseOf(everything)
    const { epoch } = everything
    this.#snapshot = { epoch, slices: 0, bytes: base.length, bytesBehind: 0 }
    return await this.#log.roll([
      { type: RECORD.run, payload: encodeRun(run) },
      { type: RECORD.snapshotBegun, payload: base },
    ])
  }

  /** Appends a slice of the snapshot that was begun: of the state of an operator behind all that was committed, or later. */
  async appendSlice(operator: string, changes: Uint8Array): Promise<void> {
    const snapshot = this.#snapshot
    assert(snapshot !== undefined, "a snapshot was begun before a slice of it is written")
    this.#slice.recycle()
    encodeSlice(this.#slice, { epoch: snapshot.epoch, operator, changes })
    snapshot.slices++
    snapshot.bytes += this.#slice.length
    await this.#log.append(RECORD.snapshotSlice, this.#slice.view())
  }

  /**
   * Makes the snapshot whole that was begun, durably. No epoch may be committed meanwhile, and all that its slices may show is committed (Z6).
   *
   * @param outputs the checkpoints of the sinks, as they were when it was begun.
   */
  async endSnapshot(outputs: EpochRecord["outputs"]): Promise<void> {
    const snapshot = this.#snapshot
    assert(snapshot !== undefined, "a snapshot was begun before it is whole")
    const { epoch, slices } = snapshot
    await this.#log.append(RECORD.snapshotWhole, encodeSnapshotEnd({ epoch, slices, outputs }))
    await this.#log.sync("snapshot")
    this.#snapshotBytes = snapshot.bytes
    this.#bytesSinceSnapshot = snapshot.bytesBehind
    this.#snapshot = undefined
  }

  /**
   * Lets the log begin with a state that it did not have: from there epochs go on. What it had before is gone when this has returned, and
   * before that it is whole.
   *
   * @param everything all partitions, the whole state of all operators, the checkpoints of the sinks; its epoch counts.
   */
  async restart(run: RunRecord, everything: EpochRecord): Promise<void> {
    assert(this.#snapshot === undefined, "no snapshot is under way")
    const { epoch, outputs, partitions } = everything
    const base = baseOf(everything)
    const start = await this.#log.roll([
      { type: RECORD.run, payload: encodeRun(run) },
      { type: RECORD.snapshotBegun, payload: base },
      { type: RECORD.snapshotWhole, payload: encodeSnapshotEnd({ epoch, slices: 0, outputs }) },
    ])
    this.#epoch = epoch
    this.#snapshotBytes = base.length
    this.#bytesSinceSnapshot = 0
    this.#described.clear()
    for (const { index, identity } of partitions) this.#described.set(index, identity)
    await this.trim(start)
  }

  /** Removes what a snapshot makes superfluous. Epochs may be committed meanwhile, but no snapshot begun. */
  async trim(snapshot: LogPlace): Promise<void> {
    await this.#log.trim(snapshot)
  }

  /** Closes the log; commits nothing. */
  async close(): Promise<void> {
    await this.#log.close()
  }
}

/** The bytes of what a snapshot begins with. */
function baseOf(everything: EpochRecord): Uint8Array {
  const body = new ByteWriter(4096)
  encodeEpoch(body, { ...everything, outputs: new Map() }, () => false)
  return body.view()
}
