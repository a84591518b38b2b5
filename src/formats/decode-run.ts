/** One call of a decoder: how far it has come in its window, and what it has found. */
import { assert } from "../base/assert.ts"
import type { BadRecord, Position } from "../batch/position.ts"
import type { BatchBuilder } from "./batch-builder.ts"
import type { Decoded, DecodeWindow, OversizedRecord } from "./decoder.ts"
import { RAW_BYTES_MAX, rawOf } from "./utf8.ts"

/** Longer records are bad records unless a decoder is told otherwise. */
export const RECORD_BYTES_MAX = 1024 * 1024

const NOTHING = () => {}

/** What is wrong with a record. */
export interface Fault {
  /** See `BadRecord.reason`. */
  readonly reason: string
  /** See `BadRecord.field`. */
  readonly field?: string
}

/** The state of a call. */
export class DecodeRun {
  readonly window: DecodeWindow
  /** Add it to an index of `window.bytes` for an offset of the partition. */
  readonly base: number
  /** Where the next record starts, in `window.bytes`. */
  at: number
  /** Lines before `at`. */
  lines: number
  /** Rows written. */
  rows = 0
  readonly bad: BadRecord[] = []
  /** Whether the next record is not complete in the window. */
  needsMore = false
  #oversized: OversizedRecord | undefined

  constructor(window: DecodeWindow) {
    const { position, oversized, from, to, maxRows } = window
    assert(from <= to && maxRows >= 1, "a window has room for a record")
    this.window = window
    this.base = (oversized?.resumeOffset ?? position.offset) - from
    this.at = from
    this.lines = (oversized?.position ?? position).ordinal
  }

  /** Whether a limit of the window lets another record start at `at`. */
  get mayGoOn(): boolean {
    const { maxRows, untilOffset } = this.window
    return this.rows + this.bad.length < maxRows && this.base + this.at < untilOffset
  }

  /** In how many bytes of the window records may start. */
  get bytesAhead(): number {
    const { to, untilOffset } = this.window
    return Math.max(0, Math.min(to - this.at, untilOffset - this.base - this.at))
  }

  /** Where the next record starts. */
  get position(): Position {
    return { offset: this.base + this.at, ordinal: this.lines }
  }

  /** Notes the record `bytes[at, end)` as a bad one and goes on behind its line end. */
  refuse(end: number, lines: number, { reason, field }: Fault): void {
    this.bad.push({ position: this.position, reason, field, raw: rawOf(this.window.bytes, this.at, end) })
    this.goOn(end, lines)
  }

  /** Notes the record `bytes[at, end)` as one that is too long and goes on behind its line end. */
  refuseTooLong(end: number, lines: number, maxRecordBytes: number): void {
    this.refuse(Math.min(end, this.at + maxRecordBytes), lines, tooLong(maxRecordBytes))
    this.at = Math.min(end + 1, this.window.to)
  }

  /** Goes on behind the line end at `end`. */
  goOn(end: number, lines: number): void {
    this.at = Math.min(end + 1, this.window.to)
    this.lines += lines
  }

  /**
   * Stops at a record that does not end in the window: for more bytes, and where there are more than `maxRecordBytes`
   * already, for any that follow.
   */
  stopWithin(maxRecordBytes: number, lines: number, state: number): void {
    const { bytes, to } = this.window
    this.needsMore = true
    if (to - this.at <= maxRecordBytes) return
    const raw = rawOf(bytes, this.at, this.at + Math.min(maxRecordBytes, RAW_BYTES_MAX))
    this.#oversized = { position: this.position, resumeOffset: this.base + to, lines, state, raw }
  }

  /** The oversized record that the window goes on with has ended at `end`. */
  endOversized(end: number, lines: number, maxRecordBytes: number): void {
    const { oversized } = this.window
    assert(oversized !== undefined, "an oversized record was begun before it ends")
    const { position, raw } = oversized
    this.bad.push({ position, raw, field: undefined, ...tooLong(maxRecordBytes) })
    this.goOn(end, lines)
  }

  /** The oversized record that the window goes on with does not end in it, either. */
  goOnOversized(lines: number, state: number): Decoded {
    const { oversized, to } = this.window
    assert(oversized !== undefined, "an oversized record was begun before it goes on")
    const resumed = { ...oversized, resumeOffset: this.base + to, lines, state }
    return {
      batch: undefined,
      bad: [],
      next: oversized.position,
      needsMore: true,
      oversized: resumed,
      release: NOTHING,
    }
  }

  /** What the call gives. */
  finish(builder: BatchBuilder): Decoded {
    const { bad, needsMore, position, rows, window } = this
    builder.observe(rows + bad.length, this.at - window.from)
    const { batch, release } = builder.finish(rows, window.partition)
    return { batch, bad, next: position, needsMore, oversized: this.#oversized, release }
  }
}

function tooLong(maxRecordBytes: number): Fault {
  return { reason: `the record is longer than ${maxRecordBytes} bytes` }
}
