/**
 * Snapshots beside the stream. When the log has grown, everything is captured at the end of an epoch. Then the sinks make
 * durable what they have, while further epochs are committed; the snapshot is written, while one epoch is read and
 * computed, whose commit waits for that, as the log has one end; and older segments are removed beside the next ones.
 *
 * A stream that waited for all that would stand still for some tens of calls of the disk, among them the sync of
 * megabytes.
 *
 * Invariants:
 * - SN1 One snapshot is under way at a time, from its capture until the segments before it are gone.
 * - SN2 The log is not appended to while a snapshot is written.
 * - SN3 What fails beside the stream fails the job, at the end of the next epoch at the latest; nothing goes on when the
 *   job has ended.
 */
import type { LogPlace } from "../log/log-reader.ts"
import type { EpochRecord, RunRecord } from "../state/commit-record.ts"
import { Background } from "./background.ts"

/** What snapshots need of the store of epochs. */
export interface SnapshotStore {
  readonly isSnapshotDue: boolean
  beginSnapshot(): void
  snapshot(run: RunRecord, everything: EpochRecord): Promise<LogPlace>
  trim(snapshot: LogPlace): Promise<void>
}

/** What snapshots are made of. */
export interface SnapshotParts {
  readonly store: SnapshotStore
  readonly run: RunRecord
  /** Everything as it is now, but for what the sinks have. */
  readonly capture: () => EpochRecord
  /** See `Sink.checkpoint`. */
  readonly checkpoint: () => Promise<EpochRecord["outputs"]>
  /** A snapshot is durable, and what it makes superfluous is gone. */
  readonly onDone: (epoch: number) => void
}

/** How far a snapshot has come. */
type Stage =
  | { readonly kind: "sinks"; readonly work: Background<EpochRecord["outputs"]> }
  | { readonly kind: "writing"; readonly work: Background<LogPlace> }
  | { readonly kind: "trimming"; readonly work: Background<void> }

/** The snapshots of a run. */
export class Snapshots {
  readonly #parts: SnapshotParts
  #underWay: { readonly everything: EpochRecord; stage: Stage } | undefined

  constructor(parts: SnapshotParts) {
    this.#parts = parts
  }

  /** Resolves when the log may be appended to (SN2). */
  async beforeCommit(): Promise<void> {
    if (this.#underWay?.stage.kind !== "writing") return
    await this.#underWay.stage.work.settled
    this.#goOn()
  }

  /** To be called behind each epoch: begins what can begin, and waits for nothing. */
  step(): void {
    this.#goOn()
    if (this.#underWay !== undefined || !this.#parts.store.isSnapshotDue) return
    const { store, capture, checkpoint } = this.#parts
    store.beginSnapshot()
    this.#underWay = { everything: capture(), stage: { kind: "sinks", work: new Background(checkpoint()) } }
  }

  /** To be called behind the last epoch: brings what is under way to its end. */
  async finish(): Promise<void> {
    this.step()
    while (this.#underWay !== undefined) {
      await this.settle()
      this.#goOn()
    }
  }

  /** Resolves when nothing goes on beside the job any more, whatever came of it. */
  async settle(): Promise<void> {
    await this.#underWay?.stage.work.settled
  }

  /** Looks what has come of the work beside, and begins what follows from it. */
  #goOn(): void {
    const { store, run, onDone } = this.#parts
    if (this.#underWay === undefined) return
    const { everything, stage } = this.#underWay
    if (stage.work.outcome === undefined) return
    if (stage.kind === "sinks") {
      const work = new Background(store.snapshot(run, { ...everything, outputs: stage.work.outcome.value }))
      this.#underWay.stage = { kind: "writing", work }
    } else if (stage.kind === "writing") {
      this.#underWay.stage = { kind: "trimming", work: new Background(store.trim(stage.work.outcome.value)) }
    } else {
      this.#underWay = undefined
      onDone(everything.epoch)
    }
  }
}
