/**
 * The bytes of a segment, read piece by piece, while the next piece is being read. A piece begins with what was left of the one before: a
 * record that it has the beginning of.
 *
 * Invariants:
 * - SB1 A piece has the bytes of the segment from where it was asked for, up to where it ends.
 */
import { assert } from "../base/assert.ts"
import type { DiskFile, StepName } from "../env/env.ts"
import { RECORD_HEADER_BYTES, SEGMENT_HEADER_BYTES } from "./record.ts"
import type { Segment } from "./segment.ts"

/** How much is read at once; and how much may be left of a piece, for which the next one has room. */
const SIZES = { pieceBytes: 1 << 20, leftBytesMax: 32 << 10 }

interface Ahead {
  /** What is read begins here, behind room for what is left of the piece before. */
  readonly offset: number
  readonly room: Uint8Array<ArrayBuffer>
  readonly reading: Promise<number>
}

/** See the head of this file. Offsets are those of the generation; `stop` is where the segment ends. */
export class SegmentBytes {
  readonly #file: DiskFile
  readonly #segment: Segment
  readonly #stop: number
  readonly #step: StepName
  readonly #sizes: typeof SIZES
  /** The piece that was given last, and where it begins. */
  #piece: Uint8Array<ArrayBuffer> = new Uint8Array(0)
  #offset = -1
  #ahead: Ahead | undefined

  constructor(file: DiskFile, segment: Segment, stop: number, step: StepName, sizes = SIZES) {
    this.#file = file
    this.#segment = segment
    this.#stop = stop
    this.#step = step
    this.#sizes = sizes
  }

  /** The next piece: bytes from an offset within the last one on, or from the start. */
  async next(offset: number): Promise<Uint8Array<ArrayBuffer>> {
    const piece = (await this.#behind(offset)) ?? (await this.exactly(offset, this.#sizes.pieceBytes))
    this.#piece = piece
    this.#offset = offset
    const end = offset + piece.length
    if (end < this.#stop && piece.length > 0) this.#readAhead(end)
    return piece
  }

  /** What was left of the last piece, and what was read ahead; `undefined` where that is not it. */
  async #behind(offset: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const ahead = this.#ahead
    this.#ahead = undefined
    if (ahead === undefined) return undefined
    const got = await ahead.reading
    const left = ahead.offset - offset
    if (left < 0 || offset < this.#offset) return undefined
    const { leftBytesMax } = this.#sizes
    const isRoomy = left <= leftBytesMax
    const room = isRoomy ? ahead.room : new Uint8Array(left + got)
    const from = isRoomy ? leftBytesMax - left : 0
    room.set(this.#piece.subarray(this.#piece.length - left), from)
    if (!isRoomy) room.set(ahead.room.subarray(leftBytesMax, leftBytesMax + got), left)
    return room.subarray(from, from + left + got)
  }

  #readAhead(offset: number): void {
    const count = Math.min(this.#sizes.pieceBytes, this.#stop - offset)
    const room = new Uint8Array(this.#sizes.leftBytesMax + count)
    const reading = this.#file.read(room.subarray(this.#sizes.leftBytesMax), this.#positionOf(offset), this.#step)
    // Who waits for it is told; who does not has another failure.
    reading.catch(() => undefined)
    this.#ahead = { offset, room, reading }
  }

  /** So many bytes from an offset on, or fewer where the segment ends. */
  async exactly(offset: number, count: number): Promise<Uint8Array<ArrayBuffer>> {
    assert(count >= 0 && offset >= this.#segment.startOffset, "records are read within their segment")
    const length = Math.min(count, this.#stop - offset)
    const bytes = new Uint8Array(Math.max(length, RECORD_HEADER_BYTES))
    const got = await this.#file.read(bytes.subarray(0, length), this.#positionOf(offset), this.#step)
    return bytes.subarray(0, got)
  }

  #positionOf(offset: number): number {
    return SEGMENT_HEADER_BYTES + offset - this.#segment.startOffset
  }

  /** To be called before the file is closed. */
  async end(): Promise<void> {
    await this.#ahead?.reading.catch(() => undefined)
  }
}
