/**
 * The durable state of a job: a log of epochs with snapshots, so that recovery reads little and the log stays short.
 *
 * One commit record per epoch decides (E1). Now and then there is a snapshot of everything; once it is durable, older
 * segments are removed. Recovery folds the newest whole snapshot and the epochs behind it.
 *
 * Epochs are committed while a snapshot is got ready. They are written behind it once more, in a segment that is there
 * whole or not at all: with a snapshot that is read back, all are that it does not show.
 *
 * Invariants:
 * - Z1 `open` gives the state of the last epoch whose `commit` returned, or of the one that was committing (E1, E3).
 * - Z4 The log holds at most the newest snapshot, the epochs since, and what was written before that snapshot was written.
 */
import { assert } from "../base/assert.ts"
import { ByteWriter } from "../base/bytes.ts"
import { crc32c } from "../base/crc32c.ts"
import type { Disk } from "../env/env.ts"
import { Log, type AppendedRecord } from "../log/log.ts"
import type { LogPlace } from "../log/log-reader.ts"
import { encodeEpoch, encodeRun, RECORD, type EpochRecord, type RunRecord } from "./commit-record.ts"
import { RecoveryFold, type RecoveredState } from "./recovery-fold.ts"
import { step } from "../log/steps.ts"

const SNAPSHOT_PART_BYTES = 1 << 20

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
}

const DEFAULT_POLICY: SnapshotPolicy = { minBytes: 4 << 20, growth: 2 }

/** The log of a job's epochs, held by one writer. */
export class EpochStore {
  /** What the log said when it was opened. */
  readonly recovered: RecoveredState
  readonly #log: Log
  readonly #policy: SnapshotPolicy
  /** By partition: the identity with which it was described last. */
  readonly #described: Map<number, string>
  #epoch: number
  #bytesSinceSnapshot: number
  #snapshotBytes: number
  /** What an epoch is encoded in. A new one each time would be garbage that takes V8 long to find: it is not on its heap. */
  readonly #body = new ByteWriter(4096)
  /** The epochs committed since a snapshot was begun that is not written yet. */
  #behindSnapshot: Uint8Array[] | undefined

  private constructor(log: Log, fold: RecoveryFold, policy: SnapshotPolicy) {
    this.#log = log
    this.#policy = policy
    this.recovered = fold.state()
    this.#epoch = this.recovered.epoch
    this.#described = new Map([...this.recovered.partitions].map(([index, { identity }]) => [index, identity]))
    this.#bytesSinceSnapshot = fold.bytesSinceSnapshot
    this.#snapshotBytes = fold.snapshotBytes
  }

  /**
   * Opens the store of a directory and recovers what it says.
   *
   * @throws TidemarkError `state-corrupt`, `state-newer-format`, `state-fenced`; see `Log.open`.
   */
  static async open(disk: Disk, directory: string, options: EpochStoreOptions = {}): Promise<EpochStore> {
    const fold = new RecoveryFold(directory)
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
      await this.#append(RECORD.reset, new Uint8Array(0))
      this.#described.clear()
      this.#epoch = 0
    }
    await this.#append(RECORD.run, encodeRun(run))
    await this.#log.sync("begin")
  }

  /** Commits an epoch: when this has returned, the epoch has happened, whatever comes. */
  async commit(record: EpochRecord): Promise<void> {
    assert(record.epoch === this.#epoch + 1, "epochs are committed in order")
    this.#body.recycle()
    encodeEpoch(this.#body, record, ({ index, identity }) => this.#described.get(index) === identity)
    await this.#append(RECORD.epoch, this.#body.view())
    await this.#log.sync("commit")
    this.#behindSnapshot?.push(this.#body.finish())
    for (const { index, identity } of record.partitions) this.#described.set(index, identity)
    this.#epoch = record.epoch
  }

  /** A snapshot will be written that shows the last committed epoch. */
  beginSnapshot(): void {
    assert(this.#behindSnapshot === undefined, "one snapshot is got ready at a time")
    this.#behindSnapshot = []
  }

  /**
   * Writes the snapshot that was begun, durably.
   *
   * @param everything all partitions, the whole state of the operators, the checkpoints of the sinks, as they were then.
   * @returns where it stands: `trim` removes what lies before that.
   */
  async snapshot(run: RunRecord, everything: EpochRecord): Promise<LogPlace> {
    const behind = this.#behindSnapshot
    assert(behind !== undefined, "a snapshot was begun before it is written")
    assert(everything.epoch + behind.length === this.#epoch, "a snapshot shows the epoch at which it was begun")
    const body = new ByteWriter(4096)
    encodeEpoch(body, everything, () => false)
    const bytes = body.view()
    const start = await this.#log.roll([
      ...snapshotRecords(everything.epoch, bytes),
      { type: RECORD.run, payload: encodeRun(run) },
      ...behind.map((payload) => ({ type: RECORD.epoch, payload })),
    ])
    this.#snapshotBytes = bytes.length
    this.#bytesSinceSnapshot = behind.reduce((sum, { length }) => sum + length, 0)
    this.#behindSnapshot = undefined
    return start
  }

  /**
   * Lets the log begin with a state that it did not have: from there epochs go on. What it had before is gone when this has returned, and
   * before that it is whole.
   *
   * @param everything as `snapshot` is given it; its epoch counts.
   */
  async restart(run: RunRecord, everything: EpochRecord): Promise<void> {
    assert(this.#behindSnapshot === undefined, "no snapshot is under way")
    this.#epoch = everything.epoch
    this.#behindSnapshot = []
    const start = await this.snapshot(run, everything)
    this.#described.clear()
    for (const { index, identity } of everything.partitions) this.#described.set(index, identity)
    await this.trim(start)
  }

  /** Removes what a snapshot makes superfluous. Epochs may be committed meanwhile, but no snapshot written. */
  async trim(snapshot: LogPlace): Promise<void> {
    await this.#log.trim(snapshot)
  }

  /** Closes the log; commits nothing. */
  async close(): Promise<void> {
    await this.#log.close()
  }

  async #append(type: number, payload: Uint8Array): Promise<void> {
    await this.#log.append(type, payload)
    this.#bytesSinceSnapshot += payload.length
  }
}

/** A snapshot's body in parts, and a checksum of all. */
function snapshotRecords(epoch: number, body: Uint8Array): AppendedRecord[] {
  const begin = new ByteWriter()
  begin.varint(epoch)
  begin.varint(body.length)
  const records: AppendedRecord[] = [{ type: RECORD.snapshotBegin, payload: begin.view() }]
  for (let at = 0; at < body.length; at += SNAPSHOT_PART_BYTES) {
    records.push({ type: RECORD.snapshotPart, payload: body.subarray(at, at + SNAPSHOT_PART_BYTES) })
  }
  const end = new ByteWriter()
  end.uint32(crc32c(body))
  records.push({ type: RECORD.snapshotEnd, payload: end.view() })
  return records
}
