/**
 * A file sink that puts each row into the directory of its partition: `out/dt=2026-11-27/part-00007.jsonl`.
 *
 * Each directory that has rows has one part that grows, a `FileSink` of its own. Parts are numbered over all directories, so that nothing
 * needs to be remembered of a directory whose part is published. All open parts are published together.
 *
 * When no more rows can come to a directory but late ones, it gets a marker, the empty file `_SUCCESS`: where the watermark of the
 * output has passed the end of its period, and where the job has come to the end of its input. Rows that come later are added as further
 * parts, and the marker stays.
 *
 * Invariants, beside K1 to K9:
 * - K11 After `apply` readers see exactly the rows of the first so many epochs, in all directories together.
 * - K12 A marker is made after the last part of its directory is published, with the epoch whose watermark has passed the end of the period, and
 *   not before.
 * - K13 What is remembered is bounded by the directories that have an open part or no marker yet. No more than 128 parts stay open behind an
 *   epoch, and an epoch has no more than 2,000.
 */
import { assert } from "../../base/assert.ts"
import { TidemarkError } from "../../base/errors.ts"
import type { Batch } from "../../batch/batch.ts"
import type { Sink, StageProgress } from "../../connect/sink.ts"
import type { Clock, DirectoryLock, Disk } from "../../env/env.ts"
import type { RecordEncoder } from "../../formats/decoder.ts"
import { FileSink, type RollingPolicy } from "./file-sink.ts"
import type { PartFile, PartPlace } from "./part-file.ts"
import type { PartitionPath, PartitionPaths } from "./partition-path.ts"
import { decodePartitionedEpoch, encodePartitionedCursor, encodePartitionedEpoch } from "./partitioned-record.ts"
import { SinkTurns } from "../../connect/sink-turns.ts"
import { NOTHING_STAGED, type SinkCursor } from "./staged-part.ts"
import type { FileSinkStep } from "./steps.ts"

/** The name of the marker. */
export const SUCCESS = "_SUCCESS"

/** Parts are published where so many are open at the end of an epoch. */
const OPEN_PARTS_MAX = 128

/** No more parts are open at once: each is an open file. */
const PARTS_MAX = 2000

/** The parts do not decide by themselves when they are published. */
const NEVER: RollingPolicy = { rollBytes: Infinity, rollAfterMicros: Infinity }

/** A part that recovery has found open. */
export interface RecoveredPartition {
  readonly path: string
  readonly place: PartPlace
  readonly cursor: SinkCursor
  readonly file: PartFile
}

/** A sink as recovery leaves it. */
export interface RecoveredPartitions {
  readonly token: number
  readonly nextPart: number
  readonly open: readonly RecoveredPartition[]
  readonly unmarked: readonly PartitionPath[]
}

/** What a partitioned sink is made of. */
export interface PartitionedSinkParts {
  readonly recovered: RecoveredPartitions
  readonly paths: PartitionPaths
  readonly successAfterMicros: number
  readonly policy: RollingPolicy
  readonly disk: Disk
  readonly clock: Clock
  readonly lock: DirectoryLock
  readonly createEncoder: () => RecordEncoder
  /** Where parts of a directory lie. */
  readonly placeOf: (path: string, token: number) => PartPlace
}

/** A part that is being written. */
interface OpenPart extends PartitionPath {
  readonly part: number
  readonly sink: FileSink
}

/** See the head of this file. */
export class PartitionedSink implements Sink {
  readonly #parts: PartitionedSinkParts
  readonly #turns = new SinkTurns()
  /** By path. */
  #open = new Map<string, OpenPart>()
  /** Parts whose publication is staged and not yet applied. */
  #closing: readonly OpenPart[] = []
  #nextPart: number
  /** Directories with rows that have no marker yet, and the ends of their periods. */
  readonly #unmarked: Map<string, number>
  /** At the last `stage`. */
  #watermark = -Infinity
  #isClosed = false

  constructor(parts: PartitionedSinkParts) {
    this.#parts = parts
    const { nextPart, open, unmarked } = parts.recovered
    this.#nextPart = nextPart
    this.#unmarked = new Map(unmarked.map(({ path, endMicros }) => [path, endMicros]))
    for (const { path, ...recovered } of open) {
      const endMicros = this.#unmarked.get(path) ?? Infinity
      this.#open.set(path, { path, endMicros, part: recovered.cursor.part, sink: this.#makeSink(recovered) })
    }
  }

  get bufferedBytes(): number {
    return this.#sum(({ bufferedBytes }) => bufferedBytes)
  }

  write(batch: Batch): void {
    assert(!this.#isClosed, "a closed sink is not written to")
    const rows = new Map<PartitionPath, number[]>()
    batch.forEachRow((row) => {
      const path = this.#parts.paths.of(batch, row)
      const own = rows.get(path)
      if (own === undefined) rows.set(path, [row])
      else own.push(row)
    })
    for (const [path, own] of rows) {
      const isAll = own.length === batch.count
      this.#partOf(path).sink.write(isAll ? batch : batch.with({ selection: Int32Array.from(own), count: own.length }))
    }
  }

  async flush(): Promise<void> {
    await Promise.all([...this.#open.values()].map(({ sink }) => sink.flush()))
  }

  async stage(final: boolean, progress?: StageProgress): Promise<Uint8Array> {
    const before = this.#watermark
    const { watermarkMicros, isFinished } = progress ?? { watermarkMicros: -Infinity, isFinished: false }
    this.#watermark = Math.max(before, watermarkMicros)
    const due = isFinished ? Infinity : this.#watermark - this.#parts.successAfterMicros
    const isComplete = (endMicros: number) => isFinished || endMicros <= due
    // Rows that have come late do not make a part of their own at each epoch.
    const isNewlyDue = (endMicros: number) => isFinished || endMicros > before - this.#parts.successAfterMicros
    const complete = [...this.#unmarked].filter(([, endMicros]) => isComplete(endMicros))
    const publish = final || this.#isLarge || complete.some(([, endMicros]) => isNewlyDue(endMicros))
    const staging = [...this.#open.values()].map(async (part) => ({ ...part, bytes: await part.sink.stage(publish) }))
    const nextPart = this.#nextPart
    if (publish) {
      assert(this.#closing.length === 0, "a stage follows the last stage's apply")
      this.#closing = [...this.#open.values()]
      this.#open = new Map()
    }
    const marked = publish ? complete.map(([path]) => path) : []
    for (const path of marked) this.#unmarked.delete(path)
    const parts = (await Promise.all(staging)).filter(({ bytes }) => bytes.length > 0)
    // A failed part has failed them all.
    await this.#turns.take(() => Promise.resolve())
    if (parts.length === 0 && marked.length === 0) return NOTHING_STAGED
    const { token } = this.#parts.recovered
    return encodePartitionedEpoch({ token, nextPart, parts, marked })
  }

  async apply(staged: Uint8Array): Promise<void> {
    const epoch = decodePartitionedEpoch(staged)
    if (epoch === undefined) return await this.#turns.take(() => Promise.resolve())
    assert(epoch.token === this.#parts.recovered.token, "a sink applies its own records")
    const written = [...this.#closing, ...this.#open.values()]
    for (const { path, bytes, staged: record } of epoch.parts) {
      const own = written.find((each) => each.path === path && each.part === record.part)
      // Without it the part was published by an earlier `apply` of this record or a later one.
      if (own === undefined) continue
      await own.sink.apply(bytes)
      if (record.publish) await own.sink.close()
    }
    if (epoch.parts.some((each) => each.staged.publish)) this.#closing = []
    for (const path of epoch.marked) {
      const { disk } = this.#parts
      const { directory, prepare } = this.#parts.placeOf(path, epoch.token)
      await this.#turns.take(() => mark(disk, directory, prepare))
    }
  }

  async checkpoint(): Promise<Uint8Array> {
    const { token } = this.#parts.recovered
    const nextPart = this.#nextPart
    const unmarked = [...this.#unmarked].map(([path, endMicros]) => ({ path, endMicros }))
    const asked = [...this.#open.values()].map(async ({ path, sink }) => ({ path, bytes: await sink.checkpoint() }))
    return encodePartitionedCursor({ token, nextPart, open: await Promise.all(asked), unmarked })
  }

  untilDue(wallMicros: number): number {
    const openedAt = this.#openedAtMicros
    if (openedAt === Infinity) return Infinity
    const { rollAfterMicros } = this.#parts.policy
    // A clock that was set back must not keep a part open for long.
    return Math.max(0, Math.min(rollAfterMicros, openedAt + rollAfterMicros - wallMicros))
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await this.#turns.settled()
    try {
      for (const { sink } of [...this.#closing, ...this.#open.values()]) await sink.close()
    } finally {
      await this.#parts.lock.release()
    }
  }

  get #openedAtMicros(): number {
    return Math.min(...[...this.#open.values()].map(({ sink }) => sink.openedAtMicros))
  }

  /** Whether what is open is so much, or so old, that it is published. */
  get #isLarge(): boolean {
    const { rollBytes, rollAfterMicros } = this.#parts.policy
    const bytes = this.#sum(({ partBytes }) => partBytes)
    const age = this.#parts.clock.wallMicros() - this.#openedAtMicros
    return this.#open.size >= OPEN_PARTS_MAX || bytes >= rollBytes || age >= rollAfterMicros
  }

  #sum(of: (sink: FileSink) => number): number {
    let sum = 0
    for (const { sink } of this.#open.values()) sum += of(sink)
    return sum
  }

  #partOf({ path, endMicros }: PartitionPath): OpenPart {
    const known = this.#open.get(path)
    if (known !== undefined) return known
    if (this.#open.size === PARTS_MAX) throw tooManyParts()
    this.#unmarked.set(path, endMicros)
    const { token } = this.#parts.recovered
    const part = this.#nextPart++
    const cursor: SinkCursor = { token, part, length: 0, openedAtMicros: 0 }
    const sink = this.#makeSink({ place: this.#parts.placeOf(path, token), cursor, file: undefined })
    const made = { path, endMicros, part, sink }
    this.#open.set(path, made)
    return made
  }

  #makeSink(recovered: { place: PartPlace; cursor: SinkCursor; file: PartFile | undefined }): FileSink {
    const { clock, createEncoder } = this.#parts
    return new FileSink({ recovered, encoder: createEncoder(), policy: NEVER, clock, turns: this.#turns })
  }
}

function tooManyParts(): TidemarkError {
  return new TidemarkError("sink-failed", `Rows of one epoch go to more than ${PARTS_MAX} directories.`, {
    hint: "Partition the output by something of which there is less, such as days in place of hours; or let epochs be shorter.",
  })
}

/** Makes the marker of a directory. To do it again changes nothing. */
export async function mark(disk: Disk, directory: string, prepare: PartPlace["prepare"]): Promise<void> {
  const [create, sync]: [FileSinkStep, FileSinkStep] = ["sink.mark.create", "sink.mark.sync-directory"]
  await prepare?.()
  const file = await disk.open(`${directory}/${SUCCESS}`, "create", create)
  await file?.close()
  await disk.syncDirectory(directory, sync)
}
