/**
 * Snapshots beside the stream. When the log has grown, one is begun at the end of an epoch: what is small is written at once, of large states
 * slices follow between the batches, each for a short while; epochs are committed in between. Meanwhile the sinks make durable what
 * they had when it was begun. Behind an epoch at which both are done the snapshot is made whole, and older segments are removed.
 *
 * The log has one end. So a commit waits for the begin of a snapshot, and for the record that makes it whole: each is a few calls of the disk
 * for some KiB, beside the reading and computing of an epoch.
 *
 * Invariants:
 * - SN1 One snapshot is under way at a time, from its begin until the segments before it are gone.
 * - SN2 The log is not appended to while a snapshot is begun, or made whole.
 * - SN3 What fails beside the stream fails the job, at the end of the next epoch at the latest; nothing goes on when the
 *   job has ended.
 * - SN4 A snapshot is made whole right behind a commit, so that all is committed which its slices may show (Z6).
 * - SN5 Slices take a share of the time since the last ones, and no more than `SLICES_MICROS_MAX` at once and what one slice takes.
 */
import { ByteWriter } from "../base/bytes.ts"
import type { Clock } from "../env/env.ts"
import type { StateSlices } from "../flow/operator.ts"
import type { LogPlace } from "../log/log-reader.ts"
import type { EpochRecord, RunRecord } from "../state/commit-record.ts"
import { Background } from "./background.ts"

/** Slices take at most so long at once, at least so long where there is as much to write, and in between a share of the time. */
const SLICES_MICROS_MAX = 3000
const SLICES_MICROS_MIN = 500
const SLICES_SHARE = 1 / 4

/** About so many bytes make a slice, unless told otherwise. */
const SLICE_BYTES = 8 << 10

/** What snapshots need of the store of epochs. */
export interface SnapshotStore {
  readonly isSnapshotDue: boolean
  beginSnapshot(run: RunRecord, everything: EpochRecord): Promise<LogPlace>
  appendSlice(operator: string, changes: Uint8Array): Promise<void>
  endSnapshot(outputs: EpochRecord["outputs"]): Promise<void>
  trim(snapshot: LogPlace): Promise<void>
}

/** All there is at an epoch, but for what the sinks have. */
export interface Captured {
  /** With the states of operators that are not sliced. */
  readonly everything: EpochRecord
  /** Those of the others, by operator. */
  readonly slices: ReadonlyMap<string, StateSlices>
}

/** What snapshots are made of. */
export interface SnapshotParts {
  readonly store: SnapshotStore
  readonly run: RunRecord
  readonly clock: Pick<Clock, "monotonicMicros">
  /** Everything as it is now. */
  readonly capture: () => Captured
  /** See `Sink.checkpoint`. */
  readonly checkpoint: () => Promise<EpochRecord["outputs"]>
  /** A snapshot is durable, and what it makes superfluous is gone. */
  readonly onDone: (epoch: number) => void
  /** About how many bytes make a slice; default `SLICE_BYTES`. */
  readonly sliceBytes?: number | undefined
  /** At most so many at once; default: as many as the time allows. */
  readonly slicesMax?: number | undefined
}

/** How far a snapshot has come. */
type Stage =
  | { readonly kind: "beginning"; readonly work: Background<LogPlace> }
  | { readonly kind: "slicing"; readonly start: LogPlace }
  | { readonly kind: "ending"; readonly start: LogPlace; readonly work: Background<void> }
  | { readonly kind: "trimming"; readonly work: Background<void> }

/** The snapshot that is under way. */
interface UnderWay {
  readonly epoch: number
  readonly sinks: Background<EpochRecord["outputs"]>
  /** The states of which slices are left. */
  readonly slices: [string, StateSlices][]
  stage: Stage
}

/** The snapshots of a run. */
export class Snapshots {
  readonly #parts: SnapshotParts
  readonly #slice = new ByteWriter(4096)
  #underWay: UnderWay | undefined
  /** When the last slices were done. */
  #slicedMicros = 0

  constructor(parts: SnapshotParts) {
    this.#parts = parts
  }

  /** Resolves when the log may be appended to (SN2). */
  async beforeCommit(): Promise<void> {
    const stage = this.#underWay?.stage
    if (stage?.kind !== "beginning" && stage?.kind !== "ending") return
    await stage.work.settled
    this.#goOn()
  }

  /** Whether one is under way. */
  get areUnderWay(): boolean {
    return this.#underWay !== undefined
  }

  /** To be called between batches: writes slices for a while, where there are some (SN5). */
  async writeSlices(): Promise<void> {
    this.#goOn()
    const { clock, slicesMax = Infinity } = this.#parts
    const start = clock.monotonicMicros()
    const share = (start - this.#slicedMicros) * SLICES_SHARE
    const end = start + Math.min(SLICES_MICROS_MAX, Math.max(SLICES_MICROS_MIN, share))
    for (let count = 0; count < slicesMax && this.#hasSlices; count++) {
      await this.#writeSlice()
      if (clock.monotonicMicros() >= end) break
    }
    this.#slicedMicros = clock.monotonicMicros()
  }

  /** To be called right behind each commit: begins what can begin, and waits for nothing. */
  step(): void {
    this.#goOn()
    this.#end()
    if (this.#underWay === undefined && this.#parts.store.isSnapshotDue) this.#begin()
  }

  /** To be called behind the last epoch: brings what is under way to its end. */
  async finish(): Promise<void> {
    this.step()
    while (this.#underWay !== undefined) {
      while (this.#hasSlices) await this.#writeSlice()
      await this.settle()
      this.#goOn()
      this.#end()
    }
  }

  /** Resolves when nothing goes on beside the job any more, whatever came of it. */
  async settle(): Promise<void> {
    if (this.#underWay === undefined) return
    const { sinks, stage } = this.#underWay
    await sinks.settled
    if (stage.kind !== "slicing") await stage.work.settled
  }

  #begin(): void {
    const { store, run, capture, checkpoint, clock } = this.#parts
    const { everything, slices } = capture()
    this.#underWay = {
      epoch: everything.epoch,
      sinks: new Background(checkpoint()),
      slices: [...slices],
      stage: { kind: "beginning", work: new Background(store.beginSnapshot(run, everything)) },
    }
    this.#slicedMicros = clock.monotonicMicros()
  }

  /** Whether slices are left, and may be written. */
  get #hasSlices(): boolean {
    return this.#underWay?.stage.kind === "slicing" && this.#underWay.slices.length > 0
  }

  async #writeSlice(): Promise<void> {
    const { store, sliceBytes = SLICE_BYTES } = this.#parts
    const { slices } = this.#underWay!
    const [operator, state] = slices[0]!
    this.#slice.recycle()
    const isLast = !state.next(this.#slice, sliceBytes)
    if (isLast) slices.shift()
    if (this.#slice.length > 0) await store.appendSlice(operator, this.#slice.view())
  }

  /** Makes the snapshot whole, where nothing is missing (SN4). */
  #end(): void {
    if (this.#underWay === undefined) return
    const { stage, slices, sinks } = this.#underWay
    if (stage.kind !== "slicing" || slices.length > 0 || sinks.outcome === undefined) return
    const work = new Background(this.#parts.store.endSnapshot(sinks.outcome.value))
    this.#underWay.stage = { kind: "ending", start: stage.start, work }
  }

  /** Looks what has come of the work beside, and begins what follows from it at any time. */
  #goOn(): void {
    if (this.#underWay === undefined) return
    const { stage, epoch, sinks } = this.#underWay
    // Where it has failed, the job has.
    void sinks.outcome
    if (stage.kind === "beginning" && stage.work.outcome !== undefined) {
      this.#underWay.stage = { kind: "slicing", start: stage.work.outcome.value }
    } else if (stage.kind === "ending" && stage.work.outcome !== undefined) {
      this.#underWay.stage = { kind: "trimming", work: new Background(this.#parts.store.trim(stage.start)) }
    } else if (stage.kind === "trimming" && stage.work.outcome !== undefined) {
      this.#underWay = undefined
      this.#parts.onDone(epoch)
    }
  }
}
