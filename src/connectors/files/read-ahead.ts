/**
 * Reads a file ahead of whoever reads its records: the stretches that the next reads will ask for are decoded by other
 * threads, several at a time.
 *
 * Where a stretch's first record starts is known only when the one before it was read. So it is guessed to be behind the
 * first line end, and what a thread has made of the stretch is dropped where that was wrong, as it is where a line end
 * stands within quotes. Then, and in every other case that is not the usual one, the reader decodes by itself: it finds out
 * what is wrong, and says so.
 *
 * Invariants:
 * - RA1 What is given is what decoding the file in order gives.
 * - RA2 At most as many stretches are ahead as `depth` says; none where the threads have enough to do.
 */
import { assert } from "../../base/assert.ts"
import type { Arena } from "../../batch/arena.ts"
import type { Position } from "../../batch/position.ts"
import type { DecodedTask, DecodeSlot, ThreadDecoder } from "../../connect/decoders.ts"
import type { ReadLimits, SourceBatch } from "../../connect/source.ts"
import type { DiskFile } from "../../env/env.ts"
import type { FileSourceStep } from "./steps.ts"

const LINE_FEED = 0x0a
/** At most so many bytes are read behind a stretch, for its last record to end in: no more than it has itself. */
const SLACK_BYTES = 4 * 1024
const READ_STEP: FileSourceStep = "source.read"

/** What is read ahead. */
export interface AheadTarget {
  readonly file: DiskFile
  /** The file's bytes that are there for certain. */
  readonly size: number
  readonly decoder: ThreadDecoder
  readonly arena: Arena
  /** Becomes `origin.partition`. */
  readonly partition: number
}

/** What a thread has made of a stretch. */
interface ReadStretch {
  /** Where its first record starts: a guess, but for a stretch that was asked for when that was known. */
  readonly start: number
  readonly decoded: DecodedTask
}

/** A stretch of the file on its way. */
interface Stretch {
  readonly untilOffset: number
  readonly slot: DecodeSlot
  readonly outcome: Promise<ReadStretch | undefined>
}

/** See the head of this file. */
export class ReadAhead {
  readonly #target: AheadTarget
  /** In the order of the file. */
  readonly #stretches: Stretch[] = []
  #slack = 0
  /** A failure of the disk, also one behind the stretch that is asked for: there is no way past it. */
  #failure: { readonly error: unknown } | undefined
  /** Those that nobody waits for, and that still use the file or the memory. */
  readonly #dropped = new Set<Promise<void>>()

  constructor(target: AheadTarget) {
    this.#target = target
  }

  /** How many stretches are on their way. */
  get length(): number {
    return this.#stretches.length
  }

  /**
   * The records from a position to a read's limit, or some of the first of them; `undefined` where the reader has to
   * decode them by itself.
   *
   * @throws what the disk has failed with.
   * @param depth how many stretches may be on their way, this one included.
   */
  async read(position: Position, limits: ReadLimits, depth: number): Promise<SourceBatch | undefined> {
    const { rows, untilOffset, stride } = limits
    if (stride === undefined) return undefined
    this.#slack = Math.min(SLACK_BYTES, stride)
    while (this.#stretches.length > 0 && this.#stretches[0]!.untilOffset < untilOffset) this.#drop()
    if (this.#stretches[0]?.untilOffset !== untilOffset) {
      const first = this.#begin(position.offset, true, untilOffset)
      if (first === undefined) return undefined
      this.#stretches.unshift(first)
    }
    this.#goAhead(stride, depth)
    const stretch = this.#stretches.shift()!
    const read = await stretch.outcome
    if (this.#failure !== undefined) {
      stretch.slot.release()
      throw this.#failure.error
    }
    const { offset } = position
    const isUsable =
      read !== undefined && read.start === offset && read.decoded.nextOffset > offset && read.decoded.records <= rows
    if (!isUsable) {
      stretch.slot.release()
      return undefined
    }
    const taken = read.decoded.take(position, this.#target.partition)
    return { ...taken, end: false, release: () => void stretch.slot.release() }
  }

  /** Drops everything, and resolves when nothing uses the file any more. */
  async settle(): Promise<void> {
    while (this.#stretches.length > 0) this.#drop()
    await Promise.all(this.#dropped)
  }

  /** Asks for the stretches behind those that are on their way. */
  #goAhead(stride: number, depth: number): void {
    while (this.#stretches.length < depth) {
      const from = this.#stretches.at(-1)!.untilOffset
      const next = this.#begin(from, false, from + stride)
      if (next === undefined) return
      this.#stretches.push(next)
    }
  }

  /** Asks for a stretch: from where a record starts, or from the first record at or behind `from`. */
  #begin(from: number, isStart: boolean, untilOffset: number): Stretch | undefined {
    const { size, decoder, arena } = this.#target
    const to = untilOffset + this.#slack
    if (to > size) return undefined
    const slot = decoder.slot()
    if (slot === undefined) return undefined
    const first = isStart ? from : from - 1
    const block = arena.tryAllocate(to - first)
    if (block === undefined) {
      slot.release()
      return undefined
    }
    const bytes = new Uint8Array(arena.buffer, block.offset, to - first)
    const outcome = this.#decode({ slot, bytes, first, isStart, untilOffset })
      .catch((error: unknown) => {
        this.#failure ??= { error }
        return undefined
      })
      .finally(() => arena.free(block))
    return { untilOffset, slot, outcome }
  }

  async #decode(stretch: {
    readonly slot: DecodeSlot
    readonly bytes: Uint8Array
    /** Where the bytes stand in the file. */
    readonly first: number
    readonly isStart: boolean
    readonly untilOffset: number
  }): Promise<ReadStretch | undefined> {
    const { slot, bytes, first, isStart, untilOffset } = stretch
    const count = await this.#target.file.read(bytes, first, READ_STEP)
    // The file has become shorter: the reader finds that out, and says so.
    if (count < bytes.length) return undefined
    const skipped = isStart ? 0 : bytes.indexOf(LINE_FEED) + 1
    const start = first + skipped
    if ((skipped === 0 && !isStart) || start >= untilOffset) return undefined
    const length = bytes.length - skipped
    const decoded = await slot.decode({ address: bytes.byteOffset + skipped, length, offset: start, untilOffset })
    return decoded && { start, decoded }
  }

  #drop(): void {
    const stretch = this.#stretches.shift()
    assert(stretch !== undefined, "there is something to drop")
    const done = stretch.outcome.then(() => {
      stretch.slot.release()
      this.#dropped.delete(done)
    })
    this.#dropped.add(done)
  }
}
